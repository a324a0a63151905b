//! What is told of migrations that a tool says it ran.

use serde_json::{Value, json};
use shipway::execute::Report;

/// The object `migrations` of the JSON form.
pub(crate) fn report_json(report: &Report) -> Value {
    let executed = report.executed.iter().map(|executed| {
        json!({
            "version": executed.version,
            "description": executed.description,
            "script": executed.script,
            "milliseconds": executed.milliseconds,
        })
    });
    json!({
        "tool": report.tool,
        "toolVersion": report.tool_version,
        "initial": report.initial,
        "target": report.target,
        "executed": executed.collect::<Vec<_>>(),
        "warnings": report.warnings,
        "error": report.error.as_ref().map(|error| json!({
            "message": error.message,
            "script": error.script,
            "line": error.line,
            "sqlState": error.sql_state,
            "errorCode": error.error_code,
            "statement": error.statement,
        })),
    })
}

#[cfg(test)]
mod tests {
    use shipway::execute::report::{Executed, ToolError};

    use super::*;

    #[test]
    fn what_is_not_known_is_null() {
        let mut report = Report {
            tool: "flyway".to_owned(),
            target: Some("2".to_owned()),
            executed: vec![Executed {
                version: Some("2".to_owned()),
                description: "orders".to_owned(),
                ..Executed::default()
            }],
            ..Report::default()
        };
        insta::assert_snapshot!(report_json(&report), @r#"{"tool":"flyway","toolVersion":null,"initial":null,"target":"2","executed":[{"version":"2","description":"orders","script":null,"milliseconds":null}],"warnings":[],"error":null}"#);
        report.tool_version = Some("12.4.0".to_owned());
        report.executed[0].milliseconds = Some(3);
        report.executed[0].script = Some("/flyway/sql/V2__orders.sql".to_owned());
        report.error = Some(ToolError {
            message: "no such table".to_owned(),
            script: Some("/flyway/sql/V3__x.sql".to_owned()),
            line: Some(5),
            sql_state: Some("42S02".to_owned()),
            error_code: Some("1146".to_owned()),
            statement: Some("insert into x".to_owned()),
        });
        insta::assert_snapshot!(report_json(&report), @r#"{"tool":"flyway","toolVersion":"12.4.0","initial":null,"target":"2","executed":[{"version":"2","description":"orders","script":"/flyway/sql/V2__orders.sql","milliseconds":3}],"warnings":[],"error":{"message":"no such table","script":"/flyway/sql/V3__x.sql","line":5,"sqlState":"42S02","errorCode":"1146","statement":"insert into x"}}"#);
    }
}

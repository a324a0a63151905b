//! What is told of migrations that a tool says it ran.

use serde_json::{Map, Value, json};
use shipway::execute::Report;

/// The object `migrations` of the JSON form.
pub(crate) fn migrations_json(report: &Report) -> Value {
    let executed = report.executed.iter().map(|one| {
        let mut object = Map::from_iter([
            ("version".to_owned(), json!(one.version)),
            ("description".to_owned(), json!(one.description)),
        ]);
        add(&mut object, "script", one.script.as_ref().map(|script| json!(script)));
        add(
            &mut object,
            "milliseconds",
            one.milliseconds.map(|milliseconds| json!(milliseconds)),
        );
        Value::Object(object)
    });
    let mut object = Map::from_iter([("tool".to_owned(), json!(report.tool))]);
    add(
        &mut object,
        "toolVersion",
        report.tool_version.as_ref().map(|version| json!(version)),
    );
    object.insert("initial".to_owned(), json!(report.initial));
    object.insert("target".to_owned(), json!(report.target));
    object.insert("executed".to_owned(), executed.collect());
    object.insert("warnings".to_owned(), json!(report.warnings));
    if let Some(error) = &report.error {
        let mut told = Map::from_iter([("message".to_owned(), json!(error.message))]);
        add(&mut told, "script", error.script.as_ref().map(|script| json!(script)));
        add(&mut told, "line", error.line.map(|line| json!(line)));
        add(
            &mut told,
            "sqlState",
            error.sql_state.as_ref().map(|state| json!(state)),
        );
        add(
            &mut told,
            "errorCode",
            error.error_code.as_ref().map(|code| json!(code)),
        );
        add(
            &mut told,
            "statement",
            error.statement.as_ref().map(|statement| json!(statement)),
        );
        object.insert("error".to_owned(), Value::Object(told));
    }
    Value::Object(object)
}

/// Adds what is there.
fn add(object: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use shipway::execute::report::{Executed, ToolError};

    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
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
        insta::assert_snapshot!(migrations_json(&report), @r#"{"tool":"flyway","initial":null,"target":"2","executed":[{"version":"2","description":"orders"}],"warnings":[]}"#);
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
        insta::assert_snapshot!(migrations_json(&report), @r#"{"tool":"flyway","toolVersion":"12.4.0","initial":null,"target":"2","executed":[{"version":"2","description":"orders","script":"/flyway/sql/V2__orders.sql","milliseconds":3}],"warnings":[],"error":{"message":"no such table","script":"/flyway/sql/V3__x.sql","line":5,"sqlState":"42S02","errorCode":"1146","statement":"insert into x"}}"#);
    }
}

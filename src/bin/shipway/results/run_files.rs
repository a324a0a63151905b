//! The files `shipway run` leaves, whatever came of it.

use std::fmt::Write as _;

use serde_json::Value;
use shipway::execute::{Followed, Report, Status};

/// What a file tells.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RunFile {
    /// Variables for later jobs.
    Dotenv,
    /// Everything, as JSON.
    Receipt,
    /// The migrations, as test cases.
    Junit,
}

/// What belongs in a file.
pub(crate) fn run_file(file: RunFile, followed: &Followed, told: &Value) -> anyhow::Result<String> {
    Ok(match file {
        RunFile::Dotenv => dotenv(followed),
        RunFile::Receipt => format!("{}\n", serde_json::to_string_pretty(told)?),
        RunFile::Junit => junit(followed),
    })
}

/// No quotes and no spaces around `=`: GitLab reads the file, not a shell.
fn dotenv(followed: &Followed) -> String {
    let view = &followed.view;
    let mut text = String::new();
    let mut add = |name: &str, value: &str| text.push_str(&format!("{name}={value}\n"));
    if let Some(id) = &view.run_id {
        add("SHIPWAY_RUN_ID", id.as_str());
    }
    add("SHIPWAY_RUN_STATUS", view.status.as_str());
    if let Some(task) = &view.task_arn {
        add("SHIPWAY_RUN_TASK", task);
    }
    if let Some(definition) = &view.task_definition {
        add("SHIPWAY_RUN_TASK_DEFINITION", definition);
    }
    if let Some(version) = view.report.as_ref().and_then(|report| report.target.as_deref()) {
        // One line, whatever a tool calls a version.
        add("SHIPWAY_RUN_VERSION", version.lines().next().unwrap_or_default());
    }
    text
}

/// A test case for each migration that ran, one for what failed, and one for the run.
fn junit(followed: &Followed) -> String {
    let view = &followed.view;
    let nothing = Report::default();
    let report = view.report.as_ref().unwrap_or(&nothing);
    let name = view.run_id.as_ref().map_or("run", |id| id.as_str());
    let has_failed = view.status != Status::Succeeded;
    let mut cases = String::new();
    for executed in &report.executed {
        let title = match (&executed.version, executed.description.as_str()) {
            (Some(version), description) => format!("{version} {description}"),
            (None, description) => description.to_owned(),
        };
        let seconds = executed.milliseconds.map(|milliseconds| milliseconds as f64 / 1000.0);
        cases.push_str(&case(name, &title, executed.script.as_deref(), seconds));
        cases.push_str("/>\n");
    }
    let script = report.error.as_ref().and_then(|error| error.script.as_deref());
    let seconds = followed.total.as_secs_f64();
    cases.push_str(&case(name, script.unwrap_or("the run"), script, Some(seconds)));
    if has_failed {
        let message = view.failure.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut body = String::new();
        if let Some(error) = &report.error {
            body.push_str(&error.message);
            body.push('\n');
        }
        body.push_str(&followed.tail.join("\n"));
        let _ = write!(
            cases,
            ">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
            view.status.as_str(),
            escaped(&message),
            escaped(&body)
        );
    } else {
        cases.push_str("/>\n");
    }
    let tests = report.executed.len() + 1;
    let failures = usize::from(has_failed);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\" time=\"{seconds:.3}\">\n{cases}  </testsuite>\n</testsuites>\n",
        escaped(name)
    )
}

/// The beginning of a test case. What is not known is not said: a reader of it would take an empty name for a file's.
fn case(run: &str, title: &str, script: Option<&str>, seconds: Option<f64>) -> String {
    let mut case = format!(
        "    <testcase classname=\"{}\" name=\"{}\"",
        escaped(run),
        escaped(title)
    );
    if let Some(script) = script {
        let _ = write!(case, " file=\"{}\"", escaped(script));
    }
    if let Some(seconds) = seconds {
        let _ = write!(case, " time=\"{seconds:.3}\"");
    }
    case
}

/// A text in XML; what XML cannot hold is left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use shipway::execute::report::{Executed, ToolError};
    use shipway::execute::{Failure, RunId, View};

    use super::*;

    #[test]
    fn a_failed_run_is_told_to_jobs_and_to_gitlab() {
        let followed = Followed {
            view: View {
                run_id: Some(RunId::of("gl-1")),
                status: Status::Failed,
                failure: Some(Failure::new("a < b & \"c\"")),
                report: Some(Report {
                    executed: vec![Executed {
                        version: Some("1".to_owned()),
                        description: "create orders".to_owned(),
                        script: Some("V1__create_orders.sql".to_owned()),
                        milliseconds: Some(12),
                    }],
                    error: Some(ToolError {
                        message: "no such table".to_owned(),
                        script: Some("V2__x.sql".to_owned()),
                        ..ToolError::default()
                    }),
                    ..Report::default()
                }),
                ..View::default()
            },
            tail: vec!["\u{1b}[31mlast".to_owned()],
            ..Followed::default()
        };
        let text = run_file(RunFile::Junit, &followed, &Value::Null).expect("it is made");
        let document = roxmltree::Document::parse(&text).expect("it is XML");
        let cases: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("testcase"))
            .collect();
        assert_eq!(cases.len(), 2);
        assert_eq!(cases[1].attribute("name"), Some("V2__x.sql"));
        let failure = document
            .descendants()
            .find(|node| node.has_tag_name("failure"))
            .expect("one");
        assert_eq!(failure.attribute("message"), Some("a < b & \"c\""));
        assert_eq!(failure.text(), Some("no such table\n[31mlast"));
        let dotenv = run_file(RunFile::Dotenv, &followed, &Value::Null).expect("it is made");
        assert_eq!(dotenv, "SHIPWAY_RUN_ID=gl-1\nSHIPWAY_RUN_STATUS=failed\n");
    }
}

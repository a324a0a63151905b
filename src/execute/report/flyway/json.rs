//! What Flyway writes with `-outputType=json`.

use serde_json::Value;

use super::{Flyway, failure};
use crate::execute::report::line::{LONGEST_MESSAGE, LONGEST_NAME, cut, note, warn};
use crate::execute::report::{Executed, ToolError};

impl Flyway {
    /// Takes a document; says whether it is Flyway's.
    pub(crate) fn document(&mut self, document: &Value) -> bool {
        if let Some(results) = document.get("individualResults").and_then(Value::as_array) {
            // One for each verb; one that failed ends the list.
            return results.iter().filter(|each| self.result(each)).count() > 0;
        }
        self.result(document)
    }

    fn result(&mut self, result: &Value) -> bool {
        let error = result
            .get("error")
            .filter(|error| error.get("errorCode").is_some() && error.get("message").is_some());
        let version = text(result, "flywayVersion");
        if error.is_none() && version.is_none() {
            return false;
        }
        self.is_there = true;
        self.tool_version = version.or(self.tool_version.take());
        for warning in result.get("warnings").and_then(Value::as_array).into_iter().flatten() {
            warn(&mut self.warnings, warning.as_str().unwrap_or_default());
        }
        match result.get("operation").and_then(Value::as_str) {
            Some("migrate") => self.migrated(result),
            Some("info") => self.begins_at(text(result, "schemaVersion").as_deref()),
            Some("validate") => self.validated(result),
            _ => {}
        }
        if let Some(error) = error {
            self.error = Some(error_of(error));
        }
        true
    }

    fn migrated(&mut self, result: &Value) {
        self.forget();
        self.begins_at(text(result, "initialSchemaVersion").as_deref());
        let none = Vec::new();
        let migrations = result.get("migrations").and_then(Value::as_array).unwrap_or(&none);
        // With `group`, what came before the failed one is listed, and was taken back.
        let counted = result.get("migrationsExecuted").and_then(Value::as_u64);
        let counted = counted.map_or(migrations.len(), |count| usize::try_from(count).unwrap_or(usize::MAX));
        for migration in migrations.iter().take(counted) {
            let executed = Executed {
                version: text(migration, "version"),
                description: text(migration, "description").unwrap_or_default(),
                script: text(migration, "filepath"),
                milliseconds: migration.get("executionTime").and_then(Value::as_u64),
            };
            note(&mut self.begun, executed);
        }
        self.proved = self.begun.len();
        self.target = text(result, "targetSchemaVersion");
    }

    fn validated(&mut self, result: &Value) {
        if result.get("validationSuccessful").and_then(Value::as_bool) != Some(false) {
            return;
        }
        let details = result.get("errorDetails");
        let code = details.and_then(|details| text(details, "errorCode"));
        let short = details.and_then(|details| text(details, "errorMessage"));
        let long = result.get("allErrorMessages").and_then(Value::as_str);
        let message = long
            .map(str::to_owned)
            .or(short)
            .unwrap_or_else(|| "validation failed".to_owned());
        self.error = Some(ToolError {
            error_code: code,
            ..failure::of_message(message.lines())
        });
    }
}

/// What the object `error` says. Its message is that of the text form.
fn error_of(error: &Value) -> ToolError {
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    let read = failure::of_message(message.lines());
    let number = error
        .get("sqlErrorCode")
        .and_then(Value::as_i64)
        .filter(|code| *code != 0);
    ToolError {
        message: cut(&read.message, LONGEST_MESSAGE),
        script: text(error, "path").or(read.script),
        line: error.get("lineNumber").and_then(Value::as_u64).or(read.line),
        sql_state: text(error, "sqlState").or(read.sql_state),
        error_code: number.map(|code| code.to_string()).or_else(|| text(error, "errorCode")),
        statement: read.statement,
    }
}

/// A text that is there and not empty.
fn text(object: &Value, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    (!text.is_empty()).then(|| cut(text, LONGEST_NAME))
}

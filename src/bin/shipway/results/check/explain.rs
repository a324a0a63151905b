//! The pages of rules.

use serde_json::{Value, json};
use shipway::migrations::check::{Level, RULES, Rule};

use super::json::{family, page};
use crate::args::Format;
use crate::failure::CommandError;

/// The page of a rule.
pub(crate) fn explain(code: &str, format: Format) -> Result<String, CommandError> {
    let Some(rule) = Rule::of_code(&code.to_ascii_uppercase()) else {
        let error = CommandError::usage(format!("there is no rule {code:?}"));
        let error = match Rule::nearest(code) {
            Some(nearest) => error.hint(format!("did you mean {nearest}?")),
            None => error,
        };
        return Err(error.hint("all rules: shipway check --explain all"));
    };
    Ok(match format {
        Format::Json => line(&of_rule(rule, true)),
        Format::Text => format!("{}\n\nLevel: {}\n", rule.page.trim_end(), level(rule)),
    })
}

/// The list of rules.
pub(crate) fn explain_all(format: Format) -> String {
    match format {
        Format::Json => line(&RULES.iter().map(|rule| of_rule(rule, false)).collect()),
        Format::Text => {
            let line = |rule: &Rule| format!("{}  {:<7}  {}\n", rule.code, rule.level, rule.title);
            RULES.iter().map(line).collect()
        }
    }
}

fn of_rule(rule: &Rule, has_text: bool) -> Value {
    let mut object = json!({
        "rule": rule.code,
        "family": family(rule.family),
        "level": rule.level.name(),
        "title": rule.title,
        "page": page(rule.code),
    });
    if has_text && let Some(object) = object.as_object_mut() {
        object.insert("text".to_owned(), json!(rule.page));
    }
    object
}

fn line(value: &Value) -> String {
    format!("{value}\n")
}

/// What a rule's level means.
fn level(rule: &Rule) -> &'static str {
    match rule.level {
        Level::Error => "error: it fails the check, and stops a build",
        Level::Warning => "warning: it is told, and fails nothing unless --fail-on warning",
        Level::Info => "info: it is told",
        Level::Off => "off: not looked for, unless [check.rules] or --rule gives it a level",
    }
}

//! What a run is given, told apart and shown without the secrets in it.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::lines::MASK;
use crate::migrations::check::secret::shows_secret;

/// Bytes of a fingerprint: enough to tell the few runs of one name apart.
const BYTES: usize = 4;

/// Digits that differ where arguments or variables do, and none where there are none: one run migrates this database, and another one that one.
/// Passwords do not count, since the digits are read by many, who could try passwords out; the rest of an address with a password in it does.
#[must_use]
pub fn fingerprint(words: &[String], variables: &BTreeMap<String, String>) -> String {
    if words.is_empty() && variables.is_empty() {
        return String::new();
    }
    let mut hash = Sha256::new();
    for (before, word) in with_flags(words) {
        hash.update(format!("{}\0", without_secret(&before, word)));
    }
    for (name, value) in variables {
        hash.update(format!("\0{name}={}", without_secret(&format!("{name}="), value)));
    }
    let digits = hash.finalize();
    digits.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// A command as it may be kept and shown.
#[must_use]
pub fn shown(words: &[String]) -> Vec<String> {
    let show = |(before, word): (String, &str)| match word.split_once('=') {
        _ if !shows_secret(&format!("{before}{word}")) => word.to_owned(),
        Some((flag, _)) if flag.starts_with('-') => format!("{flag}={MASK}"),
        _ => MASK.to_owned(),
    };
    with_flags(words).map(show).collect()
}

/// The values in a command that nobody is to see.
pub fn secrets(words: &[String]) -> impl Iterator<Item = &str> {
    let secret = with_flags(words).filter(|(before, word)| shows_secret(&format!("{before}{word}")));
    secret.map(|(_, word)| match word.split_once('=') {
        Some((flag, value)) if flag.starts_with('-') => value,
        _ => word,
    })
}

/// A task, or the request for one, without the values of variables and the passwords in commands: it ends up in the logs of jobs.
#[must_use]
pub fn without_values(mut task: Value) -> Value {
    let containers = task
        .pointer_mut("/overrides/containerOverrides")
        .and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        if let Some(Ok(command)) = container.get("command").map(Vec::<String>::deserialize) {
            container["command"] = json!(shown(&command));
        }
        let variables = container.get_mut("environment").and_then(Value::as_array_mut);
        for variable in variables.into_iter().flatten() {
            if let Some(value) = variable.get_mut("value") {
                *value = json!(MASK);
            }
        }
    }
    task
}

/// Each word of a command behind what it is given as: `--flag=` where the word before is a flag that may have its value here.
fn with_flags(words: &[String]) -> impl Iterator<Item = (String, &str)> {
    let before = std::iter::once("").chain(words.iter().map(String::as_str));
    before.zip(words).map(|(before, word)| {
        let is_flag = before.starts_with('-') && !before.contains('=') && !word.starts_with('-');
        let before = if is_flag { format!("{before}=") } else { String::new() };
        (before, word.as_str())
    })
}

/// A value as far as it is no secret. `before` is what it is given as.
fn without_secret(before: &str, value: &str) -> String {
    match value.contains("://") || value.contains("jdbc:") || shows_secret(&format!("{before}{value}")) {
        true => address(value).unwrap_or_default(),
        false => value.to_owned(),
    }
}

/// An address without its user, password and secret parameters; `None` of what is no address, or one that cannot be taken apart.
fn address(text: &str) -> Option<String> {
    let is_address = text.contains("://") || text.contains("jdbc:") || text.contains('@');
    let end = text.find(['?', ';']).unwrap_or(text.len());
    let (place, parameters) = text.split_at(end);
    let mut parameters = parameters.split(['?', ';', '&']).filter(|part| !part.is_empty());
    // A password with such a character in it would be torn in two.
    if !is_address || parameters.clone().any(|part| !part.contains('=')) {
        return None;
    }
    let (scheme, rest) = match place.find("://") {
        Some(at) => place.split_at(at + 3),
        None => ("", place),
    };
    let host = rest.rsplit('@').next().unwrap_or_default();
    let open = parameters.by_ref().filter(|part| !shows_secret(part));
    Some(format!("{scheme}{host}?{}", open.collect::<Vec<_>>().join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str) -> String {
        fingerprint(&[], &BTreeMap::from([(name.to_owned(), value.to_owned())]))
    }

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    /// Catches two databases that are one because their addresses hold passwords, and a password that can be tried out.
    #[test]
    fn addresses_differ_and_their_passwords_do_not_count() {
        for (name, one, other, secret) in [
            (
                "DATABASE_URL",
                "postgres://u:s3cr3tpw@db1/a",
                "postgres://u:s3cr3tpw@db2/a",
                "postgres://u:an0ther1@db1/a",
            ),
            (
                "DATABASE_URL",
                "postgres://u:s3cr3tpw@db1/a",
                "postgres://u:s3cr3tpw@db1/b",
                "postgres://u:an0ther1@db1/a",
            ),
            (
                "FLYWAY_URL",
                "jdbc:mysql://db1/a?user=u&password=s3cr3tpw",
                "jdbc:mysql://db2/a?user=u&password=s3cr3tpw",
                "jdbc:mysql://db1/a?user=u&password=an0ther1",
            ),
            (
                "FLYWAY_URL",
                "jdbc:sqlserver://db1;databaseName=a;password=s3cr3tpw",
                "jdbc:sqlserver://db1;databaseName=b;password=s3cr3tpw",
                "jdbc:sqlserver://db1;databaseName=a;password=an0ther1",
            ),
            (
                "DSN",
                "u:s3cr3tpw@tcp(db1:3306)/a",
                "u:s3cr3tpw@tcp(db2:3306)/a",
                "u:s3cr3tpw@tcp(db1:3306)/a",
            ),
        ] {
            assert_ne!(of(name, one), of(name, other), "{one}");
            assert_eq!(of(name, one), of(name, secret), "{one}");
        }
        assert_eq!(of("FLYWAY_PASSWORD", "s3cr3tpw"), of("FLYWAY_PASSWORD", "an0ther1"));
        assert_ne!(of("FLYWAY_SCHEMAS", "a"), of("FLYWAY_SCHEMAS", "b"));
        assert_ne!(of("A", "b"), of("B", "b"));
        // Torn in two by its password: then only the name counts.
        assert_eq!(
            of("DATABASE_URL", "postgres://u:s3c?r3tpw@db1/a"),
            of("DATABASE_URL", "postgres://u:s3c?r3tpX@db1/a")
        );
        assert_eq!(fingerprint(&[], &BTreeMap::new()), "");
        assert_ne!(
            fingerprint(&words("-target=5"), &BTreeMap::new()),
            fingerprint(&words("-target=6"), &BTreeMap::new())
        );
    }

    #[test]
    fn a_command_is_shown_without_passwords() {
        let command = words(
            "-password=hunter2hunter2 -target=5 --password an0ther1 migrate --url postgres://u:hunter2hunter2@db1/a --verbose info",
        );
        assert_eq!(
            shown(&command),
            words("-password=*** -target=5 --password *** migrate --url *** --verbose info")
        );
        assert_eq!(
            secrets(&command).collect::<Vec<_>>(),
            ["hunter2hunter2", "an0ther1", "postgres://u:hunter2hunter2@db1/a"]
        );
        assert_eq!(
            fingerprint(&words("--password an0ther1"), &BTreeMap::new()),
            fingerprint(&words("--password hunter2hunter2"), &BTreeMap::new())
        );
    }
}

//! What lies beside a script as `V1__a.sql.conf`.

use super::config::properties::{self, Property};

/// The keys Flyway knows.
const KEYS: [&str; 4] = [
    EXECUTE_IN_TRANSACTION,
    ENCODING,
    PLACEHOLDER_REPLACEMENT,
    SHOULD_EXECUTE,
];
const EXECUTE_IN_TRANSACTION: &str = "executeInTransaction";
const ENCODING: &str = "encoding";
const PLACEHOLDER_REPLACEMENT: &str = "placeholderReplacement";
const SHOULD_EXECUTE: &str = "shouldExecute";

/// What the configuration of one script says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScriptConfig {
    /// Whether it runs in a transaction.
    pub execute_in_transaction: Option<bool>,
    /// Its encoding.
    pub encoding: Option<String>,
    /// Whether placeholders in it are replaced.
    pub placeholder_replacement: Option<bool>,
    /// What Flyway refuses in it.
    pub problems: Vec<Problem>,
}

/// Something in the configuration of a script that Flyway refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from one.
    pub line: u64,
    /// The key.
    pub key: String,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What Flyway refuses in the configuration of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// It knows no such key; the nearest one it knows, if one is near.
    UnknownKey(Option<&'static str>),
    /// The value is neither `true` nor `false`.
    NotBoolean,
    /// Only its paid editions know the key.
    Paid,
}

impl ScriptConfig {
    /// Reads the text of one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut config = Self::default();
        for Property { line, key, value } in properties::read(text) {
            let problem = match key.as_str() {
                EXECUTE_IN_TRANSACTION => set(&mut config.execute_in_transaction, &value),
                PLACEHOLDER_REPLACEMENT => set(&mut config.placeholder_replacement, &value),
                ENCODING => {
                    config.encoding = Some(value);
                    None
                }
                SHOULD_EXECUTE => Some(ProblemKind::Paid),
                other => Some(ProblemKind::UnknownKey(nearest(other))),
            };
            config.problems.extend(problem.map(|kind| Problem { line, key, kind }));
        }
        config
    }
}

/// Sets a value; Flyway takes `true` and `false` in any case. A value with a placeholder in it is known only when it runs.
fn set(place: &mut Option<bool>, value: &str) -> Option<ProblemKind> {
    if value.contains("${") {
        return None;
    }
    *place = properties::boolean(value);
    place.is_none().then_some(ProblemKind::NotBoolean)
}

fn nearest(key: &str) -> Option<&'static str> {
    // More than a third of the letters wrong is another word.
    let near =
        |known: &&str| strsim::damerau_levenshtein(&known.to_lowercase(), &key.to_lowercase()) * 3 <= known.len();
    KEYS.into_iter().find(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values() {
        let config = ScriptConfig::parse(
            "# a\nexecuteInTransaction = FALSE\nencoding: ISO-8859-1\nplaceholderReplacement true\n",
        );
        assert_eq!(config.execute_in_transaction, Some(false));
        assert_eq!(config.placeholder_replacement, Some(true));
        assert_eq!(config.encoding.as_deref(), Some("ISO-8859-1"));
        assert_eq!(config.problems, []);
        assert_eq!(ScriptConfig::parse(""), ScriptConfig::default());
    }

    #[test]
    fn what_flyway_refuses() {
        for (text, line, key, kind) in [
            ("x=1", 1, "x", ProblemKind::UnknownKey(None)),
            (
                "\nexecuteInTransation=true",
                2,
                "executeInTransation",
                ProblemKind::UnknownKey(Some(EXECUTE_IN_TRANSACTION)),
            ),
            ("ENCODING=UTF-8", 1, "ENCODING", ProblemKind::UnknownKey(Some(ENCODING))),
            (
                "executeInTransaction=no",
                1,
                "executeInTransaction",
                ProblemKind::NotBoolean,
            ),
            (
                "executeInTransaction=",
                1,
                "executeInTransaction",
                ProblemKind::NotBoolean,
            ),
            ("shouldExecute=true", 1, "shouldExecute", ProblemKind::Paid),
        ] {
            let problem = Problem {
                line,
                key: key.to_owned(),
                kind,
            };
            assert_eq!(ScriptConfig::parse(text).problems, [problem], "{text}");
        }
    }
}

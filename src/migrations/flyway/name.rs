//! What Flyway makes of a file name.
//!
//! The rules are those of Flyway's defaults: prefixes `V`, `R`, `B`, `U`, separator `__`, suffix `.sql`, and the suffixes
//! of scripts it hands to an interpreter.

use std::fmt;

use crate::migrations::version::{Version, VersionError};

/// What stands between version and description.
const SEPARATOR: &str = "__";

/// Suffixes of migrations, matched whatever their case: SQL first, then what Flyway gives to an interpreter.
const SUFFIXES: [&str; 7] = [".sql", ".cmd", ".bat", ".ps1", ".py", ".sh", ".bash"];

/// What is appended to a script's name to name its configuration.
const CONFIG_SUFFIX: &str = ".conf";

/// The events of Flyway's life cycle a script can be named after.
const EVENTS: &[&str] = &[
    "beforeClean",
    "afterClean",
    "afterCleanError",
    "afterCleanOperationFinish",
    "beforeMigrate",
    "afterMigrate",
    "afterMigrateError",
    "afterMigrateApplied",
    "afterMigrateOperationFinish",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "afterEachMigrate",
    "afterEachMigrateError",
    "afterEachMigrateStatement",
    "afterEachMigrateStatementError",
    "beforeRepeatables",
    "afterVersioned",
    "beforeUndo",
    "afterUndo",
    "afterUndoError",
    "afterUndoOperationFinish",
    "beforeEachUndo",
    "beforeEachUndoStatement",
    "afterEachUndo",
    "afterEachUndoError",
    "afterEachUndoStatement",
    "afterEachUndoStatementError",
    "beforeValidate",
    "afterValidate",
    "afterValidateError",
    "afterValidateOperationFinish",
    "beforeBaseline",
    "afterBaseline",
    "afterBaselineError",
    "afterBaselineOperationFinish",
    "beforeRepair",
    "afterRepair",
    "afterRepairError",
    "afterRepairOperationFinish",
    "beforeInfo",
    "afterInfo",
    "afterInfoError",
    "afterInfoOperationFinish",
    "createSchema",
    "beforeCreateSchema",
    "beforeConnect",
    "afterConnect",
];

/// What a file is among the scripts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Runs once, in the order of versions.
    Versioned {
        /// The version.
        version: Version,
        /// What the name says about it; may be empty.
        description: String,
    },
    /// Runs again whenever it changes, after the versioned ones.
    Repeatable {
        /// What identifies it; may be empty.
        description: String,
    },
    /// Stands for all versions up to its own on an empty database.
    Baseline {
        /// The version.
        version: Version,
        /// What the name says about it; may be empty.
        description: String,
    },
    /// Takes a version back; only Flyway's paid editions run it.
    Undo {
        /// The version.
        version: Version,
        /// What the name says about it; may be empty.
        description: String,
    },
    /// Runs at an event of Flyway's life cycle.
    Callback {
        /// The event, in Flyway's spelling.
        event: &'static str,
        /// What the name says about it; may be empty.
        description: String,
    },
    /// Configures the script whose name it extends by `.conf`.
    ScriptConfig,
    /// Flyway passes over it without a word.
    Ignored {
        /// Why.
        reason: Reason,
    },
    /// A file to which no naming rules apply.
    Other,
}

/// Why Flyway passes over a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The name ends in no suffix of migrations.
    Suffix,
    /// The name begins with no prefix of migrations and no event.
    Prefix,
    /// Nothing stands between prefix and suffix.
    Short,
    /// What follows the prefix is not a version.
    Version(VersionError),
    /// Text stands between the prefix, or the event, and the separator.
    Text {
        /// That text.
        text: String,
    },
    /// The file lies in a folder whose name begins with a dot.
    HiddenFolder,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suffix => f.write_str("its name does not end in .sql"),
            Self::Prefix => f.write_str("its name begins with none of V, R, B, U and the names of events"),
            Self::Short => f.write_str("its name is a prefix and a suffix only"),
            Self::Version(error) => error.fmt(f),
            Self::Text { text } => {
                write!(f, "{text:?} stands between its prefix and {SEPARATOR:?}")
            }
            Self::HiddenFolder => f.write_str("it lies in a hidden folder"),
        }
    }
}

/// Tells what Flyway makes of the file called `name`, folders left out.
#[must_use]
pub fn classify(name: &str) -> Kind {
    let is_script = |name: &str| SUFFIXES.iter().any(|suffix| strip_suffix(name, suffix).is_some());
    if strip_suffix(name, CONFIG_SUFFIX).is_some_and(is_script) {
        return Kind::ScriptConfig;
    }
    let Some(stem) = SUFFIXES.iter().find_map(|suffix| strip_suffix(name, suffix)) else {
        return ignored(Reason::Suffix);
    };
    // Longest first: `beforeEachMigrateStatement` is not `beforeEachMigrate` and a rest.
    if let Some(event) = EVENTS
        .iter()
        .filter(|event| stem.starts_with(**event))
        .max_by_key(|event| event.len())
    {
        return match unversioned(&stem[event.len()..]) {
            Ok(description) => Kind::Callback { event, description },
            Err(reason) => ignored(reason),
        };
    }
    let mut characters = stem.chars();
    let prefix = characters.next();
    let rest = characters.as_str();
    if !matches!(prefix, Some('V' | 'R' | 'B' | 'U')) {
        return ignored(Reason::Prefix);
    }
    if rest.is_empty() {
        return ignored(Reason::Short);
    }
    if prefix == Some('R') {
        return match unversioned(rest) {
            Ok(description) => Kind::Repeatable { description },
            Err(reason) => ignored(reason),
        };
    }
    let (left, description) = parts(rest);
    match left.parse() {
        Err(error) => ignored(Reason::Version(error)),
        Ok(version) => match prefix {
            Some('B') => Kind::Baseline { version, description },
            Some('U') => Kind::Undo { version, description },
            _ => Kind::Versioned { version, description },
        },
    }
}

/// Whether Flyway hands the file at a path to an interpreter.
#[must_use]
pub fn is_program(path: &str) -> bool {
    SUFFIXES[1..].iter().any(|suffix| strip_suffix(path, suffix).is_some())
}

fn ignored(reason: Reason) -> Kind {
    Kind::Ignored { reason }
}

/// Splits what follows the prefix at the first separator.
fn parts(rest: &str) -> (&str, String) {
    let (left, right) = rest.split_once(SEPARATOR).unwrap_or((rest, ""));
    (left, right.replace('_', " "))
}

fn unversioned(rest: &str) -> Result<String, Reason> {
    match parts(rest) {
        ("", description) => Ok(description),
        (text, _) => Err(Reason::Text { text: text.to_owned() }),
    }
}

fn strip_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(suffix.len())?;
    name.get(at..)?.eq_ignore_ascii_case(suffix).then(|| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a kind as short text, so that the tables below can be read.
    fn told(name: &str) -> String {
        match classify(name) {
            Kind::Versioned { version, description } => format!("V {version} {description:?}"),
            Kind::Repeatable { description } => format!("R {description:?}"),
            Kind::Baseline { version, description } => format!("B {version} {description:?}"),
            Kind::Undo { version, description } => format!("U {version} {description:?}"),
            Kind::Callback { event, description } => format!("{event} {description:?}"),
            Kind::ScriptConfig => "conf".to_owned(),
            Kind::Ignored { reason } => format!("- {reason}"),
            Kind::Other => "other".to_owned(),
        }
    }

    #[test]
    fn names_flyway_runs() {
        for (name, expected) in [
            ("V1__a.sql", "V 1 \"a\""),
            ("V1_2__add_users.sql", "V 1.2 \"add users\""),
            ("V1.2.3__x.SQL", "V 1.2.3 \"x\""),
            ("V1.sql", "V 1 \"\""),
            ("V1___x.sql", "V 1 \" x\""),
            ("V1__a__b.sql", "V 1 \"a  b\""),
            ("V+1__x.sql", "V +1 \"x\""),
            ("V01__x.sh", "V 01 \"x\""),
            ("V1__über uns.sql", "V 1 \"über uns\""),
            ("R__.sql", "R \"\""),
            ("R__views.sql", "R \"views\""),
            ("R__views.py", "R \"views\""),
            ("B5__state.sql", "B 5 \"state\""),
            ("U1__a.sql", "U 1 \"a\""),
            ("beforeMigrate.sql", "beforeMigrate \"\""),
            ("afterMigrate__grants_again.sql", "afterMigrate \"grants again\""),
            ("beforeEachMigrateStatement.sql", "beforeEachMigrateStatement \"\""),
            (
                "afterEachMigrateStatementError__x.sql",
                "afterEachMigrateStatementError \"x\"",
            ),
            ("V1__a.sql.conf", "conf"),
            ("V1__a.SQL.CONF", "conf"),
            ("V1__a.sh.conf", "conf"),
        ] {
            assert_eq!(told(name), expected, "{name}");
        }
    }

    #[test]
    fn names_flyway_passes_over() {
        for (name, reason) in [
            ("V.sql", "only"),
            ("R.sql", "only"),
            ("v1__a.sql", "begins with none"),
            ("r__a.sql", "begins with none"),
            ("Views.sql", "\"iews\" is not a whole number"),
            ("Backup.sql", "\"ackup\" is not a whole number"),
            ("README.sql", "\"EADME\" stands between"),
            ("README.md", "does not end in .sql"),
            ("flyway.conf", "does not end in .sql"),
            ("V1_a.sql", "\"1.a\" is not a whole number"),
            ("V1 __a.sql", "\"1 \" is not a whole number"),
            ("V__a.sql", "\"\" is not a whole number"),
            ("V1__a.sql ", "does not end in .sql"),
            ("V1__a.sqlé", "does not end in .sql"),
            ("Vlatest__a.sql", "reserves"),
            ("R1__a.sql", "\"1\" stands between"),
            ("beforeMigrateX.sql", "\"X\" stands between"),
            ("BeforeMigrate.sql", "is not a whole number"),
            (".sql", "begins with none"),
            ("", "does not end in .sql"),
        ] {
            let told = told(name);
            assert!(told.starts_with("- ") && told.contains(reason), "{name}: {told}");
        }
    }

    #[test]
    fn events_are_named_once() {
        let mut events = EVENTS.to_vec();
        events.sort_unstable();
        events.dedup();
        assert_eq!(events.len(), EVENTS.len());
    }
}

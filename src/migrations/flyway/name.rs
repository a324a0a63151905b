//! What Flyway makes of a file name.

use std::fmt;

use super::config::FlywayConfig;
use crate::migrations::revision::Direction;
use crate::migrations::version::{Version, VersionError};

/// Suffixes of what Flyway gives to an interpreter, matched whatever their case. So does a name without any dot in it.
const PROGRAM_SUFFIXES: [&str; 6] = [".cmd", ".bat", ".ps1", ".py", ".sh", ".bash"];

/// What is appended to a script's name to name its configuration.
pub(crate) const CONFIG_SUFFIX: &str = ".conf";

/// The events of Flyway's life cycle a script can be named after.
///
/// Those of Flyway 13. Up to version 12 six of them have no name of their own, and their scripts are passed over: see [`is_recent`].
pub(crate) const EVENTS: &[&str] = &[
    "afterInfoOperationFinish",
    "afterMigrateOperationFinish",
    "afterCleanOperationFinish",
    "afterValidateOperationFinish",
    "afterUndoOperationFinish",
    "afterRepairOperationFinish",
    "afterBaselineOperationFinish",
    "afterReportGenerated",
    "beforeClean",
    "afterClean",
    "afterCleanError",
    "beforeMigrate",
    "afterMigrate",
    "afterMigrateError",
    "afterMigrateApplied",
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
    "beforeEachUndo",
    "beforeEachUndoStatement",
    "afterEachUndo",
    "afterEachUndoError",
    "afterEachUndoStatement",
    "afterEachUndoStatementError",
    "beforeValidate",
    "afterValidate",
    "afterValidateError",
    "beforeBaseline",
    "afterBaseline",
    "afterBaselineError",
    "beforeRepair",
    "afterRepair",
    "afterRepairError",
    "beforeInfo",
    "afterInfo",
    "afterInfoError",
    "createSchema",
    "beforeCreateSchema",
    "beforeConnect",
    "afterConnect",
];

/// Whether Flyway knows the name of an event since version 13 only; before, five of these had the name of another event by mistake, and
/// the sixth did not exist.
#[must_use]
pub fn is_recent(event: &str) -> bool {
    let finishes = event.ends_with("OperationFinish")
        && !matches!(event, "afterInfoOperationFinish" | "afterMigrateOperationFinish");
    finishes || event == "afterReportGenerated"
}

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
    /// One step of a tool that numbers files, and nothing else: all but Flyway and Liquibase.
    Revision {
        /// What identifies it, as the tool writes it.
        version: String,
        /// What the name says about it; may be empty.
        description: String,
        /// Where it leads.
        direction: Direction,
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
    /// The file lies in no folder that is looked at.
    Outside,
    /// It is a callback, and callbacks are looked for elsewhere.
    OutsideCallbacks,
    /// It lies in a folder below the one that is looked at.
    Below,
    /// What another tool than Flyway says of it.
    Tool(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Suffix => f.write_str("its name does not end as that of a migration"),
            Self::Prefix => f.write_str("its name begins with no prefix of migrations and no event"),
            Self::Short => f.write_str("its name is a prefix and a suffix only"),
            Self::Version(error) => error.fmt(f),
            Self::Text { text } => write!(f, "{text:?} stands between its prefix and the separator"),
            Self::HiddenFolder => f.write_str("it lies in a hidden folder"),
            Self::Outside => f.write_str("it lies in none of the locations"),
            Self::OutsideCallbacks => f.write_str("it is a callback, and lies in none of the locations of callbacks"),
            Self::Below => f.write_str("it lies in a folder below the one that is looked at"),
            Self::Tool(why) => f.write_str(why),
        }
    }
}

/// What a prefix stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Versioned,
    Repeatable,
    Baseline,
    Undo,
    Event(&'static str),
}

/// What names mean under a configuration.
#[derive(Debug, Clone)]
pub struct Naming {
    /// The longest first: `beforeEachMigrateStatement` is not `beforeEachMigrate` and a rest.
    prefixes: Vec<(String, Meaning)>,
    separator: String,
    suffixes: Vec<String>,
}

impl Naming {
    /// What names mean to Flyway as it is configured.
    #[must_use]
    pub fn of(config: &FlywayConfig) -> Self {
        let own = &config.prefixes;
        let mut prefixes = vec![
            (own.versioned.clone(), Meaning::Versioned),
            (own.repeatable.clone(), Meaning::Repeatable),
            (own.baseline.clone(), Meaning::Baseline),
        ];
        prefixes.extend(EVENTS.iter().map(|event| ((*event).to_owned(), Meaning::Event(event))));
        // The open edition does not know it, so any other of the same length is meant first.
        prefixes.push((own.undo.clone(), Meaning::Undo));
        prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Self {
            prefixes,
            separator: config.separator.clone(),
            suffixes: config.suffixes.clone(),
        }
    }

    /// Tells what Flyway makes of the file called `name`, folders left out, and whether it gives it to an interpreter.
    #[must_use]
    pub fn classify(&self, name: &str) -> (Kind, bool) {
        if let Some(script) = strip_suffix(name, CONFIG_SUFFIX)
            && (self.sql_stem(script).is_some() || program_stem(script).is_some_and(|stem| stem.len() < script.len()))
        {
            return (Kind::ScriptConfig, false);
        }
        if let Some((stem, suffix)) = self.sql_stem(name) {
            return (self.classify_stem(stem, !suffix.is_empty()), false);
        }
        match program_stem(name) {
            Some(stem) => (self.classify_stem(stem, stem.len() < name.len()), true),
            None => (ignored(Reason::Suffix), false),
        }
    }

    /// The name without the first suffix of SQL that fits, and that suffix.
    fn sql_stem<'a>(&self, name: &'a str) -> Option<(&'a str, &str)> {
        self.suffixes
            .iter()
            .find_map(|suffix| Some((strip_suffix(name, suffix)?, suffix.as_str())))
    }

    fn classify_stem(&self, stem: &str, has_suffix: bool) -> Kind {
        let Some((prefix, meaning)) = self.prefixes.iter().find(|(prefix, _)| stem.starts_with(prefix)) else {
            // Without a suffix either, nothing about the name is a migration's.
            return ignored(if has_suffix { Reason::Prefix } else { Reason::Suffix });
        };
        let rest = &stem[prefix.len()..];
        let (left, right) = rest.split_once(self.separator.as_str()).unwrap_or((rest, ""));
        let description = right.replace('_', " ");
        match meaning {
            Meaning::Repeatable | Meaning::Event(_) if !left.is_empty() => {
                ignored(Reason::Text { text: left.to_owned() })
            }
            Meaning::Event(event) => Kind::Callback { event, description },
            _ if rest.is_empty() => ignored(Reason::Short),
            Meaning::Repeatable => Kind::Repeatable { description },
            meaning => match left.parse() {
                Err(error) => ignored(Reason::Version(error)),
                Ok(version) => match meaning {
                    Meaning::Baseline => Kind::Baseline { version, description },
                    Meaning::Undo => Kind::Undo { version, description },
                    _ => Kind::Versioned { version, description },
                },
            },
        }
    }
}

fn ignored(reason: Reason) -> Kind {
    Kind::Ignored { reason }
}

/// The name without the suffix of what an interpreter runs. What has no suffix at all is run as well; dots at the end are none.
fn program_stem(name: &str) -> Option<&str> {
    let stem = PROGRAM_SUFFIXES.iter().find_map(|suffix| strip_suffix(name, suffix));
    stem.or_else(|| (!name.trim_end_matches('.').contains('.')).then_some(name))
}

/// Takes a suffix from the end of a name, whatever the case of either.
pub(crate) fn strip_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let at = name.len().checked_sub(suffix.len())?;
    name.get(at..)?.eq_ignore_ascii_case(suffix).then(|| &name[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a kind as short text, so that the tables below can be read.
    fn told(name: &str) -> String {
        told_by(&FlywayConfig::default(), name)
    }

    fn told_by(config: &FlywayConfig, name: &str) -> String {
        let (kind, program) = Naming::of(config).classify(name);
        let told = match kind {
            Kind::Versioned { version, description } => format!("V {version} {description:?}"),
            Kind::Repeatable { description } => format!("R {description:?}"),
            Kind::Baseline { version, description } => format!("B {version} {description:?}"),
            Kind::Undo { version, description } => format!("U {version} {description:?}"),
            Kind::Callback { event, description } => format!("{event} {description:?}"),
            Kind::Revision { version, .. } => format!("revision {version}"),
            Kind::ScriptConfig => "conf".to_owned(),
            Kind::Ignored { reason } => format!("- {reason}"),
            Kind::Other => "other".to_owned(),
        };
        if program && !told.starts_with('-') {
            format!("{told} program")
        } else {
            told
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
            ("V01__x.sh", "V 01 \"x\" program"),
            ("V1__über uns.sql", "V 1 \"über uns\""),
            ("R__.sql", "R \"\""),
            ("R__views.sql", "R \"views\""),
            ("R__views.py", "R \"views\" program"),
            ("B5__state.sql", "B 5 \"state\""),
            ("U1__a.sql", "U 1 \"a\""),
            ("beforeMigrate.sql", "beforeMigrate \"\""),
            ("afterMigrate__grants_again.sql", "afterMigrate \"grants again\""),
            ("beforeEachMigrateStatement.sql", "beforeEachMigrateStatement \"\""),
            (
                "afterEachMigrateStatementError__x.sql",
                "afterEachMigrateStatementError \"x\"",
            ),
            ("V5__ext", "V 5 \"ext\" program"),
            ("V14__d.", "V 14 \"d.\" program"),
            ("beforeMigrate", "beforeMigrate \"\" program"),
            ("afterCleanOperationFinish.sql", "afterCleanOperationFinish \"\""),
            ("Vcurrent__x.sql", "V << Current Version >> \"x\""),
            ("VNEXT.sql", "V << Next Version >> \"\""),
            ("Vlatest__x.sql", "V 9223372036854775807 \"x\""),
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
            ("v1__a.sql", "begins with no prefix"),
            ("r__a.sql", "begins with no prefix"),
            ("Views.sql", "\"iews\" is not a whole number"),
            ("Backup.sql", "\"ackup\" is not a whole number"),
            ("README.sql", "\"EADME\" stands between"),
            ("README.md", "does not end as"),
            ("flyway.conf", "does not end as"),
            ("V1_a.sql", "\"1.a\" is not a whole number"),
            ("V1 __a.sql", "\"1 \" is not a whole number"),
            ("V__a.sql", "\"\" is not a whole number"),
            ("V1__a.sql ", "does not end as"),
            ("V1__a.sqlé", "does not end as"),
            ("V1.2__x", "does not end as"),
            ("V1__x.txt", "does not end as"),
            ("Makefile", "does not end as"),
            ("Views", "\"iews\" is not a whole number"),
            ("R1__a.sql", "\"1\" stands between"),
            ("beforeMigrateX.sql", "\"X\" stands between"),
            ("BeforeMigrate.sql", "is not a whole number"),
            (".sql", "begins with no prefix"),
            ("", "does not end as"),
        ] {
            let told = told(name);
            assert!(told.starts_with("- ") && told.contains(reason), "{name}: {told}");
        }
    }

    #[test]
    fn names_as_configured() {
        let mut config = FlywayConfig::default();
        config.prefixes.versioned = "mig".to_owned();
        config.prefixes.repeatable = "migR".to_owned();
        config.separator = "-".to_owned();
        config.suffixes = vec![".pgsql".to_owned(), ".sql".to_owned()];
        for (name, expected) in [
            ("mig1-a_b.pgsql", "V 1 \"a b\""),
            ("mig2_1-a.SQL", "V 2.1 \"a\""),
            ("migR-views.sql", "R \"views\""),
            ("mig1__a.sql", "- \"1__a\""),
            ("V1__a.sql", "- its name begins"),
            ("B1-a.sql", "B 1 \"a\""),
            ("mig1-a.sh", "V 1 \"a\" program"),
            ("mig1-a.pgsql.conf", "conf"),
        ] {
            let told = told_by(&config, name);
            assert!(told.starts_with(expected), "{name}: {told}");
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

//! Names as Flyway reads them.

use std::collections::BTreeMap;

use super::super::finding::{Finding, Place};
use super::super::rule::Level;
use super::lookalike::{self, is_migration};
use super::{about, file_name, no_migrations, shared};
use crate::migrations::Inventory;
use crate::migrations::flyway::config::FlywayConfig;
use crate::migrations::flyway::location::Locations;
use crate::migrations::flyway::name::{CONFIG_SUFFIX, Kind, Naming, Reason, is_recent, strip_suffix};
use crate::migrations::flyway::script_config::ProblemKind;
use crate::migrations::inventory::Entry;
use crate::migrations::version::Version;

/// Characters the history table keeps of a version, a description and a path.
const VERSION_LIMIT: usize = 50;
const DESCRIPTION_LIMIT: usize = 200;
const PATH_LIMIT: usize = 1000;

pub(super) fn check(inventory: &Inventory, config: &FlywayConfig) -> Vec<Finding> {
    let entries = inventory.entries();
    let naming = Naming::of(config);
    let mut findings = Vec::new();
    for entry in entries {
        if let Kind::Ignored { reason } = &entry.kind {
            findings.extend(ignored(entry, reason, &naming, config));
        } else {
            findings.extend(of_migration(entry));
        }
    }
    findings.extend(duplicates(entries, config));
    findings.extend(script_configs(inventory));
    findings.extend(by_case(entries));
    if let Some((read, unread)) = &config.shadowed {
        let finding = Finding::new(
            "N013",
            Place::file(unread),
            format!("Flyway reads {read} and never {unread}"),
        );
        findings.push(if config.refuses_files {
            finding.help("Flyway does not start with files of both forms named to it: keep one of them")
        } else {
            finding.help("move all settings into one of them, and leave the other out of the image")
        });
    }
    if no_migrations(inventory) {
        let place = Place::file(config.locations.join(","));
        let finding = Finding::new("N014", place, "there is no migration where Flyway looks");
        findings.push(if config.locations.iter().any(|location| is_file_system(location)) {
            finding
        } else {
            finding.help("only a location with \"filesystem:\" before it is a folder")
        });
    }
    findings
}

fn is_file_system(location: &str) -> bool {
    !Locations::of(&[location.to_owned()], "/").is_empty()
}

/// What is to be said of a file that Flyway passes over.
fn ignored(entry: &Entry, reason: &Reason, naming: &Naming, config: &FlywayConfig) -> Option<Finding> {
    let name = entry.image_path.rsplit('/').next().unwrap_or_default();
    let would_run = || is_migration(&naming.classify(name).0);
    match reason {
        Reason::HiddenFolder => would_run().then(|| {
            let message = "it lies in a hidden folder, and Flyway passes over those";
            about("N012", entry, message)
                .help("rename the folder so that it does not begin with a dot, or leave it out")
        }),
        Reason::Outside => would_run().then(|| {
            let finding = about(
                "N001",
                entry,
                format!("it lies in none of the locations {}", config.locations.join(", ")),
            );
            match config.locations.iter().find(|location| !is_file_system(location)) {
                Some(location) => finding.help(format!("for a folder write filesystem:{location}")),
                None => finding.help("move it, or name its folder in locations"),
            }
        }),
        Reason::OutsideCallbacks => Some(
            about(
                "N001",
                entry,
                format!(
                    "callbacks are looked for in {} only",
                    config.callback_locations.join(", ")
                ),
            )
            .help("move it there, or leave callbackLocations unset"),
        ),
        _ if name.starts_with('.') => is_migration(&naming.classify(name.trim_start_matches('.')).0).then(|| {
            about(
                "N012",
                entry,
                "its name begins with a dot, so Flyway does not see it as a migration",
            )
            .help(format!(
                "rename it to {}, or leave it out",
                name.trim_start_matches('.')
            ))
        }),
        _ if is_java(name, config) => Some(
            about("N010", entry, "a migration in Java runs only as a class in a jar")
                .help("build the jar and add it to /flyway/jars"),
        ),
        _ => misnamed(entry, reason, naming, config, name),
    }
}

fn misnamed(entry: &Entry, reason: &Reason, naming: &Naming, config: &FlywayConfig, name: &str) -> Option<Finding> {
    if let Some(like) = lookalike::of(naming, config, name) {
        let finding = about("N001", entry, format!("Flyway passes over it: {}", like.cause));
        return Some(match like.meant {
            Some(meant) => finding.help(format!("rename it to {meant}")),
            None => finding.help(example(config)),
        });
    }
    // What else has the suffix of migrations is no migration by mistake, perhaps; Flyway would not say so.
    let is_sql = config
        .suffixes
        .iter()
        .any(|suffix| !suffix.is_empty() && strip_suffix(name, suffix).is_some());
    is_sql.then(|| {
        about("N001", entry, format!("Flyway passes over it: {reason}"))
            .at(Level::Warning)
            .help(format!(
                "{}, or move it out of the folder of migrations",
                example(config)
            ))
    })
}

fn example(config: &FlywayConfig) -> String {
    let (prefixes, separator) = (&config.prefixes, &config.separator);
    let suffix = config.suffixes.first().map_or("", String::as_str);
    format!(
        "name it like {}1{separator}description{suffix} or {}{separator}description{suffix}",
        prefixes.versioned, prefixes.repeatable
    )
}

fn is_java(name: &str, config: &FlywayConfig) -> bool {
    let stem = [".java", ".class", ".kt", ".groovy"]
        .iter()
        .find_map(|suffix| strip_suffix(name, suffix));
    let rest = stem.and_then(|stem| stem.strip_prefix(config.prefixes.versioned.as_str()));
    rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()) && rest.contains(&config.separator))
}

/// What is to be said of a migration or a callback by itself.
fn of_migration(entry: &Entry) -> Vec<Finding> {
    let mut findings = Vec::new();
    let units = |text: &str| text.encode_utf16().count();
    let (version, description) = match &entry.kind {
        Kind::Versioned { version, description } | Kind::Baseline { version, description } => {
            (Some(version), Some(description))
        }
        Kind::Repeatable { description } => (None, Some(description)),
        Kind::Undo { .. } => {
            let message = "the open edition of Flyway never runs it, whatever its name says";
            findings.push(about("N009", entry, message).help("write a new migration that takes the change back"));
            (None, None)
        }
        Kind::Callback { event, .. } => {
            if is_recent(event) {
                let message =
                    format!("Flyway knows the event {event} since version 13 only, and passes over it before");
                findings.push(about("N001", entry, message).at(Level::Info));
            }
            (None, None)
        }
        Kind::Revision { .. } | Kind::ScriptConfig | Kind::Ignored { .. } | Kind::Other => return findings,
    };
    if let Some(version) = version {
        findings.extend(of_version(entry, version));
        let length = units(&version.to_string());
        if length > VERSION_LIMIT {
            let message =
                format!("its version has {length} characters, and the history table has room for {VERSION_LIMIT}");
            findings.push(about("N006", entry, message));
        }
    }
    if let Some(description) = description {
        let length = units(description);
        if length > DESCRIPTION_LIMIT {
            let message = format!(
                "its description has {length} characters, of which the history table keeps {DESCRIPTION_LIMIT}"
            );
            findings.push(about("N006", entry, message));
        }
        if description.trim().is_empty() {
            findings.push(about("N007", entry, "its name does not say what it does"));
        }
        let length = units(&entry.path);
        if length > PATH_LIMIT {
            let message = format!("its path has {length} characters, of which the history table keeps {PATH_LIMIT}");
            findings.push(about("N006", entry, message));
        }
    }
    findings.extend(of_program(entry));
    findings
}

fn of_version(entry: &Entry, version: &Version) -> Option<Finding> {
    let text = version.to_string();
    if version.is_word() {
        let message = format!("to Flyway its version is the word for something else, shown as {text:?}");
        return Some(about("N005", entry, message).help("give it a number"));
    }
    let is_plain = text
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    (!is_plain).then(|| {
        let message = format!("its version {text:?} is more than digits, dots and underscores");
        about("N005", entry, message).help("write it in the digits 0 to 9 without a sign")
    })
}

/// Whether the image can run what it gives to an interpreter.
fn of_program(entry: &Entry) -> Option<Finding> {
    if !entry.program {
        return None;
    }
    let name = file_name(entry);
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| strip_suffix(name, suffix).is_some());
    if ends(&[".sh", ".bash"]) {
        return None;
    }
    Some(if ends(&[".cmd", ".bat"]) {
        about("N010", entry, "it runs on Windows only").help("write it as .sh or .sql")
    } else if ends(&[".ps1"]) {
        about("N010", entry, "Flyway's image has no PowerShell to run it")
            .help("write it as .sh or .sql, or use a base that has pwsh")
    } else if ends(&[".py"]) {
        about("N010", entry, "Flyway's image has no Python to run it")
            .help("write it as .sh or .sql, or use a base that has python")
    } else {
        about("N010", entry, "Flyway runs a file without a suffix as a program")
            .at(Level::Warning)
            .help("if it is SQL, let its name end in .sql; if it is a program, in .sh")
    })
}

fn duplicates(entries: &[Entry], config: &FlywayConfig) -> Vec<Finding> {
    let mut findings = shared(
        "N002",
        entries,
        |entry| match &entry.kind {
            Kind::Versioned { version, .. } => Some((0, version.canonical())),
            Kind::Baseline { version, .. } => Some((1, version.canonical())),
            Kind::Undo { version, .. } => Some((2, version.canonical())),
            _ => None,
        },
        |(_, version), first| format!("version {version} is that of {}, too", first.path),
    );
    findings.extend(shared(
        "N003",
        entries,
        |entry| match &entry.kind {
            Kind::Repeatable { description } => Some(description.as_str()),
            _ => None,
        },
        |description, first| format!("the description {description:?} is that of {}, too", first.path),
    ));
    let stem = |name: &str| {
        let stem = config.suffixes.iter().find_map(|suffix| strip_suffix(name, suffix));
        stem.unwrap_or(name).to_owned()
    };
    findings.extend(shared(
        "N004",
        entries,
        |entry| matches!(entry.kind, Kind::Callback { .. } if !entry.program).then(|| stem(file_name(entry))),
        |stem, first| format!("the callback {stem} is there as {}, too", first.path),
    ));
    findings
}

fn script_configs(inventory: &Inventory) -> Vec<Finding> {
    let entries = inventory.entries();
    let Ok(readings) = inventory.readings() else {
        // Whoever reads the files has said so.
        return Vec::new();
    };
    let scripts: BTreeMap<String, usize> = (0..entries.len())
        .filter(|at| is_migration(&entries[*at].kind))
        .map(|at| (entries[at].image_path.to_lowercase(), at))
        .collect();
    let mut findings = Vec::new();
    for entry in entries.iter().filter(|entry| entry.kind == Kind::ScriptConfig) {
        let owner = strip_suffix(&entry.image_path, CONFIG_SUFFIX).unwrap_or_default();
        let Some(at) = scripts.get(&owner.to_lowercase()) else {
            let name = owner.rsplit('/').next().unwrap_or_default();
            findings.push(about(
                "N011",
                entry,
                format!("there is no script {name} that it could configure"),
            ));
            continue;
        };
        let config = readings[*at].script_config.as_ref();
        for problem in config.iter().flat_map(|config| &config.problems) {
            let place = Place {
                line: problem.line,
                ..Place::file(&entry.shown)
            };
            let key = &problem.key;
            let (message, help) = match &problem.kind {
                ProblemKind::UnknownKey(near) => (
                    format!("Flyway knows no key {key:?} here"),
                    match near {
                        Some(near) => format!("did you mean {near}?"),
                        None => "it knows executeInTransaction, encoding and placeholderReplacement".to_owned(),
                    },
                ),
                ProblemKind::NotBoolean => (
                    format!("{key} is neither true nor false"),
                    "write true or false".to_owned(),
                ),
                ProblemKind::Paid => (
                    format!("only paid editions of Flyway know {key}"),
                    "leave it out: the open edition does not run with it".to_owned(),
                ),
            };
            findings.push(Finding::new("N011", place, message).help(help));
        }
    }
    findings
}

/// Two names that are one on a file system that does not tell cases apart, such as that of a developer.
fn by_case(entries: &[Entry]) -> Vec<Finding> {
    shared(
        "N012",
        entries,
        |entry| Some(entry.image_path.to_lowercase()),
        |_, first| format!("its name differs from {} by case only", first.path),
    )
}

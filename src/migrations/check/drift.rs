//! Drift: what became of that which was shipped.

use super::finding::{Finding, Place};
use super::rule::Level;
use crate::migrations::compare::{Change, Comparison};
use crate::migrations::manifest::{Manifest, Migration, MigrationKind};

/// Settings that say where the tool keeps what it did: with another value it starts from nothing.
const HISTORY_SETTINGS: [&str; 3] = ["table", "defaultSchema", "schemas"];
/// Settings that change what the same files mean.
const MEANING_SETTINGS: [&str; 5] = ["prefixes", "separator", "suffixes", "placeholders", "encoding"];

/// What two sets are compared as.
#[derive(Debug)]
pub struct Sets<'a> {
    /// The set that was shipped.
    pub before: &'a Manifest,
    /// The set that is about to be.
    pub after: &'a Manifest,
    /// How they differ.
    pub comparison: &'a Comparison,
}

/// Finds what must not happen to migrations that were shipped.
///
/// Places name scripts by their path below their location, as the manifests do.
#[must_use]
pub fn check(sets: &Sets<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let comparison = sets.comparison;
    if sets.before.project != sets.after.project {
        findings.push(Finding::new(
            "D013",
            Place::default(),
            format!(
                "what was shipped is of the project {:?}, this is {:?}",
                sets.before.project, sets.after.project
            ),
        ));
    }
    comparison
        .changed
        .iter()
        .for_each(|change| changed(change, &mut findings));
    for change in &comparison.touched {
        let message = format!(
            "the bytes of {} changed, but not what its checksum counts",
            name(&change.after)
        );
        findings.push(Finding::new("D002", Place::file(&change.after.script), message));
    }
    findings.extend(comparison.removed.iter().filter_map(|gone| removed(gone, sets)));
    for change in &comparison.moved {
        let message = format!("{} was shipped as {}", name(&change.after), change.before.script);
        findings.push(Finding::new("D006", Place::file(&change.after.script), message));
    }
    findings.extend(comparison.late.iter().filter_map(|late| is_late(late, sets)));
    for change in &comparison.repeated {
        let message = format!("{} changed and will run again", name(&change.after));
        findings.push(Finding::new("D009", Place::file(&change.after.script), message));
    }
    for change in &comparison.callbacks {
        let (callback, what) = match (&change.before, &change.after) {
            (None, Some(new)) => (new, "was added"),
            (Some(_), Some(now)) => (now, "was changed"),
            (Some(gone), None) => (gone, "was removed"),
            (None, None) => continue,
        };
        let message = format!("the callback {} {what}", callback.event);
        findings.push(Finding::new("D010", Place::file(&callback.script), message));
    }
    for change in &comparison.config {
        let level = match change.key.as_str() {
            key if HISTORY_SETTINGS.contains(&key) => Level::Error,
            key if MEANING_SETTINGS.contains(&key) => Level::Warning,
            _ => continue,
        };
        let text = |value: &Option<serde_json::Value>| value.as_ref().map_or("nothing".to_owned(), ToString::to_string);
        let message = format!(
            "{} was {} when it was shipped, and is {} now",
            change.key,
            text(&change.before),
            text(&change.after)
        );
        findings.push(Finding::new("D011", Place::default(), message).at(level));
    }
    findings
}

fn changed(change: &Change, findings: &mut Vec<Finding>) {
    let place = || Place::file(&change.after.script);
    if change.is_type() {
        let message = format!(
            "{} was run by {} when it was shipped, and is run by {} now",
            name(&change.after),
            by(&change.before),
            by(&change.after)
        );
        findings.push(Finding::new("D008", place(), message));
    }
    // One that repeats may have another content.
    if change.is_content() && change.after.kind != MigrationKind::Repeatable {
        let finding = Finding::new(
            "D001",
            place(),
            format!("{} was shipped with another content", name(&change.after)),
        );
        findings.push(finding.help("take the change back, and make it in a new migration"));
    }
    if change.is_content() && change.is_description() {
        // As good as certainly not one migration that was changed, but two.
        let message = format!(
            "{} and {} both take {}",
            change.before.script,
            change.after.script,
            name(&change.after)
        );
        let finding = Finding::new("D015", place(), message);
        findings.push(finding.help("where they come from two branches, give this one the next version"));
    }
    if change.is_description() {
        let message = format!("{} was shipped as {:?}", name(&change.after), change.before.description);
        findings.push(Finding::new("D005", place(), message).help("give the file its old name back"));
    }
}

fn by(migration: &Migration) -> &'static str {
    if migration.program {
        "an interpreter"
    } else {
        "the database"
    }
}

fn removed(gone: &Migration, sets: &Sets<'_>) -> Option<Finding> {
    let (code, pattern) = match gone.kind {
        MigrationKind::Versioned | MigrationKind::Baseline | MigrationKind::Changeset => ("D003", "versioned:missing"),
        MigrationKind::Repeatable => ("D004", "repeatable:missing"),
        // Nothing runs one by itself.
        MigrationKind::Undo => return None,
    };
    let finding = Finding::new(
        code,
        Place::file(&gone.script),
        format!("{} was shipped and is gone", name(gone)),
    )
    .help("bring it back: databases on which it ran expect it");
    let is_forgiven = is_covered(gone, sets) || ignores(sets.after, pattern);
    Some(if is_forgiven {
        finding.at(Level::Warning)
    } else {
        finding
    })
}

/// Whether a baseline stands for a version.
fn is_covered(gone: &Migration, sets: &Sets<'_>) -> bool {
    let profile = sets.after.runner.profile.as_str();
    let is_above = |one: &&Migration| one.kind == MigrationKind::Baseline && one.order(profile) >= gone.order(profile);
    gone.kind == MigrationKind::Versioned && sets.after.migrations.iter().any(|one| is_above(&one))
}

fn ignores(manifest: &Manifest, pattern: &str) -> bool {
    let patterns = manifest
        .config
        .get("ignoreMigrationPatterns")
        .and_then(|value| value.as_array());
    let is_it = |one: &str| one.eq_ignore_ascii_case(pattern) || one.eq_ignore_ascii_case("*:missing") || one == "*:*";
    patterns.is_some_and(|all| all.iter().filter_map(|one| one.as_str()).any(is_it))
}

fn is_late(late: &Migration, sets: &Sets<'_>) -> Option<Finding> {
    let highest = sets.before.highest_version()?;
    if sets.after.says("outOfOrder") {
        return None;
    }
    let message = format!("{} is new, and {highest} was shipped already", name(late));
    let finding = Finding::new("D007", Place::file(&late.script), message);
    Some(match sets.after.runner.profile.as_str() {
        "dbmate" => finding
            .at(Level::Warning)
            .help("dbmate will run it, in another order than on a new database"),
        _ => finding.help(format!("give it a version above {highest}")),
    })
}

fn name(migration: &Migration) -> String {
    match (&migration.kind, &migration.version) {
        (MigrationKind::Baseline, Some(version)) => format!("the baseline {version}"),
        (MigrationKind::Repeatable, _) => format!("the repeatable migration {:?}", migration.description),
        (MigrationKind::Changeset, _) => format!("the changeset {}", migration.key),
        (_, Some(version)) => format!("version {version}"),
        (_, None) => migration.script.clone(),
    }
}

/// Finds that a base has another major version than the one the shipped image was built on.
#[must_use]
pub fn of_base(before: &str, after: &str) -> Option<Finding> {
    let (was, is) = (major(before)?, major(after)?);
    (was.0 == is.0 && was.1 != is.1).then(|| {
        let message = format!("the image that was shipped was built on {before}, this one is on {after}");
        Finding::new("D012", Place::default(), message)
    })
}

/// The name of an image without its tag, and the first number of the tag.
fn major(reference: &str) -> Option<(&str, &str)> {
    let name = reference.split('@').next().unwrap_or(reference);
    let (name, tag) = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
    let number = tag
        .trim_start_matches('v')
        .split(|end: char| !end.is_ascii_digit())
        .next()?;
    (!number.is_empty()).then_some((name, number))
}

//! All findings about a set of migrations, at the levels that hold, in their order.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::report::{Drift, Report};
use super::rule::{Family, Level};
use super::{drift, names};
use crate::migrations::compare::Comparison;
use crate::migrations::manifest::Manifest;
use crate::migrations::set::MigrationSet;

/// What findings depend on besides the migrations.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// The set that was shipped, if there is one to compare with.
    pub previous: Option<&'a Manifest>,
    /// How that comparison went.
    pub drift: Drift,
    /// The levels the project sets, by code.
    pub levels: &'a BTreeMap<String, Level>,
    /// What was found elsewhere: secrets, the base.
    pub others: Vec<Finding>,
    /// Secrets that are allowed, each a path and a key.
    pub allowed_secrets: &'a BTreeSet<(String, String)>,
    /// Whether only secrets are of interest.
    pub only_secrets: bool,
}

/// Collects all findings about a set of migrations.
#[must_use]
pub fn collect(set: &MigrationSet, circumstances: Circumstances<'_>) -> Report {
    let mut all = circumstances.others;
    let in_scripts = set.examined.iter().flat_map(|examined| &examined.findings);
    let secrets = in_scripts.filter(|finding| finding.rule.family == Family::Secrets);
    all.extend(secrets.cloned());
    all.retain(|finding| !finding.is_allowed(circumstances.allowed_secrets));
    if !circumstances.only_secrets {
        all.extend(of_names(set));
        let comparison = circumstances
            .previous
            .map(|previous| Comparison::of(previous, &set.manifest));
        all.extend(of_content(set, comparison.as_ref()));
        if let (Some(before), Some(comparison)) = (circumstances.previous, &comparison) {
            let sets = drift::Sets {
                before,
                after: &set.manifest,
                comparison,
            };
            let entries = set.inventory.entries().iter();
            let shown: BTreeMap<&str, &str> = entries
                .map(|entry| (entry.path.as_str(), entry.shown.as_str()))
                .collect();
            let spelled = names::spelled_differently(before, &set.manifest);
            all.extend(drift::check(&sets).into_iter().chain(spelled).map(|mut finding| {
                if let Some(shown) = shown.get(finding.place.path.as_str()) {
                    finding.place.path = (*shown).to_owned();
                }
                finding
            }));
        }
    }
    let leveled = all
        .into_iter()
        .filter_map(|finding| at_level(finding, circumstances.levels));
    let (mut allowed, mut findings): (Vec<_>, Vec<_>) = leveled.partition(|finding| finding.allowed.is_some());
    for list in [&mut findings, &mut allowed] {
        list.sort_by(|one, other| (&one.place, one.rule.code).cmp(&(&other.place, other.rule.code)));
        list.dedup();
    }
    Report {
        findings,
        allowed,
        drift: circumstances.drift,
        migrations: set.manifest.migrations.len(),
        highest_version: set.manifest.highest_version().map(str::to_owned),
        set_digest: set.manifest.set_digest.clone(),
    }
}

/// What is wrong with names; what a comment allows for a file holds for its name as well.
fn of_names(set: &MigrationSet) -> Vec<Finding> {
    let mut findings = names::check(&set.inventory, &set.examined);
    let both = set.inventory.entries().iter().zip(&set.examined);
    let allowed: BTreeMap<&str, _> = both
        .map(|(entry, examined)| (entry.shown.as_str(), &examined.allows))
        .collect();
    for finding in &mut findings {
        if let Some(allowed) = allowed.get(finding.place.path.as_str()) {
            allowed.apply(finding);
        }
    }
    findings
}

/// What is in the files; what is risky counts only in files that are new, and where the table is not.
fn of_content(set: &MigrationSet, comparison: Option<&Comparison>) -> Vec<Finding> {
    let new: Option<BTreeSet<&str>> = comparison.map(|comparison| {
        let repeated = comparison.repeated.iter().map(|change| &change.after);
        let changed = comparison.changed.iter().map(|change| &change.after);
        let all = comparison.added.iter().chain(repeated).chain(changed);
        all.map(|migration| migration.script.as_str()).collect()
    });
    let is_new = |path: &str| new.as_ref().is_none_or(|new| new.contains(path));
    let both = || set.inventory.entries().iter().zip(&set.examined);
    let tables: BTreeSet<&str> = both()
        .filter(|(entry, _)| is_new(&entry.path))
        .flat_map(|(_, examined)| examined.creates.iter().map(String::as_str))
        .collect();
    // Under its name without a schema, for the many findings there may be.
    let last = |table: &str| table.rsplit_once('.').map(|(_, last)| last.to_owned());
    let bare: BTreeSet<String> = tables.iter().filter_map(|table| last(table)).collect();
    let is_created = |table: &String| {
        tables.contains(table.as_str())
            || match last(table) {
                Some(last) => tables.contains(last.as_str()),
                None => bare.contains(table),
            }
    };
    let counts = |path: &str, finding: &Finding| match finding.rule.family {
        Family::Secrets => false,
        Family::Risk => is_new(path) && !finding.table.as_ref().is_some_and(is_created),
        _ => true,
    };
    both()
        .flat_map(|(entry, examined)| {
            examined
                .findings
                .iter()
                .filter(|finding| counts(&entry.path, finding))
                .cloned()
        })
        .collect()
}

/// A finding at the level that holds for it; `None` for one that is not looked for. Secrets have the levels they have.
fn at_level(mut finding: Finding, levels: &BTreeMap<String, Level>) -> Option<Finding> {
    if finding.rule.family != Family::Secrets
        && let Some(level) = levels.get(finding.rule.code)
    {
        finding.level = *level;
    }
    (finding.level != Level::Off).then_some(finding)
}

//! Changelogs as Liquibase reads them.

use std::collections::BTreeMap;

use super::super::finding::{Finding, Place};
use crate::migrations::Inventory;
use crate::migrations::liquibase::Changeset;

pub(super) fn check(inventory: &Inventory) -> Vec<Finding> {
    let entries = inventory.entries();
    let changelog = inventory.changelog();
    let place = |entry: Option<usize>, line| Place {
        line,
        ..entry.map_or_else(Place::default, |entry| Place::file(&entries[entry].shown))
    };
    let mut findings: Vec<Finding> = changelog
        .problems
        .iter()
        .map(|problem| {
            let finding = Finding::new("N016", place(problem.entry, problem.line), problem.message.as_str());
            match problem.help {
                Some(help) => finding.help(help),
                None => finding,
            }
        })
        .collect();
    let mut first: BTreeMap<String, &Changeset> = BTreeMap::new();
    for changeset in &changelog.changesets {
        let key = changeset.key();
        let Some(earlier) = first.get(&key) else {
            first.insert(key, changeset);
            continue;
        };
        let message = format!(
            "the changeset {} of {} is there already, in line {} of {}: Liquibase runs nothing at all",
            changeset.id, changeset.author, earlier.line, entries[earlier.entry].path
        );
        let finding = Finding::new("N002", place(Some(changeset.entry), changeset.line), message);
        findings.push(finding.help("give it an id of its own"));
    }
    for entry in &changelog.unused {
        let message = "no changelog that Liquibase reads includes it";
        let finding = Finding::new("N001", place(Some(*entry), 0), message);
        findings.push(finding.help("include it, or move it out of the folder of changelogs"));
    }
    if changelog.changesets.is_empty() && changelog.problems.is_empty() {
        findings.push(Finding::new(
            "N014",
            Place::default(),
            "the changelog has no changesets",
        ));
    }
    findings
}

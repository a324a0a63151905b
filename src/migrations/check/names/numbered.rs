//! Names as the tools read them that number files: dbmate, golang-migrate, goose and Atlas.

use std::collections::BTreeSet;

use super::super::finding::{Finding, Place};
use super::super::rule::Level;
use super::{about, file_name, shared};
use crate::migrations::Inventory;
use crate::migrations::examine::Examined;
use crate::migrations::flyway::name::{Kind, Reason};
use crate::migrations::inventory::Entry;
use crate::migrations::revision::{self, Direction};
use crate::migrations::tool::Tool;

pub(super) fn check(inventory: &Inventory, examined: &[Examined]) -> Vec<Finding> {
    let (tool, entries) = (inventory.tool(), inventory.entries());
    let mut findings = Vec::new();
    for (entry, examined) in entries.iter().zip(examined) {
        match &entry.kind {
            Kind::Ignored { reason } => findings.extend(passed_over(tool, entry, reason)),
            Kind::Revision {
                version, description, ..
            } => {
                findings.extend(of_step(tool, entry, version, description));
                findings.extend(examined.directives.findings(&entry.shown));
            }
            _ => {}
        }
    }
    findings.extend(duplicates(tool, entries));
    findings.extend(orphans(tool, entries));
    findings.extend(out_of_order(tool, entries));
    let goes_up = |entry: &Entry| step(entry).is_some_and(|(_, direction)| direction == Direction::Up);
    if !entries.iter().any(goes_up) {
        let message = format!("there is no migration where {} looks", shown(tool));
        findings.push(Finding::new("N014", Place::default(), message).help(example(tool)));
    }
    findings
}

/// The tool as its makers write it.
fn shown(tool: &Tool) -> &'static str {
    match tool {
        Tool::Atlas => "Atlas",
        other => other.name(),
    }
}

fn example(tool: &Tool) -> &'static str {
    match tool {
        Tool::GolangMigrate => "name it like 000001_create_users.up.sql",
        Tool::Goose => "name it like 00001_create_users.sql",
        _ => "name it like 20260131120000_create_users.sql",
    }
}

/// Version and direction of what the tool runs.
fn step(entry: &Entry) -> Option<(&str, Direction)> {
    match &entry.kind {
        Kind::Revision { version, direction, .. } => Some((version, *direction)),
        _ => None,
    }
}

/// What is to be said of a file that the tool does not take for a migration.
fn passed_over(tool: &Tool, entry: &Entry, reason: &Reason) -> Option<Finding> {
    let name = file_name(entry);
    let runs = |name: &str| matches!(revision::classify(tool, name), Kind::Revision { .. });
    if *reason == Reason::Below {
        // Atlas would take every file, also one that is none.
        let is_meant = runs(name) && name.starts_with(|first: char| first.is_ascii_digit());
        return is_meant.then(|| {
            about("N001", entry, format!("{} does not look into folders", shown(tool)))
                .help("move it beside the others, or out of the folder of migrations")
        });
    }
    let is_sql = name.to_ascii_lowercase().ends_with(".sql");
    if *tool == Tool::Goose && name.ends_with(".sql") {
        // Its command stops at the first name of this kind, whatever else is there.
        let message = format!("goose refuses the whole folder: {reason}");
        return Some(about("N010", entry, message).help(format!("{}, or move it away", example(tool))));
    }
    if let Some(meant) = meant(name).into_iter().find(|meant| runs(meant)) {
        let finding = about("N001", entry, format!("{} passes over it: {reason}", shown(tool)));
        return Some(finding.help(format!("rename it to {meant}")));
    }
    let looks_numbered = is_sql && name.starts_with(|first: char| first.is_ascii_digit());
    if looks_numbered {
        let finding = about("N001", entry, format!("{} passes over it: {reason}", shown(tool)));
        return Some(finding.help(example(tool)));
    }
    is_sql.then(|| {
        about("N001", entry, format!("{} passes over it: {reason}", shown(tool)))
            .at(Level::Warning)
            .help(format!("{}, or move it out of the folder of migrations", example(tool)))
    })
}

/// What may have been meant by a name: small letters; without what stands before the number; with an underscore behind it.
fn meant(name: &str) -> Vec<String> {
    let small = name.to_ascii_lowercase();
    let is_sql = small.ends_with(".sql");
    if !is_sql {
        return Vec::new();
    }
    let (stem, _) = name.split_at(name.len() - ".sql".len());
    let lowered = ["UP", "Up", "DOWN", "Down"]
        .iter()
        .fold(format!("{stem}.sql"), |name, word| {
            name.replace(&format!(".{word}."), &format!(".{}.", word.to_ascii_lowercase()))
        });
    let mut all = vec![lowered.clone()];
    let bare = lowered.trim_start_matches(['V', 'v', ' ', '_', '-', '.']);
    let bare = match bare.split_once("__") {
        Some((number, rest)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{number}_{rest}")
        }
        _ => bare.to_owned(),
    };
    let digits = bare
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(bare.len());
    if digits > 0 {
        all.push(bare.clone());
        let rest = bare[digits..].trim_start_matches(['-', ' ', '.']);
        if !rest.is_empty() && rest != "sql" {
            all.push(format!("{}_{rest}", &bare[..digits]));
        }
    }
    all
}

/// What is to be said of a migration by itself.
fn of_step(tool: &Tool, entry: &Entry, version: &str, description: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if *tool == Tool::Goose && entry.path.ends_with(".go") {
        let message = "a migration in Go runs only as part of a program that is built with it";
        findings.push(about("N010", entry, message).help("write it in SQL, or use a base with a goose of your own"));
        return findings;
    }
    if *tool == Tool::Atlas && !version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        let message = format!("Atlas runs it as the version {version:?}, which is not a number");
        findings.push(about("N005", entry, message).at(Level::Warning).help(
            "begin its name with a number, or move it out of the folder of migrations: Atlas runs every .sql file",
        ));
    }
    if description.is_empty() {
        findings.push(about("N007", entry, "its name does not say what it does"));
    }
    findings
}

fn duplicates(tool: &Tool, entries: &[Entry]) -> Vec<Finding> {
    let what = match tool {
        Tool::GolangMigrate | Tool::Goose => "refuses the whole folder",
        Tool::Dbmate => "fails at the second",
        _ => "keeps one of them in its history",
    };
    shared("N002", entries, step, |(version, _), first| {
        format!(
            "version {version} is that of {}, too: {} {what}",
            first.path,
            shown(tool)
        )
    })
}

/// Steps back from what nothing leads to. golang-migrate notes their versions as run, and runs nothing.
fn orphans(tool: &Tool, entries: &[Entry]) -> Vec<Finding> {
    if *tool != Tool::GolangMigrate {
        return Vec::new();
    }
    let with = |wanted| {
        let of = move |entry: &'_ Entry| step(entry).is_some_and(|(_, direction)| direction == wanted);
        entries.iter().filter(move |entry| of(entry))
    };
    let up: BTreeSet<&str> = with(Direction::Up).filter_map(|entry| Some(step(entry)?.0)).collect();
    let orphans = with(Direction::Down).filter(|entry| step(entry).is_some_and(|(version, _)| !up.contains(version)));
    let finding = |entry: &Entry| {
        let message = "no .up. file has its version: golang-migrate notes the version as run, and runs nothing";
        let finding = about("N001", entry, message).at(Level::Warning);
        finding.help("add the file that it takes back, or remove this one")
    };
    orphans.map(finding).collect()
}

/// Where names are put in order as texts, 10 comes before 9.
fn out_of_order(tool: &Tool, entries: &[Entry]) -> Vec<Finding> {
    if !matches!(tool, Tool::Dbmate | Tool::Atlas) {
        return Vec::new();
    }
    let number = |entry: &Entry| -> Option<(usize, String)> {
        let (version, _) = step(entry)?;
        let is_number = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
        let digits = revision::canonical(version);
        is_number.then(|| (digits.len(), digits.to_owned()))
    };
    let mut steps: Vec<(&Entry, (usize, String))> = entries
        .iter()
        .filter_map(|entry| Some((entry, number(entry)?)))
        .collect();
    steps.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
    let mut findings = Vec::new();
    for pair in steps.windows(2) {
        let [(before, earlier), (after, later)] = pair else {
            continue;
        };
        if later < earlier {
            let message = format!(
                "{} runs it after {}, although its number is lower: names are put in order as texts",
                shown(tool),
                before.path
            );
            findings.push(about("N017", after, message).help("write all numbers with the same count of digits"));
        }
    }
    findings
}

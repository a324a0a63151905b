//! Every rule has its page, and a project in which it finds something beside the nearest one in which it does not.
//!
//! The projects are in `tests/rules/CODE/fails` and `…/passes`. Those of drift have two folders, `before` and `after`: the second is checked against the first, which is a
//! project or an OCI layout.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shipway::migrations::check::{Family, Finding, Level, Place, RULES};

use crate::support::project::{TestProject, files_below};

/// The headings of a page; secrets cannot be allowed by a comment.
const HEADINGS: [&str; 4] = ["## Why", "## Bad", "## Good", "## How to allow it"];
const WAY_OUT: &str = "## The way out";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Catches a code that is given twice, or that the search by code would not find.
#[test]
fn codes_are_unique_and_in_order() {
    for pair in RULES.windows(2) {
        assert!(pair[0].code < pair[1].code, "{} and {}", pair[0].code, pair[1].code);
    }
    for rule in RULES {
        let letter = match rule.family {
            Family::Names => 'N',
            Family::Content => 'C',
            Family::Risk => 'R',
            Family::Secrets => 'S',
            Family::Drift => 'D',
        };
        assert!(rule.code.starts_with(letter), "{}", rule.code);
        // It does not panic: the code is known.
        let finding = Finding::new(rule.code, Place::default(), "x");
        assert_eq!(finding.rule.code, rule.code);
    }
}

/// Catches a page that is missing, empty, or of another rule.
#[test]
fn pages_say_why_show_both_and_tell_the_way_out() {
    let mut broken = Vec::new();
    for rule in RULES {
        let title = format!("# {}: {}\n", rule.code, rule.title);
        if !rule.page.starts_with(&title) {
            broken.push(format!("{}: the title is not {title:?}", rule.code));
        }
        let mut headings = HEADINGS;
        if rule.family == Family::Secrets {
            headings[3] = WAY_OUT;
        }
        let found: Vec<&str> = rule.page.lines().filter(|line| line.starts_with("## ")).collect();
        if found != headings {
            broken.push(format!("{}: the headings are {found:?}", rule.code));
        }
        for section in rule.page.split("\n## ").skip(1) {
            let (heading, text) = section.split_once('\n').unwrap_or((section, ""));
            if text.trim().is_empty() {
                broken.push(format!("{}: nothing is said below {heading:?}", rule.code));
            }
        }
    }
    // A page that no rule has any more.
    let pages = fs::read_dir(root().join("docs/rules")).unwrap();
    let names: BTreeSet<String> = pages
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let mut expected: BTreeSet<String> = RULES.iter().map(|rule| format!("{}.md", rule.code)).collect();
    expected.insert("README.md".to_owned());
    assert_eq!(names, expected);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Catches a rule that finds nothing, and one that finds something where nothing is.
#[test]
fn rules_find_what_they_are_for_and_nothing_beside() {
    let mut broken = Vec::new();
    for rule in RULES {
        for (name, expected) in [("fails", true), ("passes", false)] {
            let folder = root().join("tests/rules").join(rule.code).join(name);
            if !folder.is_dir() {
                broken.push(format!("{} has no {name}", rule.code));
                continue;
            }
            let report = match check(&folder) {
                Ok(report) => report,
                Err(told) => {
                    broken.push(format!("{} {name}: {told}", rule.code));
                    continue;
                }
            };
            let findings = report["findings"].as_array().unwrap();
            let codes: Vec<&str> = findings.iter().filter_map(|one| one["rule"].as_str()).collect();
            if codes.contains(&rule.code) != expected {
                broken.push(format!("{} {name}: found {codes:?}", rule.code));
            }
            // What is right is right altogether: only remarks are let through.
            let errors: Vec<&Value> = findings.iter().filter(|one| one["level"] == "error").collect();
            if !expected && !errors.is_empty() {
                broken.push(format!("{} {name}: has errors {errors:?}", rule.code));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Runs the command in a copy of a fixture; what it says if it could not check.
fn check(folder: &Path) -> Result<Value, String> {
    let project = TestProject::empty();
    copy(folder, project.folder());
    let is_drift = folder.join("after").is_dir();
    let (here, against): (PathBuf, Option<String>) = if is_drift {
        let before = match folder.join("before/oci-layout").is_file() {
            true => "oci:../before",
            false => "dir:../before",
        };
        (project.folder().join("after"), Some(before.to_owned()))
    } else {
        (project.folder().to_owned(), None)
    };
    // R017 is off as a rule, and nobody would see it find something.
    let levels: Vec<String> = RULES
        .iter()
        .filter(|rule| rule.level == Level::Off)
        .map(|rule| format!("--rule={}=info", rule.code))
        .collect();
    let mut words = vec!["check", "--format", "json"];
    words.extend(levels.iter().map(String::as_str));
    words.extend(against.iter().flat_map(|against| ["--against", against]));
    let outcome = project.run_in(&here, &words);
    if !matches!(outcome.status, Some(0 | 3 | 4)) {
        return Err(outcome.text());
    }
    serde_json::from_str(&outcome.stdout).map_err(|error| format!("{error}: {}", outcome.text()))
}

fn copy(from: &Path, to: &Path) {
    for file in files_below(from) {
        let target = to.join(&file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(from.join(&file), target).unwrap();
    }
}

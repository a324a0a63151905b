//! What changed within scripts, as a unified diff.

use std::collections::BTreeSet;

use anyhow::Context as _;
use shipway::migrations::MigrationSet;
use shipway::migrations::check::secret::shows_secret;
use shipway::migrations::compare::Comparison;
use similar::{ChangeTag, TextDiff};

use super::super::one_line;

/// Larger scripts are not compared: the time it takes may grow with the square of the size, and nobody reads the result.
const LARGEST_BYTES: u64 = 512 * 1024;
/// Lines of one script's changes that are shown.
const MOST_LINES: usize = 400;
/// Characters of a line that are shown.
const LONGEST_LINE: usize = 500;
/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// What changed within one script.
#[derive(Debug)]
pub(super) struct Patch {
    /// The script, as it is called now.
    pub(super) script: String,
    /// The unified diff.
    pub(super) text: String,
}

/// What changed within all scripts that both sets have.
pub(super) fn patches(
    comparison: &Comparison,
    before: &MigrationSet,
    after: &MigrationSet,
) -> anyhow::Result<Vec<Patch>> {
    let changes = comparison
        .changed
        .iter()
        .chain(&comparison.repeated)
        .chain(&comparison.touched);
    // Several changesets of Liquibase are in one file.
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for change in changes {
        let (old, new) = (&change.before.script, &change.after.script);
        if !seen.insert((old, new)) {
            continue;
        }
        let (Some(one), Some(other)) = (read(before, old)?, read(after, new)?) else {
            continue;
        };
        let header = format!("--- {}\n+++ {}\n", one_line(old), one_line(new));
        let text = match (one, other) {
            (Script::Text(one), Script::Text(other)) => compare(&one, &other),
            (Script::TooLarge, _) | (_, Script::TooLarge) => "(too large to be compared)\n".to_owned(),
            (Script::Binary, _) | (_, Script::Binary) => "(not UTF-8, and not compared)\n".to_owned(),
        };
        all.push(Patch {
            script: new.clone(),
            text: header + &text,
        });
    }
    Ok(all)
}

enum Script {
    Text(String),
    Binary,
    TooLarge,
}

fn read(set: &MigrationSet, path: &str) -> anyhow::Result<Option<Script>> {
    let Some(entry) = set.inventory.entries().iter().find(|entry| entry.path == path) else {
        return Ok(None);
    };
    let read = entry.content.read(LARGEST_BYTES);
    let (bytes, is_all) = read.with_context(|| format!("cannot read {}", entry.shown))?;
    Ok(Some(match String::from_utf8(bytes) {
        _ if !is_all => Script::TooLarge,
        Ok(text) => Script::Text(text),
        Err(_) => Script::Binary,
    }))
}

/// The hunks of a unified diff.
fn compare(before: &str, after: &str) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut lines: Vec<String> = Vec::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        lines.push(hunk.header().to_string());
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push(format!("{sign}{}", shown(change.value())));
        }
    }
    if lines.is_empty() {
        return "(only the ends of lines differ)\n".to_owned();
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    if more > 0 {
        lines.push(format!("(and {more} more lines)"));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A line as it is shown: what a password may be in is not.
fn shown(line: &str) -> String {
    let line = line.trim_end_matches(['\n', '\r']);
    if shows_secret(line) {
        return "(a line with a secret)".to_owned();
    }
    let is_long = line.chars().count() > LONGEST_LINE;
    let cut: String = line.chars().take(LONGEST_LINE).collect();
    let cut = cut.replace(|c: char| c.is_control() && c != '\t', "\u{fffd}");
    if is_long { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a diff that shows a password, or grows without an end.
    #[test]
    fn changes_are_shown_in_bounds_and_without_secrets() {
        let before = "SELECT 1;\nSELECT 2;\nCREATE USER x IDENTIFIED BY 'canary';\n";
        let after = "SELECT 1;\nSELECT 3;\nCREATE USER x IDENTIFIED BY 'canary2';\n";
        let text = compare(before, after);
        assert_eq!(
            text,
            "@@ -1,3 +1,3 @@\n SELECT 1;\n-SELECT 2;\n-(a line with a secret)\n+SELECT 3;\n+(a line with a secret)\n"
        );
        let long = compare("", &"SELECT 1;\n".repeat(1000));
        assert_eq!(long.lines().count(), MOST_LINES + 1);
        assert!(long.ends_with("(and 601 more lines)\n"));
        assert!(compare("", &"x".repeat(10_000)).chars().count() < 600);
        assert!(!compare("a\u{1b}[2J", "b").contains('\u{1b}'));
    }
}

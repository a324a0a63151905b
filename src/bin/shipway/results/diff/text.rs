//! The lines for people.

use super::super::one_line;
use super::patch::Patch;
use super::{DiffResult, DiffSide, named, why};

pub(super) fn text(result: &DiffResult<'_>, patches: &[Patch]) -> String {
    let comparison = result.comparison;
    let mut lines = vec![
        format!("before  {}", side(result.before)),
        format!("after   {}", side(result.after)),
    ];
    if comparison.is_empty() {
        lines.push("nothing is different".to_owned());
        return joined(&lines);
    }
    lines.push(String::new());
    let pending: Vec<[String; 3]> = comparison
        .pending
        .iter()
        .map(|one| [one.script.clone(), named(one), why(one, comparison).to_owned()])
        .collect();
    let colon = if pending.is_empty() { "" } else { ":" };
    lines.push(format!("{}{colon}", result.headline()));
    lines.extend(table(&pending));
    let warnings = result.warnings();
    if !warnings.is_empty() {
        lines.push(String::new());
        lines.push("what was shipped is not what it was:".to_owned());
        let warnings = warnings.into_iter();
        let rows: Vec<[String; 3]> = warnings
            .map(|warning| [warning.word.to_owned(), warning.script.to_owned(), warning.text])
            .collect();
        lines.extend(table(&rows));
    }
    let remarks = result.remarks();
    if !remarks.is_empty() {
        lines.push(String::new());
        lines.push("besides:".to_owned());
        let rows: Vec<[String; 2]> = remarks
            .into_iter()
            .map(|(word, text)| [word.to_owned(), text])
            .collect();
        lines.extend(table(&rows));
    }
    let mut text = joined(&lines);
    for patch in patches {
        text.push('\n');
        text.push_str(&patch.text);
    }
    text
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A set: its name, what that stood for, and how far it goes.
fn side(side: &DiffSide<'_>) -> String {
    let count = side.manifest.migrations.len();
    let noun = if count == 1 { "migration" } else { "migrations" };
    let version = side.manifest.highest_version();
    let version = version.map_or(String::new(), |version| format!(" up to version {version}"));
    let identity = side.identity.map_or(String::new(), |identity| format!(" {identity}"));
    one_line(&format!("{}{identity}: {count} {noun}{version}", side.name))
}

/// Rows with aligned columns.
fn table<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let rows: Vec<[String; N]> = rows
        .iter()
        .map(|row| row.each_ref().map(|cell| one_line(cell)))
        .collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let cells: Vec<String> = cells.map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

//! Markdown, as GitLab and GitHub read it in the comment of a merge request.

use super::super::one_line;
use super::patch::Patch;
use super::{DiffResult, DiffSide, named, why};

/// A table with more rows is folded.
const UNFOLDED_ROWS: usize = 15;
/// Rows of a table that are shown at all: GitLab cuts a comment at a million characters, and nobody reads that far.
const MOST_ROWS: usize = 500;

pub(super) fn markdown(result: &DiffResult<'_>, patches: &[Patch]) -> String {
    let comparison = result.comparison;
    let mut blocks = vec![format!("### Migrations: {}", result.headline())];
    let warnings = result.warnings();
    if !warnings.is_empty() {
        blocks.push(format!(
            "**Warning:** {} of what was shipped is not what it was.",
            match warnings.len() {
                1 => "1 migration".to_owned(),
                count => format!("{count} migrations"),
            }
        ));
        let rows = warnings
            .iter()
            .map(|warning| vec![escaped(warning.word), code(warning.script), escaped(&warning.text)]);
        blocks.push(table("What is wrong", &["", "script", ""], rows.collect()));
    }
    if !comparison.pending.is_empty() {
        let rows = comparison.pending.iter().enumerate().map(|(at, one)| {
            let statements = one.statements.map_or(String::new(), |count| count.to_string());
            vec![
                (at + 1).to_string(),
                code(&one.script),
                escaped(&named(one)),
                why(one, comparison).to_owned(),
                statements,
                escaped(&one.risk.join(", ")),
            ]
        });
        let head = ["", "script", "", "why", "statements", "risk"];
        blocks.push(table("What will run, in this order", &head, rows.collect()));
    }
    let remarks = result.remarks();
    if !remarks.is_empty() {
        let rows = remarks.iter().map(|(word, text)| vec![escaped(word), code(text)]);
        blocks.push(table("Besides", &["", ""], rows.collect()));
    }
    for patch in patches {
        blocks.push(folded(
            &format!("What changed in {}", html(&patch.script)),
            &fenced(&patch.text),
        ));
    }
    blocks.push(format!("Compared: {} with {}", side(result.before), side(result.after)));
    blocks.join("\n\n") + "\n"
}

fn side(side: &DiffSide<'_>) -> String {
    match side.identity {
        Some(identity) => format!("{} ({})", code(side.name), code(identity)),
        None => code(side.name),
    }
}

/// A table below a title, folded if it is long.
fn table(title: &str, head: &[&str], mut rows: Vec<Vec<String>>) -> String {
    let count = rows.len();
    rows.truncate(MOST_ROWS);
    let line = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines = vec![
        line(head.iter().map(|cell| (*cell).to_owned()).collect()),
        line(head.iter().map(|_| "---".to_owned()).collect()),
    ];
    lines.extend(rows.into_iter().map(line));
    let mut text = lines.join("\n");
    if count > MOST_ROWS {
        text.push_str(&format!("\n\n… and {} more", count - MOST_ROWS));
    }
    match count > UNFOLDED_ROWS {
        true => folded(&format!("{title} ({count})"), &text),
        false => text,
    }
}

/// The title is HTML.
fn folded(title: &str, text: &str) -> String {
    format!("<details><summary>{title}</summary>\n\n{text}\n\n</details>")
}

/// A text in which nothing has a meaning in Markdown, nor in a cell of a table.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in one_line(text).chars() {
        if matches!(
            character,
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' | '#' | '!' | '@' | '&'
        ) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A text as code, also in a cell of a table.
fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    // A backtick at either end would become part of the fence.
    match text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() {
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

fn fenced(text: &str) -> String {
    let fence = "`".repeat((longest_run(text) + 1).max(3));
    format!("{fence}diff\n{text}{fence}")
}

/// The most backticks that stand in a row.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

fn html(text: &str) -> String {
    one_line(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Catches a name that ends its cell, its code or its heading.
    #[test]
    fn nothing_of_a_name_is_markdown() {
        assert_eq!(code("a|b.sql"), "`a\\|b.sql`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(escaped("a|<b>`c`\nd @all"), "a\\|\\<b\\>\\`c\\` d \\@all");
        assert_eq!(html("<a>&\n"), "&lt;a&gt;&amp; ");
        assert_eq!(fenced("````\n"), "`````diff\n````\n`````");
    }

    /// Catches a comment that grows without an end.
    #[test]
    fn long_tables_are_folded_and_cut() {
        let rows = |count: usize| (0..count).map(|at| vec![at.to_string()]).collect::<Vec<_>>();
        assert_eq!(table("t", &["a"], rows(1)), "| a |\n| --- |\n| 0 |");
        assert!(table("t", &["a"], rows(16)).starts_with("<details><summary>t (16)</summary>\n\n| a |"));
        let cut = table("t", &["a"], rows(501));
        assert!(cut.contains("… and 1 more") && !cut.contains("| 500 |"));
    }
}

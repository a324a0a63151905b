//! A difference in Markdown, for the comment of a merge request.

use std::fmt::Write as _;

use shipway::migrations::compare::Change;
use shipway::migrations::manifest::Migration;

use super::{DiffResult, callback, headline, label};

/// A longer table is folded away.
const LONG: usize = 20;

impl DiffResult<'_> {
    /// The Markdown form.
    pub(crate) fn markdown(&self) -> Result<String, std::fmt::Error> {
        let comparison = self.comparison;
        let mut text = format!("### Migrations: {}\n\n", headline(comparison));
        let side = |side: &super::DiffSide<'_>| match side.identity {
            Some(identity) => format!("{} ({})", code(side.name), code(identity)),
            None => code(side.name),
        };
        writeln!(text, "From {} to {}.", side(&self.before), side(&self.after))?;
        let warnings = [
            (comparison.changed.len(), "that was shipped has changed"),
            (comparison.removed.len(), "that was shipped is gone"),
            (comparison.late.len(), "is new and not above what was shipped"),
        ];
        for (count, what) in warnings.into_iter().filter(|(count, _)| *count > 0) {
            let noun = if count == 1 {
                "migration"
            } else {
                "migrations, each of which"
            };
            writeln!(text, "\n:warning: {count} {noun} {what}.")?;
        }
        table(&mut text, "Will run, in this order", comparison.pending.iter())?;
        table(
            &mut text,
            "Shipped, and changed since",
            comparison.changed.iter().map(|change| &change.after),
        )?;
        table(&mut text, "Shipped, and gone", comparison.removed.iter())?;
        table(&mut text, "New, and not above what was shipped", comparison.late.iter())?;
        renamed(&mut text, "Renamed", &comparison.renamed)?;
        renamed(&mut text, "Moved", &comparison.moved)?;
        if !comparison.callbacks.is_empty() {
            writeln!(text, "\n**Callbacks**\n")?;
            for (what, script) in comparison.callbacks.iter().filter_map(callback) {
                writeln!(text, "- {what}: {}", code(script))?;
            }
        }
        if !comparison.config.is_empty() {
            writeln!(text, "\n**Configuration**\n")?;
            for change in &comparison.config {
                let value = |value: &Option<serde_json::Value>| {
                    value
                        .as_ref()
                        .map_or("nothing".to_owned(), |value| code(&value.to_string()))
                };
                writeln!(
                    text,
                    "- {}: {} → {}",
                    code(&change.key),
                    value(&change.before),
                    value(&change.after)
                )?;
            }
        }
        let patches = comparison.changed.iter().chain(&comparison.repeated);
        for patch in patches.filter_map(|change| self.patch(change)) {
            let fence = fence(&patch);
            writeln!(
                text,
                "\n<details><summary>Lines that changed</summary>\n\n{fence}diff\n{patch}{fence}\n\n</details>"
            )?;
        }
        Ok(text)
    }
}

fn table<'a>(text: &mut String, title: &str, migrations: impl Iterator<Item = &'a Migration>) -> std::fmt::Result {
    let rows: Vec<&Migration> = migrations.collect();
    if rows.is_empty() {
        return Ok(());
    }
    let is_long = rows.len() > LONG;
    match is_long {
        true => writeln!(text, "\n<details><summary>{title} ({})</summary>\n", rows.len())?,
        false => writeln!(text, "\n**{title}**\n")?,
    }
    writeln!(text, "| version | description | script |\n|---|---|---|")?;
    for row in rows {
        writeln!(
            text,
            "| {} | {} | {} |",
            cell(label(row)),
            cell(&row.description),
            code(&row.script)
        )?;
    }
    if is_long {
        writeln!(text, "\n</details>")?;
    }
    Ok(())
}

fn renamed(text: &mut String, title: &str, changes: &[Change]) -> std::fmt::Result {
    if changes.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n**{title}**\n")?;
    for change in changes {
        writeln!(
            text,
            "- {} → {}",
            code(&change.before.script),
            code(&change.after.script)
        )?;
    }
    Ok(())
}

/// Text in a table, with nothing in it that is markup.
fn cell(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '|' | '\\' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '&' | '#' | '~' | '@' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// Code, also of text with backticks; `|` would end a cell.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    let longest = text.split(|one| one != '`').map(str::len).max().unwrap_or_default();
    let ticks = "`".repeat(longest + 1);
    if text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        return format!("{ticks} {text} {ticks}");
    }
    format!("{ticks}{text}{ticks}")
}

/// A fence that no line of the text closes.
fn fence(text: &str) -> String {
    let longest = text.split(|one| one != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(cell("a|b\n*c* <d> @all"), "a\\|b \\*c\\* \\<d\\> \\@all");
        assert_eq!(code("V1__a`b`|.sql"), "``V1__a`b`\\|.sql``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(fence("a ```` b"), "`````");
    }
}

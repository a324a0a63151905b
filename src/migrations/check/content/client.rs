//! Commands of client programs (C011).

use super::{Beginning, Scene};
use crate::migrations::check::Finding;
use crate::migrations::tool::Tool;
use crate::sql::{Dialect, Statement, Token, TokenKind};

/// Tells of a command the statement begins with, or holds.
pub(super) fn check(
    scene: Scene<'_>,
    statement: &Statement<'_>,
    words: &Beginning<'_>,
    tokens: &[Token<'_>],
    findings: &mut Vec<Finding>,
) {
    let Some(first) = words.get(0) else { return };
    let second = words.get(1);
    let is_postgres = scene.dialect == Dialect::Postgres;
    let found = if first.is_sign('\\') {
        Some((first, "psql or mysql"))
    } else if first.is_sign('.') && matches!(scene.dialect, Dialect::Sqlite | Dialect::Unknown) {
        second
            .filter(|second| second.kind == TokenKind::Word)
            .map(|_| (first, "sqlite3"))
    } else if first.is("go") && stands_alone(statement, &first) {
        Some((first, "sqlcmd"))
    } else if is_of_mysql(scene.dialect, &first, second) {
        Some((first, "mysql"))
    } else {
        let mut signs = tokens.iter().filter(|token| is_postgres && token.is_sign('\\'));
        signs.next().map(|sign| (*sign, "psql"))
    };
    if let Some((token, client)) = found {
        let command = command(statement, &token);
        let mut place = scene.at(statement, &token);
        place.width = command.chars().count() as u64;
        let message = format!(
            "{command} is a command of {client}, which {} does not know",
            who(scene.tool)
        );
        findings.push(Finding::new("C011", place, message));
    }
}

fn is_of_mysql(dialect: Dialect, first: &Token<'_>, second: Option<Token<'_>>) -> bool {
    let is_elsewhere = matches!(dialect, Dialect::Postgres | Dialect::Sqlite);
    let is_alone = second.is_none_or(|second| second.is_sign(';'));
    // In MySQL `USE` is SQL, and `DELIMITER` has been read already.
    (first.is("source") && !is_alone) || (is_elsewhere && (first.is("delimiter") || (first.is("use") && !is_alone)))
}

/// Tells of `DELIMITER` where the tool hands it to the database.
pub(super) fn delimiter(
    scene: Scene<'_>,
    statement: &Statement<'_>,
    tokens: &[Token<'_>],
    findings: &mut Vec<Finding>,
) {
    if !statement.is_blank || !matches!(scene.tool, Tool::Dbmate | Tool::GolangMigrate | Tool::Goose) {
        return;
    }
    let first = tokens.iter().find(|token| token.kind != TokenKind::Comment);
    if let Some(first) = first.filter(|first| first.is("delimiter")) {
        let message = format!(
            "DELIMITER is a command of mysql, which {} does not know",
            who(scene.tool)
        );
        findings.push(Finding::new("C011", scene.at(statement, first), message));
    }
}

fn who(tool: &Tool) -> &'static str {
    match tool {
        Tool::Unknown => "a database",
        tool => tool.name(),
    }
}

/// The command without what follows it, of which a part may be a secret.
fn command(statement: &Statement<'_>, token: &Token<'_>) -> String {
    let rest = &statement.text[token.offset..];
    let name = rest
        .chars()
        .enumerate()
        .take_while(|(at, character)| *at == 0 || character.is_alphanumeric());
    name.take(20).map(|(_, character)| character).collect()
}

/// Whether nothing else stands in the line of a word.
fn stands_alone(statement: &Statement<'_>, token: &Token<'_>) -> bool {
    let (before, after) = (
        &statement.text[..token.offset],
        &statement.text[token.offset + token.text.len()..],
    );
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = after.split('\n').next().unwrap_or_default();
    before.trim().is_empty()
        && after
            .trim()
            .trim_end_matches(';')
            .bytes()
            .all(|byte| byte.is_ascii_digit())
}

//! What a transaction does not take (C005), what waits for one (C006), and transactions within transactions (C009).

use super::{Beginning, Scene};
use crate::migrations::check::{Finding, Level, Place};
use crate::migrations::tool::Tool;
use crate::sql::{Dialect, Statement, Token, TokenKind};

/// The transactions of one script.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// The first statement that refuses a transaction: where, and how it begins.
    refuses: Option<(Place, String)>,
    /// Whether another statement takes one.
    takes: bool,
    /// Whether a comment tells the tool to use none.
    is_off: bool,
    /// The first statement that begins or ends a transaction.
    nested: Option<(Place, String)>,
}

/// What comments say where a tool is to use no transaction: dbmate, goose, Atlas, Liquibase.
const SWITCHES: [&str; 4] = [
    "transaction:false",
    "no transaction",
    "txmode none",
    "runintransaction:false",
];

impl Transactions {
    pub(super) fn comments(&mut self, tokens: &[Token<'_>]) {
        for comment in tokens.iter().filter(|token| token.kind == TokenKind::Comment) {
            let lower = comment.text.to_ascii_lowercase();
            self.is_off |= SWITCHES.iter().any(|switch| lower.contains(switch));
        }
    }

    pub(super) fn rows(&mut self) {
        self.takes = true;
    }

    pub(super) fn statement(
        &mut self,
        scene: Scene<'_>,
        statement: &Statement<'_>,
        words: &Beginning<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let Some(first) = words.get(0).filter(|first| first.kind == TokenKind::Word) else {
            self.takes = true;
            return;
        };
        if self.nested.is_none() && is_transaction(words) {
            self.nested = Some((scene.at(statement, &first), first.text.to_ascii_uppercase()));
        }
        let Some(refusing) = refusing(scene.dialect, words) else {
            self.takes = true;
            return;
        };
        if self.refuses.is_none() {
            let token = words.get(refusing).unwrap_or(first);
            let said = (0..=refusing)
                .filter_map(|at| words.get(at))
                .map(|word| word.text.to_ascii_uppercase());
            self.refuses = Some((scene.at(statement, &token), said.collect::<Vec<_>>().join(" ")));
        }
        if let Some(word) = words.get(refusing).filter(|word| word.is("concurrently"))
            && scene.flyway().is_some_and(|config| config.transactional_lock)
        {
            let level = match scene.dialect {
                Dialect::Postgres => Level::Error,
                _ => Level::Warning,
            };
            let message = format!(
                "{} INDEX CONCURRENTLY waits for Flyway's own lock, for ever",
                first.text.to_ascii_uppercase()
            );
            let help = "set flyway.postgresql.transactional.lock=false (FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK)";
            findings.push(
                Finding::new("C006", scene.at(statement, &word), message)
                    .at(level)
                    .help(help),
            );
        }
    }

    /// Whether the script runs in a transaction; none where that is not known.
    pub(super) fn transactional(&self, scene: Scene<'_>) -> Option<bool> {
        match scene.tool {
            Tool::Flyway(config) => {
                let own = scene
                    .reading
                    .script_config
                    .as_ref()
                    .and_then(|own| own.execute_in_transaction);
                Some(own.unwrap_or(config.execute_in_transaction && self.refuses.is_none()))
            }
            Tool::Dbmate | Tool::Goose | Tool::Atlas | Tool::Liquibase(_) => Some(!self.is_off),
            _ => None,
        }
    }

    pub(super) fn finish(self, scene: Scene<'_>, findings: &mut Vec<Finding>) {
        let is_transactional = self.transactional(scene);
        if let Some((place, said)) = self.nested.filter(|_| is_transactional == Some(true)) {
            let message = format!(
                "{said} stands in a script that {} runs in a transaction of its own",
                scene.tool.name()
            );
            findings.push(
                Finding::new("C009", place, message).help("leave it out, or have the script run without a transaction"),
            );
        }
        let Some((place, said)) = self.refuses else { return };
        let finding = match scene.tool {
            Tool::Flyway(config) => {
                let own = scene
                    .reading
                    .script_config
                    .as_ref()
                    .and_then(|own| own.execute_in_transaction);
                let is_allowed = config.mixed || own == Some(false) || !config.execute_in_transaction;
                if own == Some(true) {
                    let message = format!("{said} refuses the transaction that executeInTransaction asks for");
                    Some(Finding::new("C005", place, message))
                } else if self.takes && !is_allowed {
                    let message = format!("{said} refuses a transaction, and other statements of the script want one");
                    let help = "move it to a script of its own, or set mixed=true, or executeInTransaction=false in the script's own .conf";
                    Some(Finding::new("C005", place, message).help(help))
                } else {
                    None
                }
            }
            Tool::GolangMigrate if self.takes => {
                let message =
                    format!("{said} refuses the transaction in which PostgreSQL runs the statements of one script");
                Some(Finding::new("C005", place, message).help("move it to a script of its own"))
            }
            Tool::Dbmate | Tool::Goose | Tool::Atlas if !self.is_off => {
                let message = format!(
                    "{said} refuses the transaction in which {} runs the script",
                    scene.tool.name()
                );
                Some(Finding::new("C005", place, message).help(switch(scene.tool)))
            }
            _ => None,
        };
        findings.extend(finding);
    }
}

fn switch(tool: &Tool) -> &'static str {
    match tool {
        Tool::Dbmate => "write it as: -- migrate:up transaction:false",
        Tool::Goose => "begin the script with: -- +goose NO TRANSACTION",
        _ => "begin the script with: -- atlas:txmode none",
    }
}

/// Which word makes a statement refuse a transaction.
fn refusing(dialect: Dialect, words: &Beginning<'_>) -> Option<usize> {
    if dialect == Dialect::Sqlite {
        return (words.is(0, "pragma") && words.is(1, "foreign_keys")).then_some(1);
    }
    if words.is_any(0, &["create", "drop"]) {
        let index = if words.is(1, "unique") { 2 } else { 1 };
        if words.is(index, "index") && words.is(index + 1, "concurrently") && dialect != Dialect::MySql {
            return Some(index + 1);
        }
    }
    if dialect != Dialect::Postgres {
        return None;
    }
    if words.is_any(0, &["create", "drop"]) && words.is_any(1, &["database", "tablespace", "subscription"]) {
        return Some(1);
    }
    if (words.is(0, "alter") && words.is(1, "system")) || (words.is(0, "discard") && words.is(1, "all")) {
        return Some(1);
    }
    if words.is(0, "vacuum") {
        return Some(0);
    }
    let what = if words.is(1, "verbose") { 2 } else { 1 };
    (words.is(0, "reindex") && words.is_any(what, &["schema", "database", "system"])).then_some(what)
}

/// Whether a statement begins or ends a transaction.
fn is_transaction(words: &Beginning<'_>) -> bool {
    let is_end = |at| match words.get(at) {
        None => true,
        Some(word) => word.is_sign(';'),
    };
    if words.is_any(0, &["commit", "rollback", "end", "abort"]) {
        let at = if words.is_any(1, &["work", "transaction"]) {
            2
        } else {
            1
        };
        return is_end(at) || words.is(at, "and");
    }
    if words.is(0, "begin") {
        return is_end(1)
            || words.is_any(
                1,
                &[
                    "work",
                    "transaction",
                    "deferred",
                    "immediate",
                    "exclusive",
                    "isolation",
                    "read",
                ],
            );
    }
    if words.is(0, "start") {
        return words.is(1, "transaction");
    }
    words.is(0, "set")
        && (1..6).any(|at| {
            words.is(at, "autocommit")
                && words
                    .get(at + 1)
                    .is_some_and(|sign| sign.is_sign('=') || sign.is_sign(':'))
        })
}

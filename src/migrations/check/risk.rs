//! Risk: what a script would do to a database in use.
//!
//! No parser: each rule goes over the words of a statement and stops at the first it does not know. What it cannot be sure of, it
//! passes over. Which statements hurt differs from database to database; a database that is not known gets only what hurts in all.

mod alter;
mod body;
mod column;
mod constraint;
mod create;
mod enumeration;
mod index;
mod name;
mod password;
mod removal;
mod rename;
mod rights;
mod rows;
mod timeout;
mod words;

use std::collections::BTreeSet;

use super::finding::{Finding, Place};
use super::rule::Level;
use crate::sql::{Dialect, Statement, Token, TokenKind};
use enumeration::Added;
use name::Name;
use name::is_created;
use words::{Span, Words};

/// Looks at the statements of one script, one after the other.
#[derive(Debug)]
pub struct Risks {
    dialect: Dialect,
    /// The script as its user knows it.
    path: String,
    findings: Vec<Finding>,
    /// Tables that stay.
    creates: BTreeSet<String>,
    /// Tables that go with the connection.
    temporary: BTreeSet<String>,
    /// Schemas and databases the script creates.
    schemas: BTreeSet<String>,
    /// Types and domains the script creates.
    types: BTreeSet<String>,
    /// Indexes the script creates on tables of its own.
    indexes: BTreeSet<String>,
    /// Tables that take the name of another at the end: from the new name to the finding that lost its cause.
    replaced: BTreeSet<String>,
    /// Tables of which a check was validated, so that what it says need not be read again.
    validated: BTreeSet<String>,
    /// Tables of which a constraint is dropped.
    unchecked: BTreeSet<String>,
    /// Constraints that were added without being validated, in the transaction that runs: table and name.
    unvalidated: BTreeSet<(String, String)>,
    /// What is wrong only if the script runs in a transaction.
    of_transaction: Vec<Finding>,
    /// Values that were added to enums in the transaction that runs.
    added: Vec<Added>,
    /// Whether each statement is a transaction of its own.
    is_apart: bool,
    /// Whether `foreign_key_checks` is off (MySQL).
    unchecked_keys: bool,
    /// Whether a limit on the waiting for locks was set.
    limited: bool,
    /// Tables for which a lock without a limit was told.
    waited: BTreeSet<String>,
}

/// A statement that is being looked at.
struct Scene<'s> {
    statement: &'s Statement<'s>,
}

impl Risks {
    /// Starts a script. Findings name it by `path`.
    #[must_use]
    pub fn new(dialect: Dialect, path: impl Into<String>) -> Self {
        Self {
            dialect,
            path: path.into(),
            findings: Vec::new(),
            creates: BTreeSet::new(),
            temporary: BTreeSet::new(),
            schemas: BTreeSet::new(),
            types: BTreeSet::new(),
            indexes: BTreeSet::new(),
            replaced: BTreeSet::new(),
            validated: BTreeSet::new(),
            unchecked: BTreeSet::new(),
            unvalidated: BTreeSet::new(),
            of_transaction: Vec::new(),
            added: Vec::new(),
            is_apart: false,
            unchecked_keys: false,
            limited: false,
            waited: BTreeSet::new(),
        }
    }

    /// Whether anything can be told of a statement that begins with a word. Most bytes of large scripts are rows, of which only the use of a
    /// new value of an enum can be told: for who makes tokens of a statement only when somebody wants them.
    #[must_use]
    pub fn wants(&self, first: &str) -> bool {
        !first.eq_ignore_ascii_case("insert") || !self.added.is_empty()
    }

    /// Looks at the next statement.
    pub fn statement(&mut self, statement: &Statement<'_>, tokens: &[Token<'_>]) {
        let is_word = |token: &&Token<'_>| !matches!(token.kind, TokenKind::Comment | TokenKind::Data);
        let Some(first) = tokens.iter().find(is_word) else {
            return;
        };
        if !self.wants(first.text) {
            return;
        }
        let tokens: Vec<_> = tokens.iter().filter(is_word).copied().collect();
        let scene = Scene { statement };
        self.added_value_used(&scene, &tokens);
        self.look(&scene, Words::new(&tokens));
    }

    /// Says that the script does not run in a transaction: what must not happen in one does not.
    pub fn without_transaction(&mut self) {
        self.of_transaction.clear();
        self.is_apart = true;
    }

    /// Ends the script: what was found, and the tables it creates, in lower case.
    #[must_use]
    pub fn finish(mut self) -> (Vec<Finding>, BTreeSet<String>) {
        if !self.is_apart {
            self.findings.append(&mut self.of_transaction);
        }
        let is_answered = |finding: &Finding| match (finding.rule.code, &finding.table) {
            ("R001", Some(table)) => self.replaced.contains(table),
            ("R014", Some(table)) => self.unchecked.contains(table),
            _ => false,
        };
        self.findings.retain(|finding| !is_answered(finding));
        for finding in &mut self.findings {
            // It was dropped before it was created: what is lost is the table before.
            let table = finding.table.as_ref();
            if finding.rule.code == "R001" && table.is_some_and(|table| is_created(&self.creates, table)) {
                finding.table = None;
            }
        }
        self.findings
            .sort_by(|one, other| (&one.place, one.rule.code).cmp(&(&other.place, other.rule.code)));
        (self.findings, self.creates)
    }

    fn look(&mut self, scene: &Scene<'_>, words: Words<'_>) {
        let Some(first) = words.peek().filter(|first| first.kind == TokenKind::Word) else {
            return;
        };
        self.passwords(scene, words);
        self.waits(scene, words);
        match first.text.to_ascii_lowercase().as_str() {
            "create" => self.create(scene, words),
            "alter" => self.alter(scene, words),
            "drop" => self.drop(scene, words),
            "truncate" | "delete" | "update" | "with" => self.rows(scene, words),
            "rename" => self.rename_tables(scene, words),
            "grant" => self.grant(scene, words),
            "reindex" => self.reindex(scene, words),
            "select" => self.select(words),
            "set" => self.set(words),
            "do" => self.body(scene, words),
            "commit" | "end" | "rollback" => {
                self.added.clear();
                self.unvalidated.clear();
            }
            _ => {}
        }
    }

    /// Makes a finding at a place in the statement.
    fn found(&self, scene: &Scene<'_>, code: &str, span: Span, message: String) -> Finding {
        Finding::new(code, self.place(scene.statement, span), message)
    }

    fn place(&self, statement: &Statement<'_>, span: Span) -> Place {
        let before = &statement.text[..span.start];
        let meant = statement.text[span.start..span.end].lines().next().unwrap_or_default();
        let lines = before.bytes().filter(|byte| *byte == b'\n').count() as u64;
        let column = match before.rfind('\n') {
            Some(at) => before[at + 1..].chars().count() as u64 + 1,
            None => before.chars().count() as u64 + statement.column,
        };
        Place {
            path: self.path.clone(),
            line: statement.line + lines,
            column,
            width: meant.chars().count() as u64,
        }
    }

    /// Whether a table was created before in this script, so that nobody uses it and it has no rows of before.
    fn is_new(&self, table: &Name) -> bool {
        is_created(&self.creates, &table.key) || is_created(&self.temporary, &table.key)
    }

    fn is_postgres(&self) -> bool {
        self.dialect == Dialect::Postgres
    }

    fn is_mysql(&self) -> bool {
        self.dialect == Dialect::MySql
    }

    /// Keeps a finding about a table, unless the table is new.
    fn tell(&mut self, table: &Name, mut finding: Finding) {
        if !self.is_new(table) {
            finding.table = Some(table.key.clone());
            self.findings.push(finding);
        }
    }
}

#[cfg(test)]
mod ordinary_tests;
#[cfg(test)]
mod tests;

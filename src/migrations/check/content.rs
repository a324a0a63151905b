//! Content: what the tool or the database would stumble over while it runs a script.

mod client;
mod definition;
mod encoding;
mod lexing;
mod placeholder;
mod transaction;

use std::collections::BTreeSet;

use super::finding::{Finding, Place};
use super::rule::Level;
use crate::migrations::flyway::config::FlywayConfig;
use crate::migrations::flyway::name::Kind;
use crate::migrations::inventory::Entry;
use crate::migrations::measurement::Measurement;
use crate::migrations::reading::Reading;
use crate::migrations::tool::Tool;
use crate::sql::{Dialect, Lines, Problem, ProblemKind, Statement, Token, TokenKind};
use definition::Definitions;
use encoding::Characters;
use placeholder::Placeholders;
use transaction::Transactions;

/// What a script and its surroundings are to the rules.
#[derive(Debug, Clone, Copy)]
struct Scene<'a> {
    tool: &'a Tool,
    dialect: Dialect,
    entry: &'a Entry,
    reading: &'a Reading,
}

impl<'a> Scene<'a> {
    fn flyway(self) -> Option<&'a FlywayConfig> {
        match self.tool {
            Tool::Flyway(config) => Some(config),
            _ => None,
        }
    }

    fn place(self, lines: Lines, width: usize) -> Place {
        Place {
            path: self.entry.shown.clone(),
            line: lines.line,
            column: lines.column,
            width: width as u64,
        }
    }

    /// The place of a word of a statement.
    fn at(self, statement: &Statement<'_>, token: &Token<'_>) -> Place {
        let mut lines = Lines {
            line: statement.line,
            column: statement.column,
        };
        lines.advance(&statement.text.as_bytes()[..token.offset]);
        let width = token.text.lines().next().unwrap_or_default().chars().count();
        self.place(lines, width)
    }
}

/// Looks at one script while it is read.
#[derive(Debug)]
pub struct Contents<'a> {
    scene: Scene<'a>,
    findings: Vec<Finding>,
    statements: u64,
    characters: Characters,
    placeholders: Option<Placeholders<'a>>,
    transactions: Transactions,
    definitions: Definitions,
    misread: lexing::Misread,
}

/// What was told about a script.
#[derive(Debug)]
pub struct Told {
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// How many statements it has.
    pub statements: u64,
    /// The names of its placeholders, in lower case.
    pub placeholders: BTreeSet<String>,
    /// Whether the tool runs it in a transaction; none where that is not known.
    pub transactional: Option<bool>,
}

impl<'a> Contents<'a> {
    /// Starts a script.
    #[must_use]
    pub fn new(tool: &'a Tool, dialect: Dialect, entry: &'a Entry, reading: &'a Reading) -> Self {
        let scene = Scene {
            tool,
            dialect,
            entry,
            reading,
        };
        let config = scene.flyway().filter(|_| reading.replaces);
        Self {
            scene,
            findings: Vec::new(),
            statements: 0,
            characters: Characters::new(),
            placeholders: config.map(|config| Placeholders::new(&config.placeholders)),
            transactions: Transactions::default(),
            definitions: Definitions::default(),
            misread: lexing::Misread::default(),
        }
    }

    /// Looks at the next piece of text.
    pub fn text(&mut self, text: &str) {
        self.characters.text(text);
        if let Some(placeholders) = &mut self.placeholders {
            placeholders.text(self.scene, text, &mut self.findings);
        }
    }

    /// Looks at the next statement.
    pub fn statement(&mut self, statement: &Statement<'_>, tokens: &[Token<'_>]) {
        self.transactions.comments(tokens);
        client::delimiter(self.scene, statement, tokens, &mut self.findings);
        if statement.is_blank {
            return;
        }
        self.statements += 1;
        let is_word = |token: &&Token<'_>| !matches!(token.kind, TokenKind::Comment | TokenKind::Data);
        // The rules look at how a statement begins.
        let mut words = [None; BEGINNING];
        for (slot, token) in words.iter_mut().zip(tokens.iter().filter(is_word)) {
            *slot = Some(*token);
        }
        let beginning = Beginning { words };
        client::check(self.scene, statement, &beginning, tokens, &mut self.findings);
        self.transactions
            .statement(self.scene, statement, &beginning, &mut self.findings);
        self.definitions.statement(self.scene, statement, &beginning);
        self.misread
            .statement(self.scene, statement, tokens, &mut self.findings);
    }

    /// Counts a statement that only adds rows, of which there is nothing to tell.
    pub fn rows(&mut self) {
        self.statements += 1;
        self.transactions.rows();
    }

    /// Whether the script runs in a transaction, as far as it has been read; none where that is not known.
    #[must_use]
    pub fn transactional(&self) -> Option<bool> {
        self.transactions.transactional(self.scene)
    }

    /// Ends the script, given what the splitter found, the first bytes of the file and what it amounts to.
    #[must_use]
    pub fn finish(mut self, problems: &[Problem], head: &[u8], measurement: &Measurement) -> Told {
        let transactional = self.transactional();
        let is_text = measurement.malformed.is_none() && measurement.encoding.is_some();
        self.characters
            .finish(self.scene, head, measurement, &mut self.findings);
        // What follows bytes that are no text was not seen: nothing that is missing can be told.
        if is_text {
            self.findings
                .extend(problems.iter().map(|problem| of_problem(self.scene, problem)));
            if self.statements == 0 {
                let place = Place::file(&self.scene.entry.shown);
                self.findings
                    .push(Finding::new("C013", place, "the script has no statement"));
            }
        }
        let mut names = BTreeSet::new();
        if let Some(placeholders) = self.placeholders {
            names = placeholders.finish(self.scene, is_text, &mut self.findings);
        }
        self.transactions.finish(self.scene, &mut self.findings);
        self.definitions.finish(self.scene, &mut self.findings);
        Told {
            findings: self.findings,
            statements: self.statements,
            placeholders: names,
            transactional,
        }
    }
}

/// How many words the rules look at.
const BEGINNING: usize = 8;

/// The first words of a statement.
#[derive(Debug)]
struct Beginning<'t> {
    words: [Option<Token<'t>>; BEGINNING],
}

impl<'t> Beginning<'t> {
    fn get(&self, at: usize) -> Option<Token<'t>> {
        self.words.get(at).copied().flatten()
    }

    /// Whether the word at this place is that key word.
    fn is(&self, at: usize, word: &str) -> bool {
        self.get(at).is_some_and(|token| token.is(word))
    }

    fn is_any(&self, at: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is(at, word))
    }

    /// Whether the key word is among the first words.
    fn has(&self, word: &str) -> bool {
        (0..BEGINNING).any(|at| self.is(at, word))
    }
}

fn of_problem(scene: Scene<'_>, problem: &Problem) -> Finding {
    let lines = Lines {
        line: problem.line,
        column: problem.column,
    };
    let (code, message) = match problem.kind {
        ProblemKind::OpenQuote => ("C007", "the quote that begins here does not end"),
        ProblemKind::OpenComment => ("C007", "the comment that begins here does not end"),
        ProblemKind::OpenParenthesis => ("C007", "the parenthesis that opens here is not closed"),
        ProblemKind::OpenBlock => ("C007", "the block that begins here does not end"),
        ProblemKind::OpenCopy => ("C007", "the data of this COPY does not end with a line \"\\.\""),
        ProblemKind::DelimiterNotRestored => ("C008", "the delimiter that is set here is not set back"),
    };
    let finding = Finding::new(code, scene.place(lines, 1), message);
    match (code, scene.dialect) {
        // Which quotes there are depends on the database.
        ("C007", Dialect::Unknown) => finding
            .at(Level::Warning)
            .help("say which database it is for, with database in [check] of shipway.toml"),
        ("C008", _) => finding.help("end the script with DELIMITER ;"),
        _ => finding,
    }
}

/// Whether the script is one that builds everything at once, on an empty database.
fn is_baseline(entry: &Entry) -> bool {
    matches!(entry.kind, Kind::Baseline { .. })
}

#[cfg(test)]
mod tests;

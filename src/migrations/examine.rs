//! What reading the scripts tells: each is read once, and everything that wants to know looks on.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Inventory;
use super::check::Finding;
use super::check::allow::{Allowances, FileAllowances};
use super::check::risk::Risks;
use super::check::secret::Scanner;
use super::flyway::name::Kind;
use super::inventory::{Entry, InventoryError};
use super::measurement::{Measurement, Measuring};
use super::reading::Reading;
use super::tool::Tool;
use crate::sql::{Dialect, Splitter, Statement, TokenKind, Tokens, tokens};

/// How much of a file is read at once: large enough that a usual script is one read, small enough to stay in the
/// processor's cache while it is hashed.
const BUFFER_BYTES: usize = 64 * 1024;

/// What reading one file told.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// Digest, checksum and size.
    pub measurement: Measurement,
    /// How many statements it has; none for what is not SQL.
    pub statements: Option<u64>,
    /// Whether the tool runs it in a transaction; none where that is not known.
    pub transactional: Option<bool>,
    /// The names of the placeholders in it.
    pub placeholders: BTreeSet<String>,
    /// What is wrong with its content (C) and what is risky about it (R), as if it were new.
    pub findings: Vec<Finding>,
    /// The tables it creates, in lower case.
    pub creates: BTreeSet<String>,
    /// What its comments allow for the whole file.
    pub allowed: FileAllowances,
}

/// Reads every file once, in constant memory and on all processors; one result per entry, in their order.
///
/// # Errors
/// A file cannot be read.
pub fn examine(inventory: &Inventory, dialect: Dialect) -> Result<Vec<Examined>, InventoryError> {
    let entries = inventory.entries();
    let readings = inventory.readings()?;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut done = Vec::new();
        while let Some((at, entry)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            entries.get(at).map(|entry| (at, entry))
        } {
            done.push((at, examine_one(inventory, (entry, &readings[at]), dialect, &mut buffer)));
        }
        done
    };
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let mut all = thread::scope(|scope| {
        let others: Vec<_> = (1..processors.min(entries.len())).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            match other.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_by_key(|(at, _)| *at);
    let examined = all.into_iter().map(|(at, examined)| {
        examined.map_err(|source| InventoryError::Read {
            path: entries[at].shown.clone(),
            source,
        })
    });
    examined.collect()
}

fn examine_one(
    inventory: &Inventory,
    (entry, reading): (&Entry, &Reading),
    dialect: Dialect,
    buffer: &mut [u8],
) -> io::Result<Examined> {
    let mut measuring = Measuring::new(reading, &entry.content)?;
    let mut scanner = Scanner::new();
    let mut sql = is_sql(entry).then(|| Sql::new(inventory, (entry, reading), dialect));
    let mut file = entry.content.open()?;
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(count) => {
                let piece = &buffer[..count];
                scanner.update(piece);
                let text = measuring.update(piece);
                if let Some(sql) = &mut sql {
                    sql.update(text);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let rest = measuring.end();
    if let Some(sql) = &mut sql {
        sql.update(rest);
    }
    let mut examined = Examined {
        measurement: measuring.finish(),
        statements: None,
        transactional: None,
        placeholders: BTreeSet::new(),
        findings: Vec::new(),
        creates: BTreeSet::new(),
        allowed: FileAllowances::default(),
    };
    if let Some(sql) = sql {
        sql.finish(&mut examined);
    }
    examined.findings.extend(scanner.finish(&entry.shown));
    Ok(examined)
}

/// Whether a file holds statements for the database.
fn is_sql(entry: &Entry) -> bool {
    let is_script = !matches!(entry.kind, Kind::ScriptConfig | Kind::Ignored { .. } | Kind::Other);
    is_script && !entry.program
}

/// Those who look at the statements of a script.
struct Sql {
    splitter: Splitter,
    watching: Watching,
}

struct Watching {
    dialect: Dialect,
    statements: u64,
    risks: Risks,
    allowances: Allowances,
}

impl Sql {
    fn new(inventory: &Inventory, (entry, reading): (&Entry, &Reading), dialect: Dialect) -> Self {
        let mut risks = Risks::new(dialect, entry.shown.as_str());
        let own = reading
            .script_config
            .as_ref()
            .and_then(|own| own.execute_in_transaction);
        let in_transaction = own.unwrap_or(match inventory.tool() {
            Tool::Flyway(config) => config.execute_in_transaction,
            _ => true,
        });
        if !in_transaction {
            risks.without_transaction();
        }
        Self {
            splitter: Splitter::new(dialect),
            watching: Watching {
                dialect,
                statements: 0,
                risks,
                allowances: Allowances::new(entry.shown.as_str()),
            },
        }
    }

    fn update(&mut self, text: &str) {
        let watching = &mut self.watching;
        self.splitter
            .update(text.as_bytes(), |statement| watching.look(&statement));
    }

    fn finish(self, examined: &mut Examined) {
        let mut watching = self.watching;
        let _problems = self.splitter.finish(|statement| watching.look(&statement));
        let (mut findings, creates) = watching.risks.finish();
        examined.allowed = watching.allowances.apply(&mut findings);
        examined.findings = findings;
        examined.creates = creates;
        examined.statements = Some(watching.statements);
    }
}

impl Watching {
    fn look(&mut self, statement: &Statement<'_>) {
        if !statement.is_blank {
            self.statements += 1;
        }
        // Making tokens of rows that nobody wants would take longer than all the rest.
        let first = Tokens::new(statement.text, self.dialect).find(|token| token.kind != TokenKind::Comment);
        let wants = Allowances::wants(statement.text) || first.is_some_and(|first| self.risks.wants(first.text));
        if !wants {
            return;
        }
        let tokens = tokens(statement.text, self.dialect);
        self.allowances.statement(statement, &tokens);
        self.risks.statement(statement, &tokens);
    }
}

//! What reading the scripts tells: each is read once, and everything that wants to know looks on.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Inventory;
use super::check::Finding;
use super::check::allow::{Allowances, FileAllowances};
use super::check::content::Contents;
use super::check::risk::Risks;
use super::check::secret::Scanner;
use super::directive::{DirectiveReader, Directives};
use super::flyway::name::Kind;
use super::inventory::{Entry, InventoryError};
use super::measurement::{Measurement, Measuring};
use super::reading::Reading;
use crate::sql::{Dialect, Splitter, Statement, TokenKind, tokens};

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
    /// What its comments allow for the file, for what is found elsewhere.
    pub allows: FileAllowances,
    /// What its lines say to the tool.
    pub directives: Directives,
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
    let mut looking = is_sql(entry).then(|| Looking::new(inventory, entry, reading, dialect));
    let mut head = Vec::new();
    let mut scanner = Scanner::new();
    let mut directives = DirectiveReader::of(inventory.tool(), entry);
    let mut file = entry.content.open()?;
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(count) => {
                let bytes = &buffer[..count];
                scanner.update(bytes);
                head.extend_from_slice(&bytes[..count.min(HEAD_BYTES.saturating_sub(head.len()))]);
                let text = measuring.update(bytes);
                directives.update(text);
                if let Some(looking) = &mut looking {
                    looking.text(text);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let rest = measuring.end();
    directives.update(rest);
    let directives = directives.finish();
    if let Some(looking) = &mut looking {
        looking.text(rest);
    }
    let measurement = measuring.finish();
    let mut examined = match looking {
        Some(looking) => looking.finish(&head, measurement),
        None => Examined {
            measurement,
            statements: None,
            transactional: None,
            placeholders: BTreeSet::new(),
            findings: Vec::new(),
            creates: BTreeSet::new(),
            allows: FileAllowances::default(),
            directives: Directives::default(),
        },
    };
    directives.keep_what_runs(&mut examined.findings);
    examined.transactional = directives.transaction.or(examined.transactional);
    examined.directives = directives;
    examined.findings.extend(scanner.finish(&entry.shown));
    Ok(examined)
}

/// How many bytes tell the encoding.
const HEAD_BYTES: usize = 2;

/// What lies among migrations and is no SQL: changelogs in other languages, and programs.
const OTHER_LANGUAGES: [&str; 5] = ["xml", "yaml", "yml", "json", "go"];

/// Whether a file is a migration or callback in SQL.
fn is_sql(entry: &Entry) -> bool {
    let extension = entry.path.rsplit_once('.').map_or("", |(_, extension)| extension);
    let is_script = !matches!(entry.kind, Kind::ScriptConfig | Kind::Ignored { .. } | Kind::Other);
    let is_other = OTHER_LANGUAGES
        .iter()
        .any(|other| extension.eq_ignore_ascii_case(other));
    is_script && !entry.program && !is_other
}

/// All that looks on while a script is read.
struct Looking<'a> {
    splitter: Splitter,
    each: Each<'a>,
}

/// All that looks at each statement.
struct Each<'a> {
    dialect: Dialect,
    contents: Contents<'a>,
    risks: Risks,
    allowances: Allowances,
    /// Whether a statement before may make rows worth a look.
    looks_at_rows: bool,
}

impl<'a> Looking<'a> {
    fn new(inventory: &'a Inventory, entry: &'a Entry, reading: &'a Reading, dialect: Dialect) -> Self {
        Self {
            splitter: Splitter::new(dialect),
            each: Each {
                dialect,
                contents: Contents::new(inventory.tool(), dialect, entry, reading),
                risks: Risks::new(dialect, &entry.shown),
                allowances: Allowances::new(&entry.shown),
                looks_at_rows: false,
            },
        }
    }

    fn text(&mut self, text: &str) {
        self.each.contents.text(text);
        let each = &mut self.each;
        self.splitter
            .update(text.as_bytes(), |statement| each.statement(&statement));
    }

    fn finish(self, head: &[u8], measurement: Measurement) -> Examined {
        let Self { splitter, mut each } = self;
        let problems = splitter.finish(|statement| each.statement(&statement));
        if each.contents.transactional() == Some(false) {
            each.risks.without_transaction();
        }
        let told = each.contents.finish(&problems, head, &measurement);
        let (risks, creates) = each.risks.finish();
        let mut findings = told.findings;
        findings.extend(risks);
        findings.sort_by(|one, other| (&one.place, one.rule.code).cmp(&(&other.place, other.rule.code)));
        let allows = each.allowances.apply(&mut findings);
        Examined {
            measurement,
            statements: Some(told.statements),
            transactional: told.transactional,
            placeholders: told.placeholders,
            findings,
            creates,
            allows,
            directives: Directives::default(),
        }
    }
}

impl Each<'_> {
    fn statement(&mut self, statement: &Statement<'_>) {
        if !self.looks_at_rows && is_rows(statement) {
            self.contents.rows();
            self.allowances.statement(statement, &[]);
            return;
        }
        let tokens = tokens(statement.text, self.dialect);
        let mut words = tokens.iter().filter(|token| token.kind != TokenKind::Comment);
        self.looks_at_rows |=
            words.next().is_some_and(|word| word.is("alter")) && words.next().is_some_and(|word| word.is("type"));
        self.contents.statement(statement, &tokens);
        self.risks.statement(statement, &tokens);
        self.allowances.statement(statement, &tokens);
    }
}

/// Whether a statement is an `INSERT` of which no rule has anything to say, unless a value of an enum is new: most bytes of large scripts.
fn is_rows(statement: &Statement<'_>) -> bool {
    let text = statement.text.trim_ascii_start().as_bytes();
    let begins = text
        .get(..7)
        .is_some_and(|first| first[..6].eq_ignore_ascii_case(b"insert") && first[6].is_ascii_whitespace());
    // A comment may allow something, a backslash may be read in another way by the tool.
    begins && !statement.has_comment && !text.contains(&b'\\')
}

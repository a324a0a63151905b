//! What reading the scripts tells: each is read once, and everything that wants to know looks on.

use std::collections::BTreeSet;
use std::io::{self, Read as _};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::Inventory;
use super::check::Finding;
use super::directive::{DirectiveReader, Directives};
use super::inventory::{Entry, InventoryError};
use super::measurement::{Measurement, Measuring};
use super::reading::Reading;
use crate::sql::Dialect;

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
    let _ = dialect;
    let mut measuring = Measuring::new(reading, &entry.content)?;
    let mut directives = DirectiveReader::of(inventory.tool(), entry);
    let mut file = entry.content.open()?;
    loop {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(count) => {
                directives.update(measuring.update(&buffer[..count]));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let directives = directives.finish();
    let mut findings = Vec::new();
    directives.keep_what_runs(&mut findings);
    Ok(Examined {
        measurement: measuring.finish(),
        statements: None,
        transactional: directives.transaction,
        placeholders: BTreeSet::new(),
        findings,
        creates: BTreeSet::new(),
        directives,
    })
}

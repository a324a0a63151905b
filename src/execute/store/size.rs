//! Keeping a record within what an item may hold.

use crate::execute::Record;

/// The record, as large as an item may be.
pub(super) fn fitted(record: &Record) -> Record {
    record.clone()
}

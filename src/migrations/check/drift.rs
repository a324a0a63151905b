//! Drift: what became of that which was shipped.

use super::Finding;
use crate::migrations::compare::Comparison;

/// Finds what must not happen to migrations that were shipped.
#[must_use]
pub fn check(comparison: &Comparison) -> Vec<Finding> {
    let _ = comparison;
    Vec::new()
}

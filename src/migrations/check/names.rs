//! Names: what the tool would not see, would mix up, or would refuse.

use super::Finding;
use crate::migrations::Inventory;
use crate::migrations::examine::Examined;

/// Finds what is wrong with the names of files.
#[must_use]
pub fn check(inventory: &Inventory, examined: &[Examined]) -> Vec<Finding> {
    let _ = (inventory, examined);
    Vec::new()
}

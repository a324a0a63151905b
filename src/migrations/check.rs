//! What is wrong with a set of migrations, before a database finds out.
//!
//! One file per family of rules. Each takes values and tells what it found; none prints, and none knows of levels that a project sets.

pub mod allow;
pub mod collect;
pub mod content;
pub mod drift;
pub mod excerpt;
pub mod finding;
pub mod names;
pub mod report;
pub mod risk;
pub mod rule;
pub mod secret;

pub use collect::{Circumstances, collect};
pub use excerpt::{Excerpt, Excerpts};
pub use finding::{Finding, Place};
pub use report::{Drift, Report};
pub use rule::{Family, Level, RULES, Rule};

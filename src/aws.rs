//! Amazon Web Services: who we are there, logins for Amazon ECR, its repositories and scans. The only room that names
//! an AWS crate.

mod chain;
mod clock;
mod failure;
mod identity;
mod login;
mod repositories;
mod scan;
mod session;

pub use clock::Clock;
pub use identity::{Identity, WebIdentity};
pub use login::EcrLogin;
pub use repositories::{Creation, Encryption, Mutability, RepositoryFacts, RepositorySettings, ScanFrequency};
pub use scan::{Counts, ScanOutcome, Severity};
pub use session::{Caller, Patience, Session};

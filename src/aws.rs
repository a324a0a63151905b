//! Amazon Web Services: who we are there, logins for Amazon ECR, its repositories and scans. Besides it, only the adapters of
//! `execute` name an AWS crate, and they get their identity here: [`Services`].

mod chain;
mod clock;
mod failure;
mod identity;
mod login;
mod repositories;
mod scan;
mod services;
mod session;

pub use clock::Clock;
pub use identity::{Identity, WebIdentity};
pub use login::EcrLogin;
pub use repositories::{Creation, Encryption, Mutability, RepositoryFacts, RepositorySettings, ScanFrequency};
pub use scan::{Counts, ScanOutcome, Severity};
pub use services::Services;
pub use session::{Caller, Patience, Session};

//! Amazon ECR: identities, tokens, repositories, scans.

mod counts;
mod create;
mod fake;
mod hosts;
mod login;
mod nobody;
mod places;
mod public;
mod refusals;
mod secrets;
mod stored;
mod web_identity;

// Commands and flags that come later than logins.
mod accounts;
mod doctor;
mod mount;
mod policy;
mod scan;

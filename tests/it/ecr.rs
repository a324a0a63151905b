//! Amazon ECR: identities, tokens, repositories, scans.

mod fake;
mod login;

//! What the tests share: a fake registry, a project to run the command in, and readers of what it made.

pub(crate) mod authority;
#[cfg(feature = "aws")]
pub(crate) mod aws;
pub(crate) mod base;
#[cfg(feature = "daemon")]
pub(crate) mod docker;
pub(crate) mod ecr;
#[cfg(feature = "aws")]
pub(crate) mod function;
pub(crate) mod git;
#[cfg(feature = "aws")]
pub(crate) mod http;
pub(crate) mod image;
pub(crate) mod outcome;
pub(crate) mod project;
pub(crate) mod proxy;
pub(crate) mod registry;
pub(crate) mod scene;
pub(crate) mod tarball;

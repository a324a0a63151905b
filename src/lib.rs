//! shipway turns a folder of database migrations into a container image that runs them, and puts that image into a
//! registry: files and HTTPS are all it needs.
//!
//! What happens on the way:
//!
//! 1. [`project`] reads `shipway.toml`; the command settles it with flags and environment.
//! 2. A [`runner`] profile knows where scripts and configuration go in the image of a migration tool, and makes a
//!    [`recipe`]: an ordered list of steps that says what to add to a base and what to change in its config.
//! 3. [`build`] applies the recipe to a base. The base's layers are named, not downloaded; its config is edited without
//!    losing what is not understood. The new layers hold the same bytes on every machine.
//! 4. [`content`] moves the image: every place is a [`content::Source`], a [`content::Target`] or both. Registries
//!    are in [`registry`]; layouts and archives are in [`content`] itself.
//! 5. The digest is the result. Tags are names for it, and a tag never names what is not complete.
//!
//! [`oci`] holds the image format as values, [`migrations`] what the scripts are, [`sql`] where their statements end, [`provenance`] what git knows of
//! them, [`credentials`] who we are at a registry, [`ecr`] what the names of Amazon ECR say; `aws`, a feature, speaks to
//! AWS. The library never prints and never reads the environment:
//! [`progress`] tells whoever watches, and [`error`] says what failed and what to do about it.

#[cfg(feature = "aws")]
pub mod aws;
pub mod build;
pub mod content;
pub mod credentials;
#[cfg(feature = "daemon")]
pub mod daemon;
pub mod dockerfile;
pub mod download;
pub mod ecr;
pub mod error;
pub mod execute;
pub mod inspect;
pub mod migrations;
pub mod oci;
pub mod progress;
pub mod project;
pub mod provenance;
pub mod recipe;
pub mod registry;
pub mod runner;
pub mod sql;

//! The flags that say what goes into an image, and what is checked about it.

use std::path::PathBuf;

use clap::Args;

/// What goes into an image, and how it runs.
#[derive(Debug, Default, Args)]
pub(crate) struct InputArguments {
    /// Folder with the migration scripts
    #[arg(long, value_name = "DIR", help_heading = "What goes in")]
    pub(crate) scripts: Option<PathBuf>,
    /// Configuration file of the migration tool; repeatable
    #[arg(long, value_name = "FILE", help_heading = "What goes in")]
    pub(crate) config: Vec<PathBuf>,
    /// Migration tool: flyway, liquibase, dbmate, golang-migrate, goose, atlas, or custom [default: flyway]
    #[arg(long, value_name = "NAME", help_heading = "What goes in")]
    pub(crate) profile: Option<String>,
    /// Driver for Flyway or Liquibase, a jar; repeatable
    #[arg(long, value_name = "FILE", help_heading = "What goes in")]
    pub(crate) driver: Vec<PathBuf>,
    /// Add a file or folder at a path of the image; repeatable
    #[arg(long, value_name = "SOURCE:PATH", help_heading = "What goes in")]
    pub(crate) add: Vec<String>,
    /// Let a secret into the image, by file and key; repeatable
    #[arg(long, value_name = "PATH:KEY", help_heading = "What goes in")]
    pub(crate) allow_secret: Vec<String>,

    /// Working directory
    #[arg(long, value_name = "PATH", help_heading = "How it runs")]
    pub(crate) workdir: Option<String>,
    /// Environment variable; repeatable
    #[arg(long, value_name = "NAME=VALUE", help_heading = "How it runs")]
    pub(crate) env: Vec<String>,
    /// User, by name or number
    #[arg(long, value_name = "USER", help_heading = "How it runs")]
    pub(crate) user: Option<String>,
    /// Program that is started: a JSON list, or one word
    #[arg(long, value_name = "WORDS", help_heading = "How it runs")]
    pub(crate) entrypoint: Option<String>,
    /// Arguments it gets by default: a JSON list, or one word
    #[arg(long, value_name = "WORDS", help_heading = "How it runs")]
    pub(crate) cmd: Option<String>,
}

/// What is checked.
#[derive(Debug, Default, Args)]
pub(crate) struct CheckOptions {
    /// What was shipped: an image as in inspect, a tag of the project's repository, git:REVISION, dir:DIR, or none
    #[arg(long, value_name = "WHAT", help_heading = "What is checked")]
    pub(crate) against: Option<String>,
    /// Database the scripts are for: postgresql, mysql, mariadb or sqlite [default: what the address in the configuration tells]
    #[arg(long, value_name = "NAME", help_heading = "What is checked")]
    pub(crate) database: Option<String>,
    /// Name of a placeholder that gets its value when the image runs; repeatable
    #[arg(long, value_name = "NAME", help_heading = "What is checked")]
    pub(crate) placeholder: Vec<String>,
    /// Least level that fails: error, warning, info, or off, which only reports [default: error]
    #[arg(long, value_name = "LEVEL", help_heading = "What is checked")]
    pub(crate) fail_on: Option<String>,
    /// Level of a rule: error, warning, info or off; repeatable
    #[arg(long, value_name = "CODE=LEVEL", help_heading = "What is checked")]
    pub(crate) rule: Vec<String>,
}

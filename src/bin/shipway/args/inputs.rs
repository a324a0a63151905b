//! The flags that say what goes into an image, without its base.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct InputArguments {
    /// Folder with the migration scripts
    #[arg(long, value_name = "DIR", help_heading = "What goes in")]
    pub(crate) scripts: Option<PathBuf>,
    /// Configuration file of the migration tool; repeatable
    #[arg(long, value_name = "FILE", help_heading = "What goes in")]
    pub(crate) config: Vec<PathBuf>,
    /// Migration tool: flyway, or custom [default: flyway]
    #[arg(long, value_name = "NAME", help_heading = "What goes in")]
    pub(crate) profile: Option<String>,
    /// Add a file or folder at a path of the image; repeatable
    #[arg(long, value_name = "SOURCE:PATH", help_heading = "What goes in")]
    pub(crate) add: Vec<String>,
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

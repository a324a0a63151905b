//! `shipway diff`.

use std::path::PathBuf;

use clap::Args;

use super::InputArguments;

/// Show how the migrations of two images, revisions or folders differ, and what runs next
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway diff dir:before dir:after
  shipway diff git:HEAD                                the project as it is here, with what was committed
  shipway diff registry.example.com/orders:1.4 registry.example.com/orders:1.5 --patch
  shipway diff git:origin/main --exit-code --markdown comment.md")]
pub(crate) struct DiffArguments {
    /// What was shipped: an image as in inspect, a tag of the project's repository, git:REVISION or dir:DIR
    #[arg(value_name = "BEFORE")]
    pub(crate) before: String,
    /// What is to be shipped, named in the same ways [default: the project as it is here]
    #[arg(value_name = "AFTER")]
    pub(crate) after: Option<String>,
    /// Platform of the images
    #[arg(long, value_name = "OS/ARCH")]
    pub(crate) platform: Option<String>,
    /// Show what changed within scripts
    #[arg(short, long)]
    pub(crate) patch: bool,
    /// Exit with 3 if something that was shipped has changed, is gone, or would be passed over
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Write the comparison in Markdown, for the comment of a merge request
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) inputs: InputArguments,
}

//! Dockerfiles: text becomes instructions, and the stage that is wanted becomes a recipe.

pub mod archive;
mod blueprint;
pub mod context;
mod error;
mod evaluate;
pub mod expand;
mod filesystem;
mod flags;
mod gather;
mod heredoc;
pub mod ignore;
pub mod instruction;
mod lines;
pub mod mode;
pub mod parse;
pub mod pattern;
mod place;
mod plan;
pub mod select;
mod stage;
mod tree;
mod users;
mod variables;

pub use blueprint::{DockerfileBlueprint, Download, Downloaded, NamedContext, OpenImage};
pub use context::{Context, MemoryTree};
pub use error::{DockerfileError, Problem};
pub use ignore::Rules;
pub use instruction::{Dockerfile, Position};
pub use mode::Mode;
pub use select::{Picked, SelectOptions, select};
pub use tree::{FileTree, Listed};

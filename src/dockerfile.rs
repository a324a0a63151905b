//! Dockerfiles: text becomes instructions, and the stage that is wanted becomes a recipe.

mod error;
pub mod expand;
mod flags;
mod heredoc;
pub mod instruction;
mod lines;
pub mod parse;
mod tree;

pub use error::{DockerfileError, Problem};
pub use instruction::{Dockerfile, Position};
pub use tree::FileTree;

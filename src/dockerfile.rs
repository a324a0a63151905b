//! Dockerfiles: text becomes instructions, and the stage that is wanted becomes a recipe.

pub mod archive;
pub mod context;
mod error;
pub mod ignore;
pub mod instruction;
pub mod mode;
pub mod pattern;
pub mod select;
mod tree;

pub use context::{Context, MemoryTree};
pub use error::{DockerfileError, Problem};
pub use ignore::Rules;
pub use instruction::{Dockerfile, Position};
pub use mode::Mode;
pub use select::{Picked, SelectOptions, select};
pub use tree::{FileTree, Listed};

//! The template, deployed as docs/aws.md says, and each of its properties read back from the service it is of.

mod patterns;
mod resources;
mod stack;

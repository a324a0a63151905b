//! SQL text: where its statements begin and end, and what words they are made of.
//!
//! No parser: a lexer for each dialect, which knows just enough to never be mistaken about what is text, what is a comment and what ends a
//! statement. Every byte of a script belongs to exactly one statement.

mod block;
pub mod dialect;
pub mod guess;
mod lexer;
pub mod lines;
mod scan;
pub mod split;
pub mod statement;
mod syntax;
pub mod token;

pub use dialect::Dialect;
pub use guess::guess;
pub use lines::Lines;
pub use split::Splitter;
pub use statement::{Problem, ProblemKind, Statement};
pub use token::{Token, TokenKind, Tokens, tokens};

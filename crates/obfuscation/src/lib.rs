#![doc = include_str!("../README.md")]

mod words;
mod letters;
mod pairs;
mod entry;
mod path;
pub mod reason;
pub mod mark;
pub mod pattern;
pub mod rule;
mod rewrite;
mod walk;
mod json;
mod line;

pub use json::NESTED_MAX;
pub use mark::{Action, HashKey, MASK};
pub use pattern::Patterns;
pub use reason::{Counts, Reason};
pub use rule::Rule;

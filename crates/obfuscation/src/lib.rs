#![doc = include_str!("../README.md")]

pub mod words;
pub mod rule;

pub use rule::{Action, MASK, Rule};

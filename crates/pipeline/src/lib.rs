#![doc = include_str!("../README.md")]

pub mod parse;
pub mod signals;
pub mod function;
pub mod assemble;
pub mod scrub;
pub mod batch;
pub mod flush;
pub mod account;

pub use assemble::{Assembler, CloseReason, OWN_LINE_MARKER};
pub use function::FunctionContext;
pub use scrub::Scrubber;
pub use signals::Signals;

#![doc = include_str!("../README.md")]

pub mod join;
pub mod parse;
pub mod trigger;
pub mod signals;
pub mod function;
pub mod assemble;
pub mod measure;
pub mod usage;
pub mod app;
pub mod payload;
pub mod scrub;
pub mod sample;
pub mod select;
pub mod batch;
pub mod flush;
pub mod account;

pub use app::App;
pub use assemble::{Assembler, CloseReason, OWN_LINE_MARKER};
pub use function::{FunctionContext, MANAGED_INSTANCES};
pub use scrub::Scrubber;
pub use select::{Select, Selection};
pub use signals::Signals;

//! Events into rows, rows back into events, events as people see them.

mod encode;
mod json;
mod leaf;
mod read;
mod rebuild;

pub(crate) use encode::encode;
pub use json::event_to_json;
pub use rebuild::rebuild;

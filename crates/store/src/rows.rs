//! Events into rows, rows back into events, events as people see them.

mod encode;
mod json;
mod leaf;
mod promote;
mod read;
mod rebuild;

pub(crate) use encode::encode;
pub use json::event_to_json;
pub(crate) use promote::{Overflowing, Promotion};
pub use rebuild::rebuild;

#![doc = include_str!("../README.md")]

mod error;
mod sequence;
mod location;
mod slice;
mod schema;
mod rows;
mod file;
mod files;
mod table;
mod append;
mod scan;
mod engine;
mod store;

pub use error::StoreError;
pub use location::Location;
pub use rows::{event_to_json, rebuild};
pub use sequence::{SequenceNumber, SequenceNumberError};
pub use slice::{Appended, DeadLetter, SequencedRecord, ShardSlice};
pub use store::{DatasetInfo, Options, Snapshot, Store};

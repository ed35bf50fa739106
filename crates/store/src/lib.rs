#![doc = include_str!("../README.md")]

mod error;
mod sequence;
mod location;
mod dataset_name;
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
mod progress;

pub use dataset_name::is_dataset_name;
pub use error::StoreError;
pub use location::Location;
pub use progress::Progress;
pub use rows::{event_to_json, rebuild};
pub use sequence::{SequenceNumber, SequenceNumberError};
pub use slice::{Appended, DeadLetter, SequencedRecord, ShardSlice};
pub use store::{DatasetInfo, Options, Snapshot, Store};

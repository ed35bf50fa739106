#![doc = include_str!("../README.md")]

pub mod limits;
pub mod error;
mod structure;
mod writer;
mod otlp;
pub mod batch;
pub mod letter;
mod inflate;
mod json;
mod point;
pub mod printed;
mod event;
mod foreign;
mod cloudwatch;
mod posted;
pub mod decode;
pub mod export;
pub mod copy;

pub use batch::{Account, Batch, compress, decode_plain, encode, encode_plain};
pub use decode::{Context, Decoded, Format, decode};
pub use error::DecodeError;
pub use event::metric_event;
pub use inflate::gunzip;
pub use letter::{Letter, Letters};
pub use limits::Limits;
pub use printed::{Printed, ReadLine};
pub use structure::Signal;

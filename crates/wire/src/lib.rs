#![doc = include_str!("../README.md")]

pub mod batch;
pub mod limits;
pub mod error;
pub mod decode;

pub use batch::{Account, Batch, encode, encode_plain};
pub use decode::{Context, Decoded, Format, decode};
pub use error::DecodeError;
pub use limits::Limits;

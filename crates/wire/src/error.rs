//! Why a record could not be read: what, and where in it. The text is what a dead letter carries as its reason.

use std::io;

/// Nothing of the record was taken.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No bytes, or nothing but blanks.
    #[error("the record is empty")]
    Empty,
    /// Over [`crate::Limits::record_bytes_max`].
    #[error("the record has {bytes} bytes, more than the {max} that a stream's record may have")]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// What it may have.
        max: usize,
    },
    /// The compressed bytes are cut or damaged.
    #[error("{compression} data is damaged or cut after {inflated} inflated bytes")]
    Inflate {
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// How many bytes came out before it broke.
        inflated: usize,
        /// What the decompressor says.
        #[source]
        source: io::Error,
    },
    /// Over [`crate::Limits::inflated_bytes_max`].
    #[error("{compression} data inflates to more than {max} bytes")]
    InflatesTooFar {
        /// `gzip` or `zstd`.
        compression: &'static str,
        /// What it may have.
        max: usize,
    },
    /// Compressed again and again.
    #[error("the record is compressed more than {max} times over")]
    TooManyLayers {
        /// How often it may be.
        max: usize,
    },
    /// A batch of a format that this reader does not know.
    #[error("a batch of version {found}; this reader knows version {known}")]
    Version {
        /// The batch's.
        found: u64,
        /// Ours.
        known: u32,
    },
    /// Not the protobuf message that its first bytes promise.
    #[error("not a readable {message} at byte {at}")]
    Protobuf {
        /// The message type.
        message: &'static str,
        /// Where the structure breaks, as far as it is known: bytes from the start of the inflated record.
        at: usize,
        /// What the protobuf reader says, if it got that far.
        #[source]
        source: Option<prost::DecodeError>,
    },
    /// A batch that is protobuf, but breaks a promise of the format.
    #[error("{what} {place}: {why}")]
    Invalid {
        /// The field, as `trace id`.
        what: &'static str,
        /// Where, as `of span 3`.
        place: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not JSON.
    #[error("not JSON at line {line}, column {column}: {why}")]
    Json {
        /// From 1, in the inflated record.
        line: usize,
        /// From 1.
        column: usize,
        /// What the parser says.
        why: String,
    },
    /// Over [`crate::Limits::values_max`].
    #[error("more than {max} values in one record")]
    TooManyValues {
        /// What it may have.
        max: usize,
    },
    /// Over [`crate::Limits::events_max`].
    #[error("more than {max} events in one record")]
    TooManyEvents {
        /// What it may have.
        max: usize,
    },
    /// Attributes of a resource stand on each of its events, and that comes to too much.
    #[error(
        "a resource of {bytes} bytes has so many records that its attributes alone come to more than {max} bytes"
    )]
    ResourceTooHeavy {
        /// The resource's.
        bytes: usize,
        /// What all may come to.
        max: usize,
    },
    /// Nested deeper than anybody means.
    #[error("values nested deeper than {max} levels")]
    TooDeep {
        /// What it may have.
        max: usize,
    },
    /// None of the formats.
    #[error(
        "neither a batch, OTLP, a CloudWatch Logs subscription nor JSON: {bytes} bytes that begin with {beginning}"
    )]
    Unknown {
        /// The inflated size.
        bytes: usize,
        /// The first bytes in hex.
        beginning: String,
    },
}

//! How much one record may cost its reader. Whoever reads a stream cannot choose what others put on it.

/// Bounds for [`crate::decode`]; each has its own [`crate::DecodeError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a record as it stands on the stream.
    pub record_bytes_max: usize,
    /// Bytes of a record after all decompression. A producer should close a batch before [`crate::encode_plain`]
    /// passes this.
    pub inflated_bytes_max: usize,
    /// Values (of any depth) in a record: two bytes of protobuf or JSON can become a value of a hundred bytes.
    pub values_max: usize,
    /// Events in a record.
    pub events_max: usize,
}

impl Limits {
    /// Kinesis' largest record.
    pub const RECORD_BYTES_MAX: usize = 10 * 1024 * 1024;
    /// 64 times the default 1 MiB of a stream's record: telemetry that compresses better than that is a bomb, or a
    /// producer's mistake.
    pub const INFLATED_BYTES_MAX: usize = 64 * 1024 * 1024;
    /// About 200 MB of values at the worst.
    pub const VALUES_MAX: usize = 2_000_000;
    /// About 150 MB of events at the worst.
    pub const EVENTS_MAX: usize = 200_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            record_bytes_max: Self::RECORD_BYTES_MAX,
            inflated_bytes_max: Self::INFLATED_BYTES_MAX,
            values_max: Self::VALUES_MAX,
            events_max: Self::EVENTS_MAX,
        }
    }
}

//! What our words are in OTLP's, in both directions. Two dialects of reading: our own batches give back exactly what
//! went in, foreign requests are taken as far as they make sense.

pub(crate) mod value;
pub(crate) mod resource;
pub(crate) mod span;
pub(crate) mod log;
pub(crate) mod scope;
pub(crate) mod histogram;
pub(crate) mod metric;

use model::{SpanId, Timestamp, TraceId};

/// Whose OTLP is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Inside a [`crate::Batch`]: every promise of `batch.proto` is kept, or the batch is refused.
    Ours,
    /// A bare request: bytes become base64 text, ids that are none are no ids.
    Foreign,
}

/// Nanoseconds as OTLP counts them. The bits are kept, so that times before 1970 survive.
pub(crate) fn to_nanos(time: Timestamp) -> u64 {
    time.as_nanos().cast_unsigned()
}

/// The opposite of [`to_nanos`].
pub(crate) fn from_nanos(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos.cast_signed())
}

/// None for no bytes, wrong length and all zeroes.
pub(crate) fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    bytes.try_into().ok().and_then(TraceId::from_bytes)
}

/// None for no bytes, wrong length and all zeroes.
pub(crate) fn span_id(bytes: &[u8]) -> Option<SpanId> {
    bytes.try_into().ok().and_then(SpanId::from_bytes)
}

/// Bytes of an id; none are no bytes.
pub(crate) fn trace_bytes(id: Option<TraceId>) -> Vec<u8> {
    id.map_or_else(Vec::new, |id| id.as_bytes().to_vec())
}

/// Bytes of an id; none are no bytes.
pub(crate) fn span_bytes(id: Option<SpanId>) -> Vec<u8> {
    id.map_or_else(Vec::new, |id| id.as_bytes().to_vec())
}

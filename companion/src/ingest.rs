//! Records of a shard in, committed events out. Called by the Lambda handler and by `limelight dev`'s consumer.
//!
//! decode each record → what cannot be read goes to the dead letters → lines of CloudWatch are understood → append.
//! Nothing is acknowledged that is not on disk: a record is either in a commit, or a dead letter, or named as failed.

mod decode;
mod lines;
mod turn;

use bytes::Bytes;
use model::Timestamp;
use store::{DeadLetter, ShardSlice};

use crate::companion::Companion;
use decode::{Part, Unreadable};
pub(crate) use turn::Turns;

/// One record as the stream gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRecord {
    /// The stream's sequence number, decimal.
    pub sequence: String,
    /// When the stream took it.
    pub arrived_at: Timestamp,
    /// The record.
    pub data: Bytes,
}

/// What became of a run of records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IngestReport {
    /// Events that this call committed.
    pub events: u64,
    /// Records that were there already.
    pub duplicates: u64,
    /// Records that nobody can read; they are kept with their reason.
    pub dead_letters: u64,
    /// The first record that must come again (and all after it), and why. None: all of them are safe and may be
    /// acknowledged.
    pub first_failure: Option<(String, String)>,
}

/// Bytes of records that are decoded and held at once: telemetry inflates to about ten times this, and its events
/// take a few times that.
const PART_BYTES_MAX: usize = 4 * 1024 * 1024;

impl Companion {
    /// Takes records of one shard, in the shard's order. After it returns without `first_failure` they are on disk.
    /// Whatever of it is called again is written once. A second call for the same shard waits for the first.
    pub async fn ingest(&self, stream: &str, shard: &str, records: Vec<StreamRecord>) -> IngestReport {
        let mut report = IngestReport::default();
        let _turn = self.turns().of(stream, shard).await;
        for part in parts(records) {
            let Some(first) = part.first().map(|record| record.sequence.clone()) else { continue };
            if let Err(failure) = self.ingest_part(stream, shard, part, &mut report).await {
                let (sequence, why) = failure;
                tracing::error!(
                    stream,
                    shard,
                    sequence = sequence.as_deref().unwrap_or(&first),
                    why,
                    "records were not taken"
                );
                report.first_failure = Some((sequence.unwrap_or(first), why));
                break;
            }
        }
        report
    }

    /// An error names the record that must come again; without a name it is the first one.
    async fn ingest_part(
        &self,
        stream: &str,
        shard: &str,
        part: Vec<StreamRecord>,
        report: &mut IngestReport,
    ) -> Result<(), (Option<String>, String)> {
        let limits = self.settings().limits.clone();
        // Inflating and parsing megabytes would hold up everything else on this thread.
        let decoded = tokio::task::spawn_blocking(move || decode::part(part, &limits))
            .await
            .map_err(|panic| (None, format!("decoding failed: {panic}")))?;
        let Part { records, unreadable, broken_sequence } = decoded;
        let mut stopped = broken_sequence;
        let mut readable = records;
        for letter in unreadable {
            let sequence = letter.sequence;
            match self.put_away(stream, shard, letter).await {
                Ok(()) => report.dead_letters += 1,
                Err(why) => {
                    // What stands after a record that must come again must come again, too: a commit of it would
                    // move the shard's watermark past the record.
                    readable.retain(|record| record.sequence < sequence);
                    stopped = Some((sequence.to_string(), why));
                    break;
                }
            }
        }
        if !readable.is_empty() {
            let slice = ShardSlice { stream: stream.to_owned(), shard: shard.to_owned(), records: readable };
            let appended = self.store().append(slice).await.map_err(|error| (None, chain(&error)))?;
            report.events += appended.events;
            report.duplicates += appended.duplicates;
        }
        match stopped {
            Some((sequence, why)) => Err((Some(sequence), why)),
            None => Ok(()),
        }
    }

    async fn put_away(&self, stream: &str, shard: &str, letter: Unreadable) -> Result<(), String> {
        tracing::warn!(stream, shard, sequence = %letter.sequence, reason = letter.reason, "a record cannot be read");
        let letter = DeadLetter {
            at: letter.arrived_at,
            id: format!("{stream}/{shard}/{}", letter.sequence),
            source: format!("stream {stream}, shard {shard}, record {}", letter.sequence),
            reason: letter.reason,
            data: letter.data.to_vec(),
        };
        self.store().dead_letter(letter).await.map_err(|error| chain(&error))
    }
}

/// Runs of records that together stay below [`PART_BYTES_MAX`]; a record that is larger goes alone.
fn parts(records: Vec<StreamRecord>) -> Vec<Vec<StreamRecord>> {
    let mut parts: Vec<Vec<StreamRecord>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        bytes += record.data.len();
        match parts.last_mut() {
            Some(part) if bytes <= PART_BYTES_MAX => part.push(record),
            _ => {
                bytes = record.data.len();
                parts.push(vec![record]);
            }
        }
    }
    parts
}

/// An error with all its causes, as one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sequence: u64, bytes: usize) -> StreamRecord {
        StreamRecord {
            sequence: sequence.to_string(),
            arrived_at: Timestamp::EPOCH,
            data: Bytes::from(vec![0; bytes]),
        }
    }

    #[test]
    fn a_run_is_cut_where_it_would_take_too_much_memory_and_keeps_its_order() {
        let sizes = [PART_BYTES_MAX / 2, PART_BYTES_MAX / 2, 1, PART_BYTES_MAX * 2, 5, 5];
        let records = sizes.iter().zip(1..).map(|(bytes, sequence)| record(sequence, *bytes)).collect();
        let cut: Vec<Vec<String>> = parts(records)
            .into_iter()
            .map(|part| part.into_iter().map(|record| record.sequence).collect())
            .collect();
        assert_eq!(cut, [vec!["1", "2"], vec!["3"], vec!["4"], vec!["5", "6"]]);
        assert!(parts(Vec::new()).is_empty());
    }
}

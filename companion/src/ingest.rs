//! Records of a shard in, committed events out. Called by the Lambda handler and by `limelight dev`'s consumer.
//!
//! decode each record → what cannot be read goes to the dead letters → lines of CloudWatch are understood → append.
//! Nothing is acknowledged that is not on disk: a record is either in a commit, or a dead letter, or named as failed.
//! A record that can be read and never written is found by halving the run it came in, and becomes a letter as well:
//! no record, whatever it holds, stops a shard.

mod decode;
mod lines;
mod turn;

use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures::FutureExt as _;
use model::Timestamp;
use store::{Appended, ShardSlice};

use crate::companion::Companion;
use decode::Part;
pub(crate) use decode::{Unreadable, read};
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
    /// Records that nobody can read or write; they are kept with their reason.
    pub dead_letters: u64,
    /// The first record that must come again (and all after it), and why. None: all of them are safe and may be
    /// acknowledged.
    pub first_failure: Option<(String, String)>,
}

/// Why a run was not taken.
enum Failure {
    /// It must come again from this record on (none: from its first).
    Again { sequence: Option<String>, why: String },
    /// However often it comes: something in it cannot be written.
    Never { why: String },
}

impl Companion {
    /// Takes records of one shard, in the shard's order. After it returns without `first_failure` they are on disk.
    /// Whatever of it is called again is written once. A second call for the same shard waits for the first.
    ///
    /// Memory is bounded by what is decoded at once ([`decode`]), not by what is given.
    pub async fn ingest(&self, stream: &str, shard: &str, records: Vec<StreamRecord>) -> IngestReport {
        let mut report = IngestReport::default();
        let _turn = self.turns().of(stream, shard).await;
        // What is still to be taken, the first run last.
        let mut runs = vec![records];
        while let Some(run) = runs.pop() {
            let Some(first) = run.first().map(|record| record.sequence.clone()) else { continue };
            let taken = match self.decode(run).await {
                Ok(mut part) => {
                    runs.push(std::mem::take(&mut part.rest));
                    let readable = part.readable.clone();
                    self.take(stream, shard, part, &mut report).await.map_err(|failure| (failure, readable))
                }
                Err(failure) => Err((failure, Vec::new())),
            };
            let failed = match taken {
                Ok(()) => continue,
                Err((Failure::Never { why }, readable)) => {
                    self.halve(stream, shard, readable, why, &mut runs, &mut report).await.err()
                }
                Err((Failure::Again { sequence, why }, _)) => Some((sequence, why)),
            };
            if let Some((sequence, why)) = failed {
                let sequence = sequence.unwrap_or(first);
                tracing::error!(stream, shard, sequence, why, "records were not taken");
                report.first_failure = Some((sequence, why));
                break;
            }
        }
        report
    }

    async fn decode(&self, run: Vec<StreamRecord>) -> Result<Part, Failure> {
        let limits = self.settings().limits.clone();
        // Inflating and parsing megabytes would hold up everything else on this thread.
        let decoded = tokio::task::spawn_blocking(move || decode::part(run, &limits)).await;
        decoded.map_err(|died| Failure::Again { sequence: None, why: format!("decoding failed: {died}") })
    }

    async fn take(
        &self,
        stream: &str,
        shard: &str,
        part: Part,
        report: &mut IngestReport,
    ) -> Result<(), Failure> {
        let Part { mut records, unreadable, broken_sequence, .. } = part;
        let mut stopped = broken_sequence;
        if let Some(poison) = unreadable.first().map(|letter| letter.sequence) {
            match self.put_away(stream, shard, &unreadable).await {
                Ok(()) => report.dead_letters += unreadable.len() as u64,
                Err(error) => {
                    // What stands after a record that must come again must come again, too: a commit of it would
                    // move the shard's watermark past the record.
                    records.retain(|record| record.sequence < poison);
                    stopped = Some((poison.to_string(), chain(&error)));
                }
            }
        }
        if !records.is_empty() {
            let slice = ShardSlice { stream: stream.to_owned(), shard: shard.to_owned(), records };
            let appended = self.append(slice).await?;
            report.events += appended.events;
            report.duplicates += appended.duplicates;
        }
        match stopped {
            Some((sequence, why)) => Err(Failure::Again { sequence: Some(sequence), why }),
            None => Ok(()),
        }
    }

    async fn append(&self, slice: ShardSlice) -> Result<Appended, Failure> {
        // A library that panics over some value would do so again at every retry.
        match AssertUnwindSafe(self.store().append(slice)).catch_unwind().await {
            Ok(Ok(appended)) => Ok(appended),
            Ok(Err(error)) if error.is_of_the_records() => Err(Failure::Never { why: chain(&error) }),
            Ok(Err(error)) => Err(Failure::Again { sequence: None, why: chain(&error) }),
            Err(_) => Err(Failure::Never { why: "writing it panicked".to_owned() }),
        }
    }

    /// A run that cannot be written comes as its halves, and alone it is a letter. What of it was committed before
    /// (another dataset's part) is dropped by its watermark.
    async fn halve(
        &self,
        stream: &str,
        shard: &str,
        mut readable: Vec<StreamRecord>,
        why: String,
        runs: &mut Vec<Vec<StreamRecord>>,
        report: &mut IngestReport,
    ) -> Result<(), (Option<String>, String)> {
        if readable.len() > 1 {
            let second = readable.split_off(readable.len() / 2);
            runs.extend([second, readable]);
            return Ok(());
        }
        for record in readable {
            let again = Some(record.sequence.clone());
            let letter = Unreadable::of(record, why.clone()).map_err(|why| (again.clone(), why))?;
            self.put_away(stream, shard, &[letter]).await.map_err(|error| (again, chain(&error)))?;
            report.dead_letters += 1;
        }
        Ok(())
    }
}

/// An error with all its causes, as one line. An SDK says what helps ("Connection refused") only in the last of them.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

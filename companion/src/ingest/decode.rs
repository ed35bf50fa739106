//! A run of stream records in, what can be appended and what cannot be read out. Pure; runs on a blocking thread.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use model::{BatchId, Event, Timestamp};
use pipeline::parse;
use store::{SequenceNumber, SequencedRecord};
use wire::{Context, Decoded, Format, Limits};

use super::{StreamRecord, chain, lines};

/// Bytes of records after decompression that are decoded and held at once, beyond the first record: as events they
/// take about five times that. A record's size on the stream says nothing: it may inflate to a thousand times that.
const INFLATED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Events that are held at once, beyond the first record's: small ones take half a kilobyte each.
const EVENTS_MAX: usize = 100_000;

/// A decoded run.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) records: Vec<SequencedRecord>,
    /// The same records as they came.
    pub(super) readable: Vec<StreamRecord>,
    pub(super) unreadable: Vec<Unreadable>,
    /// A record whose sequence number is no number, and why: nothing from there on has a place in the shard.
    pub(super) broken_sequence: Option<(String, String)>,
    /// What was not decoded because enough was.
    pub(super) rest: Vec<StreamRecord>,
}

/// A record for the dead letters.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) sequence: SequenceNumber,
    pub(crate) arrived_at: Timestamp,
    /// Its own identity, where that could be read.
    pub(crate) batch: Option<BatchId>,
    /// How many events it holds, as far as that is known.
    pub(crate) events: u64,
    pub(crate) reason: String,
    pub(crate) data: Bytes,
}

impl Unreadable {
    /// A record that could be read and not be written.
    pub(super) fn of(record: StreamRecord, reason: String) -> Result<Self, String> {
        let sequence = record.sequence.parse().map_err(|error| chain(&error))?;
        let StreamRecord { arrived_at, data, .. } = record;
        Ok(Self { sequence, arrived_at, batch: None, events: 0, reason, data })
    }
}

pub(super) fn part(run: Vec<StreamRecord>, limits: &Limits) -> Part {
    let mut part = Part::default();
    let (mut inflated_bytes, mut events) = (0, 0);
    let mut run = run.into_iter();
    while inflated_bytes < INFLATED_BYTES_MAX && events < EVENTS_MAX {
        let Some(record) = run.next() else { return part };
        let sequence: SequenceNumber = match record.sequence.parse() {
            Ok(sequence) => sequence,
            Err(error) => {
                part.broken_sequence = Some((record.sequence, chain(&error)));
                return part;
            }
        };
        match read(&record.data, &record.sequence, record.arrived_at, limits) {
            Ok(decoded) => {
                inflated_bytes += decoded.inflated_bytes;
                events += decoded.events.len();
                part.records.push(SequencedRecord { sequence, batch: decoded.batch, events: decoded.events });
                part.readable.push(record);
            }
            Err(Refusal { batch, events, reason }) => {
                let StreamRecord { arrived_at, data, .. } = record;
                part.unreadable.push(Unreadable { sequence, arrived_at, batch, events, reason, data });
            }
        }
    }
    part.rest = run.collect();
    part
}

/// Why a record's events cannot be had.
#[derive(Debug)]
pub(crate) struct Refusal {
    batch: Option<BatchId>,
    events: u64,
    pub(crate) reason: String,
}

/// Reads one record, understanding what functions print. `record` names events whose producer gave them no identity.
pub(crate) fn read(
    data: &[u8],
    record: &str,
    arrived_at: Timestamp,
    limits: &Limits,
) -> Result<Decoded, Refusal> {
    let unknown = |reason| Refusal { batch: None, events: 0, reason };
    let context = Context { record, arrived_at, read_line: parse::printed };
    let decoded = unless_it_panics(|| {
        let mut decoded = wire::decode(data, &context, limits).map_err(|error| chain(&error))?;
        if decoded.format == Format::CloudWatchLogs {
            decoded.events = decoded.events.into_iter().flat_map(lines::understand).collect();
        }
        Ok(decoded)
    });
    let decoded = decoded.map_err(unknown)?;
    // The store refuses a whole slice for one impossible dataset, and again on every retry.
    match decoded.events.iter().find(|event| !store::is_dataset_name(&event.dataset)) {
        Some(Event { dataset, .. }) => {
            let shown: String = dataset.chars().take(160).collect();
            let reason =
                format!("{shown:?} cannot be a dataset's name (1 to 128 of A-Z a-z 0-9 _ . -, no dot first)");
            Err(Refusal { batch: decoded.batch, events: decoded.events.len() as u64, reason })
        }
        None => Ok(decoded),
    }
}

/// A reader that panics over some bytes would do so again at every retry, and its shard would stand still: it is one that
/// cannot read them.
fn unless_it_panics<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("reading it panicked".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sequence: &str, data: &str) -> StreamRecord {
        StreamRecord {
            sequence: sequence.to_owned(),
            arrived_at: Timestamp::EPOCH,
            data: Bytes::copy_from_slice(data.as_bytes()),
        }
    }

    #[test]
    fn one_unreadable_record_does_not_stop_the_rest() {
        let run = vec![record("1", "{\"a\":1}"), record("2", "hello"), record("3", "{\"a\":2}")];
        let part = part(run, &Limits::default());
        assert_eq!(part.records.iter().map(|r| r.sequence.to_string()).collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(part.readable.len(), 2);
        assert_eq!(part.unreadable.len(), 1);
        assert!(part.unreadable[0].reason.contains("nor JSON"), "{}", part.unreadable[0].reason);
    }

    #[test]
    fn a_reader_that_panics_is_one_that_cannot_read() {
        let panicking = || -> Result<(), String> { panic!("an odd line") };
        assert_eq!(unless_it_panics(panicking), Err("reading it panicked".to_owned()));
        assert_eq!(unless_it_panics(|| Ok(1)), Ok(1));
    }

    #[test]
    fn a_sequence_number_that_is_none_stops_there() {
        let part = part(vec![record("1", "{}"), record("two", "{}"), record("3", "{}")], &Limits::default());
        assert_eq!(part.records.len(), 1);
        assert_eq!(part.broken_sequence.unwrap().0, "two");
    }

    #[test]
    fn no_more_is_decoded_at_once_than_memory_has_room_for() {
        let large = format!("{{\"text\":\"{}\"}}", "x".repeat(INFLATED_BYTES_MAX / 4));
        let run = ["1", "2", "3", "4", "5"].map(|sequence| record(sequence, &large)).to_vec();
        let first = part(run, &Limits::default());
        assert_eq!((first.records.len(), first.rest.len()), (4, 1));
        let second = part(first.rest, &Limits::default());
        assert_eq!((second.records.len(), second.rest.len()), (1, 0));
    }
}

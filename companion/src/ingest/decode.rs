//! A run of stream records in, what can be appended and what cannot be read out. Pure; runs on a blocking thread.

use bytes::Bytes;
use model::{Event, Timestamp};
use pipeline::parse;
use store::{SequenceNumber, SequencedRecord};
use wire::{Context, Format, Limits};

use super::{StreamRecord, chain, lines};

/// A decoded run.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) records: Vec<SequencedRecord>,
    pub(super) unreadable: Vec<Unreadable>,
    /// A record whose sequence number is no number, and why: nothing from there on has a place in the shard.
    pub(super) broken_sequence: Option<(String, String)>,
}

/// A record for the dead letters.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) sequence: SequenceNumber,
    pub(super) arrived_at: Timestamp,
    pub(super) reason: String,
    pub(super) data: Bytes,
}

pub(super) fn part(records: Vec<StreamRecord>, limits: &Limits) -> Part {
    let mut part = Part::default();
    for record in records {
        let sequence: SequenceNumber = match record.sequence.parse() {
            Ok(sequence) => sequence,
            Err(error) => {
                part.broken_sequence = Some((record.sequence, chain(&error)));
                break;
            }
        };
        match read(&record, limits) {
            Ok(decoded) => {
                part.records.push(SequencedRecord { sequence, batch: decoded.batch, events: decoded.events });
            }
            Err(reason) => {
                let StreamRecord { arrived_at, data, .. } = record;
                part.unreadable.push(Unreadable { sequence, arrived_at, reason, data });
            }
        }
    }
    part
}

fn read(record: &StreamRecord, limits: &Limits) -> Result<wire::Decoded, String> {
    let context =
        Context { record: &record.sequence, arrived_at: record.arrived_at, read_line: parse::printed };
    let mut decoded = wire::decode(&record.data, &context, limits).map_err(|error| chain(&error))?;
    if decoded.format == Format::CloudWatchLogs {
        decoded.events = decoded.events.into_iter().flat_map(lines::understand).collect();
    }
    // The store refuses a whole slice for one impossible dataset, and again on every retry.
    match decoded.events.iter().find(|event| !store::is_dataset_name(&event.dataset)) {
        Some(Event { dataset, .. }) => {
            let shown: String = dataset.chars().take(160).collect();
            Err(format!("{shown:?} cannot be a dataset's name (1 to 128 of A-Z a-z 0-9 _ . -, no dot first)"))
        }
        None => Ok(decoded),
    }
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
        assert_eq!(part.unreadable.len(), 1);
        assert!(part.unreadable[0].reason.contains("nor JSON"), "{}", part.unreadable[0].reason);
    }

    #[test]
    fn a_sequence_number_that_is_none_stops_there() {
        let part = part(vec![record("1", "{}"), record("two", "{}"), record("3", "{}")], &Limits::default());
        assert_eq!(part.records.len(), 1);
        assert_eq!(part.broken_sequence.unwrap().0, "two");
    }
}

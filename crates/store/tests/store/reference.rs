//! The store beside a naive model: whatever is retried, moved, duplicated or reopened, every event stands once.

use std::collections::BTreeSet;

use model::BatchId;
use proptest::prelude::*;
use store::{SequencedRecord, Store};

use crate::support::{Place, event, ids, record, slice};

/// What a stream, its producers and its consumers can do.
#[derive(Debug, Clone)]
enum Op {
    /// New records arrive and are read as one batch.
    Append { shard: usize, records: u8, datasets: u8 },
    /// The last batch is read again.
    Retry { shard: usize },
    /// Records are read again from `back` records before the end, with up to `more` new ones behind.
    RetryWithMovedBoundaries { shard: usize, back: u8, more: u8 },
    /// A producer sends one of its batches again; it arrives as a new record, in any shard.
    DuplicateProducer { from: usize, to: usize, which: u8 },
    /// A consumer that was thought dead writes what it holds.
    StaleConsumer { shard: usize, from: u8, records: u8 },
    /// The process dies and starts again.
    Reopen,
}

const SHARDS: usize = 3;

fn any_op() -> impl Strategy<Value = Op> {
    let shard = 0..SHARDS;
    prop_oneof![
        4 => (shard.clone(), 1..4u8, 1..4u8)
            .prop_map(|(shard, records, datasets)| Op::Append { shard, records, datasets }),
        2 => shard.clone().prop_map(|shard| Op::Retry { shard }),
        2 => (shard.clone(), 0..6u8, 0..3u8)
            .prop_map(|(shard, back, more)| Op::RetryWithMovedBoundaries { shard, back, more }),
        2 => (shard.clone(), shard.clone(), any::<u8>())
            .prop_map(|(from, to, which)| Op::DuplicateProducer { from, to, which }),
        1 => (shard, any::<u8>(), 1..5u8)
            .prop_map(|(shard, from, records)| Op::StaleConsumer { shard, from, records }),
        1 => Just(Op::Reopen),
    ]
}

/// The stream as it is, and what was read of it.
#[derive(Default)]
struct Model {
    /// All records of each shard, in order.
    shards: [Vec<SequencedRecord>; SHARDS],
    /// How many records of each shard were read in the last batch.
    last: [usize; SHARDS],
    expected: BTreeSet<(String, String)>,
    events: u64,
    batches: u64,
}

impl Model {
    /// A new record with two events.
    fn produce(&mut self, shard: usize, datasets: u8) {
        let batch = BatchId { sandbox: format!("sandbox-{shard}"), sequence: self.batches };
        self.batches += 1;
        let events = (0..2u64).map(|_| {
            let number = self.events;
            self.events += 1;
            let dataset = format!("d{}", number % u64::from(datasets));
            self.expected.insert((dataset.clone(), number.to_string()));
            event(&dataset, number, "fn")
        });
        let events = events.collect();
        let sequence = self.shards[shard].len() as u64 + 1;
        self.shards[shard].push(record(sequence, Some(batch), events));
    }

    /// The last `count` records of a shard.
    fn tail(&self, shard: usize, count: usize) -> Vec<SequencedRecord> {
        let records = &self.shards[shard];
        records[records.len().saturating_sub(count)..].to_vec()
    }
}

async fn run(place: &Place, ops: Vec<Op>) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    let mut store = place.open().await;
    for op in ops {
        let read = |shard: usize, records: Vec<SequencedRecord>| slice("stream", &shard.to_string(), records);
        match op {
            Op::Append { shard, records, datasets } => {
                (0..records).for_each(|_| model.produce(shard, datasets));
                model.last[shard] = usize::from(records);
                store.append(read(shard, model.tail(shard, usize::from(records)))).await.unwrap();
            }
            Op::Retry { shard } => {
                let records = model.tail(shard, model.last[shard]);
                let count = records.len() as u64;
                let appended = store.append(read(shard, records)).await.unwrap();
                prop_assert_eq!((appended.events, appended.duplicates), (0, count));
            }
            Op::RetryWithMovedBoundaries { shard, back, more } => {
                (0..more).for_each(|_| model.produce(shard, 2));
                model.last[shard] = usize::from(back + more);
                store.append(read(shard, model.tail(shard, usize::from(back + more)))).await.unwrap();
            }
            Op::DuplicateProducer { from, to, which } => {
                let copies = model.shards[from].len();
                if copies == 0 {
                    continue;
                }
                let copy = model.shards[from][usize::from(which) % copies].clone();
                let sequence = (model.shards[to].len() as u64 + 1).into();
                model.shards[to].push(SequencedRecord { sequence, ..copy });
                model.last[to] = 1;
                let appended = store.append(read(to, model.tail(to, 1))).await.unwrap();
                prop_assert_eq!((appended.events, appended.duplicates), (0, 1));
            }
            Op::StaleConsumer { shard, from, records } => {
                let all = &model.shards[shard];
                let from = usize::from(from) % (all.len() + 1);
                let held = all[from..all.len().min(from + usize::from(records))].to_vec();
                let stale: Store = place.open().await;
                prop_assert_eq!(stale.append(read(shard, held)).await.unwrap().events, 0);
            }
            Op::Reopen => store = place.open().await,
        }
    }
    let mut found = Vec::new();
    for info in store.datasets().await.unwrap() {
        let stored = ids(&store, &info.name).await;
        prop_assert_eq!(info.rows, stored.len() as u64);
        found.extend(stored.into_iter().map(|id| (info.name.clone(), id)));
    }
    found.sort();
    prop_assert_eq!(found, model.expected.into_iter().collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_event_stands_exactly_once(ops in prop::collection::vec(any_op(), 1..16)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(run(&Place::memory(), ops))?;
    }
}

//! Ingest, compaction, vacuum and queries in any order and at once, each of them killed at any of its writes; after
//! every step each event that was acknowledged stands once and whole, whoever holds a snapshot still reads it, and
//! `verify` finds nothing. Seeded: a failure names its seed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chance::Chance;
use model::{BatchId, Event, Timestamp};
use object_store::memory::InMemory;
use store::{Compaction, Location, Options, SequencedRecord, Snapshot, Store, Vacuum};

use crate::mortal::Mortal;
use crate::support::{self, Clock, event, record, slice};

const SHARDS: usize = 2;
const STEPS: usize = 40;
/// A reader's longest life, and far less than files outlive their table.
const READ_FOR: Duration = Duration::from_hours(1);

struct Storm {
    chance: Chance,
    inner: Arc<InMemory>,
    clock: Clock,
    time: Timestamp,
    /// All records of each shard.
    shards: [Vec<SequencedRecord>; SHARDS],
    /// How many of them were acknowledged.
    taken: [usize; SHARDS],
    events: u64,
    /// Readers that began before: the snapshot, what it showed, and when.
    readers: Vec<(Snapshot, Vec<Event>, Timestamp)>,
}

impl Storm {
    fn new(seed: u64) -> Self {
        let time = Timestamp::from(std::time::SystemTime::now());
        Self {
            chance: Chance::new(seed),
            inner: Arc::new(InMemory::new()),
            clock: Clock::at(&time.to_string()),
            time,
            shards: Default::default(),
            taken: [0; SHARDS],
            events: 0,
            readers: Vec::new(),
        }
    }

    fn options(&self) -> Options {
        let mut options = Options::default();
        options.clock = self.clock.tell();
        // So few that most keys overflow first and are promoted later.
        options.columns_max = 6;
        options
    }

    /// A process on the store; a mortal one dies at one of its next writes.
    async fn open(&mut self, mortal: bool) -> Store {
        let location = if mortal {
            let (writes, made) = (self.chance.below(9) as i64, self.chance.below(2) == 0);
            Location::objects(Arc::new(Mortal::after(self.inner.clone(), writes, made)))
        } else {
            Location::objects(self.inner.clone())
        };
        Store::open(&location, self.options()).await.unwrap()
    }

    /// New records arrive in a shard.
    fn produce(&mut self, shard: usize) {
        for _ in 0..=self.chance.below(4) {
            let events = (0..=self.chance.below(3)).map(|_| self.event()).collect();
            let sequence = self.shards[shard].len() as u64 + 1;
            let batch = BatchId { sandbox: format!("sandbox-{shard}"), sequence };
            self.shards[shard].push(record(sequence, Some(batch), events));
        }
    }

    /// An event of now, or late by up to seven days, or of the future.
    fn event(&mut self) -> Event {
        self.events += 1;
        let mut event = event("logs", self.events, ["a", "b", "c"][self.chance.below(3) as usize]);
        let hours = Duration::from_hours(self.chance.below(24 * 7));
        event.timestamp = match self.chance.below(6) {
            0 => self.time.minus(hours),
            1 => self.time.plus(hours),
            _ => self.time,
        };
        event.timestamp = Timestamp::from_micros(event.timestamp.as_micros());
        for _ in 0..self.chance.below(4) {
            let key = format!("key{}", self.chance.below(12));
            let value = if self.chance.below(2) == 0 { 7.into() } else { "text".into() };
            event.attributes.insert(key, value);
        }
        event
    }

    fn pending(&self, shard: usize) -> Vec<SequencedRecord> {
        self.shards[shard][self.taken[shard]..].to_vec()
    }

    /// What should be there.
    fn expected(&self) -> Vec<Event> {
        let taken = self.shards.iter().zip(self.taken).flat_map(|(records, taken)| &records[..taken]);
        let mut events: Vec<Event> = taken.flat_map(|record| record.events.clone()).collect();
        events.sort_by(|a, b| a.id.cmp(&b.id));
        events
    }

    /// Does one thing, perhaps killed in the middle; whatever came of it, the consumer then reads on where it was.
    async fn step(&mut self) {
        self.time = self.time.plus(Duration::from_secs(self.chance.below(7_200)));
        self.clock.set(&self.time.to_string());
        let shard = self.chance.below(SHARDS as u64) as usize;
        let mortal = self.chance.below(2) == 0;
        let store = self.open(mortal).await;
        match self.chance.below(8) {
            0..=3 => {
                self.produce(shard);
                let _ = store.append(slice("s", &shard.to_string(), self.pending(shard))).await;
            }
            4 | 5 => while let Ok(Some(_)) = store.compactor("logs", Compaction::default()).step().await {},
            6 => drop(store.vacuum("logs", &Vacuum::default()).await),
            _ => {
                self.produce(shard);
                let others = [self.open(false).await, self.open(mortal).await, self.open(mortal).await];
                let mut first = others[0].compactor("logs", Compaction::default());
                let mut second = others[1].compactor("logs", Compaction::default());
                let rules = Vacuum::default();
                let _ = futures::join!(
                    store.append(slice("s", &shard.to_string(), self.pending(shard))),
                    first.step(),
                    second.step(),
                    others[2].vacuum("logs", &rules),
                );
            }
        }
        self.acknowledge(shard).await;
    }

    /// The consumer's retry, by a process that lives: everything of the shard is there then.
    async fn acknowledge(&mut self, shard: usize) {
        let store = self.open(false).await;
        store.append(slice("s", &shard.to_string(), self.pending(shard))).await.unwrap();
        self.taken[shard] = self.shards[shard].len();
    }

    async fn look(&mut self, seed: u64, step: usize) {
        let store = self.open(false).await;
        let expected = self.expected();
        if let Some(snapshot) = store.snapshot("logs").await.unwrap() {
            assert_eq!(support::scan(&snapshot).await, expected, "seed {seed}, step {step}");
            self.readers.push((snapshot, expected, self.time));
        }
        let time = self.time;
        self.readers.retain(|(_, _, since)| time.since(*since) < READ_FOR);
        for (snapshot, shown, _) in &self.readers {
            assert_eq!(support::scan(snapshot).await, *shown, "an older reader, seed {seed}, step {step}");
        }
        let verified = store.verify().await.unwrap();
        assert_eq!(verified.faults, [], "seed {seed}, step {step}");
    }
}

async fn run(seed: u64) -> BTreeMap<&'static str, u64> {
    let mut storm = Storm::new(seed);
    for step in 0..STEPS {
        storm.step().await;
        storm.look(seed, step).await;
    }
    let store = storm.open(false).await;
    let health = store.health("logs", &Compaction::default()).await.unwrap().unwrap();
    BTreeMap::from([("files", health.files), ("outside", health.outside_files), ("events", health.rows)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_loses_nothing_and_doubles_nothing() {
    let seeds = std::env::var("LIMELIGHT_STORM_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(6);
    for seed in 0..seeds {
        let left = run(seed).await;
        assert!(left["events"] > 20, "seed {seed} did something: {left:?}");
    }
}

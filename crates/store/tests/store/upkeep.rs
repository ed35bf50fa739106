//! Compaction, retention, vacuum, verification and export, one promise each.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::{BatchId, Event, Timestamp};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use store::{Compacted, Compaction, Fault, Location, Options, Retention, Span, Store, Vacuum};

use crate::support::{self, Clock, event, ids, record, slice};

/// A store in memory whose time and objects a test can change.
struct Bench {
    objects: Arc<InMemory>,
    clock: Clock,
    location: Location,
}

impl Bench {
    fn new() -> Self {
        let objects = Arc::new(InMemory::new());
        let location = Location::objects(objects.clone());
        let now = Timestamp::from(std::time::SystemTime::now());
        Self { objects, clock: Clock::at(&now.to_string()), location }
    }

    async fn open(&self) -> Store {
        self.open_with(|_| ()).await
    }

    async fn open_with(&self, set: impl FnOnce(&mut Options)) -> Store {
        let mut options = Options::default();
        options.clock = self.clock.tell();
        set(&mut options);
        Store::open(&self.location, options).await.unwrap()
    }

    fn pass(&self, time: Duration) {
        self.clock.set(&self.clock.now().plus(time).to_string());
    }

    /// All objects with this in their path.
    async fn paths(&self, part: &str) -> Vec<Path> {
        use futures::TryStreamExt;
        let objects: Vec<_> = self.objects.list(None).try_collect().await.unwrap();
        let mut paths: Vec<Path> = objects.into_iter().map(|object| object.location).collect();
        paths.retain(|path| path.as_ref().contains(part));
        paths.sort();
        paths
    }

    async fn flip(&self, path: &Path) {
        let mut bytes = self.objects.get(path).await.unwrap().bytes().await.unwrap().to_vec();
        let middle = bytes.len() / 3;
        bytes[middle] ^= 4;
        self.objects.put(path, bytes.into()).await.unwrap();
    }
}

/// One commit for each number.
async fn fill(store: &Store, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let namespace = if number % 2 == 0 { "even" } else { "odd" };
        let records = [record(number + 1, None, vec![event("logs", number, namespace)])];
        store.append(slice("s", "0", records)).await.unwrap();
    }
}

async fn compact(store: &Store) -> Vec<Compacted> {
    let mut compactor = store.compactor("logs", Compaction::default());
    let mut steps = Vec::new();
    while let Some(step) = compactor.step().await.unwrap() {
        steps.push(step);
    }
    steps
}

async fn faults(store: &Store) -> Vec<String> {
    store.verify().await.unwrap().faults.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_become_one_with_the_same_events_in_order() {
    let bench = Bench::new();
    let store = bench.open().await;
    fill(&store, 0..20).await;
    let before = support::events(&store, "logs").await;
    let steps = compact(&store).await;
    assert_eq!(steps.len(), 1);
    assert_eq!((steps[0].files, steps[0].rows, steps[0].duplicates), (20, 20, 0));
    for store in [&store, &bench.open().await] {
        assert_eq!(support::events(store, "logs").await, before);
        assert_eq!(store.snapshot("logs").await.unwrap().unwrap().files, 1);
    }
    // Every even one before every odd one: "even" < "odd", and by time within.
    let sorted = support::sql(&store, "logs", "SELECT id FROM logs").await;
    let order: Vec<u64> = sorted.iter().map(|id| id.parse().unwrap()).collect();
    assert_eq!(order, (0..20).step_by(2).chain((1..20).step_by(2)).collect::<Vec<_>>());
    assert_eq!(compact(&store).await, [], "there is nothing left to do");
    assert_eq!(faults(&store).await, [""; 0]);
    fill(&store, 20..21).await;
    assert_eq!(ids(&store, "logs").await.len(), 21, "writers go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_producer_sent_again_after_the_horizon_stands_once_after_compaction() {
    let bench = Bench::new();
    let store = bench.open().await;
    let batch = BatchId { sandbox: "0123456789abcdef".repeat(2), sequence: 0 };
    for sequence in 1..=2 {
        let events = vec![event("logs", 1, "fn"), event("logs", 2, "fn")];
        store.append(slice("s", "0", [record(sequence, Some(batch.clone()), events)])).await.unwrap();
        bench.pass(Duration::from_mins(16));
    }
    assert_eq!(ids(&store, "logs").await, ["1", "1", "2", "2"]);
    let steps = compact(&store).await;
    assert_eq!((steps[0].rows, steps[0].duplicates), (2, 2));
    assert_eq!(ids(&store, "logs").await, ["1", "2"]);
    assert_eq!(faults(&store).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_overflowed_get_their_columns() {
    let bench = Bench::new();
    let store = bench.open_with(|options| options.columns_max = 4).await;
    for number in 0..10u64 {
        let mut event = event("logs", number, "fn");
        for key in ["a", "b", "c", "d"] {
            event.attributes.insert(key.to_owned(), (number as i64).into());
        }
        store.append(slice("s", "0", [record(number + 1, None, vec![event])])).await.unwrap();
    }
    let before = support::events(&store, "logs").await;
    assert!(store.snapshot("logs").await.unwrap().unwrap().overflows);
    compact(&store).await;
    let after = store.snapshot("logs").await.unwrap().unwrap();
    assert!(!after.overflows);
    assert_eq!(after.columns.len(), 5, "one in four more than the cap");
    assert_eq!(support::events(&bench.open().await, "logs").await, before);
    fill(&store, 10..11).await;
    assert_eq!(faults(&store).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_compact_at_once_and_a_writer_do_no_harm() {
    let bench = Bench::new();
    let store = bench.open().await;
    fill(&store, 0..30).await;
    let others = [bench.open().await, bench.open().await];
    futures::join!(compact(&others[0]), compact(&others[1]), fill(&store, 30..40));
    assert_eq!(ids(&store, "logs").await.len(), 40);
    assert_eq!(faults(&store).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_is_told_and_costs_that_file_only() {
    let bench = Bench::new();
    let store = bench.open().await;
    // More commits than a checkpoint waits for: it keeps the checksums, too.
    fill(&store, 0..55).await;
    let paths = bench.paths(".parquet").await;
    bench.flip(&paths[5]).await;
    let found = faults(&store).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("is damaged"), "{found:?}");
    assert!(paths[5].as_ref().ends_with(found[0].split_whitespace().nth(1).unwrap()), "{found:?}");

    let mut compactor = bench.open().await.compactor("logs", Compaction::default());
    assert_eq!(compactor.step().await.unwrap().unwrap().files, 54);
    assert_eq!(compactor.step().await.unwrap(), None);
    assert_eq!(compactor.left_alone().count(), 1);
    let mut export = store.export("logs", Span::default()).await.unwrap().unwrap();
    let (mut events, mut damaged) = (0, 0);
    loop {
        match export.next().await {
            Ok(Some(found)) => events += found.len(),
            Ok(None) => break,
            Err(_) => damaged += 1,
        }
    }
    assert_eq!((events, damaged), (54, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_tells_a_file_that_is_gone_and_a_log_with_a_hole() {
    let bench = Bench::new();
    let store = bench.open().await;
    fill(&store, 0..3).await;
    bench.objects.delete(&bench.paths(".parquet").await[0]).await.unwrap();
    assert!(faults(&store).await[0].contains("is gone"));

    let bench = Bench::new();
    let store = bench.open().await;
    fill(&store, 0..60).await;
    bench.objects.delete(&bench.paths("00000000000000000007.json").await[0]).await.unwrap();
    let faults = store.verify().await.unwrap().faults;
    assert!(matches!(faults[0], Fault::LogGap { version: 7, .. }), "{faults:?}");
    assert!(matches!(faults[1], Fault::Story { .. }), "{faults:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn vacuum_takes_what_nobody_can_need_and_nothing_else() {
    let bench = Bench::new();
    let store = bench.open().await;
    fill(&store, 0..10).await;
    // A writer died before its commit.
    let orphan = Path::from("datasets/logs/date=2026-11-20/orphan.parquet");
    bench.objects.put(&orphan, "nobody sees this".into()).await.unwrap();
    let reader = store.snapshot("logs").await.unwrap().unwrap();
    compact(&store).await;

    bench.pass(Duration::from_hours(1));
    let mut hasty = Vacuum::default();
    hasty.kept_for = Duration::ZERO;
    assert_eq!(store.vacuum("logs", &hasty).await.unwrap().files, 0, "a query may still read them");
    assert_eq!(support::scan(&reader).await.len(), 10);

    bench.pass(Duration::from_hours(24));
    assert_eq!(bench.open().await.vacuum("logs", &Vacuum::default()).await.unwrap().files, 11);
    assert_eq!(bench.paths(".parquet").await.len(), 1);
    assert_eq!(ids(&store, "logs").await.len(), 10);
    assert_eq!(store.vacuum("logs", &Vacuum::default()).await.unwrap().files, 0);
    assert_eq!(faults(&store).await, [""; 0]);
}

/// The log is cleaned behind a checkpoint; a process that slept meanwhile neither reads an old table for ever nor
/// commits behind an entry that is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_slept_while_the_log_was_cleaned_goes_on_with_the_newest() {
    let bench = Bench::new();
    let (awake, asleep) = (bench.open().await, bench.open().await);
    fill(&asleep, 0..3).await;
    bench.pass(Duration::from_hours(1));
    fill(&awake, 3..130).await;
    bench.pass(Duration::from_hours(49));
    let vacuumed = awake.vacuum("logs", &Vacuum::default()).await.unwrap();
    assert!(vacuumed.log_files >= 50, "{vacuumed:?}");
    fill(&asleep, 130..131).await;
    for store in [&awake, &asleep, &bench.open().await] {
        assert_eq!(ids(store, "logs").await.len(), 131);
    }
    assert_eq!(faults(&awake).await, [""; 0]);
    let looked = awake.verify().await.unwrap().datasets["logs"];
    assert!(looked.first_entry > 0);
    // The watermark outlives the log entries that set it.
    fill(&bench.open().await, 100..131).await;
    assert_eq!(ids(&awake, "logs").await.len(), 131);
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_takes_days_and_then_what_is_too_much() {
    let bench = Bench::new();
    let store = bench.open().await;
    let now = bench.clock.now();
    let mut number = 0;
    for days in [0, 1, 2, 9] {
        number += 1;
        let mut event = event("logs", number, "fn");
        event.timestamp = now.minus(Duration::from_hours(24 * days));
        store.append(slice("s", "0", [record(number, None, vec![event])])).await.unwrap();
    }
    let none = store.retain("logs", &Retention::default()).await.unwrap();
    assert_eq!(none.files, 0);
    assert_eq!(store.retain("logs", &Retention::new(Some(7), None)).await.unwrap().rows, 1);
    assert_eq!(ids(&store, "logs").await, ["1", "2", "3"]);
    let bytes = store.snapshot("logs").await.unwrap().unwrap().bytes;
    assert_eq!(store.retain("logs", &Retention::new(None, Some(bytes - 1))).await.unwrap().files, 1);
    assert_eq!(ids(&store, "logs").await, ["1", "2"]);
    assert_eq!(store.retain("none", &Retention::new(Some(1), None)).await.unwrap().files, 0);
    assert_eq!(faults(&store).await, [""; 0]);
    assert_eq!(bench.paths(".parquet").await.len(), 4, "readers may still want them");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_is_what_was_ingested() {
    let bench = Bench::new();
    let store = bench.open().await;
    fill(&store, 0..12).await;
    compact(&store).await;
    fill(&store, 12..15).await;
    let expected = support::events(&store, "logs").await;
    let export = async |span| {
        let mut export = store.export("logs", span).await.unwrap().unwrap();
        let mut events: Vec<Event> = Vec::new();
        while let Some(found) = export.next().await.unwrap() {
            events.extend(found);
        }
        events.sort_by(|a, b| a.id.cmp(&b.id));
        events
    };
    assert_eq!(export(Span::default()).await, expected);
    let at = |number: u64| event("logs", number, "").timestamp;
    let some: BTreeSet<String> =
        export(Span { from: at(3), to: at(13) }).await.iter().map(|event| event.id.to_string()).collect();
    assert_eq!(some, (3..13u64).map(|number| number.to_string()).collect());
    assert!(store.export("none", Span::default()).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_go_when_they_are_old_or_too_much() {
    let bench = Bench::new();
    let store = bench.open().await;
    let now = bench.clock.now();
    for days in [0, 1, 40] {
        let at = now.minus(Duration::from_hours(24 * days));
        store.put_letters(at, &format!("s/0/{days}"), vec![0; 100].into()).await.unwrap();
    }
    let mut rules = Vacuum::default();
    assert_eq!(store.vacuum_letters(&rules).await.unwrap().files, 1);
    rules.letters_bytes = 150;
    assert_eq!(store.vacuum_letters(&rules).await.unwrap().files, 1);
    let left = store.letter_files().await.unwrap();
    assert_eq!(left.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["s_0_0"]);
}

//! What ingest promises whatever happens around it: shards that split and merge, consumers that halve a batch, clocks
//! that disagree, events of any time, and any shape and size of event.

use std::time::Duration;

use model::{BatchId, Event, Map, Timestamp, Value};
use store::{Compaction, Options, SequencedRecord, Store};

use crate::support::{self, Clock, Place, event, ids, record, slice};

fn batch(sequence: u64) -> Option<BatchId> {
    Some(BatchId { sandbox: "0123456789abcdef".repeat(2), sequence })
}

/// A record that is the batch of the same number, with one event.
fn of_batch(sequence: u64, number: u64) -> SequencedRecord {
    record(sequence, batch(number), vec![event("logs", number, "fn")])
}

async fn append(store: &Store, shard: &str, records: Vec<SequencedRecord>) -> (u64, u64) {
    let appended = store.append(slice("s", shard, records)).await.unwrap();
    (appended.events, appended.duplicates)
}

/// A shard splits and its halves merge again, while a producer that heard no answer sends its batches again: they
/// arrive in shards that know nothing of each other.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_stands_once_through_a_split_and_a_merge() {
    let store = Place::memory().open().await;
    assert_eq!(append(&store, "parent", vec![of_batch(10, 0), of_batch(11, 1)]).await, (2, 0));
    assert_eq!(append(&store, "left", vec![of_batch(1, 1), of_batch(2, 2)]).await, (1, 1));
    assert_eq!(append(&store, "right", vec![of_batch(1, 3), of_batch(2, 0)]).await, (1, 1));
    assert_eq!(append(&store, "merged", vec![of_batch(1, 2), of_batch(2, 3), of_batch(3, 4)]).await, (1, 2));
    // The parent's last delivery comes again, after its children were read.
    assert_eq!(append(&store, "parent", vec![of_batch(10, 0), of_batch(11, 1)]).await, (0, 2));
    assert_eq!(ids(&store, "logs").await, ["0", "1", "2", "3", "4"]);
}

/// `BisectBatchOnFunctionError`: the halves of a batch come alone, each perhaps after the whole was committed.
#[tokio::test(flavor = "multi_thread")]
async fn halves_of_a_batch_write_what_the_whole_did_not() {
    let place = Place::memory();
    let records: Vec<SequencedRecord> =
        (1..=8).map(|n| record(n, None, vec![event("logs", n, "fn")])).collect();
    let store = place.open().await;
    assert_eq!(append(&store, "0", records[..4].to_vec()).await, (4, 0));
    assert_eq!(append(&store, "0", records[..2].to_vec()).await, (0, 2), "the first half, again");
    let halves = [records[2..4].to_vec(), records[4..6].to_vec(), records[6..].to_vec()];
    let mut written = 0;
    for half in halves {
        written += append(&place.open().await, "0", half).await.0;
    }
    assert_eq!(written, 4);
    assert_eq!(ids(&store, "logs").await.len(), 8);
}

/// Two consumers of one shard that do not know of each other, one of them always a step behind.
#[tokio::test(flavor = "multi_thread")]
async fn the_stale_one_of_two_consumers_writes_nothing() {
    let place = Place::memory();
    let (ahead, behind) = (place.open().await, place.open().await);
    for from in (1..40u64).step_by(4) {
        let run = || (from..from + 4).map(|n| record(n, None, vec![event("logs", n, "fn")])).collect();
        let both = futures::join!(append(&ahead, "0", run()), append(&behind, "0", run()));
        assert_eq!(both.0.0 + both.1.0, 4, "{both:?}");
        assert_eq!(append(&behind, "0", run()).await, (0, 4));
    }
    assert_eq!(ids(&behind, "logs").await.len(), 40);
}

/// A writer whose clock is twenty minutes behind, one that is an hour ahead: what both committed is known to others for
/// the whole horizon.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_disagree_double_nothing_within_the_horizon() {
    let place = Place::memory();
    let open = async |clock: &Clock| {
        let mut options = Options::default();
        options.clock = clock.tell();
        Store::open(&place.location, options).await.unwrap()
    };
    let right = Clock::at("2026-11-20T10:00:00Z");
    let behind = open(&Clock::at("2026-11-20T09:40:00Z")).await;
    let ahead = open(&Clock::at("2026-11-20T11:00:00Z")).await;
    let store = open(&right).await;
    append(&store, "a", vec![of_batch(1, 0)]).await;
    append(&behind, "b", vec![of_batch(1, 1)]).await;
    append(&ahead, "c", vec![of_batch(1, 2)]).await;
    append(&behind, "b", vec![of_batch(2, 3)]).await;
    right.set("2026-11-20T10:05:00Z");
    for store in [store, open(&right).await] {
        for (sequence, number) in [(1, 0), (2, 1), (3, 2), (4, 3)] {
            let retried = append(&store, &format!("retry-{number}"), vec![of_batch(sequence, number)]).await;
            assert_eq!(retried, (0, 1), "batch {number}");
        }
    }
}

/// Seven days late, and from the future: each lies under its own day and is found by its own time.
#[tokio::test(flavor = "multi_thread")]
async fn late_and_future_events_are_found_by_their_own_time() {
    let store = Place::memory().open().await;
    let days = ["2026-11-13", "2026-11-20", "2026-11-21", "2031-01-01"];
    let at = |day: &str| -> Timestamp { format!("{day}T12:00:00Z").parse().unwrap() };
    let events =
        days.iter().zip(0..).map(|(day, number)| Event { timestamp: at(day), ..event("logs", number, "fn") });
    append(&store, "0", vec![record(1, None, events.collect())]).await;
    for (number, day) in days.iter().enumerate() {
        let sql = format!("SELECT id FROM logs WHERE timestamp = '{day}T12:00:00Z'::timestamptz");
        assert_eq!(support::sql(&store, "logs", &sql).await, [number.to_string()]);
    }
}

/// Everything comes back as it was, from the files of ingest and from those of compaction.
async fn survives(options: Options, events: Vec<Event>) -> Store {
    let place = Place::memory();
    let store = Store::open(&place.location, options).await.unwrap();
    let mut expected = events.clone();
    expected.sort_by(|a, b| a.id.cmp(&b.id));
    let half = events.len() / 2;
    append(&store, "0", vec![record(1, None, events[..half].to_vec())]).await;
    append(&store, "0", vec![record(2, None, events[half..].to_vec())]).await;
    assert!(support::events(&store, "logs").await == expected, "as ingested");
    // Files of very different sizes are left apart; then this looks at the same once more.
    store.compactor("logs", Compaction::default()).step().await.unwrap();
    assert!(support::events(&store, "logs").await == expected, "as compacted");
    assert_eq!(store.verify().await.unwrap().faults, []);
    store
}

fn with(number: u64, attributes: Map) -> Event {
    // A day that is over: two of its files are enough for compaction.
    let day: Timestamp = "2026-01-05T10:00:00Z".parse().unwrap();
    let timestamp = day.plus(Duration::from_millis(number));
    Event { attributes, timestamp, ..event("logs", number, "fn") }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_keys_are_kept_and_the_cap_holds() {
    let events = (0..100u64).map(|number| {
        let key = |key| (format!("key_{}_of_many", number * 100 + key), Value::Int(key as i64));
        with(number, (0..100).map(key).collect())
    });
    let store = survives(Options::default(), events.collect()).await;
    let snapshot = store.snapshot("logs").await.unwrap().unwrap();
    assert!(snapshot.overflows);
    assert_eq!(snapshot.columns.len(), 1_000, "no key is in one row of a hundred and more");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_name_and_any_type_under_one_name_are_kept() {
    let names = [
        "a",
        "A",
        "aA",
        "Aa",
        "a.b",
        "a b",
        "a\"b",
        "a'b",
        "a\\b",
        "ключ",
        "键",
        "🔑",
        "",
        " ",
        ".",
        "..",
        "_",
        "__",
        "k_a",
        "timestamp",
        "date",
        "attributes_json",
        "$limelight",
        "\u{0}",
        "\n",
        "a/b",
        "a,b;c=d",
    ];
    let values =
        [Value::from("text"), Value::Int(i64::MAX), Value::Float(0.1), Value::Bool(true), Value::Null];
    let events = (0..60u64).map(|number| {
        let value = |place: usize| values[(number as usize + place) % values.len()].clone();
        let all = names.iter().enumerate().map(|(place, name)| ((*name).to_owned(), value(place)));
        let inside: Map = all.clone().collect();
        with(number, all.chain([("inside".to_owned(), Value::Object(inside))]).collect())
    });
    survives(Options::default(), events.collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_values_and_large_events_are_kept_whole() {
    let text = |bytes: usize| Value::from("0123456789abcdef".repeat(bytes / 16));
    let megabyte = Map::from([
        ("value".to_owned(), text(1 << 20)),
        ("list".to_owned(), Value::Array(vec![text(1 << 20)])),
    ]);
    let wide = || (0..1_000).map(|key| (format!("k{key}"), text(256))).collect();
    let mut events = vec![with(0, megabyte), with(1, wide()), with(2, Map::new()), with(3, wide())];
    events[2].message = Some("m".repeat(1 << 20));
    events[3].namespace = "n".repeat(100_000);
    survives(Options::default(), events).await;
}

//! One set of promises, kept by every place: memory, directory, and S3 where `LIMELIGHT_TEST_S3` names a location
//! (`s3://bucket/prefix`, with `AWS_*` set).

use std::collections::BTreeMap;

use crate::support::{self, Clock, Place, event, record, slice};
use model::{BatchId, Timestamp};
use store::{Location, Options, Progress, Store, StoreError};

/// Runs a test in every place there is.
macro_rules! everywhere {
    ($($name:ident),* $(,)?) => {
        mod memory { $( #[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(super::Place::memory()).await; } )* }
        mod directory { $( #[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(super::Place::directory()).await; } )* }
        mod s3 { $( #[tokio::test(flavor = "multi_thread")] async fn $name() {
            if let Some(place) = super::Place::s3() { super::$name(place).await; }
        } )* }
    };
}

everywhere!(
    what_is_appended_is_read_back,
    a_retry_is_dropped_also_when_its_boundaries_moved,
    a_producers_duplicate_is_dropped_in_any_shard_and_after_reopening,
    a_batch_is_forgotten_after_the_retry_horizon,
    shards_and_streams_have_their_own_watermarks,
    one_slice_may_feed_several_datasets,
    two_handles_commit_side_by_side,
    a_stale_consumer_of_the_same_shard_is_fenced,
    a_growing_schema_is_agreed_on_by_two_writers,
    events_of_two_days_lie_in_two_partitions,
    a_snapshot_does_not_change_while_others_write,
    many_commits_and_checkpoints_survive_reopening,
    what_is_not_there_is_none,
    a_dataset_name_that_is_not_allowed_writes_nothing,
    letters_are_put_away_listed_and_taken_out,
    a_streams_progress_is_kept_and_goes_with_the_store,
    a_sign_of_life_is_asked_for_without_reading_anything,
);

async fn what_is_appended_is_read_back(place: Place) {
    let store = place.open().await;
    let events = vec![event("logs", 1, "fn-a"), event("logs", 2, "fn-b")];
    let appended = store.append(slice("s", "0", [record(1, None, events.clone())])).await.unwrap();
    assert_eq!((appended.events, appended.duplicates, appended.commits), (2, 0, 1));
    assert_eq!(support::events(&store, "logs").await, events);

    let infos = store.datasets().await.unwrap();
    assert_eq!(infos.len(), 1);
    assert_eq!((infos[0].name.as_str(), infos[0].rows, infos[0].files), ("logs", 2, 1));
    assert_eq!(infos[0].from, Some(events[0].timestamp));
    assert_eq!(infos[0].to, Some(events[1].timestamp));
    assert_eq!(infos[0].bytes, appended.bytes);
}

async fn a_retry_is_dropped_also_when_its_boundaries_moved(place: Place) {
    let store = place.open().await;
    let records: Vec<_> = (1..=6).map(|n| record(n, None, vec![event("logs", n, "fn")])).collect();
    store.append(slice("s", "0", records[..4].to_vec())).await.unwrap();
    let retried = store.append(slice("s", "0", records[..4].to_vec())).await.unwrap();
    assert_eq!((retried.events, retried.duplicates, retried.commits), (0, 4, 0));
    let moved = store.append(slice("s", "0", records[2..].to_vec())).await.unwrap();
    assert_eq!((moved.events, moved.duplicates), (2, 2));
    assert_eq!(support::ids(&store, "logs").await, ["1", "2", "3", "4", "5", "6"]);
}

async fn a_producers_duplicate_is_dropped_in_any_shard_and_after_reopening(place: Place) {
    let batch = BatchId { sandbox: "sandbox".into(), sequence: 7 };
    let store = place.open().await;
    let twice = [
        record(1, Some(batch.clone()), vec![event("logs", 1, "fn")]),
        record(2, Some(batch.clone()), vec![event("logs", 1, "fn")]),
    ];
    let appended = store.append(slice("s", "0", twice)).await.unwrap();
    assert_eq!((appended.events, appended.duplicates), (1, 1));

    for store in [store, place.open().await] {
        let again = [record(9, Some(batch.clone()), vec![event("logs", 1, "fn")])];
        let appended = store.append(slice("s", "other", again)).await.unwrap();
        assert_eq!((appended.events, appended.duplicates), (0, 1));
    }
    assert_eq!(support::ids(&place.open().await, "logs").await, ["1"]);
}

async fn a_batch_is_forgotten_after_the_retry_horizon(place: Place) {
    let clock = Clock::at("2026-11-20T10:00:00Z");
    let batch = BatchId { sandbox: "sandbox".into(), sequence: 7 };
    let mut options = Options::default();
    options.clock = clock.tell();
    let store = Store::open(&place.location, options.clone()).await.unwrap();
    let append = async |store: &Store, sequence| {
        let records = [record(sequence, Some(batch.clone()), vec![event("logs", sequence, "fn")])];
        store.append(slice("s", "0", records)).await.unwrap().events
    };
    assert_eq!(append(&store, 1).await, 1);
    clock.set("2026-11-20T10:14:59Z");
    assert_eq!(append(&store, 2).await, 0);
    clock.set("2026-11-20T10:15:01Z");
    let reopened = Store::open(&place.location, options).await.unwrap();
    assert_eq!(append(&reopened, 3).await, 1);
}

async fn shards_and_streams_have_their_own_watermarks(place: Place) {
    let store = place.open().await;
    for (id, (stream, shard)) in [("s", "0"), ("s", "1"), ("t", "0")].into_iter().enumerate() {
        let records = [record(5, None, vec![event("logs", id as u64, "fn")])];
        assert_eq!(store.append(slice(stream, shard, records)).await.unwrap().events, 1);
    }
    assert_eq!(support::ids(&place.open().await, "logs").await, ["0", "1", "2"]);
}

async fn one_slice_may_feed_several_datasets(place: Place) {
    let store = place.open().await;
    let records = || {
        [
            record(1, None, vec![event("logs", 1, "fn"), event("otel", 2, "fn"), event("logs", 3, "fn")]),
            record(2, None, vec![event("otel", 4, "fn")]),
        ]
    };
    let appended = store.append(slice("s", "0", records())).await.unwrap();
    assert_eq!((appended.events, appended.commits), (4, 2));
    let again = store.append(slice("s", "0", records())).await.unwrap();
    assert_eq!((again.events, again.duplicates), (0, 2));
    assert_eq!(support::ids(&store, "logs").await, ["1", "3"]);
    assert_eq!(support::ids(&store, "otel").await, ["2", "4"]);
    let names: Vec<String> = store.datasets().await.unwrap().into_iter().map(|info| info.name).collect();
    assert_eq!(names, ["logs", "otel"]);
}

async fn two_handles_commit_side_by_side(place: Place) {
    let handles = [place.open().await, place.open().await, place.open().await, place.open().await];
    let writers = handles.iter().enumerate().map(|(shard, store)| async move {
        for n in 0..8u64 {
            let id = shard as u64 * 100 + n;
            let records = [record(n + 1, None, vec![event("logs", id, "fn")])];
            store.append(slice("s", &shard.to_string(), records)).await.unwrap();
        }
    });
    futures::future::join_all(writers).await;
    let mut expected: Vec<String> =
        (0..4u64).flat_map(|s| (0..8).map(move |n| (s * 100 + n).to_string())).collect();
    expected.sort();
    for store in &handles {
        assert_eq!(support::ids(store, "logs").await, expected);
    }
}

async fn a_stale_consumer_of_the_same_shard_is_fenced(place: Place) {
    let handles = [place.open().await, place.open().await];
    let consumers = handles.iter().map(|store| async move {
        for from in (1..=20u64).step_by(4) {
            let records = (from..from + 4).map(|n| record(n, None, vec![event("logs", n, "fn")]));
            store.append(slice("s", "0", records)).await.unwrap();
        }
    });
    futures::future::join_all(consumers).await;
    let mut expected: Vec<String> = (1..=20u64).map(|n| n.to_string()).collect();
    expected.sort();
    assert_eq!(support::ids(&handles[0], "logs").await, expected);
}

async fn a_growing_schema_is_agreed_on_by_two_writers(place: Place) {
    let handles = [place.open().await, place.open().await];
    let writers = handles.iter().enumerate().map(|(shard, store)| async move {
        for n in 0..6u64 {
            let mut event = event("logs", shard as u64 * 100 + n, "fn");
            // Each commit has a key of its own, and one that changes its type.
            event.attributes.insert(format!("key{shard}_{n}"), (n as i64).into());
            let odd = if n % 2 == 0 { "text".into() } else { true.into() };
            event.attributes.insert("odd".into(), odd);
            store.append(slice("s", &shard.to_string(), [record(n + 1, None, vec![event])])).await.unwrap();
        }
    });
    futures::future::join_all(writers).await;
    for store in [&handles[0], &handles[1], &place.open().await] {
        let snapshot = store.snapshot("logs").await.unwrap().unwrap();
        assert_eq!(
            snapshot.columns.iter().filter(|column| column.path.dotted().starts_with("key")).count(),
            12
        );
        assert_eq!(snapshot.columns.iter().filter(|column| column.path.dotted() == "odd").count(), 2);
        let events = support::events(store, "logs").await;
        assert_eq!(events.len(), 12);
        for event in events {
            let id: u64 = event.id.as_str().parse().unwrap();
            let key = format!("key{}_{}", id / 100, id % 100);
            assert_eq!(event.attributes.get(&key), Some(&((id % 100) as i64).into()));
        }
    }
}

async fn events_of_two_days_lie_in_two_partitions(place: Place) {
    let store = place.open().await;
    let mut events = vec![event("logs", 1, "fn"), event("logs", 2, "fn"), event("logs", 3, "fn")];
    events[0].timestamp = "2026-11-20T23:59:59.999999Z".parse().unwrap();
    events[1].timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
    events[2].timestamp = "1969-12-31T23:00:00Z".parse().unwrap();
    store.append(slice("s", "0", [record(1, None, events.clone())])).await.unwrap();
    assert_eq!(store.snapshot("logs").await.unwrap().unwrap().files, 3);
    assert_eq!(support::events(&store, "logs").await, events);
    let days = support::sql(&store, "logs", "SELECT date::text AS id FROM logs ORDER BY date").await;
    assert_eq!(days, ["1969-12-31", "2026-11-20", "2026-11-21"]);
    // Filters that only some files can answer.
    let late =
        "SELECT id FROM logs WHERE timestamp >= '2026-11-20T23:59:59.999999Z'::timestamptz ORDER BY id";
    assert_eq!(support::sql(&store, "logs", late).await, ["1", "2"]);
    assert_eq!(support::sql(&store, "logs", "SELECT id FROM logs WHERE date = '2026-11-21'").await, ["2"]);
    assert_eq!(support::sql(&store, "logs", "SELECT id FROM logs WHERE date > '2027-01-01'").await, [""; 0]);
    assert_eq!(support::sql(&store, "logs", "SELECT count(*)::text AS id FROM logs").await, ["3"]);
}

async fn a_snapshot_does_not_change_while_others_write(place: Place) {
    let store = place.open().await;
    store.append(slice("s", "0", [record(1, None, vec![event("logs", 1, "fn")])])).await.unwrap();
    let before = store.snapshot("logs").await.unwrap().unwrap();
    place
        .open()
        .await
        .append(slice("s", "0", [record(2, None, vec![event("logs", 2, "fn")])]))
        .await
        .unwrap();
    assert_eq!(support::scan(&before).await.len(), 1);
    let after = store.snapshot("logs").await.unwrap().unwrap();
    assert!(after.version > before.version);
    assert_eq!(support::scan(&after).await.len(), 2);
}

async fn many_commits_and_checkpoints_survive_reopening(place: Place) {
    let store = place.open().await;
    for n in 1..=110u64 {
        let batch = BatchId { sandbox: "sandbox".into(), sequence: n };
        store.append(slice("s", "0", [record(n, Some(batch), vec![event("logs", n, "fn")])])).await.unwrap();
    }
    let reopened = place.open().await;
    let again = (1..=111u64).map(|n| {
        let batch = BatchId { sandbox: "sandbox".into(), sequence: n };
        record(n, Some(batch), vec![event("logs", n, "fn")])
    });
    let appended = reopened.append(slice("s", "0", again.clone())).await.unwrap();
    assert_eq!((appended.events, appended.duplicates), (1, 110));
    // In another shard only the batch identities tell.
    let elsewhere = place.open().await.append(slice("s", "1", again)).await.unwrap();
    assert_eq!((elsewhere.events, elsewhere.duplicates), (0, 111));
    assert_eq!(support::ids(&place.open().await, "logs").await.len(), 111);
}

async fn what_is_not_there_is_none(place: Place) {
    let store = place.open().await;
    assert!(store.snapshot("logs").await.unwrap().is_none());
    assert_eq!(store.datasets().await.unwrap(), []);
    let appended = store.append(slice("s", "0", [])).await.unwrap();
    assert_eq!(appended, store::Appended::default());
}

async fn a_dataset_name_that_is_not_allowed_writes_nothing(place: Place) {
    let store = place.open().await;
    for name in ["", "..", ".hidden", "a/b", "a b", "ü", &"x".repeat(129)] {
        let events = vec![event("logs", 1, "fn"), event(name, 2, "fn")];
        let refused = store.append(slice("s", "0", [record(1, None, events)])).await;
        assert!(matches!(refused, Err(StoreError::DatasetName(_))), "{name}: {refused:?}");
        assert!(store.snapshot(name).await.is_err());
    }
    assert_eq!(store.datasets().await.unwrap(), []);
}

async fn letters_are_put_away_listed_and_taken_out(place: Place) {
    let store = place.open().await;
    assert_eq!(store.letter_files().await.unwrap(), []);
    let day = |text: &str| text.parse::<Timestamp>().unwrap();
    let put = async |time: &str, name: &str, bytes: &'static [u8]| {
        store.put_letters(day(time), name, bytes.into()).await.unwrap();
    };
    put("2026-11-20T10:00:00Z", "arn:a/shardId-0/42", b"two letters").await;
    put("2026-11-20T10:00:00Z", "arn:a/shardId-0/42", b"two letters").await;
    put("2026-11-19T23:59:59Z", "arn:a/shardId-0/41", b"one").await;

    let files = place.open().await.letter_files().await.unwrap();
    let shown: Vec<_> = files.iter().map(|file| (file.day.as_str(), file.bytes)).collect();
    assert_eq!(shown, [("2026-11-19", 3), ("2026-11-20", 11)], "the oldest first, each once");
    assert_eq!(store.read_letters(&files[1]).await.unwrap().unwrap(), "two letters");
    assert!(store.datasets().await.unwrap().is_empty(), "letters are no dataset");

    store.keep_letters(&files[1], Some("one".into())).await.unwrap();
    assert_eq!(store.read_letters(&files[1]).await.unwrap().unwrap(), "one");
    for _ in 0..2 {
        store.keep_letters(&files[1], None).await.unwrap();
        assert_eq!(store.read_letters(&files[1]).await.unwrap(), None);
    }
    assert_eq!(store.letter_files().await.unwrap(), files[..1]);
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_a_clear_error() {
    // Nothing listens there; no credentials are looked for elsewhere because some are given.
    let Some(_) = Place::s3() else { return };
    let location = Location::parse("s3://limelight-no-such-bucket/x").unwrap();
    let error = Store::open(&location, Options::default()).await.unwrap_err().to_string();
    assert!(error.contains("limelight-no-such-bucket"), "{error}");
}

async fn a_streams_progress_is_kept_and_goes_with_the_store(place: Place) {
    let store = place.open().await;
    assert!(store.progress("arn:a/b").await.unwrap().is_empty());
    let mut shards = BTreeMap::from([("0".to_owned(), Progress::After("49".to_owned()))]);
    store.keep_progress("arn:a/b", &shards).await.unwrap();
    shards.insert("1".to_owned(), Progress::Closed);
    store.keep_progress("arn:a/b", &shards).await.unwrap();

    assert_eq!(place.open().await.progress("arn:a/b").await.unwrap(), shards);
    let namesake = store.progress("arn:a_b").await.unwrap();
    assert!(namesake.is_empty(), "a stream that comes to the same file name: {namesake:?}");
    assert!(store.datasets().await.unwrap().is_empty(), "progress is no dataset");
}

async fn a_sign_of_life_is_asked_for_without_reading_anything(place: Place) {
    let store = place.open().await;
    store.ping().await.unwrap();
    store.append(slice("s", "0", [record(1, None, vec![event("logs", 1, "fn")])])).await.unwrap();
    store.ping().await.unwrap();
}

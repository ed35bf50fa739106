//! A tail sees every event once, whatever is committed, compacted or asked for again in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::{Event, Timestamp};
use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::collection::vec;
use proptest::prelude::*;
use query::Answer;
use serde_json::json;

use super::{event, ids, read, store, wait};
use crate::engine::tail::{Cursor, TailError};
use crate::{Compaction, Location, Options, SequencedRecord, ShardSlice, Store, Vacuum};

/// Commits some events, numbered from `first` on.
async fn commit(store: &Store, sequence: u64, first: usize, count: usize, age_ms: i64) {
    let events =
        (first..first + count).map(|number| event("logs", number, age_ms, json!({ "n": number }))).collect();
    commit_events(store, sequence, events).await;
}

async fn commit_events(store: &Store, sequence: u64, events: Vec<Event>) {
    let record = SequencedRecord { sequence: sequence.to_string().parse().unwrap(), batch: None, events };
    store
        .append(ShardSlice { stream: "s".to_owned(), shard: "1".to_owned(), records: vec![record] })
        .await
        .unwrap();
}

async fn open(objects: &Arc<InMemory>, options: Options) -> Store {
    Store::open(&Location::objects(objects.clone()), options).await.unwrap()
}

fn entry_path(dataset: &str, version: u64) -> Path {
    Path::from(format!("datasets/{dataset}/_delta_log/{version:020}.json"))
}

/// Why the look does not come about.
async fn no_look(store: &Store, text: &str, after: &str, until: Option<&str>) -> TailError {
    let until: Option<Cursor> = until.map(|until| until.parse().unwrap());
    store.tail(&read(text), &after.parse().unwrap(), until.as_ref()).await.unwrap_err()
}

async fn look(store: &Store, text: &str, after: &Cursor) -> (Answer, Cursor) {
    store.tail(&read(text), after, None).await.unwrap()
}

#[test]
fn what_came_before_is_not_seen_and_what_comes_is_seen_once() {
    wait(async {
        let store = store(&[vec![event("logs", 0, 10, json!({}))]]).await;
        let start = store.tail_start(&read("FROM logs")).await.unwrap();
        assert_eq!(start.to_string(), "logs:0");
        assert!(look(&store, "FROM logs", &start).await.0.events.is_empty());
        // Late ones too: it is when they came that counts.
        commit(&store, 1, 1, 2, 86_400_000).await;
        let (answer, reached) = look(&store, "FROM logs", &start).await;
        assert_eq!(ids(&answer), ["id-00001", "id-00002"]);
        assert!(look(&store, "FROM logs", &reached).await.0.events.is_empty());
        // The same cursor gives the same again, to whoever comes back.
        assert_eq!(
            ids(&store.tail(&read("FROM logs"), &start, Some(&reached)).await.unwrap().0),
            ["id-00001", "id-00002"]
        );
        assert_eq!(ids(&look(&store, "FROM logs WHERE n = 2", &start).await.0), ["id-00002"]);
    });
}

#[test]
fn compaction_is_nothing_new() {
    wait(async {
        let store = store(&[]).await;
        let start = Cursor::default();
        for number in 0..4 {
            commit(&store, number + 1, usize::try_from(number).unwrap(), 1, 90_000_000).await;
        }
        let (answer, reached) = look(&store, "FROM logs", &start).await;
        assert_eq!(answer.events.len(), 4);
        let mut compactor = store.compactor("logs", Compaction::default());
        let mut steps = 0;
        while compactor.step().await.unwrap().is_some() {
            steps += 1;
        }
        assert!(steps > 0);
        assert!(look(&store, "FROM logs", &reached).await.0.events.is_empty());
        // Whoever is behind still reads the files that it replaced.
        assert_eq!(look(&store, "FROM logs", &start).await.0.events.len(), 4);
    });
}

#[test]
fn a_dataset_that_is_not_there_yet_is_followed_from_its_first_event() {
    wait(async {
        let store = store(&[]).await;
        let start = store.tail_start(&read("FROM logs")).await.unwrap();
        assert_eq!(start, Cursor::default());
        commit(&store, 1, 0, 1, 10).await;
        assert_eq!(look(&store, "FROM logs", &start).await.0.events.len(), 1);
    });
}

#[test]
fn a_cursor_that_the_table_never_reached_is_of_another_table() {
    wait(async {
        let store = store(&[vec![event("logs", 0, 10, json!({}))]]).await;
        for after in ["logs:1", "logs:7", "logs:18446744073709551615"] {
            let error = no_look(&store, "FROM logs", after, None).await;
            assert!(matches!(error, TailError::Gone { .. }), "{after}: {error:?}");
        }
        let error = no_look(&store, "FROM logs", "logs:0", Some("logs:4")).await;
        assert!(matches!(error, TailError::Gone { .. }), "{error:?}");
        let error = no_look(&store, "FROM removed", "removed:3", None).await;
        assert!(matches!(error, TailError::Gone { .. }), "{error:?}");
    });
}

#[test]
fn what_was_compacted_and_vacuumed_away_is_gone_and_no_failure() {
    wait(async {
        let now = Timestamp::from(std::time::SystemTime::now());
        let time = Arc::new(AtomicI64::new(now.as_millis()));
        let told = Arc::clone(&time);
        let clock = Arc::new(move || Timestamp::from_millis(told.load(Ordering::SeqCst)));
        let options = Options { clock, ..Options::default() };
        let store = open(&Arc::default(), options).await;
        for number in 0..4 {
            commit(&store, number + 1, usize::try_from(number).unwrap(), 1, 90_000_000).await;
        }
        let mut compactor = store.compactor("logs", Compaction::default());
        while compactor.step().await.unwrap().is_some() {}
        let much_later = now.plus(Duration::from_hours(72));
        time.store(much_later.as_millis(), Ordering::SeqCst);
        assert_eq!(store.vacuum("logs", &Vacuum::default()).await.unwrap().files, 4);
        let error = no_look(&store, "FROM logs", "", None).await;
        assert!(matches!(&error, TailError::Gone { dataset, .. } if dataset == "logs"), "{error:?}");
        // From the compaction on nothing came.
        let start = store.tail_start(&read("FROM logs")).await.unwrap();
        assert!(look(&store, "FROM logs", &start).await.0.events.is_empty());
    });
}

#[test]
fn the_datasets_of_a_look_share_its_events_and_the_rest_comes_with_the_next() {
    wait(async {
        let store = store(&[]).await;
        let of = |dataset: &str, first: usize| {
            (first..first + 3_000).map(|n| event(dataset, n, 10, json!({}))).collect::<Vec<_>>()
        };
        for (at, (dataset, first)) in
            [("a", 0), ("a", 3_000), ("b", 6_000), ("b", 9_000)].into_iter().enumerate()
        {
            commit_events(&store, at as u64 + 1, of(dataset, first)).await;
        }
        let start = Cursor::default();
        let (answer, reached) = look(&store, "FROM a, b", &start).await;
        assert_eq!((answer.events.len(), reached.to_string().as_str()), (9_000, "a:0,b:1"));
        let (again, _) = store.tail(&read("FROM a, b"), &start, Some(&reached)).await.unwrap();
        assert_eq!(ids(&again), ids(&answer));
        assert_eq!(look(&store, "FROM a, b", &reached).await.0.events.len(), 3_000);
        let error = no_look(&store, "FROM a, b", "", Some("a:1,b:1")).await;
        assert!(matches!(&error, TailError::NoLook { dataset, version: 1 } if dataset == "a"), "{error:?}");
        let error = no_look(&store, "FROM a", "a:1", Some("a:0")).await;
        assert!(matches!(error, TailError::NoLook { .. }), "{error:?}");
    });
}

#[test]
fn a_look_has_no_more_entries_than_it_may() {
    wait(async {
        let objects = Arc::new(InMemory::new());
        commit(&open(&objects, Options::default()).await, 1, 0, 1, 10).await;
        for version in 1..=721 {
            objects.put(&entry_path("logs", version), "{\"commitInfo\":{}}".into()).await.unwrap();
        }
        let store = open(&objects, Options::default()).await;
        let after: Cursor = "logs:0".parse().unwrap();
        assert_eq!(look(&store, "FROM logs", &after).await.1.to_string(), "logs:720");
        let error = no_look(&store, "FROM logs", "logs:0", Some("logs:721")).await;
        assert!(matches!(error, TailError::NoLook { .. }), "{error:?}");
    });
}

#[test]
fn events_that_the_log_does_not_count_are_seen_all_the_same() {
    wait(async {
        let objects = Arc::new(InMemory::new());
        commit(&open(&objects, Options::default()).await, 1, 0, 3, 10).await;
        // As a program writes it that keeps no statistics.
        let path = entry_path("logs", 0);
        let entry = objects.get(&path).await.unwrap().bytes().await.unwrap();
        let mut lines = Vec::new();
        for line in std::str::from_utf8(&entry).unwrap().lines() {
            let mut action: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(add) = action.get_mut("add") {
                add.as_object_mut().unwrap().remove("stats");
            }
            lines.push(action.to_string());
        }
        objects.put(&path, lines.join("\n").into()).await.unwrap();
        let store = open(&objects, Options::default()).await;
        assert_eq!(look(&store, "FROM logs", &Cursor::default()).await.0.events.len(), 3);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn every_event_is_seen_once_whenever_somebody_looks(steps in vec((1..4_usize, 0..100_000_000_i64, any::<bool>()), 1..8)) {
        wait(async {
            let store = store(&[]).await;
            let (mut cursor, mut seen, mut written) = (Cursor::default(), Vec::new(), 0);
            for (at, (count, age_ms, looks)) in steps.iter().enumerate() {
                commit(&store, at as u64 + 1, written, *count, *age_ms).await;
                written += count;
                if *looks {
                    let (answer, reached) = look(&store, "FROM logs", &cursor).await;
                    seen.extend(ids(&answer));
                    cursor = reached.to_string().parse().unwrap();
                }
            }
            seen.extend(ids(&look(&store, "FROM logs", &cursor).await.0));
            seen.sort();
            let all: Vec<String> = (0..written).map(|number| format!("id-{number:05}")).collect();
            assert_eq!(seen, all);
        });
    }

    #[test]
    fn no_text_makes_the_cursor_panic(text in "[a-z:,0-9-]{0,20}") {
        if let Ok(cursor) = text.parse::<Cursor>() {
            prop_assert_eq!(cursor.to_string().parse::<Cursor>(), Ok(cursor));
        }
    }
}

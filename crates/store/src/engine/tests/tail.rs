//! A tail sees every event once, whatever is committed, compacted or asked for again in between.

use proptest::collection::vec;
use proptest::prelude::*;
use query::Answer;
use serde_json::json;

use super::{event, ids, read, store, wait};
use crate::engine::tail::Cursor;
use crate::{Compaction, SequencedRecord, ShardSlice, Store};

/// Commits some events, numbered from `first` on.
async fn commit(store: &Store, sequence: u64, first: usize, count: usize, age_ms: i64) {
    let events =
        (first..first + count).map(|number| event("logs", number, age_ms, json!({ "n": number }))).collect();
    let record = SequencedRecord { sequence: sequence.to_string().parse().unwrap(), batch: None, events };
    store
        .append(ShardSlice { stream: "s".to_owned(), shard: "1".to_owned(), records: vec![record] })
        .await
        .unwrap();
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

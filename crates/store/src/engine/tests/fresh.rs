//! What has just come, in many small files: read as one, and by the times that the log knows, with the same answers.

use std::sync::Arc;

use model::{Event, Timestamp};
use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::collection::vec;
use proptest::prelude::*;
use query::{Query, RunError, Runner as _, Timeframe};
use serde_json::json;

use super::{ask, event, ids, now, read, store, wait};
use crate::{Location, Options, SequencedRecord, ShardSlice, Store};

/// So many commits of two events each, a second apart.
fn commits(count: usize) -> Vec<Vec<Event>> {
    let of = |number: usize| event("logs", number, number as i64 * 500, json!({ "n": number % 7, "k": "x" }));
    (0..count).map(|commit| vec![of(2 * commit), of(2 * commit + 1)]).collect()
}

#[test]
fn small_files_answer_as_one_large_one_whether_they_are_read_apart_or_were_put_together() {
    wait(async {
        let large = store(&[commits(75).concat()]).await;
        for text in [
            "COUNT as n, MAX(n) as max FROM logs GROUP BY n EVERY 10s",
            "COUNT_DISTINCT(n) FROM logs WHERE n > 2",
            "FROM logs WHERE n = 3 LIMIT 1000",
            "FROM logs SEARCH x LIMIT 9",
        ] {
            let small = store(&commits(75)).await;
            let few = ask(&large, text).await;
            for _ in ["apart", "together"] {
                let many = ask(&small, text).await;
                assert_eq!((&few.aggregates, &few.series), (&many.aggregates, &many.series), "{text}");
                assert_eq!(ids(&few), ids(&many), "{text}");
                assert_eq!(many.statistics.files_read, 75, "{text}");
                small.engine().held().settled().await;
            }
        }
    });
}

#[test]
fn the_first_question_waits_for_no_merge_and_a_later_one_finds_it() {
    wait(async {
        let small = store(&commits(75)).await;
        let text = "COUNT as n FROM logs WHERE k = x EVERY NONE";
        let first = ask(&small, text).await.statistics.bytes_read;
        small.engine().held().settled().await;
        let later = ask(&small, text).await.statistics.bytes_read;
        assert!(later * 4 < first, "{later} of {first} bytes");
    });
}

#[test]
fn a_damaged_small_file_is_told_by_whoever_needs_it_and_by_nobody_else() {
    wait(async {
        let objects = Arc::new(InMemory::new());
        let store = Store::open(&Location::objects(objects.clone()), Options::default()).await.unwrap();
        for (number, events) in commits(9).into_iter().enumerate() {
            let sequence = (number + 1).to_string().parse().unwrap();
            let record = SequencedRecord { sequence, batch: None, events };
            let slice = ShardSlice { stream: "s".to_owned(), shard: "0".to_owned(), records: vec![record] };
            store.append(slice).await.unwrap();
        }
        let view = store.table("logs").unwrap().view(store.since()).await.unwrap().unwrap();
        let newest = view.files.iter().max_by_key(|file| file.span().1).unwrap();
        let path = Path::from(format!("datasets/logs/{}", newest.path));
        let bytes = usize::try_from(newest.bytes).unwrap();
        objects.put(&path, vec![0; bytes].into()).await.unwrap();
        for _ in ["apart", "after a merge that was not possible"] {
            let broken = store.run(&read("COUNT FROM logs WHERE k = x")).await;
            assert!(matches!(broken, Err(RunError::Failed(_))), "{broken:?}");
            store.engine().held().settled().await;
        }
        let mut earlier = read("COUNT as n FROM logs WHERE k = x");
        earlier.timeframe.to = Timestamp::from_millis(now().as_millis() - 3_000);
        let answer = store.run(&earlier).await.unwrap();
        assert_eq!(answer.aggregates[0].values["n"], 11);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_event_is_found_in_its_time_and_in_no_other(
        ages_s in vec(vec(0..200_i64, 1..4), 1..24),
        (from_s, length_s) in (0..200_i64, 1..200_i64),
    ) {
        wait(async {
            let mut number = 0;
            let mut of = |age_s: &i64| {
                number += 1;
                event("logs", number, age_s * 1_000, json!({ "k": "x" }))
            };
            let parts: Vec<Vec<Event>> = ages_s.iter().map(|ages| ages.iter().map(&mut of).collect()).collect();
            let store = store(&parts).await;
            let at = |age_s: i64| Timestamp::from_millis(now().as_millis() - age_s * 1_000);
            let times = Timeframe { from: at(from_s + length_s), to: at(from_s) };
            let mut expected: Vec<String> = parts.concat().iter()
                .filter(|event| event.timestamp >= times.from && event.timestamp < times.to)
                .map(|event| event.id.as_str().to_owned())
                .collect();
            expected.sort();
            for conditions in ["", " WHERE k = x"] {
                let found = Query { timeframe: times, ..read(&format!("FROM logs{conditions} LIMIT 1000")) };
                let mut found = ids(&store.run(&found).await.unwrap());
                found.sort();
                prop_assert_eq!(&found, &expected);
                let counted = Query { timeframe: times, ..read(&format!("COUNT as n FROM logs{conditions} EVERY NONE")) };
                let counted = store.run(&counted).await.unwrap();
                prop_assert_eq!(&counted.aggregates[0].values["n"], &json!(expected.len()));
                store.engine().held().settled().await;
            }
            Ok(())
        })?;
    }
}

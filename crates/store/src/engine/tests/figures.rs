//! Figures beyond one calculation per group: formulas, chosen groups, the others, earlier times, samples, zones.

use model::Value;
use query::{Aggregate, Answer};
use serde_json::json;

use super::{ask, event, store, wait};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn value(aggregate: &Aggregate, label: &str) -> serde_json::Value {
    aggregate.values[label].clone()
}

fn groups(answer: &Answer, key: &str) -> Vec<serde_json::Value> {
    answer.aggregates.iter().filter(|row| !row.others).map(|row| row.groups[key].clone()).collect()
}

#[test]
fn a_rate_of_errors_per_group_chooses_and_orders() {
    wait(async {
        let line = |number: usize, function: &str, level: &str| {
            event("logs", number, 1_000 + number as i64, json!({ "fn": function, "level": level }))
        };
        let mut events: Vec<_> =
            (0..8).map(|n| line(n, "good", if n < 1 { "error" } else { "info" })).collect();
        events.extend((8..12).map(|n| line(n, "bad", if n < 11 { "error" } else { "info" })));
        events.push(line(12, "silent", "info"));
        let store = store(&[events]).await;
        let asked = "COUNT as total, COUNT IF (level = error) as errors, errors / total * 100 as rate FROM logs \
                     GROUP BY fn HAVING rate > 0 AND total >= 2 ORDER BY rate";
        let answer = ask(&store, asked).await;
        assert_eq!(groups(&answer, "fn"), ["bad", "good"]);
        assert_eq!(value(&answer.aggregates[0], "rate"), json!(75));
        assert_eq!(value(&answer.aggregates[1], "rate"), json!(12.5));
        assert_eq!(value(&answer.aggregates[1], "errors"), json!(1));
        assert_eq!(answer.series[0].data.len(), 2, "the series has the chosen groups only");
    });
}

#[test]
fn what_divides_by_zero_or_has_no_part_has_no_value() {
    wait(async {
        let store = store(&[vec![event("logs", 0, 1_000, json!({ "a": 0, "b": 4 }))]]).await;
        let answer = ask(
            &store,
            "SUM(b) / SUM(a) as by_zero, SUM(b) / SUM(c) as missing, sqrt(0 - SUM(b)) as root, SUM(b) % 3 as rest, \
             SUM(a) ^ -1 as pole, sqrt(SUM(b)) as two, SUM(b) ^ 2 as square FROM logs",
        )
        .await;
        let values = &answer.aggregates[0].values;
        assert_eq!(
            (&values["by_zero"], &values["missing"], &values["root"]),
            (&json!(null), &json!(null), &json!(null))
        );
        assert_eq!(values["pole"], json!(null));
        assert_eq!((&values["rest"], &values["two"], &values["square"]), (&json!(1), &json!(2), &json!(16)));
    });
}

#[test]
fn a_derived_key_stands_wherever_a_key_can() {
    wait(async {
        let events =
            (0..6).map(|n| event("logs", n, 1_000 + n as i64, json!({ "ms": n * 500, "by": 1 - n % 2 })));
        let store = store(&[events.collect()]).await;
        let derive = "DERIVE seconds = ms / 1000, odd = ms / by";
        let answer = ask(
            &store,
            &format!("MAX(seconds) as max, COUNT_DISTINCT(odd) as odds FROM logs {derive} WHERE seconds >= 1 GROUP BY seconds"),
        )
        .await;
        assert_eq!(groups(&answer, "seconds"), [json!(2.5), json!(2), json!(1.5), json!(1)]);
        assert_eq!(value(&answer.aggregates[0], "odds"), json!(0));
        let missing = ask(&store, &format!("FROM logs {derive} WHERE odd DOES_NOT_EXIST")).await;
        assert_eq!(missing.events.len(), 3, "a division by zero leaves the key out");
    });
}

#[test]
fn the_groups_beyond_the_limit_are_one_row() {
    wait(async {
        let sizes = [("a", 5), ("b", 3), ("c", 2), ("d", 1)];
        let all = sizes.iter().flat_map(|(name, size)| std::iter::repeat_n(*name, *size));
        let events = all.enumerate().map(|(n, name)| event("logs", n, 1_000, json!({ "k": name, "v": n })));
        let store = store(&[events.collect()]).await;
        let answer =
            ask(&store, "COUNT as n, MAX(v) as max FROM logs GROUP BY k LIMIT 2 OTHERS EVERY 1h").await;
        assert_eq!(groups(&answer, "k"), ["a", "b"]);
        let others = answer.aggregates.last().unwrap();
        assert!(others.others && others.groups.is_empty());
        assert_eq!((value(others, "n"), value(others, "max")), (json!(3), json!(10)));
        let in_series = answer.series[0].data.last().unwrap();
        assert!(in_series.others);
        assert_eq!(in_series.aggregates["n"], json!(3));
        let whole = ask(&store, "COUNT as n FROM logs GROUP BY k LIMIT 4 OTHERS").await;
        assert!(whole.aggregates.iter().all(|row| !row.others), "there are no others");
        let chosen = ask(&store, "COUNT as n FROM logs GROUP BY k HAVING n > 0 LIMIT 9 OTHERS").await;
        assert!(chosen.aggregates.iter().all(|row| !row.others), "nor are there when all were chosen");
    });
}

#[test]
fn an_earlier_time_stands_beside_this_one() {
    wait(async {
        let now = (0..3)
            .map(|n| event("logs", n, 10 * MINUTE_MS, json!({ "k": if n == 2 { "new" } else { "old" } })));
        let then = (3..8).map(|n| event("logs", n, DAY_MS + 10 * MINUTE_MS, json!({ "k": "old" })));
        let store = store(&[now.collect(), then.collect()]).await;
        let answer = ask(&store, "COUNT as n FROM logs GROUP BY k LAST 1h EVERY 5m COMPARE 1d").await;
        assert_eq!(groups(&answer, "k"), ["old", "new"]);
        assert_eq!(answer.aggregates[0].previous.as_ref().unwrap()["n"], json!(5));
        assert_eq!(answer.aggregates[1].previous, None);
        assert_eq!(answer.previous[0].time, answer.series[0].time, "both lie over each other");
        assert_eq!(answer.previous[0].data[0].aggregates["n"], json!(5));
        let plain = ask(&store, "COUNT as n FROM logs LAST 1h COMPARE 1d").await;
        assert_eq!(plain.aggregates[0].previous.as_ref().unwrap()["n"], json!(5));
    });
}

#[test]
fn of_an_earlier_time_only_the_groups_of_now_are_looked_at() {
    wait(async {
        let now = vec![event("logs", 0, MINUTE_MS, json!({ "k": "a" }))];
        let then = (1..50).map(|n| {
            let k = if n == 1 { "a".to_owned() } else { format!("k-{n}") };
            event("logs", n, DAY_MS + MINUTE_MS, json!({ "k": k }))
        });
        let store = store(&[now, then.collect()]).await;
        let answer = ask(&store, "EXPLAIN COUNT as n FROM logs GROUP BY k LAST 1h EVERY 5m COMPARE 1d").await;
        assert_eq!(answer.previous[0].data.len(), 1);
        let rows: Vec<u64> =
            answer.explanation.unwrap().statements.iter().map(|statement| statement.rows).collect();
        assert_eq!(rows.last(), Some(&1), "buckets of groups that are not shown: {rows:?}");
    });
}

#[test]
fn what_is_said_of_samples_is_said_of_all_that_is_shown() {
    wait(async {
        let events = (0..9).map(|n| {
            let mut sample = event("logs", n, 1_000, json!({ "k": format!("k-{}", n / 4) }));
            sample.attributes.insert("$limelight.samplingInterval".to_owned(), Value::Float(10.0));
            sample
        });
        let store = store(&[events.collect()]).await;
        let told = |answer: &Answer| answer.notes.iter().find(|note| note.contains("samples")).cloned();
        let first = ask(&store, "COUNT FROM logs GROUP BY k LIMIT 1").await;
        assert!(told(&first).unwrap().contains("of 4 stored events"), "{:?}", first.notes);
        let others = ask(&store, "COUNT FROM logs GROUP BY k LIMIT 1 OTHERS").await;
        assert!(told(&others).unwrap().contains("of 9 stored events"), "{:?}", others.notes);
        // Whether those that were found are samples, the schema does not say.
        assert!(told(&others).unwrap().starts_with("events may be samples"), "{:?}", others.notes);
    });
}

#[test]
fn samples_count_as_often_as_they_say() {
    wait(async {
        let mut events: Vec<_> = (0..4)
            .map(|n| {
                let mut sample = event("logs", n, 1_000 + n as i64, json!({ "d": 10 }));
                sample.attributes.insert("$limelight.samplingInterval".to_owned(), Value::Float(10.0));
                sample
            })
            .collect();
        events.push(event("logs", 4, 2_000, json!({ "d": 210 })));
        let store = store(&[events]).await;
        let answer = ask(
            &store,
            "COUNT as n, SUM(d) as sum, AVG(d) as avg, MEDIAN(d) as median, P99(d) as p99, MAX(d) as max, \
             COUNT IF (d > 100) as slow, COUNT_DISTINCT(d) as different FROM logs",
        )
        .await;
        let row = &answer.aggregates[0];
        assert_eq!(value(row, "n"), json!(41));
        assert_eq!(value(row, "sum"), json!(610));
        assert!((value(row, "avg").as_f64().unwrap() - 610.0 / 41.0).abs() < 1e-9);
        assert_eq!(
            (value(row, "median"), value(row, "slow"), value(row, "different")),
            (json!(10), json!(1), json!(2))
        );
        // Rank 39.6 of 0 to 40: between the last of the forty and the slow one.
        assert!((value(row, "p99").as_f64().unwrap() - 130.0).abs() < 1e-6, "{row:?}");
        assert_eq!(value(row, "_count"), json!(5));
        assert!(answer.notes[0].contains("of 5 stored events"), "{:?}", answer.notes);
    });
}

#[test]
fn days_begin_where_the_zone_is_also_when_clocks_change() {
    wait(async {
        let at = |number: usize, time: &str| {
            let mut event = event("logs", number, 0, json!({}));
            event.timestamp = time.parse().unwrap();
            event
        };
        let events =
            ["2026-10-24T21:59:00Z", "2026-10-24T22:01:00Z", "2026-10-25T22:59:00Z", "2026-10-25T23:01:00Z"];
        let store = store(&[events.iter().enumerate().map(|(n, time)| at(n, time)).collect()]).await;
        let asked = "COUNT as n FROM logs SINCE 2026-10-24 UNTIL 2026-10-27 EVERY 1d TIMEZONE Europe/Berlin";
        let answer = ask(&store, asked).await;
        let days: Vec<(String, i64)> = answer
            .series
            .iter()
            .map(|bucket| {
                let time = model::Timestamp::from_millis(bucket.time).to_string();
                (time, bucket.data[0].aggregates["n"].as_i64().unwrap())
            })
            .collect();
        let expected = [
            ("2026-10-23T22:00:00.000Z", 1),
            ("2026-10-24T22:00:00.000Z", 2),
            ("2026-10-25T23:00:00.000Z", 1),
        ];
        assert_eq!(days, expected.map(|(time, count)| (time.to_owned(), count)));
    });
}

#[test]
fn messages_that_differ_in_their_data_are_one_pattern() {
    wait(async {
        let line =
            |n: usize, message: String| event("logs", n, 1_000 + n as i64, json!({ "message": message }));
        let mut events: Vec<_> = (0..5).map(|n| line(n, format!("order {n} paid"))).collect();
        events.push(line(5, "card refused".to_owned()));
        let store = store(&[events]).await;
        let answer = ask(&store, "COUNT as n FROM logs GROUP BY $limelight.pattern").await;
        assert_eq!(groups(&answer, "$limelight.pattern"), ["order <num> paid", "card refused"]);
        assert_eq!(value(&answer.aggregates[0], "n"), json!(5));
        let of_one = ask(&store, "FROM logs WHERE $limelight.pattern = \"order <num> paid\"").await;
        assert_eq!(of_one.events.len(), 5);
    });
}

#[test]
fn an_explained_answer_tells_its_statements() {
    wait(async {
        let store = store(&[vec![event("logs", 0, 1_000, json!({ "a": 1 }))]]).await;
        assert_eq!(ask(&store, "COUNT FROM logs").await.explanation, None);
        let explanation =
            ask(&store, "EXPLAIN COUNT FROM logs GROUP BY a EVERY 5m").await.explanation.unwrap();
        assert!(explanation.query.starts_with("EXPLAIN COUNT FROM logs GROUP BY a"), "{}", explanation.query);
        // Few events are read once for the groups and for their buckets.
        let sql: Vec<&str> = explanation.statements.iter().map(|statement| statement.sql.as_str()).collect();
        assert!(
            matches!(sql[..], [read, groups, buckets]
            if read.contains("\"logs\"") && groups.contains("FROM \"$kept\"") && buckets.contains("FROM \"$kept\"")),
            "{sql:?}"
        );
        let plan = explanation.statements[0].plan.join("\n");
        assert!(plan.contains("DataSourceExec") && plan.contains("bytes_scanned"), "{plan}");
    });
}

#[test]
fn figures_that_follow_from_their_buckets_are_read_once_and_are_the_same() {
    wait(async {
        let events = (0..40).map(|n| {
            let keys = if n % 3 == 0 { json!({}) } else { json!({ "d": n * 2 }) };
            event("logs", n, 1_000 + n as i64 * 20_000, keys)
        });
        let then = (40..50).map(|n| event("logs", n, DAY_MS + 1_000, json!({ "d": 7 })));
        let store = store(&[events.collect(), then.collect()]).await;
        let asked = "COUNT as n, COUNT IF (d >= 0) as has, SUM(d) as sum, MIN(d) as min, MAX(d) as max, SUM(none) as none";
        let once = ask(&store, &format!("EXPLAIN {asked} FROM logs LAST 1h EVERY 1m")).await;
        assert_eq!(once.explanation.unwrap().statements.len(), 1);
        // A percentile of buckets says nothing of the whole: two statements, after one that found too many events to
        // keep them.
        let twice = ask(&store, &format!("EXPLAIN {asked}, MEDIAN(d) FROM logs LAST 1h EVERY 1m")).await;
        assert_eq!(twice.explanation.unwrap().statements.len(), 3);
        assert_eq!(once.series.len(), twice.series.len());
        for label in ["n", "has", "sum", "min", "max", "none", "_count", "_firstSeen", "_lastSeen"] {
            assert_eq!(value(&once.aggregates[0], label), value(&twice.aggregates[0], label), "{label}");
        }
        let compared = ask(&store, &format!("{asked} FROM logs LAST 1h EVERY 1m COMPARE 1d")).await;
        assert_eq!(compared.aggregates[0].previous.as_ref().unwrap()["sum"], json!(70));
        assert_eq!(compared.previous.len(), 1);
        let nothing = ask(&store, &format!("{asked} FROM logs LAST 1h EVERY 1m COMPARE 5d")).await;
        assert_eq!(nothing.aggregates[0].previous.as_ref().unwrap()["n"], json!(0));
    });
}

//! What a user meets.

use query::{Query, RunError, Runner as _};
use serde_json::json;

use super::{ask, event, ids, now, refused, store, wait};

#[test]
fn figures_per_group_in_order_with_a_series() {
    wait(async {
        let durations = [("a", 10.5), ("a", 20.0), ("a", 30.0), ("b", 400.0), ("b", 2.0)];
        let events = durations.iter().enumerate().map(|(number, (function, duration))| {
            event(
                "lambda-logs",
                number,
                60_000 * number as i64 + 1,
                json!({ "fn": function, "@duration": duration }),
            )
        });
        let store = store(&[events.collect()]).await;
        let answer =
            ask(&store, "COUNT as n, MAX(@duration) as max, MEDIAN(@duration) GROUP BY fn EVERY 1m").await;
        assert_eq!(
            serde_json::to_value(&answer.aggregates).unwrap(),
            json!([
                { "groups": { "fn": "a" }, "values": {
                    "n": 3, "max": 30, "MEDIAN(@duration)": 20, "_count": 3,
                    "_firstSeen": now().as_millis() - 120_001, "_lastSeen": now().as_millis() - 1 } },
                { "groups": { "fn": "b" }, "values": {
                    "n": 2, "max": 400, "MEDIAN(@duration)": 201, "_count": 2,
                    "_firstSeen": now().as_millis() - 240_001, "_lastSeen": now().as_millis() - 180_001 } },
            ])
        );
        let times: Vec<i64> = answer.series.iter().map(|bucket| now().as_millis() - bucket.time).collect();
        assert_eq!(times, [300_000, 240_000, 180_000, 120_000, 60_000]);
        let by_max = ask(&store, "MAX(@duration) as max GROUP BY fn ORDER BY max DESC LIMIT 1").await;
        assert_eq!(by_max.aggregates[0].groups["fn"], "b");
        assert_eq!(by_max.aggregates.len(), 1);
        assert!(by_max.notes[0].contains("more than 1 groups"), "{:?}", by_max.notes);
        assert!(by_max.series.iter().all(|bucket| bucket.data.iter().all(|data| data.groups["fn"] == "b")));
    });
}

#[test]
fn without_groups_there_is_always_one_row() {
    wait(async {
        let store = store(&[vec![event("logs", 0, 1, json!({ "a": 1 }))]]).await;
        let answer = ask(&store, "COUNT, AVG(a) FROM logs WHERE a = 2").await;
        assert_eq!(answer.aggregates.len(), 1);
        let values = serde_json::to_value(&answer.aggregates[0].values).unwrap();
        assert_eq!(
            values,
            json!({ "COUNT": 0, "AVG(a)": null, "_count": 0, "_firstSeen": null, "_lastSeen": null })
        );
        assert!(answer.series.is_empty());
    });
}

#[test]
fn events_come_back_whole_and_newest_first() {
    wait(async {
        let attributes =
            json!({ "data": { "user": { "id": 7 } }, "tags": ["x"], "none": null, "http.route": "/pay" });
        let mut whole = event("logs", 0, 5_000, attributes.clone());
        whole.message = Some("paid".to_owned());
        let store =
            store(&[vec![whole], vec![event("logs", 1, 1_000, json!({ "big": 9_007_199_254_740_993_i64 }))]])
                .await;
        let answer = ask(&store, "FROM logs").await;
        assert_eq!(ids(&answer), ["id-00001", "id-00000"]);
        assert_eq!(answer.events[0]["big"], json!(9_007_199_254_740_993_i64));
        let event = &answer.events[1];
        assert_eq!((&event["message"], &event["data"]["user"]["id"]), (&json!("paid"), &json!(7)));
        assert_eq!(
            (&event["tags"], &event["none"], &event["http.route"]),
            (&json!(["x"]), &json!(null), &json!("/pay"))
        );
        assert_eq!(event["$limelight"]["namespace"], "checkout");
        assert_eq!(ids(&ask(&store, "FROM logs LIMIT 1").await), ["id-00001"]);
        assert_eq!(
            ids(&ask(&store, "FROM logs ORDER BY $limelight.timestamp ASC LIMIT 1").await),
            ["id-00000"]
        );
        assert!(answer.fields.iter().any(|field| field.name == "data.user.id" && field.r#type == "number"));
    });
}

#[test]
fn several_datasets_are_one_answer() {
    wait(async {
        let store = store(&[vec![
            event("logs", 0, 3_000, json!({ "a": 1, "only": "here" })),
            event("otel", 1, 2_000, json!({ "a": "1", "b": 2.5 })),
            event("otel", 2, 1_000, json!({ "a": 1 })),
        ]])
        .await;
        assert_eq!(ids(&ask(&store, "FROM *").await), ["id-00002", "id-00001", "id-00000"]);
        assert_eq!(ids(&ask(&store, "FROM logs, otel WHERE a = 1 LIMIT 2").await), ["id-00002", "id-00001"]);
        let answer = ask(&store, "COUNT, SUM(b), COUNT_DISTINCT(a) FROM * GROUP BY $limelight.dataset").await;
        let rows: Vec<_> =
            answer.aggregates.iter().map(|row| (&row.groups["$limelight.dataset"], &row.values)).collect();
        assert_eq!(
            (rows[0].0, &rows[0].1["COUNT"], &rows[0].1["SUM(b)"]),
            (&json!("otel"), &json!(2), &json!(2.5))
        );
        assert_eq!(
            (rows[1].0, &rows[1].1["COUNT"], &rows[1].1["SUM(b)"]),
            (&json!("logs"), &json!(1), &json!(null))
        );
        let mixed = ask(&store, "COUNT FROM * GROUP BY a").await;
        assert_eq!(mixed.aggregates.len(), 1);
        assert_eq!(mixed.aggregates[0].groups["a"], "1");
    });
}

#[test]
fn a_trace_is_found_by_its_id_in_every_dataset() {
    wait(async {
        let id = "5b8aa5a2d2c872e8321cf37308d69df2".parse().unwrap();
        let traced = |dataset: &str, number, age| {
            let mut event = event(dataset, number, age, json!({}));
            event.trace_id = Some(id);
            event
        };
        let store =
            store(&[vec![traced("otel", 0, 500), event("otel", 1, 400, json!({})), traced("logs", 2, 300)]])
                .await;
        let answer = store.run(&Query::trace(id, super::read("").timeframe)).await.unwrap();
        assert_eq!(ids(&answer), ["id-00000", "id-00002"]);
    });
}

#[test]
fn a_key_or_dataset_that_is_not_there_is_named() {
    wait(async {
        let store = store(&[vec![event("logs", 0, 1, json!({ "userId": "x" }))]]).await;
        let answer = ask(&store, "FROM logs WHERE userid = x").await;
        assert!(answer.events.is_empty());
        assert_eq!(answer.notes, ["no event in logs has the key userid; did you mean userId?"]);
        let RunError::UnknownDataset { name, known } = refused(&store, "FROM lgos").await else { panic!() };
        assert_eq!((name.as_str(), known), ("lgos", vec!["logs".to_owned()]));
        let empty = super::store(&[]).await;
        let error = refused(&empty, "COUNT").await.to_string();
        assert!(error.contains("nothing was ingested"), "{error}");
        assert!(ask(&empty, "COUNT FROM *").await.notes[0].contains("nothing was ingested"));
    });
}

#[test]
fn days_outside_the_timeframe_are_not_read() {
    wait(async {
        let day = 24 * 3_600_000;
        let parts: Vec<_> =
            (0..4).map(|age| vec![event("logs", age, age as i64 * day + 1_000, json!({ "a": 1 }))]).collect();
        let store = store(&parts).await;
        let recent = ask(&store, "COUNT FROM logs LAST 1h EVERY NONE").await.statistics;
        assert_eq!((recent.files_read, recent.files_skipped, recent.rows_read), (1, 3, 1));
        assert!(recent.bytes_read > 0);
        let all = ask(&store, "COUNT FROM logs LAST 5d EVERY NONE").await;
        assert_eq!((all.statistics.files_read, &all.aggregates[0].values["COUNT"]), (4, &json!(4)));
    });
}

#[test]
fn hostile_values_stay_values() {
    wait(async {
        let value = "'; DROP TABLE logs; -- \" \\ % _ \u{0} é";
        let key = "a\"b'c`d";
        let store = store(&[vec![
            event("logs", 0, 1, json!({ key: value })),
            event("logs", 1, 1, json!({ "a": "C:\\temp\\file" })),
        ]])
        .await;
        for test in ["=", "INCLUDES", "STARTS_WITH"] {
            let filter = json!({ "key": key, "operation": test, "value": value, "type": "string" });
            let query =
                query::from_json(&json!({ "datasets": ["logs"], "filters": [filter] }), now()).unwrap();
            assert_eq!(ids(&store.run(&query).await.unwrap()), ["id-00000"], "{test}");
        }
        // The optimizer would read the backslash of a literal pattern as LIKE's escape.
        for filter in
            [r"MATCH_REGEX /C:\\temp/", r"MATCH_REGEX /(?:C:\\temp)/", r"MATCH_REGEX /^C:\\temp\\file$/"]
        {
            assert_eq!(
                ids(&ask(&store, &format!("FROM logs WHERE a {filter}")).await),
                ["id-00001"],
                "{filter}"
            );
        }
        assert_eq!(ids(&ask(&store, r#"FROM logs SEARCH "c:\\temp""#).await), ["id-00001"]);
    });
}

#[test]
fn the_deepest_filter_that_is_allowed_does_not_exhaust_the_stack() {
    wait(async {
        let store = store(&[vec![event("logs", 0, 1, json!({ "a": 1, "b": 2 }))]]).await;
        let mut filter = "a = 1".to_owned();
        for depth in 0.. {
            let deeper = if depth % 2 == 0 {
                format!("NOT (b = 1 OR {filter})")
            } else {
                format!("(a = 1 AND {filter})")
            };
            if query::parse_text(&format!("WHERE ({deeper}) OR b = 2"), now()).is_err() {
                break;
            }
            filter = deeper;
        }
        let long = vec!["b = 2"; 150].join(" OR ");
        ask(&store, &format!("COUNT FROM logs WHERE ({filter}) OR ({long})")).await;
    });
}

#[test]
fn keys_without_a_column_are_queried_all_the_same() {
    wait(async {
        let options = crate::Options { columns_max: 1, ..crate::Options::default() };
        let events = vec![
            event("logs", 0, 3_000, json!({ "a": 1, "data": { "user": "x", "n": 2.5 }, "flag": true })),
            event("logs", 1, 2_000, json!({ "a": 2, "data": { "user": 7 }, "list": ["needle"] })),
        ];
        let store = super::store_of(&[events], options).await;
        for (filter, expected) in [
            ("data.user = x", vec!["id-00000"]),
            ("data.user = 7", vec!["id-00001"]),
            ("data.n > 2", vec!["id-00000"]),
            ("data.n != 2.5", vec!["id-00001"]),
            ("flag = true OR a = 2", vec!["id-00001", "id-00000"]),
            ("list EXISTS AND data EXISTS", vec!["id-00001"]),
            ("flag DOES_NOT_EXIST", vec!["id-00001"]),
        ] {
            assert_eq!(ids(&ask(&store, &format!("FROM logs WHERE {filter}")).await), expected, "{filter}");
        }
        assert_eq!(ids(&ask(&store, "FROM logs SEARCH NEEDLE").await), ["id-00001"]);
        let answer = ask(&store, "COUNT, SUM(data.n) as sum FROM logs GROUP BY data.user ORDER BY sum").await;
        assert_eq!(
            (&answer.aggregates[0].groups["data.user"], &answer.aggregates[0].values["sum"]),
            (&json!("x"), &json!(2.5))
        );
        assert_eq!(answer.aggregates[1].groups["data.user"], "7");
    });
}

#[test]
fn the_series_of_a_thousand_groups_of_many_holds_only_those() {
    wait(async {
        let events = (0..1_500).map(|n| event("logs", n, n as i64 * 2_000, json!({ "id": n, "x": n % 7 })));
        let store = store(&[events.collect()]).await;
        let answer = ask(&store, "COUNT FROM logs GROUP BY id, x LIMIT 1000 EVERY 2s").await;
        assert_eq!(answer.aggregates.len(), 1_000);
        assert_eq!(answer.series.iter().map(|bucket| bucket.data.len()).sum::<usize>(), 1_000);
    });
}

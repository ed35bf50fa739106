//! Somebody else's SQL: what is let through, what it answers, and what is refused.

use std::sync::Arc;

use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use query::RunError;
use serde_json::json;

use super::{event, store, wait};
use crate::{Location, Options, Store};

#[test]
fn one_select_over_datasets_is_answered() {
    wait(async {
        let store = store(&[vec![
            event("lambda-logs", 0, 2_000, json!({ "a": 1, "b": 2.5, "c": true })),
            event("lambda-logs", 1, 1_000, json!({ "a": 3 })),
        ]])
        .await;
        let asked = "WITH x AS (SELECT \"k_a__i\" AS a, \"k_b__f\" AS b, \"k_c__b\" AS c, \"timestamp\" AS t \
                     FROM \"lambda-logs\") SELECT a, b, c, t, namespace FROM x CROSS JOIN (SELECT 'n' AS namespace) \
                     ORDER BY a";
        let answer = store.sql(asked).await.unwrap();
        let names: Vec<&str> = answer.columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "t", "namespace"]);
        assert_eq!(
            answer.rows[0],
            [json!(1), json!(2.5), json!(true), json!("2026-11-20T13:59:58.000Z"), json!("n")]
        );
        assert_eq!(answer.rows[1][1], json!(null));
        assert_eq!((answer.rows.len(), answer.statistics.files_read), (2, 1));
    });
}

#[test]
fn whatever_is_no_single_select_is_refused() {
    wait(async {
        let store = store(&[vec![event("logs", 0, 1_000, json!({ "a": 1 }))]]).await;
        for statement in [
            "",
            "nonsense",
            "SELECT 1; SELECT 2",
            "INSERT INTO logs SELECT * FROM logs",
            "DELETE FROM logs",
            "UPDATE logs SET a = 1",
            "CREATE TABLE x AS SELECT * FROM logs",
            "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
            "COPY logs TO '/tmp/x.parquet'",
            "COPY (SELECT * FROM logs) TO '/tmp/x.parquet'",
            "DROP TABLE logs",
            "SET datafusion.execution.batch_size = 1",
            "SHOW TABLES",
            "EXPLAIN SELECT * FROM logs",
            "SELECT * INTO x FROM logs",
            "SELECT * FROM information_schema.tables",
            "SELECT * FROM other.logs",
            "SELECT nothing FROM logs",
        ] {
            let refused = store.sql(statement).await.unwrap_err();
            assert!(matches!(refused, RunError::Refused { .. }), "{statement}: {refused:?}");
        }
        let unknown = store.sql("SELECT * FROM nowhere").await.unwrap_err();
        assert!(
            matches!(&unknown, RunError::UnknownDataset { known, .. } if *known == ["logs"]),
            "{unknown:?}"
        );
        let file = store.sql("SELECT * FROM '/etc/passwd'").await.unwrap_err();
        assert!(matches!(file, RunError::UnknownDataset { .. } | RunError::Refused { .. }), "{file:?}");
    });
}

#[test]
fn an_answer_has_a_bound() {
    wait(async {
        let events = (0..11).map(|n| event("logs", n, 1_000, json!({ "a": n }))).collect();
        let store = store(&[events]).await;
        let many = "SELECT 1 AS one FROM logs AS a, logs AS b, logs AS c, logs AS d";
        let error = store.sql(many).await.unwrap_err();
        assert!(matches!(error, RunError::TooManyRows { .. }), "{error:?}");
    });
}

#[test]
fn an_answer_has_a_bound_of_bytes_too() {
    wait(async {
        let text = "x".repeat(100_000);
        let events = (0..11).map(|n| event("logs", n, 1_000, json!({ "message": text }))).collect();
        let store = store(&[events]).await;
        assert_eq!(store.sql("SELECT message FROM logs").await.unwrap().rows.len(), 11);
        let wide = "SELECT a.message FROM logs AS a, logs AS b, logs AS c";
        let error = store.sql(wide).await.unwrap_err();
        assert!(matches!(error, RunError::TooManyBytes { .. }), "{error:?}");
    });
}

#[test]
fn a_store_that_fails_is_not_told_as_an_unknown_dataset() {
    wait(async {
        let objects = Arc::new(InMemory::new());
        let location = Location::objects(objects.clone());
        let store = Store::open(&location, Options::default()).await.unwrap();
        let entry = Path::from("datasets/logs/_delta_log/00000000000000000000.json");
        objects.put(&entry, "no log".into()).await.unwrap();
        let error = store.sql("SELECT * FROM logs").await.unwrap_err();
        assert!(matches!(error, RunError::Failed(_)), "{error:?}");
    });
}

#[test]
fn the_keys_of_a_dataset_are_told_without_reading_it() {
    wait(async {
        let store = store(&[vec![
            event("logs", 0, 1_000, json!({ "a": 1, "data": { "user": "x" } })),
            event("otel", 1, 1_000, json!({ "a": "text" })),
        ]])
        .await;
        let all = store.keys(&[]).await.unwrap();
        assert_eq!(all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["logs", "otel"]);
        let of = |name: &str, kind: &str| {
            let (_, fields) = all.iter().find(|(dataset, _)| dataset == name).unwrap();
            fields
                .iter()
                .filter(|field| field.r#type == kind)
                .map(|field| field.name.clone())
                .collect::<Vec<_>>()
        };
        assert!(
            of("logs", "number").contains(&"a".to_owned())
                && of("logs", "string").contains(&"data.user".to_owned())
        );
        assert!(
            of("otel", "string").contains(&"a".to_owned()) && !of("otel", "number").contains(&"a".to_owned())
        );
        assert!(matches!(store.keys(&["nope".to_owned()]).await, Err(RunError::UnknownDataset { .. })));
    });
}

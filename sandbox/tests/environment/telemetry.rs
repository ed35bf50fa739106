//! What reaches a subscriber, and what the platform says of what does not.

use std::time::Duration;

use lambda_api::telemetry::Record;
use serde_json::{Value, json};

use crate::scene::{Scene, run};

/// Puts cut bodies together again as a subscriber must: the head's framing and the repeated envelope go.
pub(crate) fn stitched(posts: &[String]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut head: Option<String> = None;
    for post in posts {
        let body = match head.take() {
            Some(head) => {
                let envelope = &post[..post.find("\"record\":").unwrap() + "\"record\":".len()];
                assert!(head.contains(&envelope[1..]), "the envelope is repeated");
                format!("{}{}", head.strip_suffix("}]").unwrap(), &post[envelope.len()..])
            }
            None => post.clone(),
        };
        match serde_json::from_str::<Vec<Record>>(&body) {
            Ok(batch) => records.extend(batch),
            Err(_) => head = Some(body),
        }
    }
    assert!(head.is_none(), "a half is left over: {head:?}");
    records
}

pub(crate) fn lines(records: &[Record]) -> Vec<Value> {
    records.iter().filter(|record| record.kind == "function").map(|record| record.record.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_over_the_byte_limit_is_cut_over_several_posts() {
    let scene = Scene::recorded(json!({})).with(|f| f.memory_mb(256));
    let lambda = scene.start().await;
    run(&lambda, json!([{"print": "before"}, {"repeat": 600_000}, {"print": "after"}])).await.unwrap();
    lambda.shutdown().await;
    let posts = scene.posts();
    let halves = posts.iter().filter(|post| serde_json::from_str::<Value>(post).is_err()).count();
    assert!(halves >= 3, "{halves}");
    let records = stitched(&posts);
    assert_eq!(lines(&records), [json!("before"), json!("x".repeat(600_000)), json!("after")]);
    assert!(records.iter().any(|record| record.kind == "platform.runtimeDone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_arrives_once_over_many_invocations_with_freezes() {
    let scene = Scene::recorded(json!({"work": 0})).with(|f| f.concurrency_max(3));
    let lambda = scene.start().await;
    let calls: Vec<_> = (0..200)
        .map(|n| {
            let lambda = lambda.clone();
            tokio::spawn(async move { run(&lambda, json!([{"print": format!("line {n}")}])).await.unwrap() })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().error, None);
    }
    lambda.shutdown().await;
    let records = scene.records();
    let mut seen: Vec<_> = lines(&records).iter().map(|line| line.as_str().unwrap().to_owned()).collect();
    let mut expected: Vec<_> = (0..200).map(|n| format!("line {n}")).collect();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    for kind in ["platform.start", "platform.runtimeDone", "platform.report"] {
        assert_eq!(records.iter().filter(|record| record.kind == kind).count(), 200, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_is_too_slow_is_told_what_it_lost() {
    let settings =
        json!({"slow": 1.5, "work": 2.0, "shutdown_sleep": 1.7, "types": ["platform", "function"]});
    let scene = Scene::recorded(settings).with(|mut f| {
        f.telemetry_backlog = 0;
        f.timeout(Duration::from_secs(20)).concurrency_max(1)
    });
    let lambda = scene.start().await;
    run(&lambda, json!([{"lines": "a"}, {"lines": "b"}, {"lines": "c"}])).await.unwrap();
    run(&lambda, json!([])).await.unwrap();
    lambda.shutdown().await;
    let records = scene.records();
    let dropped: u64 = records
        .iter()
        .filter(|record| record.kind == "platform.logsDropped")
        .map(|record| record.record["droppedRecords"].as_u64().unwrap())
        .sum();
    assert!(dropped >= 1_000, "{dropped} of {:?}", scene.posts().iter().map(String::len).collect::<Vec<_>>());
    assert!(lines(&records).len() as u64 + dropped >= 3_000);
    assert!(scene.record("platform.logsDropped")["reason"].as_str().unwrap().contains("slower"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_post_is_tried_again() {
    let scene = Scene::recorded(json!({"refuse": 2}));
    let lambda = scene.start().await;
    run(&lambda, json!([{"print": "hello"}, {"sleep": 0.3}])).await.unwrap();
    lambda.shutdown().await;
    let kinds = scene.kinds();
    assert_eq!(kinds.iter().filter(|kind| *kind == "platform.initStart").count(), 1, "{kinds:?}");
    assert!(!kinds.contains(&"platform.logsDropped".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_subscriber_gets_the_beginning_too() {
    let scene = Scene::recorded(json!({"late": 0.5})).with(|f| f.env("INIT_PRINT", "early"));
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    lambda.shutdown().await;
    assert_eq!(scene.kinds()[0], "platform.initStart");
    assert_eq!(scene.record("function"), "early");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_schema_and_a_region_that_knows_no_newer_one() {
    use lambda_api::telemetry::SchemaVersion;
    let newest = Scene::recorded(json!({})).with(|mut f| {
        f.telemetry_schemas = vec![SchemaVersion::July2022];
        f
    });
    let lambda = newest.start().await;
    run(&lambda, json!([])).await.unwrap();
    lambda.shutdown().await;
    let refused = newest.journal().into_iter().find(|note| note.get("subscribed").is_some()).unwrap();
    assert_eq!(refused["subscribed"], 400);

    let oldest = Scene::recorded(json!({"schema": "2022-07-01"})).with(|mut f| {
        f.runtime_version = Some("python:3.11.v1".to_owned());
        f
    });
    let lambda = oldest.start().await;
    run(&lambda, json!([])).await.unwrap();
    lambda.shutdown().await;
    assert!(oldest.record("platform.initStart").get("runtimeVersion").is_none());
    assert_eq!(oldest.record("platform.report")["status"], "success");
}

//! The event source mapping, from a Kinesis API with faults to a function that reports failures.

use std::time::Duration;

use sandbox::event_source::{Checkpoints, Mapping, OnFailure, StartingPosition};
use serde_json::json;

use crate::kinesis::Kinesis;
use crate::stage::{Stage, brisk};

fn all_texts(stage: &Stage) -> Vec<String> {
    stage.batches().concat()
}

#[tokio::test]
async fn records_arrive_in_order_and_in_batches() {
    let mut stage = Stage::new().await;
    let (kinesis, address) = Kinesis::start().await;
    kinesis.put("0", &["a", "b", "c", "d", "e"]);
    stage.event_source(Mapping { batch_size: 2, ..brisk() }, address).await;
    stage.until("all arrive", |stage| all_texts(stage).len() == 5).await;
    assert_eq!(stage.batches(), [vec!["a", "b"], vec!["c", "d"], vec!["e"]]);
    let first = &stage.lines("seen.jsonl")[0]["first"];
    assert_eq!(first["eventID"], "0:1001");
    assert_eq!(first["eventSourceARN"], "arn:aws:kinesis:eu-west-1:123456789012:stream/orders");
    stage.end().await;
}

#[tokio::test]
async fn a_window_gathers_what_trickles_in() {
    let mut stage = Stage::new().await;
    let (kinesis, address) = Kinesis::start().await;
    // The window is longer than the test's patience: only the count can end the batch.
    stage.event_source(Mapping { batch_size: 3, window: Duration::from_secs(60), ..brisk() }, address).await;
    for text in ["a", "b", "c"] {
        kinesis.put("0", &[text]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.until("the batch is full", |stage| stage.batches() == [vec!["a", "b", "c"]]).await;
    stage.end().await;
}

#[tokio::test]
async fn children_are_read_after_their_parent() {
    let mut stage = Stage::new().await;
    let (kinesis, address) = Kinesis::start().await;
    kinesis.add_shard("1", Some("0"));
    kinesis.put("1", &["child"]);
    kinesis.put("0", &["parent"]);
    stage.event_source(brisk(), address).await;
    stage.until("the parent arrives", |stage| all_texts(stage) == ["parent"]).await;
    kinesis.put("0", &["last of the parent"]);
    kinesis.close_shard("0");
    let expected = ["parent", "last of the parent", "child"];
    stage.until("the child follows", |stage| all_texts(stage) == expected).await;
    stage.end().await;
}

#[tokio::test]
async fn latest_skips_what_was_there_but_no_new_shard() {
    let mut stage = Stage::new().await;
    let (kinesis, address) = Kinesis::start().await;
    kinesis.put("0", &["old"]);
    // An iterator that expires unused must not lose the place.
    kinesis.fail_reads(&["ProvisionedThroughputExceededException"]);
    stage.event_source(Mapping { start: StartingPosition::Latest, ..brisk() }, address).await;
    stage.until("reading began", |_| kinesis.is_out_of_faults()).await;
    kinesis.put("0", &["new"]);
    stage.until("the new one arrives", |stage| all_texts(stage) == ["new"]).await;
    kinesis.close_shard("0");
    kinesis.add_shard("1", Some("0"));
    kinesis.put("1", &["in the child"]);
    stage
        .until("the child is read from its start", |stage| all_texts(stage) == ["new", "in the child"])
        .await;
    stage.end().await;
}

#[tokio::test]
async fn expired_iterators_and_throttles_lose_and_repeat_nothing() {
    let mut stage = Stage::new().await;
    let (kinesis, address) = Kinesis::start().await;
    kinesis.put("0", &["a", "b"]);
    stage.event_source(brisk(), address).await;
    stage.until("the first arrive", |stage| all_texts(stage).len() == 2).await;
    kinesis.fail_reads(&["ExpiredIteratorException", "ProvisionedThroughputExceededException"]);
    stage.until("the faults were met", |_| kinesis.is_out_of_faults()).await;
    kinesis.put("0", &["c"]);
    stage.until("reading goes on", |stage| all_texts(stage) == ["a", "b", "c"]).await;
    stage.end().await;
}

#[tokio::test]
async fn a_reported_record_is_tried_again_and_given_up() {
    let mut stage = Stage::new().await;
    let (kinesis, address) = Kinesis::start().await;
    kinesis.put("0", &["a", "bad", "b"]);
    let mapping = Mapping {
        report_item_failures: true,
        bisect: true,
        retries_max: Some(1),
        on_failure: OnFailure::File(stage.path("given-up.jsonl")),
        ..brisk()
    };
    stage.event_source(mapping, address).await;
    stage.until("the last arrives", |stage| all_texts(stage).last().is_some_and(|text| text == "b")).await;
    stage.until("the bad one is given up", |stage| stage.lines("given-up.jsonl").len() == 1).await;
    assert_eq!(stage.batches()[..2], [vec!["a", "bad", "b"], vec!["bad", "b"]]);
    let message = &stage.lines("given-up.jsonl")[0];
    assert_eq!(message["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(message["KinesisBatchInfo"]["startSequenceNumber"], "1002");
    assert_eq!(message["KinesisBatchInfo"]["batchSize"], 1);
    assert_eq!(message["responseContext"], json!({"statusCode": 200, "executedVersion": "$LATEST"}));
    stage.end().await;
}

#[tokio::test]
async fn a_second_run_goes_on_after_the_first() {
    let mut stage = Stage::new().await;
    let (kinesis, address) = Kinesis::start().await;
    let kept = || Checkpoints::file(stage.path("checkpoints.json"));
    let (first, second) = (kept(), kept());
    kinesis.put("0", &["a"]);
    let stop = stage.event_source(Mapping { checkpoints: first, ..brisk() }, address).await;
    stage.until("the first run reads", |stage| all_texts(stage) == ["a"]).await;
    stop.send_replace(true);
    stage.last_front_ended().await;
    kinesis.put("0", &["b"]);
    stage.event_source(Mapping { checkpoints: second, ..brisk() }, address).await;
    stage.until("the second run goes on", |stage| all_texts(stage) == ["a", "b"]).await;
    stage.end().await;
}

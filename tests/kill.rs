//! `kill -9` of the dev process at any moment: what was acknowledged is neither missing nor double afterwards.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::dev::{Dev, python};
use crate::support::lines::{assert_exactly_once, lines};
use crate::support::parts::{moto, prepare};
use crate::support::stream::put_records;

/// Moments after the first acknowledged record, in milliseconds: before, during and after the first commits.
const KILLED_AFTER_MS: [u64; 5] = [0, 120, 350, 700, 1_500];

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_records_survive_the_dev_process() {
    survive(&[]).await;
}

/// Commits are put-if-absent requests here: one may be under way when the process dies.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_records_survive_the_dev_process_over_a_bucket() {
    let server = moto();
    prepare("s3_bucket.py", &[&server.url(), "telemetry"]);
    survive(&["--store", "s3://telemetry/limelight", "--store-endpoint", &server.url()]).await;
}

async fn survive(flags: &[&str]) {
    let data = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<String> = Vec::new();
    for (round, after_ms) in KILLED_AFTER_MS.into_iter().enumerate() {
        let dev = Dev::start(data.path(), &[], flags);
        let stream = dev.address("stream").to_owned();
        let producer = tokio::spawn(async move {
            let mut taken = Vec::new();
            for number in 0.. {
                let marks: Vec<String> = (0..5).map(|n| format!("mark-{round}-{number}-{n};")).collect();
                let events: Vec<Value> = marks.iter().map(|mark| json!({ "mark": mark })).collect();
                let Some(answers) = put_records(&stream, "limelight", &events).await else { break };
                taken
                    .extend(marks.into_iter().zip(answers).filter(|(_, taken)| *taken).map(|(mark, _)| mark));
            }
            taken
        });
        tokio::time::sleep(Duration::from_millis(100 + after_ms)).await;
        dev.kill();
        acknowledged.extend(producer.await.unwrap());
    }
    assert!(acknowledged.len() > KILLED_AFTER_MS.len(), "the producer was never served");

    let dev = Dev::start(data.path(), &[], flags);
    let counted = dev.marks(acknowledged.len()).await;
    for mark in &acknowledged {
        assert_eq!(counted.get(mark), Some(&1), "{mark} of {} acknowledged", acknowledged.len());
    }
    dev.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_extension_costs_no_acknowledged_line_and_doubles_none() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[python("snake")], &[]);
    dev.invoke("snake", &json!({ "lines": lines("aa02", 10) })).await;
    assert_exactly_once("aa02", 10, &dev.events_with("<aa02:", 10).await);

    dev.kill_extensions();
    // The environment is replaced, as Lambda does after Extension.Crash: one invocation may fail, the next works.
    dev.invoke("snake", &json!({})).await;
    dev.invoke("snake", &json!({ "lines": lines("aa03", 10) })).await;
    assert_exactly_once("aa03", 10, &dev.events_with("<aa03:", 10).await);
    assert_exactly_once("aa02", 10, &dev.events_with("<aa02:", 10).await);
    dev.stop();
}

//! Kinesis APIs that we did not write stand between the extension and the companion.

use aws_sdk_kinesis::Client;
use sandbox::event_source::client;
use serde_json::json;

use crate::support::dev::{Dev, node, python};
use crate::support::lines::{assert_exactly_once, lines};
use crate::support::parts::{Server, kinesalite, moto, prepare};
use crate::support::stream::put_marks;

#[tokio::test(flavor = "multi_thread")]
async fn through_kinesalite_with_two_shards() {
    let data = tempfile::tempdir().unwrap();
    let server = kinesalite(data.path());
    through(&server, "ka01").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn through_moto_with_two_shards() {
    let server = moto();
    through(&server, "mo01").await;
}

async fn through(server: &Server, run: &str) {
    prepare("kinesis_stream.py", &[&server.url(), "telemetry", "2"]);
    let data = tempfile::tempdir().unwrap();
    let functions = [python("snake"), node("knot")];
    let dev =
        Dev::start(data.path(), &functions, &["--stream-endpoint", &server.url(), "--stream", "telemetry"]);
    let printed = lines(run, 40);
    for (function, lines) in ["snake", "knot"].iter().zip(printed.chunks(20)) {
        for burst in lines.chunks(5) {
            dev.invoke(function, &json!({ "lines": burst })).await;
        }
    }
    assert_exactly_once(run, 40, &dev.events_with(&format!("<{run}:"), 40).await);
    dev.stop();
}

/// The stream is split while nobody reads and again while somebody does, with a restart in between. (moto goes on
/// writing to a shard that was split, so this is kinesalite's.)
#[tokio::test(flavor = "multi_thread")]
async fn a_reshard_and_a_restart_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = kinesalite(folder.path());
    let url = server.url();
    prepare("kinesis_stream.py", &[&url, "telemetry", "1"]);
    let kinesis = Client::new(&client::settings(Some(&url), "us-east-1").await);
    let flags = ["--stream-endpoint", &url, "--stream", "telemetry"];
    let data = tempfile::tempdir().unwrap();
    let mut put = Vec::new();
    let mut marks = |part: &str| {
        let more: Vec<String> = (0..50).map(|number| format!("{part}-{number};")).collect();
        put.extend(more.clone());
        more
    };

    let dev = Dev::start(data.path(), &[], &flags);
    put_marks(&kinesis, "telemetry", &marks("whole")).await;
    assert_eq!(dev.marks(50).await.len(), 50);
    dev.stop();

    put_marks(&kinesis, "telemetry", &marks("unread")).await;
    prepare("kinesis_split.py", &[&url, "telemetry"]);
    put_marks(&kinesis, "telemetry", &marks("halves")).await;
    let dev = Dev::start(data.path(), &[], &flags);
    assert_eq!(dev.marks(150).await.len(), 150);
    prepare("kinesis_split.py", &[&url, "telemetry"]);
    put_marks(&kinesis, "telemetry", &marks("quarters")).await;
    dev.marks(200).await;
    dev.stop();

    let again = Dev::start(data.path(), &[], &flags);
    let found = again.marks(200).await;
    let wrong: Vec<_> = put.iter().filter(|mark| found.get(*mark) != Some(&1)).collect();
    assert!(wrong.is_empty() && found.len() == put.len(), "{} found, not once: {wrong:?}", found.len());
    again.stop();
}

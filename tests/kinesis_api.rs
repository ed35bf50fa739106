//! Kinesis APIs that we did not write stand between the extension and the companion.

use serde_json::json;

use crate::support::dev::{Dev, node, python};
use crate::support::lines::{assert_exactly_once, lines};
use crate::support::parts::{Server, kinesalite, moto, prepare};

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

//! An S3 API that we did not write in place of the directory.

use serde_json::json;

use crate::support::dev::{Dev, python};
use crate::support::lines::{assert_exactly_once, lines};
use crate::support::parts::{moto, prepare};

#[tokio::test(flavor = "multi_thread")]
async fn datasets_live_in_a_bucket() {
    let server = moto();
    prepare("s3_bucket.py", &[&server.url(), "telemetry"]);
    let data = tempfile::tempdir().unwrap();
    let flags = ["--store", "s3://telemetry/limelight", "--store-endpoint", &server.url()];
    let dev = Dev::start(data.path(), &[python("snake")], &flags);
    dev.invoke("snake", &json!({ "lines": lines("s301", 30) })).await;
    assert_exactly_once("s301", 30, &dev.events_with("<s301:", 30).await);
    dev.stop();
    let again = Dev::start(data.path(), &[], &flags);
    assert_exactly_once("s301", 30, &again.events_with("<s301:", 30).await);
    again.stop();
}

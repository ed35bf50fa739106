//! Our extension under AWS's own emulator, in both of its modes.

use serde_json::json;

use crate::support::dev::Dev;
use crate::support::emulator::Emulator;
use crate::support::lines::{assert_exactly_once, lines};
use crate::support::parts::{moto, prepare};

/// Classic mode has INVOKE and SHUTDOWN, and answers the subscription with `Telemetry.NotSupported`: the extension
/// must live without telemetry and never be in the function's way.
#[tokio::test(flavor = "multi_thread")]
async fn classic_mode_without_telemetry_leaves_the_function_alone() {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::start(folder.path(), &[("LIMELIGHT_STREAM", "telemetry")]);
    for _ in 0..3 {
        let answer = emulator.invoke(&json!({ "lines": ["hello"] })).await;
        assert!(answer.contains("\"pid\""), "{answer}\n{}", emulator.log());
    }
    let log = emulator.log();
    assert!(log.contains("limelight-extension"), "the extension never ran: {log}");
    assert!(!log.contains("Extension.Crash"), "{log}");
}

/// Managed-instances mode has a real Telemetry API: schema 2025-01-29 only, SHUTDOWN registration only, no runtimeDone.
#[tokio::test(flavor = "multi_thread")]
async fn managed_mode_ships_every_line() {
    let server = moto();
    prepare("kinesis_stream.py", &[&server.url(), "telemetry", "1"]);
    let folder = tempfile::tempdir().unwrap();
    let url = server.url();
    let emulator = Emulator::start(
        folder.path(),
        &[
            ("AWS_LAMBDA_MAX_CONCURRENCY", "1"),
            ("LIMELIGHT_STREAM", "telemetry"),
            ("AWS_ENDPOINT_URL_KINESIS", &url),
        ],
    );
    for burst in lines("ri01", 20).chunks(5) {
        let answer = emulator.invoke(&json!({ "lines": burst })).await;
        assert!(answer.contains("\"pid\""), "{answer}\n{}", emulator.log());
    }
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[], &["--stream-endpoint", &url, "--stream", "telemetry"]);
    let events = dev.events_with("<ri01:", 20).await;
    assert!(!events.is_empty(), "nothing arrived: {}", emulator.log());
    assert_exactly_once("ri01", 20, &events);
    dev.stop();
}

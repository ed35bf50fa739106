//! OpenTelemetry's own SDKs export to the built binary, over each protocol that they speak.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in test functions; this is what test functions call"
)]

#[allow(dead_code, reason = "each test program uses its own part of the fakes")]
mod fakes;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fakes::extension::Extension;
use fakes::kinesis::Kinesis;
use fakes::platform::{Platform, runtime_done, start};
use model::{Kind, Level, Value};

const PYTHON: &str = "opentelemetry-python";
const NODE: &str = "opentelemetry-node";

#[tokio::test]
async fn python_over_protobuf() {
    exports(PYTHON, "http/protobuf").await;
}

#[tokio::test]
async fn python_over_grpc() {
    exports(PYTHON, "grpc").await;
}

#[tokio::test]
async fn node_over_protobuf() {
    exports(NODE, "http/protobuf").await;
}

#[tokio::test]
async fn node_over_json() {
    exports(NODE, "http/json").await;
}

#[tokio::test]
async fn node_over_grpc() {
    exports(NODE, "grpc").await;
}

/// One invocation of a function that exports, and everything it exported is on the stream, at its place.
async fn exports(language: &'static str, protocol: &'static str) {
    let (platform, kinesis) = (Platform::start().await, Kinesis::start().await);
    let (http, grpc) = (free_port(), free_port());
    let ports = [http.to_string(), grpc.to_string()];
    let settings = [("LIMELIGHT_OTLP_HTTP_PORT", &*ports[0]), ("LIMELIGHT_OTLP_GRPC_PORT", &*ports[1])];
    let mut extension = Extension::start(&platform, &kinesis.url(), &settings);
    platform.ready().await;
    platform.invoke("one").await;
    platform.deliver(&[start("one")]).await;
    let port = if protocol == "grpc" { grpc } else { http };
    let function = tokio::task::spawn_blocking(move || run(language, protocol, port));
    let printed = function.await.unwrap();
    platform.deliver(&[runtime_done("one")]).await;
    platform.ready().await;
    platform.shutdown("spindown").await;
    let said = extension.ended_well().await;
    assert_eq!(said, "", "a good run is silent");

    let [trace_id, span_id, "True"] = printed.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("the function said {printed:?}")
    };
    let handler = kinesis.event("handler");
    assert_eq!(handler.trace_id.unwrap().to_string(), trace_id);
    assert_eq!(handler.span_id.unwrap().to_string(), span_id);
    let query = kinesis.event("SELECT orders");
    assert_eq!((query.trace_id, query.parent_id), (handler.trace_id, handler.span_id));
    assert_eq!(query.request_id.as_deref(), Some("one"), "by its trace, which the handler's span has named");
    assert_eq!(query.namespace, "checkout");
    for (key, text) in [("db.system.name", "postgresql"), ("otel.scope.name", "checkout")] {
        assert_eq!(query.attributes[key], Value::from(text));
    }
    assert_eq!(query.attributes["telemetry.sdk.name"], "opentelemetry".into());
    let events = kinesis.events();
    let logs: Vec<_> = events.iter().filter(|event| event.kind == Kind::Log).collect();
    let [log] = &logs[..] else { panic!("{logs:#?}") };
    assert_eq!(log.message.as_deref(), Some("from the SDK's logger"));
    assert_eq!(
        (log.level, log.trace_id, log.span_id),
        (Some(Level::Warn), handler.trace_id, handler.span_id)
    );
    let orders = kinesis.event("orders");
    assert_eq!(orders.attributes["value"], Value::Float(3.0));
    assert_eq!(orders.attributes["kind"], "book".into());
}

/// Runs the function with the environment that the layer's wrapper gives it; what it printed.
fn run(language: &str, protocol: &str, port: u16) -> String {
    let parts = part(language);
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk");
    let mut command = if language == PYTHON {
        let mut command = Command::new(parts.join("bin/python"));
        command.arg(here.join("function.py"));
        command
    } else {
        let mut command = Command::new("node");
        command.arg(here.join("function.cjs")).env("NODE_PATH", parts.join("node_modules"));
        command
    };
    let output = command
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"))
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .env("OTEL_LOGS_EXPORTER", "otlp")
        .env("OTEL_METRICS_EXPORTER", "otlp")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(!errors.contains("Failed") && !errors.contains("rror:"), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What `.ci/provide` has installed; `tests/run` says where, else it is asked (it installs once).
fn part(name: &str) -> PathBuf {
    let variable = format!("PARTS_{}", name.to_uppercase().replace('-', "_"));
    if let Some(folder) = std::env::var_os(variable) {
        return PathBuf::from(folder);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let pins = root.join("tests/parts").join(name);
    let output = Command::new(root.join(".ci/provide")).arg(pins).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

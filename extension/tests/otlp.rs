//! What an application's SDK exports to the built binary, and what it is told: bytes as the specification has them.
//! The real SDKs of Python and Node export to it in the workspace's `tests/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in test functions; this is what test functions call"
)]

#[allow(dead_code, reason = "each test program uses its own part of the fakes")]
mod fakes;

use std::time::{Duration, Instant};

use bytes::Bytes;
use fakes::extension::Extension;
use fakes::kinesis::Kinesis;
use fakes::platform::{Platform, line, runtime_done, start};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(20);

/// Both fakes, and the extension in the middle of an invocation.
struct Stage {
    platform: Platform,
    kinesis: Kinesis,
    extension: Extension,
    http: u16,
    grpc: u16,
}

impl Stage {
    async fn set() -> Self {
        Self::set_with(&[]).await
    }

    async fn set_with(settings: &[(&str, &str)]) -> Self {
        let stage = Self::ready(Platform::start().await, settings).await;
        stage.platform.invoke("one").await;
        stage.platform.deliver(&[start("one")]).await;
        stage
    }

    /// Before the first invocation.
    async fn ready(platform: Platform, settings: &[(&str, &str)]) -> Self {
        let kinesis = Kinesis::start().await;
        let (http, grpc) = (free_port(), free_port());
        let ports = [http.to_string(), grpc.to_string()];
        let mut all =
            vec![("LIMELIGHT_OTLP_HTTP_PORT", &*ports[0]), ("LIMELIGHT_OTLP_GRPC_PORT", &*ports[1])];
        all.extend(settings);
        let extension = Extension::start(&platform, &kinesis.url(), &all);
        platform.ready().await;
        Self { platform, kinesis, extension, http, grpc }
    }

    /// The function is done, and the sandbox released.
    async fn done(&self) {
        self.platform.deliver(&[runtime_done("one")]).await;
        self.platform.ready().await;
    }

    async fn shutdown(mut self) -> (Kinesis, String) {
        self.platform.shutdown("spindown").await;
        let said = self.extension.ended_well().await;
        (self.kinesis, said)
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
        let mut request = Request::post(path).header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body.into())).unwrap()).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let stream = TokioIo::new(connect(self.http).await);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        Response::from_parts(parts, body.collect().await.unwrap().to_bytes())
    }

    /// A unary call; its message, and the status from trailers or headers.
    async fn call(&self, method: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (Bytes, String) {
        let stream = TokioIo::new(connect(self.grpc).await);
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        let uri = format!("http://localhost:{}/opentelemetry.proto.collector.{method}", self.grpc);
        let mut request =
            Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response =
            sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap();
        let trailers = body.trailers().cloned().unwrap_or(parts.headers);
        let status = trailers["grpc-status"].to_str().unwrap().to_owned();
        (body.to_bytes(), status)
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The receiver is bound beside the first `/next`, not before it.
async fn connect(port: u16) -> TcpStream {
    let asked = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)).await {
            Ok(stream) => return stream,
            Err(error) => assert!(asked.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

const TRACE: &str = "5b8efff798038103d269b633813fc60c";
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json");

fn traces_json(name: &str, trace: &str) -> String {
    let attribute = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let span = json!({ "traceId": trace, "spanId": "eee19b7ec3c1b174", "parentSpanId": "eee19b7ec3c1b173",
        "name": name, "kind": 3, "startTimeUnixNano": "1795182720200000000", "endTimeUnixNano": "1795182720210000000",
        "attributes": [attribute("db.system.name", "postgresql"), attribute("db.password", "hunter2"),
            attribute("faas.invocation_id", "one")] });
    let resource = json!({ "attributes": [attribute("telemetry.sdk.language", "python"), attribute("faas.name", "checkout")] });
    json!({ "resourceSpans": [{ "resource": resource,
        "scopeSpans": [{ "scope": { "name": "psycopg" }, "spans": [span] }] }] })
    .to_string()
}

fn traces_protobuf(name: &str) -> Vec<u8> {
    let span = Span {
        trace_id: vec![7; 16],
        span_id: vec![8; 8],
        name: name.to_owned(),
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..Span::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn framed(message: &[u8], compressed: u8) -> Vec<u8> {
    let mut frame = vec![compressed];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(message);
    frame
}

#[tokio::test]
async fn an_exported_span_keeps_its_ids_and_what_its_resource_and_scope_say_and_is_scrubbed() {
    let stage = Stage::set().await;
    let answer = stage.post("/v1/traces", &[JSON], traces_json("SELECT orders", TRACE)).await;
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"{}"[..]));
    assert_eq!(answer.headers()["content-type"], "application/json");
    stage.done().await;
    let span = stage.kinesis.event("SELECT orders");
    let text = |key: &str| span.attributes.get(key).and_then(|value| value.as_str());
    assert_eq!(span.trace_id.unwrap().to_string(), TRACE);
    assert_eq!(span.span_id.unwrap().to_string(), "eee19b7ec3c1b174");
    assert_eq!(span.parent_id.unwrap().to_string(), "eee19b7ec3c1b173");
    assert_eq!((span.namespace.as_str(), span.request_id.as_deref()), ("checkout", Some("one")));
    assert_eq!(text("otel.scope.name"), Some("psycopg"));
    assert_eq!(text("telemetry.sdk.language"), Some("python"));
    assert_eq!(text("db.system.name"), Some("postgresql"));
    assert_ne!(text("db.password"), Some("hunter2"));
    stage.shutdown().await;
}

/// The layer's wrapper points the SDK here whether or not there is telemetry; one that is not heard tries for seconds.
#[tokio::test]
async fn where_there_is_no_telemetry_an_export_is_answered_and_forgotten() {
    let refusing = Platform::start().await;
    refusing.refuse_subscriptions(&[202]);
    for (platform, settings) in [(Platform::start().await, &[("LIMELIGHT_STREAM", "")][..]), (refusing, &[])]
    {
        let stage = Stage::ready(platform, settings).await;
        stage.platform.invoke("one").await;
        let answer = stage.post("/v1/traces", &[PROTOBUF], traces_protobuf("nobody's")).await;
        assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
        let method = "trace.v1.TraceService/Export";
        assert_eq!(stage.call(method, &[], framed(&traces_protobuf("nobody's"), 0)).await.1, "0");
        stage.platform.ready().await;
        let (kinesis, said) = stage.shutdown().await;
        assert_eq!(kinesis.events().len(), 0);
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[tokio::test]
async fn protobuf_json_gzip_and_grpc_are_taken_alike() {
    let stage = Stage::set().await;
    let gzip = ("content-encoding", "gzip");
    let answer = stage.post("/v1/traces", &[PROTOBUF], traces_protobuf("over http")).await;
    assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
    let squeezed = wire::compress(&traces_protobuf("over http, squeezed"));
    assert_eq!(stage.post("/v1/traces", &[PROTOBUF, gzip], squeezed).await.status(), 200);
    let method = "trace.v1.TraceService/Export";
    let (message, status) = stage.call(method, &[], framed(&traces_protobuf("over grpc"), 0)).await;
    assert_eq!((&message[..], status.as_str()), (&[0; 5][..], "0"));
    let squeezed = framed(&wire::compress(&traces_protobuf("over grpc, squeezed")), 1);
    let (_, status) = stage.call(method, &[("grpc-encoding", "gzip")], squeezed).await;
    assert_eq!(status, "0");
    stage.done().await;
    for name in ["over http", "over http, squeezed", "over grpc", "over grpc, squeezed"] {
        stage.kinesis.event(name);
    }
    stage.shutdown().await;
}

#[tokio::test]
async fn logs_and_metrics_are_taken_too() {
    let stage = Stage::set().await;
    let logs = json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [
        { "body": { "stringValue": "from the SDK" }, "severityNumber": 17, "traceId": TRACE, "spanId": "eee19b7ec3c1b174" }
    ] }] }] });
    assert_eq!(stage.post("/v1/logs", &[JSON], logs.to_string()).await.status(), 200);
    let metrics = json!({ "resourceMetrics": [{ "scopeMetrics": [{ "metrics": [{ "name": "orders", "sum": {
        "aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [{ "asInt": "3", "timeUnixNano": "5" }] } }] }] }] });
    assert_eq!(stage.post("/v1/metrics", &[JSON], metrics.to_string()).await.status(), 200);
    stage.done().await;
    assert_eq!(stage.kinesis.messages(), ["from the SDK"]);
    let point = stage.kinesis.event("orders");
    assert_eq!(point.attributes["value"], model::Value::Float(3.0));
    assert_eq!(point.attributes["metric.temporality"], "cumulative".into());
    stage.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_answered_as_the_specification_says() {
    let stage = Stage::set().await;
    let status = |answer: &Response<Bytes>| answer.status().as_u16();
    let bad = stage.post("/v1/traces", &[JSON], r#"{"resourceSpans": 7}"#).await;
    assert_eq!(status(&bad), 400);
    let why: Value = serde_json::from_slice(bad.body()).unwrap();
    assert!(why["code"] == 3 && why["message"].as_str().unwrap().contains("resourceSpans"), "{why}");
    let bad = stage.post("/v1/traces", &[PROTOBUF], "no protobuf").await;
    assert_eq!((status(&bad), bad.body()[..2].to_vec()), (400, vec![8, 3]));
    assert_eq!(status(&stage.post("/v1/traces", &[("content-type", "text/plain")], "x").await), 415);
    let brotli = ("content-encoding", "br");
    assert_eq!(status(&stage.post("/v1/traces", &[PROTOBUF, brotli], "x").await), 415);
    assert_eq!(status(&stage.post("/v1/profiles", &[PROTOBUF], "x").await), 404);
    let get = Request::get("/v1/traces").header("host", "localhost").body(Full::default()).unwrap();
    assert_eq!(status(&stage.send(get).await), 405);
    assert_eq!(status(&stage.post("/v1/traces", &[PROTOBUF], vec![0; 5_000_000]).await), 413);
    let bomb = wire::compress(&vec![0; 50_000_000]);
    let gzip = ("content-encoding", "gzip");
    assert_eq!(status(&stage.post("/v1/traces", &[PROTOBUF, gzip], bomb).await), 413);
    let method = "trace.v1.TraceService/Export";
    assert_eq!(stage.call(method, &[], b"junk!junk".to_vec()).await.1, "3");
    assert_eq!(stage.call(method, &[("grpc-encoding", "snappy")], framed(b"", 0)).await.1, "12");
    assert_eq!(stage.call("trace.v1.TraceService/Import", &[], framed(b"", 0)).await.1, "12");
    let partial = stage.post("/v1/traces", &[JSON], traces_json("lost", "")).await;
    let said: Value = serde_json::from_slice(partial.body()).unwrap();
    assert_eq!((status(&partial), &said["partialSuccess"]["rejectedSpans"]), (200, &json!("1")));
    stage.done().await;
    let (_, said) = stage.shutdown().await;
    assert_eq!(said, "", "a sender's mistake is the sender's to hear");
}

#[tokio::test]
async fn a_sandbox_is_held_for_an_export_that_is_half_in() {
    let stage = Stage::set().await;
    let body = traces_json("at the last moment", TRACE);
    let mut exporter = connect(stage.http).await;
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    exporter.write_all(head.as_bytes()).await.unwrap();
    exporter.write_all(&body.as_bytes()[..10]).await.unwrap();
    // The head has to be there before the platform says "done"; a line of the function shows that time goes on.
    tokio::time::sleep(Duration::from_millis(100)).await;
    stage.platform.deliver(&[line("one", "before"), runtime_done("one")]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    exporter.write_all(&body.as_bytes()[10..]).await.unwrap();
    stage.platform.ready().await;
    stage.kinesis.event("at the last moment");
    stage.shutdown().await;
}

#[tokio::test]
async fn an_export_that_never_ends_holds_nobody_over_the_budget() {
    let stage = Stage::set_with(&[("LIMELIGHT_FLUSH_BUDGET_MS", "150")]).await;
    let mut exporter = connect(stage.http).await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    exporter.write_all(head.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let done = Instant::now();
    stage.done().await;
    assert!(done.elapsed() < Duration::from_millis(1_000), "{:?}", done.elapsed());
    stage.shutdown().await;
}

#[tokio::test]
async fn a_port_that_is_taken_is_one_line_and_everything_else_goes_on() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let stage = Stage::set_with(&[("LIMELIGHT_OTLP_GRPC_PORT", &port)]).await;
    assert_eq!(stage.post("/v1/traces", &[JSON], traces_json("over http", TRACE)).await.status(), 200);
    stage.done().await;
    stage.kinesis.event("over http");
    let (_, said) = stage.shutdown().await;
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("gRPC") && said.contains(&port), "{said}");
}

#[tokio::test]
async fn port_zero_is_off() {
    let stage =
        Stage::set_with(&[("LIMELIGHT_OTLP_HTTP_PORT", "0"), ("LIMELIGHT_OTLP_GRPC_PORT", "0")]).await;
    stage.done().await;
    for port in [stage.http, stage.grpc] {
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    }
    let (_, said) = stage.shutdown().await;
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_panic_ends_its_connection_alone_and_whoever_comes_again_is_heard() {
    let stage = Stage::set_with(&[("LIMELIGHT_FAULT_AT", "otlp:1")]).await;
    let mut first = connect(stage.http).await;
    let request = b"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
    first.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    // Closed or reset: no answer, so a sender tries again.
    let _ = tokio::time::timeout(PATIENCE, first.read_to_end(&mut answer)).await.expect("it is left hanging");
    assert!(answer.is_empty(), "{answer:?}");
    let again = stage.post("/v1/traces", &[PROTOBUF], traces_protobuf("again")).await;
    assert_eq!(again.status(), 200);
    stage.done().await;
    stage.kinesis.event("again");
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!(said.matches("a fault of the extension itself: ").count(), 1, "{said}");
    assert_eq!(kinesis.last_account().counts["panics"], 1);
}

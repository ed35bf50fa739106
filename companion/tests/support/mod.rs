//! A companion over a store in memory, and telemetry to give it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use companion::lambda::{EventError, handle};
use companion::{Companion, IngestReport, Settings, StreamRecord};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use model::{
    BatchId, Level, LogRecord, Map, Resource, Span, SpanId, SpanKind, SpanStatus, Timestamp, TraceId,
};
use serde_json::{Value, json};
use store::Location;
use tower::ServiceExt as _;
use wire::{Account, Batch};

/// The trace of all spans and logs here.
pub(crate) const TRACE: &str = "58406520a006649127e371903a2de979";

pub(crate) struct Fixture {
    companion: Companion,
}

impl Fixture {
    pub(crate) async fn open() -> Self {
        Self::with(&Location::memory(), |_| ()).await
    }

    /// One of several companions of a store, each with settings of its own.
    pub(crate) async fn with(location: &Location, set: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(location.clone());
        set(&mut settings);
        Self { companion: Companion::open(settings).await.unwrap() }
    }

    pub(crate) fn companion(&self) -> &Companion {
        &self.companion
    }

    pub(crate) async fn ingest(&self, records: Vec<StreamRecord>) -> IngestReport {
        self.companion.ingest("telemetry", "shardId-000000000000", records).await
    }

    pub(crate) async fn handle(&self, event: Value) -> Result<Value, EventError> {
        handle(&self.companion, event, Duration::from_secs(60)).await
    }

    pub(crate) async fn query(&self, body: Value) -> (StatusCode, Value) {
        self.ask("POST", "/v1/query", "application/json", body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.ask("GET", path, "", String::new()).await
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: String,
    ) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap();
        let response = self.companion.router().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes);
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {text}")))
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

pub(crate) fn now_ms() -> i64 {
    now().as_millis()
}

pub(crate) fn record(sequence: u64, data: &[u8]) -> StreamRecord {
    StreamRecord { sequence: sequence.to_string(), arrived_at: now(), data: Bytes::copy_from_slice(data) }
}

pub(crate) fn kinesis_record(shard: &str, sequence: &str, data: &[u8]) -> Value {
    json!({
        "kinesis": {
            "sequenceNumber": sequence, "partitionKey": "1", "data": STANDARD.encode(data),
            "approximateArrivalTimestamp": now_ms() as f64 / 1_000.0,
        },
        "eventSource": "aws:kinesis",
        "eventID": format!("{shard}:{sequence}"),
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/telemetry",
    })
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    flate2::read::GzEncoder::new(bytes, flate2::Compression::default()).read_to_end(&mut out).unwrap();
    out
}

fn trace_id() -> TraceId {
    TRACE.parse().unwrap()
}

fn span_id(number: u8) -> SpanId {
    SpanId::from_bytes([number; 8]).unwrap()
}

pub(crate) fn span(name: &str, number: u8, parent: Option<u8>, duration_ms: u64) -> Span {
    let start = now();
    Span {
        trace_id: trace_id(),
        span_id: span_id(number),
        parent_id: parent.map(span_id),
        name: name.to_owned(),
        kind: SpanKind::Server,
        start,
        end: start.plus(Duration::from_millis(duration_ms)),
        status: SpanStatus::Ok,
        request_id: Some(format!("r-{number}")),
        attributes: Map::from([("faas.coldstart".to_owned(), true.into())]),
        events: Vec::new(),
        links: Vec::new(),
    }
}

pub(crate) fn log(message: &str, level: Level, span: u8) -> LogRecord {
    LogRecord {
        time: now(),
        level: Some(level),
        request_id: Some(format!("r-{span}")),
        trace_id: Some(trace_id()),
        span_id: Some(span_id(span)),
        error: (level >= Level::Error).then(|| message.to_owned()),
        body: Map::from([("message".to_owned(), message.into())]),
        ..LogRecord::default()
    }
}

/// The batch of this number of one sandbox, as it stands on the stream.
pub(crate) fn batch(sequence: u64, spans: Vec<Span>, logs: Vec<LogRecord>) -> Vec<u8> {
    batch_of(Map::new(), sequence, spans, logs)
}

/// The same, of a resource with attributes of its own.
pub(crate) fn batch_of(attributes: Map, sequence: u64, spans: Vec<Span>, logs: Vec<LogRecord>) -> Vec<u8> {
    let records = (spans.len() + logs.len()) as u64;
    wire::encode(&Batch {
        id: BatchId { sandbox: "0123456789abcdef0123456789abcdef".to_owned(), sequence },
        first_record: 0,
        resource: Resource {
            namespace: "checkout".to_owned(),
            service: "shop".to_owned(),
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            attributes,
        },
        spans,
        logs,
        metrics: Vec::new(),
        account: Account { received: records, shipped: records, lost: BTreeMap::new(), ..Account::default() },
    })
}

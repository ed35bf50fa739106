//! Every format that may stand on the stream, told by its bytes. The fixtures are written out here, each with its
//! source.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops here")]

use flate2::Compression;
use flate2::read::GzEncoder;
use model::{Event, Kind, Level, Timestamp, Value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use prost::Message;
use std::io::Read;
use wire::printed::as_text;
use wire::{Context, Decoded, Format, Limits, decode};

const ARRIVED_MS: i64 = 1_800_000_000_000;

fn read(bytes: &[u8]) -> Decoded {
    let context =
        Context { record: "4959", arrived_at: Timestamp::from_millis(ARRIVED_MS), read_line: as_text };
    decode(bytes, &context, &Limits::default()).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    GzEncoder::new(bytes, Compression::default()).read_to_end(&mut out).unwrap();
    out
}

fn pair(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Any::StringValue(value.into()))
}

fn resource() -> Option<Resource> {
    let attributes = vec![
        text("service.name", "shop"),
        text("cloud.region", "eu-west-1"),
        text("cloud.account.id", "123456789012"),
        text("host.arch", "arm64"),
    ];
    Some(Resource { attributes, ..Resource::default() })
}

fn int(event: &Event, key: &str) -> i64 {
    match event.attributes.get(key) {
        Some(Value::Int(number)) => *number,
        other => panic!("{key} is {other:?}"),
    }
}

/// The shape and the values of the AWS documentation's example ("Subscription filters with Kinesis Data Streams",
/// CloudWatch Logs user guide), with a Lambda log group as in its Lambda example.
const SUBSCRIPTION: &str = r#"{
    "owner": "111111111111",
    "logGroup": "/aws/lambda/checkout",
    "logStream": "2026/11/20/[$LATEST]c5f5c9e1b2d84c0bbd4d0a8d1d5b4a11",
    "subscriptionFilters": ["Destination"],
    "messageType": "DATA_MESSAGE",
    "logEvents": [
        {"id": "31953106606966983378809025079804211143289615424298221568",
         "timestamp": 1432826855000, "message": "START RequestId: 79b4f56e Version: $LATEST\n"},
        {"id": "31953106606966983378809025079804211143289615424298221569",
         "timestamp": 1432826855001, "message": "{\"level\":\"INFO\",\"order\":7}\n"}
    ]
}"#;

#[test]
fn a_cloudwatch_subscription_batch_is_one_event_per_line_under_the_functions_name() {
    let decoded = read(&gzip(SUBSCRIPTION.as_bytes()));
    assert_eq!(decoded.format, Format::CloudWatchLogs);
    assert_eq!(decoded.events.len(), 2);
    let first = &decoded.events[0];
    assert_eq!((first.dataset.as_str(), first.namespace.as_str()), ("lambda-logs", "checkout"));
    assert_eq!(first.account, "111111111111");
    assert_eq!(first.timestamp, Timestamp::from_millis(1_432_826_855_000));
    assert_eq!(first.message.as_deref(), Some("START RequestId: 79b4f56e Version: $LATEST"));
    assert_eq!(first.id.as_str(), "31953106606966983378809025079804211143289615424298221568");
    assert_eq!(first.attributes["@logGroup"], Value::from("/aws/lambda/checkout"));
}

#[test]
fn log_groups_choose_the_dataset() {
    for (group, dataset, namespace) in [
        (
            "API-Gateway-Execution-Logs_a1b2c3/prod",
            "apigateway-logs",
            "API-Gateway-Execution-Logs_a1b2c3/prod",
        ),
        ("/aws/apigateway/shop", "apigateway-logs", "/aws/apigateway/shop"),
        ("/ecs/worker", "logs", "/ecs/worker"),
    ] {
        let decoded = read(SUBSCRIPTION.replace("/aws/lambda/checkout", group).as_bytes());
        let first = &decoded.events[0];
        assert_eq!((first.dataset.as_str(), first.namespace.as_str()), (dataset, namespace));
    }
}

/// As CloudWatch sends when a subscription is made (same guide).
#[test]
fn a_control_message_is_understood_and_holds_nothing() {
    let text = r#"{"messageType":"CONTROL_MESSAGE","owner":"CloudwatchLogs","logGroup":"","logStream":"",
        "subscriptionFilters":[],"logEvents":[{"id":"","timestamp":1432826855000,
        "message":"CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}]}"#;
    let decoded = read(&gzip(text.as_bytes()));
    assert_eq!(decoded.format, Format::CloudWatchLogs);
    assert!(decoded.events.is_empty());
}

#[test]
fn several_subscription_batches_in_one_record_are_all_read() {
    let twice = format!("{SUBSCRIPTION}{SUBSCRIPTION}");
    assert_eq!(read(&gzip(twice.as_bytes())).events.len(), 4);
}

fn traces() -> ExportTraceServiceRequest {
    let span = Span {
        trace_id: (1..=16).collect(),
        span_id: (1..=8).collect(),
        parent_span_id: (2..=9).collect(),
        name: "GET /cart".into(),
        kind: span::SpanKind::Server as i32,
        start_time_unix_nano: 1_000_000_000,
        end_time_unix_nano: 1_250_000_000,
        attributes: vec![
            pair("http.response.status_code", Any::IntValue(500)),
            text("faas.invocation_id", "r-1"),
        ],
        status: Some(Status { code: 2, message: "it broke".into() }),
        events: vec![span::Event {
            name: "exception".into(),
            time_unix_nano: 1_100_000_000,
            attributes: vec![text("exception.type", "KeyError")],
            ..span::Event::default()
        }],
        links: vec![span::Link {
            trace_id: (3..=18).collect(),
            span_id: (3..=10).collect(),
            ..span::Link::default()
        }],
        ..Span::default()
    };
    let scope =
        Some(InstrumentationScope { name: "flask".into(), version: "3".into(), ..Default::default() });
    let scope_spans = vec![ScopeSpans { scope, spans: vec![span], ..ScopeSpans::default() }];
    let of_resource = ResourceSpans { resource: resource(), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![of_resource] }
}

#[test]
fn bare_otlp_traces_become_spans_of_the_otel_dataset() {
    let decoded = read(&traces().encode_to_vec());
    assert_eq!(decoded.format, Format::OtlpTraces);
    let [event] = decoded.events.as_slice() else { panic!("one span") };
    assert_eq!((event.dataset.as_str(), event.kind), ("otel", Kind::Span));
    assert_eq!((event.service.as_str(), event.namespace.as_str()), ("shop", "shop"));
    assert_eq!((event.region.as_str(), event.account.as_str()), ("eu-west-1", "123456789012"));
    assert_eq!(event.name.as_deref(), Some("GET /cart"));
    assert_eq!(event.duration_ms, Some(250.0));
    assert_eq!(event.status.as_deref(), Some("error"));
    assert_eq!(event.error.as_deref(), Some("KeyError"));
    assert_eq!(event.request_id.as_deref(), Some("r-1"));
    assert_eq!(event.trace_id.unwrap().to_string(), "0102030405060708090a0b0c0d0e0f10");
    assert_eq!(event.parent_id.unwrap().to_string(), "0203040506070809");
    assert_eq!(event.id.as_str(), "4959-0");
    let json = serde_json::Value::from(Value::Object(event.attributes.clone()));
    let expected = serde_json::json!({
        "http.response.status_code": 500, "faas.invocation_id": "r-1", "host.arch": "arm64",
        "service.name": "shop", "cloud.region": "eu-west-1", "cloud.account.id": "123456789012",
        "otel.scope.name": "flask", "otel.scope.version": "3",
        "span.kind": "server", "span.status_message": "it broke",
        "span.events": [{
            "name": "exception", "timestamp": "1970-01-01T00:00:01.100Z",
            "attributes": {"exception.type": "KeyError"},
        }],
        "span.links": [{
            "traceId": "030405060708090a0b0c0d0e0f101112", "spanId": "030405060708090a", "attributes": {},
        }],
    });
    assert_eq!(json, expected);
}

fn logs(record: LogRecord) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
    let of_resource = ResourceLogs { resource: resource(), scope_logs, ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![of_resource] }.encode_to_vec()
}

#[test]
fn bare_otlp_logs_are_told_apart_however_little_they_hold() {
    let body = |text: &str| Some(AnyValue { value: Some(Any::StringValue(text.into())) });
    for record in [
        LogRecord { time_unix_nano: 5, body: body("paid"), ..LogRecord::default() },
        LogRecord { severity_number: 17, body: body("paid"), ..LogRecord::default() },
        LogRecord { body: body("paid"), ..LogRecord::default() },
        LogRecord {
            observed_time_unix_nano: 5,
            body: body("paid"),
            trace_id: (1..=16).collect(),
            span_id: (1..=8).collect(),
            ..LogRecord::default()
        },
    ] {
        let decoded = read(&gzip(&logs(record.clone())));
        assert_eq!(decoded.format, Format::OtlpLogs, "{record:?}");
        let event = &decoded.events[0];
        assert_eq!(event.message.as_deref(), Some("paid"));
        assert_eq!(event.level, (record.severity_number == 17).then_some(Level::Error));
        assert_eq!(event.error.as_deref(), (record.severity_number == 17).then_some("paid"));
    }
}

#[test]
fn bare_otlp_metrics_become_points() {
    let gauge =
        |value| NumberDataPoint { value: Some(value), time_unix_nano: 7, ..NumberDataPoint::default() };
    let points = vec![
        gauge(number_data_point::Value::AsInt(9_007_199_254_740_993)),
        gauge(number_data_point::Value::AsDouble(1.5)),
    ];
    let histogram = HistogramDataPoint {
        count: 3,
        sum: Some(6.0),
        min: Some(1.0),
        max: Some(3.0),
        bucket_counts: vec![1, 2],
        explicit_bounds: vec![1.5],
        ..HistogramDataPoint::default()
    };
    let metrics = vec![
        Metric {
            name: "queue".into(),
            unit: "1".into(),
            data: Some(metric::Data::Gauge(Gauge { data_points: points })),
            ..Metric::default()
        },
        Metric {
            name: "latency".into(),
            data: Some(metric::Data::Histogram(Histogram {
                data_points: vec![histogram],
                aggregation_temporality: 1,
            })),
            ..Metric::default()
        },
    ];
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let of_resource = ResourceMetrics { resource: resource(), scope_metrics, ..ResourceMetrics::default() };
    let bytes = ExportMetricsServiceRequest { resource_metrics: vec![of_resource] }.encode_to_vec();
    let decoded = read(&bytes);
    assert_eq!(decoded.format, Format::OtlpMetrics);
    assert_eq!(decoded.events.len(), 3);
    assert_eq!(int(&decoded.events[0], "value"), 9_007_199_254_740_993);
    assert_eq!(decoded.events[1].attributes["value"], Value::Float(1.5));
    assert_eq!(decoded.events[1].name.as_deref(), Some("queue"));
    let value = serde_json::Value::from(decoded.events[2].attributes["value"].clone());
    let expected = serde_json::json!({
        "count": 3, "sum": 6.0, "min": 1.0, "max": 3.0, "buckets": [1, 2], "bounds": [1.5]
    });
    assert_eq!(value, expected);
}

#[test]
fn an_otlp_request_without_a_record_is_not_an_error() {
    let empty = ResourceSpans { resource: resource(), ..ResourceSpans::default() };
    let bytes = ExportTraceServiceRequest { resource_spans: vec![empty] }.encode_to_vec();
    let decoded = read(&bytes);
    assert_eq!((decoded.format, decoded.events.len()), (Format::OtlpEmpty, 0));
}

#[test]
fn a_resource_chooses_another_dataset() {
    let mut request = traces();
    let attributes = &mut request.resource_spans[0].resource.as_mut().unwrap().attributes;
    attributes.push(text("limelight.dataset", "payments"));
    let decoded = read(&request.encode_to_vec());
    assert_eq!(decoded.events[0].dataset, "payments");
    assert!(!decoded.events[0].attributes.contains_key("limelight.dataset"));
}

#[test]
fn posted_json_is_read_as_the_reference_says() {
    let decoded = read(
        br#"{"message":"paid","level":"error","requestId":"r-9","traceId":"1-58406520-a006649127e371903a2de979",
        "duration":12,"namespace":"/cart","service":"shop","timestamp":"2026-11-20T13:52:00Z","data":{"n":1}}"#,
    );
    let [event] = decoded.events.as_slice() else { panic!("one event") };
    assert_eq!((event.dataset.as_str(), event.kind), ("logs", Kind::Event));
    assert_eq!(event.message.as_deref(), Some("paid"));
    assert_eq!((event.level, event.error.as_deref()), (Some(Level::Error), Some("paid")));
    assert_eq!(event.request_id.as_deref(), Some("r-9"));
    assert_eq!(event.trace_id.unwrap().to_string(), "58406520a006649127e371903a2de979");
    assert_eq!(event.duration_ms, Some(12.0));
    assert_eq!((event.namespace.as_str(), event.service.as_str()), ("/cart", "shop"));
    assert_eq!(event.timestamp.to_string(), "2026-11-20T13:52:00.000Z");
    assert_eq!(event.attributes["requestId"], Value::from("r-9"), "and stays where it was");
}

#[test]
fn arrays_lines_and_scalars_of_json_are_all_kept() {
    assert_eq!(read(br#"[{"a":1},{"a":2}]"#).events.len(), 2);
    assert_eq!(read(b"[]").events.len(), 0);
    assert_eq!(read(b"\xef\xbb\xbf{\"a\":1}").events.len(), 1, "a byte order mark is no harm");
    let lines = read(b"{\"a\":1}\n{\"a\":2}\n");
    assert_eq!(lines.events.len(), 2);
    assert_eq!(lines.events[1].id.as_str(), "4959-1");
    let odd = read(br#"["hello", 7]"#);
    assert_eq!(odd.events[0].message.as_deref(), Some("hello"));
    assert_eq!(int(&odd.events[1], "value"), 7);
}

#[test]
fn times_since_the_epoch_are_understood_in_any_unit() {
    for (number, millis) in [
        ("1700000000", 1_700_000_000_000),
        ("1700000000123", 1_700_000_000_123),
        ("1700000000123000", 1_700_000_000_123),
        ("1700000000123000000", 1_700_000_000_123),
        ("1700000000.123", 1_700_000_000_123),
        ("null", ARRIVED_MS),
    ] {
        let decoded = read(format!("{{\"timestamp\":{number}}}").as_bytes());
        assert_eq!(decoded.events[0].timestamp, Timestamp::from_millis(millis), "{number}");
    }
}

#[test]
fn every_format_may_be_gzip_zstd_or_plain() {
    for plain in [SUBSCRIPTION.as_bytes().to_vec(), traces().encode_to_vec(), b"{\"a\":1}".to_vec()] {
        let expected = read(&plain);
        assert_eq!(read(&gzip(&plain)), expected);
        assert_eq!(read(&gzip(&gzip(&plain))), expected, "compressed by the library and by its user");
        assert_eq!(read(&zstd::encode_all(plain.as_slice(), 1).unwrap()), expected);
        let (head, tail) = plain.split_at(plain.len() / 2);
        assert_eq!(read(&[gzip(head), gzip(tail)].concat()), expected, "two gzip members are one stream");
    }
}

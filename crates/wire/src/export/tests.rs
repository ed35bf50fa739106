use super::*;
use model::{Buckets, Level, MetricKind, SpanKind, SpanStatus, Value};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as otlp;
use proptest::prelude::*;

const TRACES: &str = r#"{"resourceSpans":[{"resource":{"attributes":[
    {"key":"service.name","value":{"stringValue":"checkout"}}],"somethingNew":1},
  "scopeSpans":[{"scope":{"name":"http","version":"1.2","attributes":[]},"spans":[
    {"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","parentSpanId":"EEE19B7EC3C1B173",
     "name":"GET /orders","startTimeUnixNano":"1544712660000000000","endTimeUnixNano":1544712661000000000,
     "kind":"SPAN_KIND_SERVER","traceState":"vendor=1","status":{"code":2,"message":"boom"},
     "attributes":[{"key":"http.response.status_code","value":{"intValue":"500"}},
       {"key":"tags","value":{"arrayValue":{"values":[{"stringValue":"a"},{"boolValue":true}]}}},
       {"key":"nested","value":{"kvlistValue":{"values":[{"key":"x","value":{"doubleValue":1.5}}]}}}],
     "events":[{"name":"exception","timeUnixNano":"1544712660500000000",
       "attributes":[{"key":"exception.type","value":{"stringValue":"ValueError"}}]}],
     "links":[{"traceId":"5b8efff798038103d269b633813fc60d","spanId":"eee19b7ec3c1b175"},{"traceId":"","spanId":""}]},
    {"traceId":"","spanId":"EEE19B7EC3C1B174","name":"lost"}]}]}]}"#;

fn json(text: &str, signal: Signal) -> Result<Export, DecodeError> {
    read(text.as_bytes(), signal, Encoding::Json, Timestamp::from_millis(7), &Limits::default())
}

#[test]
fn a_span_in_json_keeps_all_that_it_says() {
    let export = json(TRACES, Signal::Traces).unwrap();
    assert_eq!(export.rejected, 1, "a span without a trace id");
    let [part] = &export.parts[..] else { panic!("{export:?}") };
    assert_eq!(part.origin["service.name"], "checkout".into());
    assert_eq!(part.origin["otel.scope.name"], "http".into());
    assert_eq!(part.origin["otel.scope.version"], "1.2".into());
    let [span] = &part.spans[..] else { panic!("{part:?}") };
    assert_eq!(span.trace_id.to_string(), "5b8efff798038103d269b633813fc60c");
    assert_eq!(span.parent_id.map(|id| id.to_string()).as_deref(), Some("eee19b7ec3c1b173"));
    assert_eq!((span.kind, &span.status), (SpanKind::Server, &SpanStatus::Error("boom".to_owned())));
    assert_eq!(span.end.since(span.start).as_secs(), 1);
    assert_eq!(span.attributes["http.response.status_code"], Value::Int(500));
    assert_eq!(span.attributes["tags"], Value::Array(vec!["a".into(), true.into()]));
    assert_eq!(span.attributes["nested"].as_object().unwrap()["x"], Value::Float(1.5));
    assert_eq!(span.attributes["span.trace_state"], "vendor=1".into());
    assert_eq!(span.events[0].attributes["exception.type"], "ValueError".into());
    assert_eq!(span.links.len(), 1, "a link to nowhere is none");
}

#[test]
fn a_log_in_json_has_its_body_as_its_message_and_its_attributes_as_keys() {
    let text = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
      {"timeUnixNano":"1544712660300000000","severityNumber":"SEVERITY_NUMBER_ERROR","severityText":"Bad",
       "body":{"stringValue":"card declined"},"attributes":[{"key":"faas.invocation_id","value":{"stringValue":"one"}},
       {"key":"exception.type","value":{"stringValue":"CardError"}}],
       "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"},
      {"body":{"kvlistValue":{"values":[{"key":"order","value":{"intValue":7}}]}},"eventName":"order.placed"}]}]}]}"#;
    let export = json(text, Signal::Logs).unwrap();
    let [failed, placed] = &export.parts[0].logs[..] else { panic!("{export:?}") };
    assert_eq!((failed.level, failed.error.as_deref()), (Some(Level::Error), Some("CardError")));
    assert_eq!(failed.body["message"], "card declined".into());
    assert_eq!(failed.body["severity_text"], "Bad".into());
    assert_eq!(failed.request_id.as_deref(), Some("one"));
    assert!(failed.trace_id.is_some() && failed.span_id.is_some());
    assert_eq!(placed.body["order"], Value::Int(7));
    assert_eq!(placed.body["event.name"], "order.placed".into());
    assert_eq!(placed.time, Timestamp::from_millis(7), "without a time of its own, when it arrived");
}

#[test]
fn metrics_in_json_keep_temporality_and_buckets() {
    let text = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[
      {"name":"requests","unit":"1","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[
        {"asInt":"5","startTimeUnixNano":"1","timeUnixNano":"2","attributes":[]}]}},
      {"name":"latency","histogram":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA","dataPoints":[
        {"count":"2","sum":3.5,"bucketCounts":["1",1],"explicitBounds":[2.0],"timeUnixNano":"2"}]}},
      {"name":"sizes","exponentialHistogram":{"aggregationTemporality":1,"dataPoints":[
        {"count":1,"scale":-1,"zeroCount":"0","positive":{"offset":3,"bucketCounts":["1"]},"timeUnixNano":"2"}]}},
      {"name":"load","gauge":{"dataPoints":[{"asDouble":"NaN","timeUnixNano":"2"},{"asDouble":0.5}]}}]}]}]}"#;
    let metrics = json(text, Signal::Metrics).unwrap().parts.remove(0).metrics;
    let kinds: Vec<_> = metrics.iter().map(|metric| (metric.name.as_str(), &metric.kind)).collect();
    assert!(matches!(kinds[0], ("requests", MetricKind::Counter(counter))
        if counter.value == 5.0 && counter.monotonic && counter.since == Timestamp::from_nanos(1)));
    assert!(matches!(kinds[1], ("latency", MetricKind::Histogram(histogram))
        if histogram.buckets == Buckets::Explicit { bounds: vec![2.0], counts: vec![1, 1] }));
    assert!(matches!(kinds[2], ("sizes", MetricKind::Histogram(histogram))
        if matches!(histogram.buckets, Buckets::Exponential { scale: -1, .. })));
    assert!(matches!(kinds[3], ("load", MetricKind::Gauge(value)) if value.is_nan()));
    assert_eq!(metrics[4].time, Timestamp::from_millis(7));
}

#[test]
fn protobuf_and_json_of_one_request_are_read_alike() {
    let text = |key: &str, text: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Any::StringValue(text.to_owned())) }),
        key_strindex: 0,
    };
    let span = otlp::Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: "work".to_owned(),
        kind: 3,
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        attributes: vec![text("a", "b")],
        ..otlp::Span::default()
    };
    let scope = InstrumentationScope { name: "lib".to_owned(), ..InstrumentationScope::default() };
    let request = ExportTraceServiceRequest {
        resource_spans: vec![otlp::ResourceSpans {
            resource: Some(Resource { attributes: vec![text("service.name", "s")], ..Resource::default() }),
            scope_spans: vec![otlp::ScopeSpans {
                scope: Some(scope),
                spans: vec![span],
                ..otlp::ScopeSpans::default()
            }],
            ..otlp::ResourceSpans::default()
        }],
    };
    let bytes = request.encode_to_vec();
    let of_bytes =
        read(&bytes, Signal::Traces, Encoding::Protobuf, Timestamp::EPOCH, &Limits::default()).unwrap();
    let of_text = json(
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},
        "scopeSpans":[{"scope":{"name":"lib"},"spans":[{"traceId":"01010101010101010101010101010101",
        "spanId":"0202020202020202","name":"work","kind":3,"startTimeUnixNano":1,"endTimeUnixNano":"2",
        "attributes":[{"key":"a","value":{"stringValue":"b"}}]}]}]}]}"#,
        Signal::Traces,
    );
    assert_eq!(of_bytes, of_text.unwrap());
}

#[test]
fn a_field_of_the_wrong_type_is_named() {
    for (text, field) in [
        (r#"{"resourceSpans":{}}"#, "resourceSpans"),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}"#, "traceId"),
        (
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":"soon"}]}]}]}"#,
            "startTimeUnixNano",
        ),
        (r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SPAN_KIND_ODD"}]}]}]}"#, "kind"),
    ] {
        let error = json(text, Signal::Traces).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
    assert!(matches!(json("", Signal::Traces), Err(DecodeError::Empty)));
    assert!(json("[]", Signal::Traces).is_err());
    assert_eq!(json("{}", Signal::Traces).unwrap(), Export::default());
}

#[test]
fn answers_speak_the_requests_language() {
    assert_eq!(accepted(Signal::Logs, Encoding::Protobuf, 0), b"");
    assert_eq!(accepted(Signal::Logs, Encoding::Json, 0), b"{}");
    let partial = accepted(Signal::Traces, Encoding::Json, 2);
    assert!(String::from_utf8(partial).unwrap().contains(r#""rejectedSpans":"2""#));
    // Field 1 holds field 1 (a varint 2) and field 2 (text).
    assert_eq!(accepted(Signal::Traces, Encoding::Protobuf, 2)[2..4], [8, 2]);
    assert_eq!(refused(Encoding::Protobuf, Code::Unavailable, "full"), b"\x08\x0e\x12\x04full");
    assert_eq!(refused(Encoding::Json, Code::InvalidArgument, "no"), br#"{"code":3,"message":"no"}"#);
}

proptest! {
    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
            for encoding in [Encoding::Protobuf, Encoding::Json] {
                let _ = read(&bytes, signal, encoding, Timestamp::EPOCH, &Limits::default());
            }
        }
    }

    #[test]
    fn a_request_that_was_damaged_is_read_or_refused(at in 0..TRACES.len(), byte in any::<u8>()) {
        let mut bytes = TRACES.as_bytes().to_vec();
        bytes[at] = byte;
        let _ = read(&bytes, Signal::Traces, Encoding::Json, Timestamp::EPOCH, &Limits::default());
    }
}

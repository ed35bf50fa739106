//! A function, records of it at given moments, and what they become in a form for snapshots.

use lambda_api::telemetry::Record;
use model::{Level, LogRecord, Metric, Span, Timestamp};
use pipeline::{Assembler, FunctionContext, Signals, parse};
use serde_json::{Value, json};

pub(crate) const ID: &str = "8286a188-ba32-4475-8077-530cd35c09a9";
pub(crate) const NEXT_ID: &str = "6d68ca91-49c9-448d-89b8-7ca3e6dc66aa";

pub(crate) fn checkout() -> FunctionContext {
    FunctionContext {
        name: "checkout".into(),
        version: "$LATEST".into(),
        memory_mb: 512,
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        initialization_type: "on-demand".into(),
        service: "shop".into(),
        instance: "2026/11/20/[$LATEST]0123456789abcdef".into(),
        log_group: "/aws/lambda/checkout".into(),
        runtime: "AWS_Lambda_python3.13".into(),
    }
}

/// A record at so many milliseconds of a minute.
pub(crate) fn record(at_ms: u32, kind: &str, record: Value) -> Record {
    let (seconds, millis) = (at_ms / 1_000, at_ms % 1_000);
    Record { time: format!("2026-11-20T13:52:{seconds:02}.{millis:03}Z"), kind: kind.into(), record }
}

pub(crate) fn tracing() -> Value {
    json!({"spanId": "54565fb41ac79632", "type": "X-Amzn-Trace-Id",
        "value": "Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=1"})
}

pub(crate) fn init(from_ms: u32, initialization_type: &str) -> Vec<Record> {
    vec![
        record(
            from_ms,
            "platform.initStart",
            json!({"initializationType": initialization_type, "phase": "init",
            "runtimeVersion": "python:3.13.v42", "runtimeVersionArn": "arn:aws:lambda:eu-west-1::runtime:0cdcfbdefbc5"}),
        ),
        record(
            from_ms + 20,
            "platform.telemetrySubscription",
            json!({"name": "limelight-extension", "state": "Subscribed", "types": ["platform", "function"]}),
        ),
        record(from_ms + 90, "function", json!("loading the catalogue\n")),
        record(
            from_ms + 100,
            "platform.initRuntimeDone",
            json!({"initializationType": initialization_type,
            "phase": "init", "status": "success"}),
        ),
        record(
            from_ms + 120,
            "platform.initReport",
            json!({"initializationType": initialization_type,
            "phase": "init", "metrics": {"durationMs": 118.25}}),
        ),
    ]
}

pub(crate) fn start(at_ms: u32, id: &str) -> Record {
    record(at_ms, "platform.start", json!({"requestId": id, "version": "$LATEST", "tracing": tracing()}))
}

pub(crate) fn done(at_ms: u32, id: &str, status: &str, error_type: Option<&str>, duration_ms: f64) -> Record {
    let mut body = json!({"requestId": id, "status": status,
        "metrics": {"durationMs": duration_ms, "producedBytes": 53},
        "spans": [
            {"name": "responseLatency", "start": "2026-11-20T13:52:01.010Z", "durationMs": 30.5},
            {"name": "responseDuration", "start": "2026-11-20T13:52:01.041Z", "durationMs": 0.25},
            {"name": "runtimeOverhead", "start": "2026-11-20T13:52:01.042Z", "durationMs": 1.5}],
        "tracing": tracing()});
    if let Some(error_type) = error_type {
        body["errorType"] = json!(error_type);
    }
    record(at_ms, "platform.runtimeDone", body)
}

pub(crate) fn report(at_ms: u32, id: &str, status: &str, duration_ms: f64) -> Record {
    record(
        at_ms,
        "platform.report",
        json!({"requestId": id, "status": status,
        "metrics": {"durationMs": duration_ms, "billedDurationMs": duration_ms.ceil(), "memorySizeMB": 512,
            "maxMemoryUsedMB": 81, "initDurationMs": 118.25},
        "spans": [{"name": "extensionOverhead", "start": "2026-11-20T13:52:01.044Z", "durationMs": 2.75}],
        "tracing": tracing()}),
    )
}

pub(crate) fn run(assembler: &mut Assembler, records: impl IntoIterator<Item = Record>) -> Signals {
    let mut all = Signals::default();
    for record in records {
        all.append(assembler.accept(record, Timestamp::EPOCH));
    }
    all.append(assembler.finish_lines());
    all
}

pub(crate) fn shown(signals: &Signals) -> Value {
    json!({
        "spans": signals.spans.iter().map(shown_span).collect::<Vec<_>>(),
        "logs": signals.logs.iter().map(shown_log).collect::<Vec<_>>(),
        "metrics": signals.metrics.iter().map(shown_metric).collect::<Vec<_>>(),
        "folded": signals.folded,
    })
}

pub(crate) fn shown_span(span: &Span) -> Value {
    json!({
        "name": span.name,
        "kind": format!("{:?}", span.kind),
        "place": format!("{} {} < {}", span.trace_id, span.span_id,
            span.parent_id.map_or("root".to_owned(), |parent| parent.to_string())),
        "time": format!("{} .. {}", span.start, span.end),
        "status": format!("{:?}", span.status),
        "request_id": span.request_id,
        "attributes": Value::from(model::Value::from(span.attributes.clone())),
    })
}

/// As who stores it sees it: with its line's keys.
pub(crate) fn shown_log(log: &LogRecord) -> Value {
    let mut log = log.clone();
    parse::take_apart(&mut log);
    json!({
        "time": log.time.to_string(),
        "level": log.level.map(Level::as_str),
        "request_id": log.request_id,
        "place": log.trace_id.map(|trace| format!("{trace} {}",
            log.span_id.map_or("-".to_owned(), |span| span.to_string()))),
        "duration_ms": log.duration_ms,
        "error": log.error,
        "platform": log.platform,
        "body": Value::from(model::Value::from(log.body.clone())),
    })
}

pub(crate) fn shown_metric(metric: &Metric) -> Value {
    json!({
        "name": metric.name,
        "unit": metric.unit,
        "time": metric.time.to_string(),
        "value": format!("{:?}", metric.kind),
        "request_id": metric.request_id,
        "attributes": Value::from(model::Value::from(metric.attributes.clone())),
    })
}

//! Platform events as log records, with the keys that the reference discovers in their text forms.

use lambda_api::telemetry::{self, More, kind};
use model::{Level, LogRecord, Map, Timestamp, TraceContext, Value};

use super::failure::{OUT_OF_MEMORY, is_platform_error};
use super::invocation::{Ending, Invocation};
use super::{put, put_more};
use crate::parse::{TIMED_OUT, timed_out, trace_header};

/// How the reference's discovered keys begin.
const DISCOVERED: &str = "@";

/// A platform event, before its keys.
fn event(time: Timestamp, kind: &str) -> LogRecord {
    LogRecord {
        time,
        platform: true,
        body: Map::from([("@type".to_owned(), kind.into())]),
        ..LogRecord::default()
    }
}

fn of_invocation(time: Timestamp, kind: &str, request_id: &str, context: TraceContext) -> LogRecord {
    let mut log = event(time, kind);
    log.request_id = Some(request_id.to_owned());
    log.trace_id = Some(context.trace_id);
    log.span_id = Some(context.span_id);
    log.body.insert("@requestId".to_owned(), request_id.into());
    log
}

/// `@type: START`; `more` is what the record says beside what is known.
pub(super) fn start(invocation: &Invocation, more: &More) -> LogRecord {
    let mut log = of_invocation(invocation.started_at, "START", &invocation.request_id, invocation.context);
    put(&mut log.body, "@version", invocation.version.as_deref());
    put(&mut log.body, "@tenantId", invocation.tenant_id.as_deref());
    put_more(&mut log.body, DISCOVERED, more);
    log
}

/// `@type: END`. The duration is the report's to tell: a sum over `@duration` must not count it twice.
pub(super) fn end(invocation: &Invocation, ending: &Ending, time: Timestamp) -> LogRecord {
    let mut log = of_invocation(time, "END", &invocation.request_id, invocation.context);
    put(&mut log.body, "@status", Some(&*ending.status).filter(|status| !status.is_empty()));
    put(&mut log.body, "@errorType", ending.error_type.as_deref());
    put_more(&mut log.body, DISCOVERED, &ending.more);
    log
}

/// What CloudWatch shows as `Task timed out after 3.00 seconds`: the Telemetry API tells it only as a status.
pub(super) fn timeout(invocation: &Invocation, end: Timestamp) -> LogRecord {
    let seconds = (end.since(invocation.started_at).as_secs_f64() * 100.0).round() / 100.0;
    let message = format!("{TIMED_OUT} after {seconds:.2} seconds");
    let mut log = of_invocation(end, "TIMEOUT", &invocation.request_id, invocation.context);
    log.body.append(&mut timed_out(seconds, &message));
    log.body.insert("@timestamp".to_owned(), end.to_string().into());
    log.level = Some(Level::Error);
    log.error = Some(TIMED_OUT.to_owned());
    log
}

/// `@type: REPORT`
pub(super) fn report(
    report: &telemetry::Report,
    context: TraceContext,
    out_of_memory: bool,
    time: Timestamp,
) -> LogRecord {
    let mut log = of_invocation(time, "REPORT", &report.request_id, context);
    let metrics = &report.metrics;
    let whole = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok());
    put(&mut log.body, "@duration", metrics.duration_ms);
    put(&mut log.body, "@billedDuration", metrics.billed_duration_ms.map(whole_if_it_is));
    put(&mut log.body, "@memorySize", whole(metrics.memory_size_mb));
    put(&mut log.body, "@maxMemoryUsed", whole(metrics.max_memory_used_mb));
    put(&mut log.body, "@initDuration", metrics.init_duration_ms);
    put(&mut log.body, "@restoreDuration", metrics.restore_duration_ms);
    put(&mut log.body, "@billedRestoreDuration", metrics.billed_restore_duration_ms.map(whole_if_it_is));
    put(&mut log.body, "@status", report.status.as_deref());
    put(&mut log.body, "@errorType", report.error_type.as_deref());
    put(&mut log.body, "@tenantId", report.tenant_id.as_deref());
    let overhead = report.spans.iter().find(|span| span.name == "extensionOverhead");
    put(&mut log.body, "@extensionOverhead", overhead.map(|span| span.duration_ms));
    if let Some(tracing) = &report.tracing {
        let xray = trace_header(&tracing.value);
        put(&mut log.body, "@xRAYTraceId", xray.map(|xray| xray.trace_id.to_xray()));
        put(&mut log.body, "@segmentId", tracing.span_id.as_deref());
        put(&mut log.body, "@sampled", xray.and_then(|xray| xray.sampled));
    }
    put_more(&mut log.body, DISCOVERED, &report.more);
    put_more(&mut log.body, DISCOVERED, &metrics.more);
    log.duration_ms = metrics.duration_ms;
    if out_of_memory {
        log.body.insert("@outOfMemory".to_owned(), true.into());
    }
    log.error = if out_of_memory { Some(OUT_OF_MEMORY.to_owned()) } else { error(report) };
    log
}

/// Only what no other record tells: the function's own errors have their line, timeouts their event.
fn error(report: &telemetry::Report) -> Option<String> {
    report.error_type.as_deref().filter(|kind| is_platform_error(kind)).map(str::to_owned)
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and far inside the range")]
fn whole_if_it_is(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::Int(number as i64)
    } else {
        Value::Float(number)
    }
}

/// Every other platform record: its kind as `@type`, and all of its fields.
pub(super) fn other(kind: &str, record: Value, time: Timestamp) -> LogRecord {
    let mut log = event(time, kind);
    match record {
        Value::Object(mut fields) => log.body.append(&mut fields),
        Value::Null => {}
        Value::String(text) => put(&mut log.body, "message", Some(text.trim_end())),
        value => put(&mut log.body, "message", Some(value)),
    }
    // A record's own `@type` would hide what it is.
    log.body.insert("@type".to_owned(), kind.into());
    log.error = trouble(kind, &log.body).map(str::to_owned);
    log.level = match kind {
        _ if log.error.is_some() => Some(Level::Error),
        kind::LOGS_DROPPED => Some(Level::Warn),
        _ => None,
    };
    log
}

/// A fault is an error as it stands, other events (an extension that could not start) by their error type.
fn trouble<'a>(kind: &str, body: &'a Map) -> Option<&'a str> {
    let key = if kind == kind::FAULT { "message" } else { "errorType" };
    body.get(key).and_then(Value::as_str)
}

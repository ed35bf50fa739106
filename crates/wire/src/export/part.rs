//! OTLP's three requests become parts: records in our words, beside what their resource and scope say.

use model::{LogRecord, Map, Span, SpanLink, Timestamp, TraceContext, Value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::LogRecord as OtlpLog;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span as OtlpSpan;

use super::{Export, Part};
use crate::error::DecodeError;
use crate::event::add;
use crate::foreign::{log_error, log_keys};
use crate::otlp::value::from_attributes;
use crate::otlp::{Dialect, from_nanos, log, metric, span, span_id, trace_id};

/// The key under which readers of foreign spans find it, too.
const TRACE_STATE: &str = "span.trace_state";
/// What happened, where a log record is an event (OpenTelemetry's logs data model, "EventName").
const EVENT_NAME: &str = "event.name";

pub(super) fn traces(request: ExportTraceServiceRequest) -> Result<Export, DecodeError> {
    let mut export = Export::default();
    for of_resource in request.resource_spans {
        for scope in of_resource.scope_spans {
            let mut part =
                Part { origin: origin(of_resource.resource.as_ref(), scope.scope)?, ..Part::default() };
            for found in scope.spans {
                match read_span(found)? {
                    Some(span) => part.spans.push(span),
                    None => export.rejected += 1,
                }
            }
            export.parts.push(part);
        }
    }
    Ok(export)
}

pub(super) fn logs(request: ExportLogsServiceRequest, arrived_at: Timestamp) -> Result<Export, DecodeError> {
    let mut export = Export::default();
    for of_resource in request.resource_logs {
        for scope in of_resource.scope_logs {
            let origin = origin(of_resource.resource.as_ref(), scope.scope)?;
            let logs = scope.log_records.into_iter().map(|found| read_log(found, arrived_at));
            let logs = logs.collect::<Result<_, _>>()?;
            export.parts.push(Part { origin, logs, ..Part::default() });
        }
    }
    Ok(export)
}

pub(super) fn metrics(
    request: ExportMetricsServiceRequest,
    arrived_at: Timestamp,
) -> Result<Export, DecodeError> {
    let mut export = Export::default();
    for of_resource in request.resource_metrics {
        for scope in of_resource.scope_metrics {
            let origin = origin(of_resource.resource.as_ref(), scope.scope)?;
            let mut metrics = Vec::new();
            for found in scope.metrics {
                metric::read(found, Dialect::Foreign, &mut metrics)?;
            }
            for point in metrics.iter_mut().filter(|point| point.time == Timestamp::EPOCH) {
                point.time = arrived_at;
            }
            export.parts.push(Part { origin, metrics, ..Part::default() });
        }
    }
    Ok(export)
}

fn origin(resource: Option<&Resource>, scope: Option<InstrumentationScope>) -> Result<Map, DecodeError> {
    let attributes = resource.map(|resource| resource.attributes.clone()).unwrap_or_default();
    let mut origin = from_attributes(attributes, Dialect::Foreign)?;
    let Some(scope) = scope else { return Ok(origin) };
    for (key, value) in from_attributes(scope.attributes, Dialect::Foreign)? {
        origin.entry(key).or_insert(value);
    }
    for (key, text) in [("otel.scope.name", scope.name), ("otel.scope.version", scope.version)] {
        if !text.is_empty() {
            origin.entry(key.to_owned()).or_insert(Value::String(text));
        }
    }
    Ok(origin)
}

/// None without both ids.
fn read_span(found: OtlpSpan) -> Result<Option<Span>, DecodeError> {
    let read = span::read(found, Dialect::Foreign)?;
    let (Some(trace_id), Some(span_id)) = (read.trace_id, read.span_id) else { return Ok(None) };
    let mut attributes = read.attributes;
    if !read.trace_state.is_empty() {
        add(&mut attributes, TRACE_STATE, read.trace_state.into());
    }
    let links = read.links.into_iter().filter_map(|link| {
        let context = TraceContext { trace_id: link.trace_id?, span_id: link.span_id? };
        Some(SpanLink { context, attributes: link.attributes })
    });
    Ok(Some(Span {
        trace_id,
        span_id,
        parent_id: read.parent_id,
        name: read.name,
        kind: read.kind,
        start: read.start,
        end: read.end.max(read.start),
        status: read.status,
        request_id: read.request_id,
        attributes,
        events: read.events,
        links: links.collect(),
    }))
}

fn read_log(found: OtlpLog, arrived_at: Timestamp) -> Result<LogRecord, DecodeError> {
    let time = match (found.time_unix_nano, found.observed_time_unix_nano) {
        (0, 0) => arrived_at,
        (0, nanos) | (nanos, _) => from_nanos(nanos),
    };
    let (trace_id, span_id) = (trace_id(&found.trace_id), span_id(&found.span_id));
    let event_name = found.event_name.clone();
    let (mut body, level) = log_keys(found)?;
    if !event_name.is_empty() {
        add(&mut body, EVENT_NAME, event_name.into());
    }
    let error = log_error(&body, level, body.get("message").and_then(Value::as_str));
    Ok(LogRecord {
        time,
        level,
        request_id: body.get(log::REQUEST_ID).and_then(Value::as_str).map(str::to_owned),
        trace_id,
        span_id,
        error,
        body,
        ..LogRecord::default()
    })
}

//! `ExportTraceServiceRequest`.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

use super::value::{attributes, resource, scope};
use super::{Fault, Object};

pub(crate) fn traces(mut object: Object) -> Result<ExportTraceServiceRequest, Fault> {
    let scope_spans = |mut object: Object| {
        let (scope, spans) = (scope(&mut object)?, object.messages("spans", span)?);
        Ok(ScopeSpans { scope, spans, ..ScopeSpans::default() })
    };
    let resource_spans = |mut object: Object| {
        let (resource, scope_spans) = (resource(&mut object)?, object.messages("scopeSpans", scope_spans)?);
        Ok(ResourceSpans { resource, scope_spans, ..ResourceSpans::default() })
    };
    Ok(ExportTraceServiceRequest { resource_spans: object.messages("resourceSpans", resource_spans)? })
}

fn span(mut object: Object) -> Result<Span, Fault> {
    Ok(Span {
        trace_id: object.id("traceId")?,
        span_id: object.id("spanId")?,
        parent_span_id: object.id("parentSpanId")?,
        trace_state: object.text("traceState")?,
        name: object.text("name")?,
        kind: object.one_of("kind", |name| SpanKind::from_str_name(name).map(i32::from))?,
        start_time_unix_nano: object.whole("startTimeUnixNano")?,
        end_time_unix_nano: object.whole("endTimeUnixNano")?,
        attributes: attributes(&mut object)?,
        events: object.messages("events", event)?,
        links: object.messages("links", link)?,
        status: object.message("status", status)?,
        ..Span::default()
    })
}

fn event(mut object: Object) -> Result<Event, Fault> {
    Ok(Event {
        time_unix_nano: object.whole("timeUnixNano")?,
        name: object.text("name")?,
        attributes: attributes(&mut object)?,
        ..Event::default()
    })
}

fn link(mut object: Object) -> Result<Link, Fault> {
    Ok(Link {
        trace_id: object.id("traceId")?,
        span_id: object.id("spanId")?,
        trace_state: object.text("traceState")?,
        attributes: attributes(&mut object)?,
        ..Link::default()
    })
}

fn status(mut object: Object) -> Result<Status, Fault> {
    let code = object.one_of("code", |name| StatusCode::from_str_name(name).map(i32::from))?;
    Ok(Status { message: object.text("message")?, code })
}

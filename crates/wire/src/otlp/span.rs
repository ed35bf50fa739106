//! OTLP `Span` → `model::Span`; the way back is `write`'s. Foreign spans may lack ids that ours always have:
//! [`ReadSpan`] holds both.

mod write;

use model::{
    Map, Span, SpanEvent, SpanId, SpanKind, SpanLink, SpanStatus, Timestamp, TraceContext, TraceId, Value,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1 as otlp;

use crate::error::DecodeError;
use crate::otlp::log::REQUEST_ID as IMPLIED_REQUEST_ID;
use crate::otlp::value::from_attributes;
use crate::otlp::{Dialect, from_nanos, span_id, trace_id};

pub(crate) use write::{write_all, write_attributes};

/// The request id where the attributes do not say the same already by `faas.invocation_id`. Always the first
/// attribute, so that an attribute of the same name further down stays what it is.
const REQUEST_ID: &str = "limelight.request_id";

/// Unspecified and unknown kinds are internal, as OpenTelemetry says to assume.
fn kind_from(number: i32) -> SpanKind {
    use otlp::span::SpanKind as Otlp;
    match Otlp::try_from(number) {
        Ok(Otlp::Server) => SpanKind::Server,
        Ok(Otlp::Client) => SpanKind::Client,
        Ok(Otlp::Producer) => SpanKind::Producer,
        Ok(Otlp::Consumer) => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn status_from(status: Option<otlp::Status>) -> SpanStatus {
    use otlp::status::StatusCode;
    match status {
        Some(status) if status.code == StatusCode::Ok as i32 => SpanStatus::Ok,
        Some(status) if status.code == StatusCode::Error as i32 => SpanStatus::Error(status.message),
        _ => SpanStatus::Unset,
    }
}

fn implied(attributes: &Map) -> Option<&str> {
    attributes.get(IMPLIED_REQUEST_ID).and_then(Value::as_str)
}

/// The opposite of [`write_attributes`].
pub(crate) fn split_request_id(
    mut list: Vec<KeyValue>,
    dialect: Dialect,
) -> Result<(Option<String>, Map), DecodeError> {
    let said = (list.first().is_some_and(|pair| pair.key == REQUEST_ID)).then(|| list.remove(0));
    let attributes = from_attributes(list, dialect)?;
    let request_id = match said.map(|pair| pair.value.and_then(|any| any.value)) {
        Some(Some(Any::StringValue(id))) => Some(id),
        Some(_) => None,
        None => implied(&attributes).map(str::to_owned),
    };
    Ok((request_id, attributes))
}

/// A span as read, with ids that may be none.
#[derive(Debug)]
pub(crate) struct ReadSpan {
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) status: SpanStatus,
    pub(crate) request_id: Option<String>,
    pub(crate) attributes: Map,
    pub(crate) events: Vec<SpanEvent>,
    pub(crate) links: Vec<ReadLink>,
    pub(crate) trace_state: String,
}

/// A link as read.
#[derive(Debug)]
pub(crate) struct ReadLink {
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) attributes: Map,
}

/// An OTLP span in our words.
pub(crate) fn read(span: otlp::Span, dialect: Dialect) -> Result<ReadSpan, DecodeError> {
    let (request_id, attributes) = split_request_id(span.attributes, dialect)?;
    let events = span.events.into_iter().map(|event| {
        Ok(SpanEvent {
            name: event.name,
            time: from_nanos(event.time_unix_nano),
            attributes: from_attributes(event.attributes, dialect)?,
        })
    });
    let links = span.links.into_iter().map(|link| {
        Ok(ReadLink {
            trace_id: trace_id(&link.trace_id),
            span_id: span_id(&link.span_id),
            attributes: from_attributes(link.attributes, dialect)?,
        })
    });
    Ok(ReadSpan {
        trace_id: trace_id(&span.trace_id),
        span_id: span_id(&span.span_id),
        parent_id: span_id(&span.parent_span_id),
        name: span.name,
        kind: kind_from(span.kind),
        start: from_nanos(span.start_time_unix_nano),
        end: from_nanos(span.end_time_unix_nano),
        status: status_from(span.status),
        request_id,
        attributes,
        events: events.collect::<Result<_, DecodeError>>()?,
        links: links.collect::<Result<_, DecodeError>>()?,
        trace_state: span.trace_state,
    })
}

/// Our own span: its ids must be ids.
pub(crate) fn from_ours(span: otlp::Span, number: usize) -> Result<Span, DecodeError> {
    let span = read(span, Dialect::Ours)?;
    let links = span.links.into_iter().map(|link| {
        let context = TraceContext {
            trace_id: required(link.trace_id, "a link's trace id", number)?,
            span_id: required(link.span_id, "a link's span id", number)?,
        };
        Ok(SpanLink { context, attributes: link.attributes })
    });
    Ok(Span {
        trace_id: required(span.trace_id, "the trace id", number)?,
        span_id: required(span.span_id, "the span id", number)?,
        parent_id: span.parent_id,
        name: span.name,
        kind: span.kind,
        start: span.start,
        end: span.end,
        status: span.status,
        request_id: span.request_id,
        attributes: span.attributes,
        events: span.events,
        links: links.collect::<Result<_, DecodeError>>()?,
    })
}

fn required<T>(id: Option<T>, what: &'static str, number: usize) -> Result<T, DecodeError> {
    id.ok_or_else(|| DecodeError::Invalid {
        what,
        place: format!("of span {number}"),
        why: "it has the wrong length or is all zero".to_owned(),
    })
}

impl From<Span> for ReadSpan {
    fn from(span: Span) -> Self {
        let link = |link: SpanLink| ReadLink {
            trace_id: Some(link.context.trace_id),
            span_id: Some(link.context.span_id),
            attributes: link.attributes,
        };
        Self {
            trace_id: Some(span.trace_id),
            span_id: Some(span.span_id),
            parent_id: span.parent_id,
            name: span.name,
            kind: span.kind,
            start: span.start,
            end: span.end,
            status: span.status,
            request_id: span.request_id,
            attributes: span.attributes,
            events: span.events,
            links: span.links.into_iter().map(link).collect(),
            trace_state: String::new(),
        }
    }
}

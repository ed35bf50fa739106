//! `model::Span` → OTLP `Span`, field by field from the last to the first. Called by `batch`; `metric` writes attributes
//! the same way.

use model::{Map, Span, SpanEvent, SpanKind, SpanLink, SpanStatus, Timestamp};
use opentelemetry_proto::tonic::trace::v1 as otlp;

use super::{REQUEST_ID, implied};
use crate::otlp::to_nanos;
use crate::otlp::value::{write_null, write_text};
use crate::writer::Writer;

/// Field numbers (opentelemetry-proto, `trace/v1/trace.proto`).
mod field {
    /// `spans` of `ScopeSpans`.
    pub(super) const SPANS: u64 = 2;
    pub(super) const TRACE_ID: u64 = 1;
    pub(super) const SPAN_ID: u64 = 2;
    pub(super) const PARENT_SPAN_ID: u64 = 4;
    pub(super) const NAME: u64 = 5;
    pub(super) const KIND: u64 = 6;
    pub(super) const START_TIME: u64 = 7;
    pub(super) const END_TIME: u64 = 8;
    pub(super) const ATTRIBUTES: u64 = 9;
    pub(super) const EVENTS: u64 = 11;
    pub(super) const LINKS: u64 = 13;
    pub(super) const STATUS: u64 = 15;
}
mod event {
    pub(super) const TIME: u64 = 1;
    pub(super) const NAME: u64 = 2;
    pub(super) const ATTRIBUTES: u64 = 3;
}
mod link {
    pub(super) const TRACE_ID: u64 = 1;
    pub(super) const SPAN_ID: u64 = 2;
    pub(super) const ATTRIBUTES: u64 = 4;
}
mod status {
    pub(super) const MESSAGE: u64 = 2;
    pub(super) const CODE: u64 = 3;
}

/// Writes the fields of an OTLP `ScopeSpans`.
pub(crate) fn write_all(writer: &mut Writer, spans: &[Span]) {
    for span in spans.iter().rev() {
        writer.message(field::SPANS, |writer| write(writer, span));
    }
}

fn write(writer: &mut Writer, span: &Span) {
    write_status(writer, &span.status);
    for link in span.links.iter().rev() {
        writer.message(field::LINKS, |writer| write_link(writer, link));
    }
    for event in span.events.iter().rev() {
        writer.message(field::EVENTS, |writer| write_event(writer, event));
    }
    write_attributes(writer, field::ATTRIBUTES, span.request_id.as_deref(), &span.attributes);
    write_time(writer, field::END_TIME, span.end);
    write_time(writer, field::START_TIME, span.start);
    writer.varint(field::KIND, kind_number(span.kind));
    write_filled(writer, field::NAME, &span.name);
    if let Some(parent) = span.parent_id {
        writer.bytes(field::PARENT_SPAN_ID, parent.as_bytes());
    }
    writer.bytes(field::SPAN_ID, span.span_id.as_bytes());
    writer.bytes(field::TRACE_ID, span.trace_id.as_bytes());
}

fn write_event(writer: &mut Writer, event: &SpanEvent) {
    crate::otlp::value::write_attributes(writer, event::ATTRIBUTES, &event.attributes);
    write_filled(writer, event::NAME, &event.name);
    write_time(writer, event::TIME, event.time);
}

fn write_link(writer: &mut Writer, link: &SpanLink) {
    crate::otlp::value::write_attributes(writer, link::ATTRIBUTES, &link.attributes);
    writer.bytes(link::SPAN_ID, link.context.span_id.as_bytes());
    writer.bytes(link::TRACE_ID, link.context.trace_id.as_bytes());
}

fn write_status(writer: &mut Writer, status: &SpanStatus) {
    use otlp::status::StatusCode;
    let (code, message) = match status {
        SpanStatus::Unset => return,
        SpanStatus::Ok => (StatusCode::Ok, ""),
        SpanStatus::Error(message) => (StatusCode::Error, message.as_str()),
    };
    writer.message(field::STATUS, |writer| {
        writer.varint(status::CODE, u64::from((code as i32).unsigned_abs()));
        write_filled(writer, status::MESSAGE, message);
    });
}

fn kind_number(kind: SpanKind) -> u64 {
    use otlp::span::SpanKind as Otlp;
    let number = match kind {
        SpanKind::Internal => Otlp::Internal,
        SpanKind::Server => Otlp::Server,
        SpanKind::Client => Otlp::Client,
        SpanKind::Producer => Otlp::Producer,
        SpanKind::Consumer => Otlp::Consumer,
    };
    u64::from((number as i32).unsigned_abs())
}

/// Attributes, and before them the request id where they do not imply it.
pub(crate) fn write_attributes(writer: &mut Writer, field: u64, request_id: Option<&str>, attributes: &Map) {
    crate::otlp::value::write_attributes(writer, field, attributes);
    if request_id == implied(attributes) && !attributes.contains_key(REQUEST_ID) {
        return;
    }
    match request_id {
        Some(id) => write_text(writer, field, REQUEST_ID, id),
        None => write_null(writer, field, REQUEST_ID),
    }
}

/// As proto3 has it: zero is not written.
fn write_time(writer: &mut Writer, field: u64, time: Timestamp) {
    if to_nanos(time) != 0 {
        writer.fixed64(field, to_nanos(time));
    }
}

/// As proto3 has it: nothing is not written.
fn write_filled(writer: &mut Writer, field: u64, text: &str) {
    if !text.is_empty() {
        writer.bytes(field, text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::value::{attribute, to_any, to_attributes};
    use crate::otlp::{span_bytes, trace_bytes};
    use model::{SpanId, TraceContext, TraceId, Value};
    use opentelemetry_proto::tonic::common::v1::KeyValue;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    use otlp::ScopeSpans;
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;
    use prost::Message as _;

    /// The same by way of the generated types.
    fn to_otlp(span: &Span) -> otlp::Span {
        otlp::Span {
            trace_id: trace_bytes(Some(span.trace_id)),
            span_id: span_bytes(Some(span.span_id)),
            parent_span_id: span_bytes(span.parent_id),
            name: span.name.clone(),
            kind: i32::try_from(kind_number(span.kind)).unwrap(),
            start_time_unix_nano: to_nanos(span.start),
            end_time_unix_nano: to_nanos(span.end),
            attributes: with_request_id(span.request_id.as_deref(), &span.attributes),
            events: span.events.iter().map(event_to_otlp).collect(),
            links: span.links.iter().map(link_to_otlp).collect(),
            status: status_to_otlp(&span.status),
            ..otlp::Span::default()
        }
    }

    fn with_request_id(request_id: Option<&str>, attributes: &Map) -> Vec<KeyValue> {
        let mut list = Vec::new();
        if request_id != implied(attributes) || attributes.contains_key(REQUEST_ID) {
            let mut head = attribute(REQUEST_ID, Any::StringValue(request_id.unwrap_or_default().to_owned()));
            if request_id.is_none() {
                head.value = Some(to_any(&Value::Null));
            }
            list.push(head);
        }
        list.extend(to_attributes(attributes));
        list
    }

    fn event_to_otlp(event: &SpanEvent) -> otlp::span::Event {
        otlp::span::Event {
            time_unix_nano: to_nanos(event.time),
            name: event.name.clone(),
            attributes: to_attributes(&event.attributes),
            dropped_attributes_count: 0,
        }
    }

    fn link_to_otlp(link: &SpanLink) -> otlp::span::Link {
        otlp::span::Link {
            trace_id: trace_bytes(Some(link.context.trace_id)),
            span_id: span_bytes(Some(link.context.span_id)),
            attributes: to_attributes(&link.attributes),
            ..otlp::span::Link::default()
        }
    }

    fn status_to_otlp(status: &SpanStatus) -> Option<otlp::Status> {
        use otlp::status::StatusCode;
        let (code, message) = match status {
            SpanStatus::Unset => return None,
            SpanStatus::Ok => (StatusCode::Ok, String::new()),
            SpanStatus::Error(message) => (StatusCode::Error, message.clone()),
        };
        Some(otlp::Status { message, code: code as i32 })
    }

    fn attributes() -> impl Strategy<Value = Map> {
        let key =
            prop_oneof!["[a-z]{0,3}", Just("faas.invocation_id".to_owned()), Just(REQUEST_ID.to_owned())];
        let value = prop_oneof!["[a-c]{0,1}".prop_map(Value::String), any::<i64>().prop_map(Value::Int)];
        btree_map(key, value, 0..4)
    }

    fn context() -> impl Strategy<Value = TraceContext> {
        let trace = any::<[u8; 16]>().prop_filter_map("zero", TraceId::from_bytes);
        let span = any::<[u8; 8]>().prop_filter_map("zero", SpanId::from_bytes);
        (trace, span).prop_map(|(trace_id, span_id)| TraceContext { trace_id, span_id })
    }

    fn time() -> impl Strategy<Value = Timestamp> {
        prop_oneof![Just(0), any::<i64>()].prop_map(Timestamp::from_nanos)
    }

    prop_compose! {
        fn span()(
            context in context(),
            parent_id in option::of(context().prop_map(|context| context.span_id)),
            name in "[a-z]{0,3}",
            kind in prop::sample::select(vec![SpanKind::Internal, SpanKind::Server, SpanKind::Consumer]),
            (start, end) in (time(), time()),
            status in prop_oneof![
                Just(SpanStatus::Unset), Just(SpanStatus::Ok), "[a-z]{0,3}".prop_map(SpanStatus::Error)],
            request_id in option::of("[a-c]{0,1}"),
            attributes in attributes(),
            events in vec(("[a-z]{0,3}", time(), attributes()), 0..3),
            links in vec((context(), attributes()), 0..3),
        ) -> Span {
            let event = |(name, time, attributes)| SpanEvent { name, time, attributes };
            let link = |(context, attributes)| SpanLink { context, attributes };
            let events = events.into_iter().map(event).collect();
            let links = links.into_iter().map(link).collect();
            let TraceContext { trace_id, span_id } = context;
            Span { trace_id, span_id, parent_id, name, kind, start, end, status, request_id, attributes, events, links }
        }
    }

    proptest! {
        #[test]
        fn spans_are_written_as_the_generated_types_write_them(spans in vec(span(), 0..4)) {
            let mut writer = Writer::with_capacity(0);
            write_all(&mut writer, &spans);
            let scope = ScopeSpans { spans: spans.iter().map(to_otlp).collect(), ..ScopeSpans::default() };
            prop_assert_eq!(writer.into_bytes(), scope.encode_to_vec());
        }
    }
}

//! What a protobuf message is made of, without building it: which OTLP request, how many values and events, how deep.
//! Runs before every decoding, because two bytes of protobuf can become a struct of three hundred.

use crate::error::DecodeError;
use crate::limits::Limits;

/// What the bytes are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Structure {
    Batch,
    Traces,
    Logs,
    Metrics,
}

/// A message of OTLP or of ours, by what it may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Batch,
    Request(Signal),
    OfResource(Signal),
    OfScope(Signal),
    Resource,
    Scope,
    Span,
    SpanEvent,
    SpanLink,
    Log,
    Metric,
    Points(Shape),
    Point(Shape),
    Exemplar,
    Buckets,
    Account,
    AnyValue,
    Array,
    KeyValueList,
    KeyValue,
    /// Costs a value, holds nothing that is looked at.
    Leaf,
    /// Packed numbers: each may cost a value.
    Packed,
}

/// Which of OpenTelemetry's three kinds of telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Metric points.
    Metrics,
}

/// Which numbers the fields of a metric's points have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Number,
    Histogram,
    Exponential,
    Summary,
}

/// One field of a message.
struct Field<'a> {
    number: u64,
    wire: Wire,
    /// Of length-delimited fields; else empty.
    payload: &'a [u8],
    /// Of varints; else 0.
    varint: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Varint,
    Fixed64,
    Length,
    Fixed32,
}

/// The fields of a message; stops with the place of what is none.
struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn next(&mut self) -> Result<Option<Field<'a>>, usize> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let start = self.at;
        let tag = self.varint().ok_or(start)?;
        let mut field = Field { number: tag >> 3, wire: Wire::Varint, payload: &[], varint: 0 };
        match tag & 7 {
            0 => field.varint = self.varint().ok_or(start)?,
            1 => {
                field.wire = Wire::Fixed64;
                self.skip(8).ok_or(start)?;
            }
            2 => {
                field.wire = Wire::Length;
                let length = self.varint().and_then(|length| usize::try_from(length).ok()).ok_or(start)?;
                field.payload = self.skip(length).ok_or(start)?;
            }
            5 => {
                field.wire = Wire::Fixed32;
                self.skip(4).ok_or(start)?;
            }
            _ => return Err(start),
        }
        if field.number == 0 { Err(start) } else { Ok(Some(field)) }
    }

    fn skip(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let payload = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(payload)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }
}

/// The version that stands first in a batch.
///
/// # Errors
/// When the first field is not number 15, a varint.
pub(crate) fn batch_version(bytes: &[u8]) -> Result<u64, DecodeError> {
    match Fields::new(bytes).next() {
        Ok(Some(Field { number: 15, wire: Wire::Varint, varint, .. })) => Ok(varint),
        _ => Err(DecodeError::Protobuf { message: "Batch", at: 0, source: None }),
    }
}

/// The first field of this number that has a length; none too where the bytes break before it.
pub(crate) fn field(bytes: &[u8], number: u64) -> Option<&[u8]> {
    let mut fields = Fields::new(bytes);
    while let Ok(Some(field)) = fields.next() {
        if (field.number, field.wire) == (number, Wire::Length) {
            return Some(field.payload);
        }
    }
    None
}

/// Whether the bytes begin as a batch of any version does.
pub(crate) fn begins_like_a_batch(bytes: &[u8]) -> bool {
    bytes.first() == Some(&crate::batch::HEAD[0]) && batch_version(bytes).is_ok()
}

/// Whether the bytes are, on their first level, an OTLP export request of any signal: nothing but fields 1 with a
/// length, to the last byte.
pub(crate) fn looks_like_request(bytes: &[u8]) -> bool {
    let mut fields = Fields::new(bytes);
    loop {
        match fields.next() {
            Ok(Some(Field { number: 1, wire: Wire::Length, .. })) => {}
            Ok(None) => return !bytes.is_empty(),
            _ => return false,
        }
    }
}

/// Which signal a bare OTLP request carries: its first record shows it. None if it carries no record.
///
/// Requests, resources and scopes have the same shape in all three. A log begins with a fixed64 time (1) where a span
/// has its trace id and a metric its name; a span has fixed64 times (7, 8) where a metric has nested points.
pub(crate) fn signal_of_request(bytes: &[u8]) -> Result<Option<Signal>, DecodeError> {
    let broken = |at| DecodeError::Protobuf { message: "OTLP export request", at, source: None };
    let offset = |inner: &[u8]| inner.as_ptr().addr().saturating_sub(bytes.as_ptr().addr());
    let mut resources = Fields::new(bytes);
    while let Some(of_resource) = resources.next().map_err(broken)? {
        let mut scopes = Fields::new(of_resource.payload);
        while let Some(of_scope) = scopes.next().map_err(|at| broken(at + offset(of_resource.payload)))? {
            if of_scope.number != 2 {
                continue;
            }
            let mut records = Fields::new(of_scope.payload);
            while let Some(record) = records.next().map_err(|at| broken(at + offset(of_scope.payload)))? {
                if record.number == 2
                    && let Some(signal) =
                        signal_of_record(record.payload).map_err(|at| broken(at + offset(record.payload)))?
                {
                    return Ok(Some(signal));
                }
            }
        }
    }
    Ok(None)
}

fn signal_of_record(bytes: &[u8]) -> Result<Option<Signal>, usize> {
    let mut fields = Fields::new(bytes);
    let mut ids = 0;
    let mut points = false;
    let mut body = false;
    while let Some(field) = fields.next()? {
        match (field.number, field.wire, field.payload.len()) {
            (1 | 11, Wire::Fixed64, _) | (2, Wire::Varint, _) | (8, Wire::Fixed32, _) => {
                return Ok(Some(Signal::Logs));
            }
            (7 | 8, Wire::Fixed64, _) | (6, Wire::Varint, _) => return Ok(Some(Signal::Traces)),
            (1, Wire::Length, 16) | (2, Wire::Length, 8) => ids += 1,
            (7 | 10, Wire::Length, _) => points = true,
            (5, Wire::Length, _) => body = true,
            _ => {}
        }
    }
    Ok(match (ids, points, body) {
        // Without any time or kind: both ids and nothing that only a metric has.
        (2, false, _) => Some(Signal::Traces),
        (_, true, _) => Some(Signal::Metrics),
        // A gauge (5) has a name (1) before it; a log without time has a body (5) and no field 1.
        (_, _, true) if begins_with_name(bytes) => Some(Signal::Metrics),
        (_, _, true) => Some(Signal::Logs),
        _ => begins_with_name(bytes).then_some(Signal::Metrics),
    })
}

fn begins_with_name(bytes: &[u8]) -> bool {
    matches!(Fields::new(bytes).next(), Ok(Some(Field { number: 1, wire: Wire::Length, .. })))
}

/// The levels of messages that a value of the greatest depth needs, wrapped as `otlp::value` does, and the way to it.
const LEVELS_MAX: usize = crate::otlp::value::LEVELS_MAX * 3 + 16;
/// The levels after which prost gives up; only our own batches, which wrap, may pass it.
const FOREIGN_LEVELS_MAX: usize = 98;

/// Counts what decoding would build.
///
/// # Errors
/// When there is more than the limits allow, or the structure breaks.
pub(crate) fn check(bytes: &[u8], structure: Structure, limits: &Limits) -> Result<(), DecodeError> {
    let (root, message, levels_max) = match structure {
        Structure::Batch => (Node::Batch, "Batch", LEVELS_MAX),
        Structure::Traces => (Node::Request(Signal::Traces), "ExportTraceServiceRequest", FOREIGN_LEVELS_MAX),
        Structure::Logs => (Node::Request(Signal::Logs), "ExportLogsServiceRequest", FOREIGN_LEVELS_MAX),
        Structure::Metrics => {
            (Node::Request(Signal::Metrics), "ExportMetricsServiceRequest", FOREIGN_LEVELS_MAX)
        }
    };
    let (mut values, mut events) = (0, 0);
    let mut stack = vec![(root, Fields::new(bytes))];
    while let Some((node, fields)) = stack.last_mut() {
        let node = *node;
        let found = fields.next().map_err(|at| DecodeError::Protobuf {
            message,
            at: at + fields.bytes.as_ptr().addr().saturating_sub(bytes.as_ptr().addr()),
            source: None,
        })?;
        let Some(field) = found else {
            stack.pop();
            continue;
        };
        let Some(child) = child(node, &field, structure) else { continue };
        match child {
            Node::Packed => values += field.payload.len(),
            Node::Span | Node::Log | Node::Point(_) => events += 1,
            _ => values += 1,
        }
        if values > limits.values_max {
            return Err(DecodeError::TooManyValues { max: limits.values_max });
        }
        if events > limits.events_max {
            return Err(DecodeError::TooManyEvents { max: limits.events_max });
        }
        if stack.len() >= levels_max {
            return Err(DecodeError::TooDeep { max: levels_max / 3 });
        }
        if !matches!(child, Node::Leaf | Node::Packed) {
            stack.push((child, Fields::new(field.payload)));
        }
    }
    Ok(())
}

/// OTLP's messages (opentelemetry-proto v1) and ours: what stands in which field.
fn child(node: Node, field: &Field<'_>, structure: Structure) -> Option<Node> {
    use Signal::{Logs, Metrics, Traces};
    // Nothing to learn from numbers.
    if field.wire != Wire::Length {
        return None;
    }
    Some(match (node, field.number) {
        (Node::Batch, 1) => Node::Request(Traces),
        (Node::Batch, 2) => Node::Request(Logs),
        (Node::Batch, 3) => Node::Request(Metrics),
        (Node::Batch, 7) => Node::Account,
        (Node::Account, 5..=7 | 9) => Node::Leaf,
        (Node::Request(signal), 1) => Node::OfResource(signal),
        (Node::OfResource(_), 1) => Node::Resource,
        (Node::OfResource(signal), 2) => Node::OfScope(signal),
        (Node::OfScope(_), 1) => Node::Scope,
        (Node::OfScope(Traces), 2) => Node::Span,
        (Node::OfScope(Logs), 2) => Node::Log,
        (Node::OfScope(Metrics), 2) => Node::Metric,
        (Node::Resource, 1) | (Node::Scope, 3) | (Node::Metric, 12) => Node::KeyValue,
        (Node::Resource, 3) => Node::Leaf,
        (Node::Log, 5) => Node::AnyValue,
        (Node::Log, 6) => Node::KeyValue,
        (Node::Span, 9) | (Node::SpanEvent, 3) | (Node::SpanLink, 4) => Node::KeyValue,
        (Node::Span, 11) => Node::SpanEvent,
        (Node::Span, 13) => Node::SpanLink,
        (Node::Metric, 5 | 7) => Node::Points(Shape::Number),
        (Node::Metric, 9) => Node::Points(Shape::Histogram),
        (Node::Metric, 10) => Node::Points(Shape::Exponential),
        (Node::Metric, 11) => Node::Points(Shape::Summary),
        (Node::Points(shape), 1) => Node::Point(shape),
        (Node::Point(Shape::Number | Shape::Summary), 7) => Node::KeyValue,
        (Node::Point(Shape::Histogram), 9) | (Node::Point(Shape::Exponential), 1) => Node::KeyValue,
        (Node::Point(Shape::Number), 5)
        | (Node::Point(Shape::Histogram), 8)
        | (Node::Point(Shape::Exponential), 11) => Node::Exemplar,
        (Node::Point(Shape::Histogram), 6 | 7) => Node::Packed,
        (Node::Point(Shape::Exponential), 8 | 9) => Node::Buckets,
        (Node::Point(Shape::Summary), 6) => Node::Leaf,
        (Node::Buckets, 2) => Node::Packed,
        (Node::Exemplar, 7) => Node::KeyValue,
        (Node::KeyValue, 2) => Node::AnyValue,
        (Node::AnyValue, 5) => Node::Array,
        (Node::AnyValue, 6) => Node::KeyValueList,
        (Node::AnyValue, 7) if structure == Structure::Batch => Node::AnyValue,
        (Node::Array, 1) => Node::AnyValue,
        (Node::KeyValueList, 1) => Node::KeyValue,
        _ => return None,
    })
}

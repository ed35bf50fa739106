//! Spans, logs, metric points and accounts become events: which field goes to the envelope, which key stays.
//!
//! The record's own keys stand at the event's root under their own names; the resource's attributes stand beside them
//! under theirs, and give way where a record has the same key. What we add ourselves is listed in the README.

use model::{Event, EventId, Kind, LogRecord, Map, Metric, Resource, SpanKind, SpanStatus, Timestamp, Value};

use crate::batch::{Account, Batch};
use crate::decode::Context;
use crate::error::DecodeError;
use crate::limits::Limits;
use crate::otlp::span::ReadSpan;
use crate::{point, printed};

/// The resource attribute that sends all of its records to another dataset.
pub(crate) const DATASET: &str = "limelight.dataset";
/// What nobody has given a service belongs to this one.
pub(crate) const SERVICE_DEFAULT: &str = "default";
/// Everything with a schema of OpenTelemetry's.
pub(crate) const OTEL: &str = "otel";
/// What a function printed, and what Lambda says of it.
pub(crate) const LAMBDA_LOGS: &str = "lambda-logs";
/// What Limelight says of itself.
pub(crate) const LIMELIGHT: &str = "limelight";

/// All events of a batch: spans, logs, metric points in this order, then its delivery account. The order numbers them.
pub(crate) fn of_batch(
    batch: Batch,
    context: &Context<'_>,
    limits: &Limits,
) -> Result<Vec<Event>, DecodeError> {
    let mut events = Vec::with_capacity(batch.records() + 1);
    let id = batch.id.clone();
    let mut number = 0..;
    let mut next_id = || EventId::in_batch(&id, number.next().unwrap_or(u64::MAX));
    let account = delivery(&batch, context.arrived_at);
    printed::check(batch.logs.iter().filter_map(|log| log.line.as_deref()), limits)?;
    let emitter = Emitter::new(batch.resource);
    Stamps::new(limits).spend(&emitter, batch.spans.len() + batch.logs.len() + batch.metrics.len())?;
    for span in batch.spans {
        events.push(emitter.span(span.into(), next_id()));
    }
    for mut log in batch.logs {
        printed::take_apart(&mut log, context.read_line);
        events.push(emitter.log(log, LAMBDA_LOGS, next_id()));
    }
    for metric in batch.metrics {
        events.push(emitter.metric(metric, next_id()));
    }
    events.push(emitter.own(account, next_id()));
    Ok(events)
}

/// A resource's attributes are written once and stand on each of its events: a heavy resource with many tiny records
/// is a bomb that no compression is needed for. This is what is left to stamp with.
pub(crate) struct Stamps {
    bytes_left: usize,
    bytes_max: usize,
}

impl Stamps {
    /// Four times what a record may inflate to: half a kilobyte on each of the most events that are allowed.
    pub(crate) fn new(limits: &Limits) -> Self {
        let bytes_max = limits.inflated_bytes_max.saturating_mul(4);
        Self { bytes_left: bytes_max, bytes_max }
    }

    /// Takes what `events` of this emitter cost.
    pub(crate) fn spend(&mut self, emitter: &Emitter, events: usize) -> Result<(), DecodeError> {
        let too_heavy = DecodeError::ResourceTooHeavy { bytes: emitter.cost_bytes, max: self.bytes_max };
        let cost = emitter.cost_bytes.saturating_mul(events);
        self.bytes_left = self.bytes_left.checked_sub(cost).ok_or(too_heavy)?;
        Ok(())
    }
}

/// One resource, ready to be stamped on its events.
pub(crate) struct Emitter {
    dataset: Option<String>,
    resource: Resource,
    cost_bytes: usize,
}

impl Emitter {
    pub(crate) fn new(mut resource: Resource) -> Self {
        let dataset = match resource.attributes.remove(DATASET) {
            Some(Value::String(name)) if !name.is_empty() => Some(name),
            _ => None,
        };
        if resource.service.is_empty() {
            SERVICE_DEFAULT.clone_into(&mut resource.service);
        }
        let cost_bytes = resource.attributes.iter().map(|(key, value)| key.len() + size(value)).sum();
        Self { dataset, resource, cost_bytes }
    }

    /// An event with the resource on it; `attributes` are the record's own and win.
    pub(crate) fn event(
        &self,
        dataset: &str,
        time: Timestamp,
        id: EventId,
        kind: Kind,
        attributes: Map,
    ) -> Event {
        let dataset = self.dataset.as_deref().unwrap_or(dataset);
        let mut event = Event { attributes, ..Event::new(dataset, time, id, kind) };
        for (key, value) in &self.resource.attributes {
            if !event.attributes.contains_key(key) {
                event.attributes.insert(key.clone(), value.clone());
            }
        }
        self.stamp(event)
    }

    fn stamp(&self, event: Event) -> Event {
        Event {
            namespace: self.resource.namespace.clone(),
            service: self.resource.service.clone(),
            account: self.resource.account.clone(),
            region: self.resource.region.clone(),
            ..event
        }
    }

    /// An event about Limelight itself: never in another dataset, without the resource's attributes.
    fn own(&self, event: Event, id: EventId) -> Event {
        self.stamp(Event { id, ..event })
    }

    /// A span.
    pub(crate) fn span(&self, span: ReadSpan, id: EventId) -> Event {
        let error = span_error(&span);
        let status = match span.status {
            SpanStatus::Unset => None,
            SpanStatus::Ok => Some("ok"),
            SpanStatus::Error(_) => Some("error"),
        };
        let mut keys = span.attributes;
        add(&mut keys, "span.kind", kind_word(span.kind).into());
        if let SpanStatus::Error(message) = span.status
            && !message.is_empty()
            && error.as_ref() != Some(&message)
        {
            add(&mut keys, "span.status_message", message.into());
        }
        if !span.trace_state.is_empty() {
            add(&mut keys, "span.trace_state", span.trace_state.into());
        }
        if !span.events.is_empty() {
            let events = span.events.into_iter().map(|event| {
                object([
                    ("name", event.name.into()),
                    ("timestamp", event.time.to_string().into()),
                    ("attributes", event.attributes.into()),
                ])
            });
            add(&mut keys, "span.events", Value::Array(events.collect()));
        }
        if !span.links.is_empty() {
            let links = span.links.into_iter().map(|link| {
                object([
                    ("traceId", link.trace_id.map_or(Value::Null, |id| id.to_string().into())),
                    ("spanId", link.span_id.map_or(Value::Null, |id| id.to_string().into())),
                    ("attributes", link.attributes.into()),
                ])
            });
            add(&mut keys, "span.links", Value::Array(links.collect()));
        }
        let message = take_message(&mut keys);
        let event = self.event(OTEL, span.start, id, Kind::Span, keys);
        Event {
            name: Some(span.name),
            message,
            duration_ms: Some(duration_ms(span.start, span.end)),
            request_id: span.request_id,
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_id: span.parent_id,
            error,
            status: status.map(str::to_owned),
            ..event
        }
    }

    /// A log line or platform event.
    pub(crate) fn log(&self, log: LogRecord, dataset: &str, id: EventId) -> Event {
        let kind = if log.platform { Kind::Platform } else { Kind::Log };
        let mut keys = log.body;
        let message = take_message(&mut keys);
        let event = self.event(dataset, log.time, id, kind, keys);
        Event {
            level: log.level,
            message,
            duration_ms: log.duration_ms,
            request_id: log.request_id,
            trace_id: log.trace_id,
            span_id: log.span_id,
            error: log.error,
            ..event
        }
    }

    /// A metric point.
    pub(crate) fn metric(&self, metric: Metric, id: EventId) -> Event {
        let (kind, temporality, value) = point::of(metric.kind);
        let mut keys = metric.attributes;
        add(&mut keys, "metric.type", kind.into());
        if let Some(word) = temporality {
            add(&mut keys, "metric.temporality", word.into());
        }
        add(&mut keys, "value", value);
        if !metric.unit.is_empty() {
            add(&mut keys, "unit", metric.unit.into());
        }
        let message = take_message(&mut keys);
        let event = self.event(OTEL, metric.time, id, Kind::Metric, keys);
        Event { name: Some(metric.name), message, request_id: metric.request_id, ..event }
    }
}

/// A metric point that was found inside an event (an Embedded Metric Format line) as an event of its own. The found
/// one's envelope goes with it.
pub fn metric_event(metric: Metric, found_in: &Event, id: EventId) -> Event {
    let resource = Resource {
        namespace: found_in.namespace.clone(),
        service: found_in.service.clone(),
        account: found_in.account.clone(),
        region: found_in.region.clone(),
        attributes: Map::new(),
    };
    let event = Emitter::new(resource).metric(metric, id);
    Event { request_id: event.request_id.or_else(|| found_in.request_id.clone()), ..event }
}

/// The delivery account as an event, so that a query can prove a gap: sequences of one sandbox have no holes, and
/// `firstRecord + records` of one is `firstRecord` of the next.
fn delivery(batch: &Batch, arrived_at: Timestamp) -> Event {
    let Account { received, shipped, retried, scrubbed, scrubbed_by, shed, lost, closed, counts } =
        &batch.account;
    let reasons = |counts: &std::collections::BTreeMap<String, u64>| {
        Value::Object(counts.iter().map(|(reason, count)| (reason.clone(), whole(*count))).collect())
    };
    let keys = [
        ("sandbox", batch.id.sandbox.as_str().into()),
        ("sequence", whole(batch.id.sequence)),
        ("firstRecord", whole(batch.first_record)),
        ("records", whole(batch.records() as u64)),
        ("received", whole(*received)),
        ("shipped", whole(*shipped)),
        ("retried", whole(*retried)),
        ("scrubbed", whole(*scrubbed)),
        ("scrubbedBy", reasons(scrubbed_by)),
        ("shed", reasons(shed)),
        ("lost", reasons(lost)),
        ("counts", reasons(counts)),
    ];
    let closed = (!closed.is_empty()).then(|| ("closed", closed.as_str().into()));
    let id = EventId::in_batch(&batch.id, 0);
    Event {
        name: Some("delivery".to_owned()),
        attributes: keys.into_iter().chain(closed).map(|(key, value)| (key.to_owned(), value)).collect(),
        ..Event::new(LIMELIGHT, arrived_at, id, Kind::Platform)
    }
}

/// Sets a key of ours. What stood there keeps standing, under `attributes.<key>`.
pub(crate) fn add(keys: &mut Map, key: &str, value: Value) {
    if let Some(old) = keys.insert(key.to_owned(), value) {
        keys.insert(format!("attributes.{key}"), old);
    }
}

/// A root key `message` that is text is the envelope's, and leaves the attributes.
pub(crate) fn take_message(keys: &mut Map) -> Option<String> {
    match keys.remove("message") {
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            keys.insert("message".to_owned(), other);
            None
        }
        None => None,
    }
}

/// An object of these keys.
pub(crate) fn object<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A count; over 2^63 it is 2^63 - 1.
pub(crate) fn whole(count: u64) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// About what a value takes in memory.
fn size(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
        _ => 0,
    };
    size_of::<Value>() + inside
}

fn duration_ms(start: Timestamp, end: Timestamp) -> f64 {
    end.since(start).as_secs_f64() * 1_000.0
}

fn kind_word(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Internal => "internal",
        SpanKind::Server => "server",
        SpanKind::Client => "client",
        SpanKind::Producer => "producer",
        SpanKind::Consumer => "consumer",
    }
}

/// What makes a span an error: its `error.type`, the type of its exception, its status' message.
fn span_error(span: &ReadSpan) -> Option<String> {
    let SpanStatus::Error(message) = &span.status else { return None };
    let of_type = |keys: &Map, key| keys.get(key).and_then(Value::as_str).map(str::to_owned);
    let exception = || {
        let found = span.events.iter().rev().find(|event| event.name == "exception")?;
        of_type(&found.attributes, "exception.type")
    };
    of_type(&span.attributes, "error.type")
        .or_else(exception)
        .or_else(|| (!message.is_empty()).then(|| message.clone()))
        .or_else(|| Some("error".to_owned()))
}

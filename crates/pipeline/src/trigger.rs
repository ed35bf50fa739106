//! An invocation's event becomes what it tells: who sent it, which trace it continues, which messages it carries.
//! For events that a log line shows, and for those that the Runtime API proxy captures. Pure; reads a bounded part of
//! the event and keeps none of its payload.
//!
//! Source of the shapes: AWS Lambda Developer Guide, "Invoking Lambda with events from other AWS services"; of the
//! classes: OpenTelemetry, FaaS spans, `faas.trigger`.

mod http;
mod messages;
mod context;

use model::{Map, SpanLink, TraceContext, Value};

/// A batch has up to 10,000 messages; a span with more links than this is one that nobody reads.
pub const LINKS_MAX: usize = 128;

/// What an event tells about its origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Who invoked: `api-gateway`, `sqs`, `eventbridge`, …
    pub source: &'static str,
    /// OpenTelemetry's class: `http`, `pubsub`, `datasource`, `timer`, `other`.
    pub class: &'static str,
    /// The caller's span, where the event names one caller.
    pub caller: Option<TraceContext>,
    /// The messages' own spans, at most [`LINKS_MAX`], each once.
    pub links: Vec<SpanLink>,
    /// Route, method, queue, batch size, … by their semantic-convention names.
    pub attributes: Map,
}

impl Trigger {
    fn new(source: &'static str, class: &'static str) -> Self {
        Self { source, class, caller: None, links: Vec::new(), attributes: Map::new() }
    }

    /// Adds an attribute if there is a value.
    fn with(mut self, key: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.attributes.insert(key.to_owned(), value.into());
        }
        self
    }

    /// Links a message's span, once.
    fn link(&mut self, context: TraceContext) {
        if self.links.len() < LINKS_MAX && self.links.iter().all(|link| link.context != context) {
            self.links.push(SpanLink { context, attributes: Map::new() });
        }
    }

    /// What a span of the invocation says about its trigger.
    pub fn span_attributes(&self) -> Map {
        let mut attributes = self.attributes.clone();
        attributes.insert("faas.trigger".to_owned(), self.class.into());
        attributes.insert("aws.lambda.trigger".to_owned(), self.source.into());
        attributes
    }
}

/// Where a log line may show its invocation's event.
const EVENT_KEYS: [&str; 3] = ["message", "event", "lambda_event"];
const DATA_KEY: &str = "data";
const ONLY_IN_EVENTS: [&str; 3] = ["Records", "requestContext", "detail-type"];

/// What is looked for at a line's root, for `parse`.
pub(crate) const ROOT_KEYS: &[&[&str]] = &[&EVENT_KEYS, &[DATA_KEY], &ONLY_IN_EVENTS];

/// Understands an event; none if it is none that AWS sends.
pub fn of_event(event: &Map) -> Option<Trigger> {
    http::read(event)
        .or_else(|| messages::read(event))
        .or_else(|| event_bus(event))
        .or_else(|| others(event))
        .or_else(|| step_functions(event))
}

/// Understands the event that a log line shows: under the names that loggers give it (Powertools' `log_event` puts it
/// under `message`, the reference's logger under `data.event`), or the line itself, whose keys `whole` gives: `body` may
/// be a glance's.
pub(crate) fn of_log(body: &Map, whole: impl FnOnce() -> Map) -> Option<Trigger> {
    let object = |map: &'_ Map, key: &str| of_event(map.get(key)?.as_object()?);
    EVENT_KEYS
        .iter()
        .find_map(|key| object(body, key))
        .or_else(|| object(body.get(DATA_KEY)?.as_object()?, "event"))
        .or_else(|| looks_like_event(body).then(|| of_event(&whole()))?)
}

/// A line has other keys too; only what an application's log would not have by chance counts.
fn looks_like_event(body: &Map) -> bool {
    ONLY_IN_EVENTS.iter().any(|key| body.contains_key(*key))
}

/// EventBridge, its scheduler's rules among them.
fn event_bus(event: &Map) -> Option<Trigger> {
    let detail_type = text(event, "detail-type")?;
    let source = text(event, "source")?;
    let class = if detail_type == "Scheduled Event" { "timer" } else { "pubsub" };
    let mut trigger = Trigger::new("eventbridge", class)
        .with("aws.eventbridge.source", Some(source))
        .with("aws.eventbridge.detail_type", Some(detail_type));
    let detail = event.get("detail").and_then(Value::as_object);
    trigger.caller = detail.and_then(context::of_headers).or_else(|| context::of_headers(event));
    Some(trigger)
}

fn others(event: &Map) -> Option<Trigger> {
    let has = |key: &str| event.contains_key(key);
    if event.get("awslogs").and_then(Value::as_object).is_some_and(|logs| logs.contains_key("data")) {
        return Some(Trigger::new("cloudwatch-logs", "datasource"));
    }
    if has("triggerSource") && has("userPoolId") {
        let source = text(event, "triggerSource");
        return Some(Trigger::new("cognito", "other").with("aws.cognito.trigger_source", source));
    }
    if has("CodePipeline.job") {
        return Some(Trigger::new("codepipeline", "other"));
    }
    if has("configRuleName") && has("invokingEvent") {
        return Some(Trigger::new("config", "other"));
    }
    let info = event.get("info").and_then(Value::as_object)?;
    let field = text(info, "fieldName").filter(|_| info.contains_key("parentTypeName"))?;
    let mut trigger = Trigger::new("appsync", "http").with("graphql.operation.name", Some(field));
    let request = event.get("request").and_then(Value::as_object);
    trigger.caller = request.and_then(|request| context::of_headers(request.get("headers")?.as_object()?));
    Some(trigger)
}

/// A state of a state machine: its context object in the payload (`$$`), or the object that the reference's wrapper
/// puts there.
fn step_functions(event: &Map) -> Option<Trigger> {
    let execution = |map: &Map| {
        let id = text(map.get("Execution")?.as_object()?, "Id")?;
        id.contains(":states:").then(|| id.to_owned())
    };
    let nested = ["_limelight", "_baselime"].iter().find_map(|key| event.get(*key)?.as_object());
    let id = execution(event).or_else(|| execution(nested?));
    let caller = nested.and_then(context::of_headers);
    if id.is_none() && caller.is_none() {
        return None;
    }
    let mut trigger = Trigger::new("step-functions", "other").with("aws.step_functions.execution.arn", id);
    trigger.caller = caller;
    Some(trigger)
}

fn text<'a>(map: &'a Map, key: &str) -> Option<&'a str> {
    map.get(key)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;

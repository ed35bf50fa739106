//! One invocation from its start to its end: its place in a trace, its span, and how it ended.

use lambda_api::telemetry::{self, More};
use model::{Map, Span, SpanId, SpanKind, SpanLink, SpanStatus, Timestamp, TraceContext, Value};

use super::failure::{OUT_OF_MEMORY, is_platform_error, tells_only_of_the_exit, tells_out_of_memory};
use super::identity;
use super::{millis, put};
use crate::parse::{TIMED_OUT, XrayContext, trace_header};
use crate::trigger::Trigger;

/// What is known of an invocation before it ends.
#[derive(Debug, Clone)]
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) context: TraceContext,
    pub(super) parent_id: Option<SpanId>,
    pub(super) started_at: Timestamp,
    pub(super) version: Option<String>,
    pub(super) tenant_id: Option<String>,
    pub(super) arn: Option<String>,
    pub(super) cold_start: bool,
    /// Its timeout has been told already, by a line or by the platform.
    pub(super) timed_out: bool,
    /// The last error that it logged: says more than the platform's status.
    pub(super) last_error: Option<String>,
    pub(super) is_durable: bool,
    /// Something has hinted that memory ran out: it did, if the invocation fails.
    pub(super) out_of_memory: bool,
    /// It failed because memory ran out, and its span or its report has told that.
    pub(super) ran_out: bool,
    /// `runtimeDone` has told its end and its parts.
    pub(super) runtime_done: bool,
    /// What a log has shown of its event.
    pub(super) trigger: Option<Trigger>,
}

/// How an invocation ended, from `runtimeDone`, from `report` where that is all there is, or from the sandbox's end.
#[derive(Debug, Clone, Default)]
pub(super) struct Ending {
    /// `success`, `error`, `failure`, `timeout`; empty if nobody said.
    pub(super) status: String,
    pub(super) error_type: Option<String>,
    pub(super) duration_ms: Option<f64>,
    pub(super) produced_bytes: Option<u64>,
    /// What the record says beside what is known.
    pub(super) more: More,
}

/// The place that `tracing` gives to an invocation, filled up from its request id.
pub(super) fn context(
    request_id: &str,
    tracing: Option<&telemetry::Tracing>,
) -> (TraceContext, Option<SpanId>) {
    let xray: Option<XrayContext> = tracing.and_then(|tracing| trace_header(&tracing.value));
    let own = tracing.and_then(|tracing| tracing.span_id.as_deref()?.parse().ok());
    let span_id = own.unwrap_or_else(|| identity::span_id(request_id, identity::INVOCATION));
    let trace_id = xray.map_or_else(|| identity::trace_id(request_id), |xray| xray.trace_id);
    // A span that is its own parent would hide the whole trace from readers that build trees.
    let parent_id = xray.and_then(|xray| xray.parent_id).filter(|parent| *parent != span_id);
    (TraceContext { trace_id, span_id }, parent_id)
}

impl Invocation {
    /// From the first that is heard of it.
    pub(super) fn new(request_id: &str, tracing: Option<&telemetry::Tracing>, started_at: Timestamp) -> Self {
        let (context, parent_id) = context(request_id, tracing);
        Self {
            request_id: request_id.to_owned(),
            context,
            parent_id,
            started_at,
            version: None,
            tenant_id: None,
            arn: None,
            cold_start: false,
            timed_out: false,
            last_error: None,
            is_durable: false,
            out_of_memory: false,
            ran_out: false,
            runtime_done: false,
            trigger: None,
        }
    }

    /// It logged an error. Memory that ran out, was caught and was followed by another error is not why it fails.
    pub(super) fn logged(&mut self, error: &str) {
        if tells_out_of_memory(error) {
            self.out_of_memory = true;
        } else if !tells_only_of_the_exit(error) {
            self.out_of_memory = false;
        }
        self.last_error = Some(error.to_owned());
    }

    /// When it ended: by the platform's own measure, else when the platform said so.
    pub(super) fn end(&self, ending: &Ending, told_at: Timestamp) -> Timestamp {
        ending
            .duration_ms
            .map_or(told_at, |duration| self.started_at.plus(millis(duration)))
            .max(self.started_at)
    }

    /// Its SERVER span.
    pub(super) fn span(&self, name: &str, ending: &Ending, end: Timestamp) -> Span {
        Span {
            trace_id: self.context.trace_id,
            span_id: self.context.span_id,
            parent_id: self.parent_id,
            name: if name.is_empty() { "invocation".to_owned() } else { name.to_owned() },
            kind: SpanKind::Server,
            start: self.started_at,
            end,
            status: self.status(ending),
            request_id: Some(self.request_id.clone()),
            attributes: self.attributes(name, ending),
            events: Vec::new(),
            links: self.links(),
        }
    }

    /// The spans that caused it, beside its parent.
    fn links(&self) -> Vec<SpanLink> {
        let Some(trigger) = &self.trigger else { return Vec::new() };
        let caller = trigger.caller.filter(|caller| trigger.links.iter().all(|link| link.context != *caller));
        let caller = caller.map(|context| SpanLink { context, attributes: Map::new() });
        let is_parent = |context: TraceContext| {
            context.trace_id == self.context.trace_id && Some(context.span_id) == self.parent_id
        };
        caller
            .into_iter()
            .chain(trigger.links.iter().cloned())
            .filter(|link| !is_parent(link.context))
            .collect()
    }

    /// What made it fail, as the platform names such things; none if it did not fail. Memory that ran out is called so
    /// whatever AWS calls it.
    pub(super) fn error_type<'a>(&self, ending: &'a Ending) -> Option<&'a str> {
        if !ending.failed() {
            return None;
        }
        if self.out_of_memory {
            return Some(OUT_OF_MEMORY);
        }
        Some(ending.error_type.as_deref().unwrap_or(&ending.status))
    }

    fn attributes(&self, name: &str, ending: &Ending) -> Map {
        let mut attributes = Map::from([
            ("faas.invocation_id".to_owned(), self.request_id.as_str().into()),
            ("faas.coldstart".to_owned(), self.cold_start.into()),
        ]);
        put(&mut attributes, "faas.name", Some(name).filter(|name| !name.is_empty()));
        put(&mut attributes, "faas.version", self.version.as_deref());
        put(&mut attributes, "cloud.resource_id", self.arn.as_deref());
        put(&mut attributes, "aws.lambda.tenant_id", self.tenant_id.as_deref());
        put(&mut attributes, "aws.lambda.durable", self.is_durable.then_some(true));
        put(&mut attributes, "aws.lambda.status", Some(&*ending.status).filter(|status| !status.is_empty()));
        let produced = ending.produced_bytes.and_then(|bytes| i64::try_from(bytes).ok());
        put(&mut attributes, "aws.lambda.produced_bytes", produced);
        let error_type = self.error_type(ending);
        put(&mut attributes, "error.type", error_type);
        // What AWS calls it, where we know better.
        let other = ending.error_type.as_deref().filter(|told| error_type != Some(*told));
        put(&mut attributes, "aws.lambda.error_type", other);
        if let Some(trigger) = &self.trigger {
            attributes.append(&mut trigger.span_attributes());
        }
        attributes
    }

    fn status(&self, ending: &Ending) -> SpanStatus {
        match ending.status.as_str() {
            _ if self.error_type(ending) == Some(OUT_OF_MEMORY) => {
                SpanStatus::Error(OUT_OF_MEMORY.to_owned())
            }
            "success" => SpanStatus::Ok,
            "" => SpanStatus::Unset,
            "timeout" => SpanStatus::Error(TIMED_OUT.to_owned()),
            status => SpanStatus::Error(self.why(ending).unwrap_or_else(|| status.to_owned())),
        }
    }

    /// The platform's type where it is the platform's business (`Runtime.OutOfMemory`), else what the function logged
    /// (`ValueError: bad card`; the type is then only `Unhandled`).
    fn why(&self, ending: &Ending) -> Option<String> {
        let platform = |kind: &&str| is_platform_error(kind);
        let kind = ending.error_type.as_deref();
        kind.filter(platform)
            .map(str::to_owned)
            .or_else(|| self.last_error.clone())
            .or_else(|| kind.map(str::to_owned))
    }
}

/// True for an invocation's span as the platform told its end. The function's SDK may make one of its own, which ends
/// earlier; how long one took whose end was lost is not known.
pub(crate) fn is_invocation(span: &Span) -> bool {
    let id = span.attributes.get("faas.invocation_id").and_then(Value::as_str);
    span.kind == SpanKind::Server
        && id.is_some()
        && id == span.request_id.as_deref()
        && span.attributes.contains_key("aws.lambda.status")
}

impl Ending {
    /// True unless it is known to have worked, or nothing is known.
    pub(super) fn failed(&self) -> bool {
        !matches!(self.status.as_str(), "" | "success")
    }
}

/// A part of an invocation (or init) that the platform measured, as a child span; none if its time cannot be read.
pub(super) fn part(
    measured: &telemetry::Span,
    parent: TraceContext,
    request_id: Option<&str>,
) -> Option<Span> {
    let start: Timestamp = measured.start.parse().ok()?;
    // Without an invocation the parent's id keeps the parts of two inits apart.
    let seed = request_id.map_or_else(|| parent.span_id.to_string(), str::to_owned);
    Some(Span {
        trace_id: parent.trace_id,
        span_id: identity::span_id(&seed, &measured.name),
        parent_id: Some(parent.span_id),
        name: measured.name.clone(),
        kind: SpanKind::Internal,
        start,
        end: start.plus(millis(measured.duration_ms)),
        status: SpanStatus::Unset,
        request_id: request_id.map(str::to_owned),
        attributes: request_id
            .map(|id| Map::from([("faas.invocation_id".to_owned(), Value::from(id))]))
            .unwrap_or_default(),
        events: Vec::new(),
        links: Vec::new(),
    })
}

//! Init and restore: what a sandbox does before its first invocation. Their spans belong into that invocation's trace,
//! so they, and what was printed meanwhile, are held until it starts.

use std::collections::VecDeque;

use lambda_api::telemetry::{self, More};
use model::{LogRecord, Map, Span, SpanKind, SpanStatus, Timestamp, TraceContext};

use super::invocation::{Invocation, part};
use super::{identity, millis, put, put_more};
use crate::Signals;
use crate::parse::trace_header;

/// Init may be repeated inside the first invocation, and a snapshot restored: three, and one for surprises.
const HELD_SPANS_MAX: usize = 4;

/// Frameworks print a few dozen lines while they start. What is more goes out at once, without a trace.
const HELD_LOGS_MAX: usize = 256;
/// And they are short ones. One line may have 256 KiB.
const HELD_BYTES_MAX: usize = 1024 * 1024;

/// Of attributes that only Lambda has.
pub(super) const PREFIX: &str = "aws.lambda.";

/// A phase that has begun.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    pub(super) name: &'static str,
    pub(super) started_at: Timestamp,
    pub(super) attributes: Map,
    /// Set where the phase is a trace of its own: nobody waits for it (provisioned concurrency, snapshots).
    pub(super) root: Option<TraceContext>,
    /// Status and error type as the runtime said them, where the report does not.
    pub(super) status: Option<(String, Option<String>)>,
    /// What the runtime's part of it is made of; the report may repeat it.
    pub(super) parts: Vec<telemetry::Span>,
    pub(super) last_error: Option<String>,
}

/// A phase that is over, without a place in a trace yet.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    phase: Phase,
    end: Timestamp,
    status: SpanStatus,
    parts: Vec<telemetry::Span>,
}

/// How a phase ended.
#[derive(Debug, Clone, Default)]
pub(super) struct PhaseEnding {
    pub(super) status: Option<String>,
    pub(super) error_type: Option<String>,
    pub(super) duration_ms: Option<f64>,
    pub(super) parts: Vec<telemetry::Span>,
    pub(super) more: More,
}

impl Phase {
    pub(super) fn new(name: &'static str, started_at: Timestamp) -> Self {
        Self {
            name,
            started_at,
            attributes: Map::new(),
            root: None,
            status: None,
            parts: Vec::new(),
            last_error: None,
        }
    }

    /// Makes it a trace of its own: the platform's if it names one, else derived from the sandbox and the moment.
    pub(super) fn set_root(&mut self, instance: &str, tracing: Option<&telemetry::Tracing>) {
        let seed = format!("{instance} {}", self.started_at);
        let trace_id = tracing
            .and_then(|tracing| trace_header(&tracing.value))
            .map_or_else(|| identity::trace_id(&seed), |xray| xray.trace_id);
        self.root = Some(TraceContext { trace_id, span_id: identity::span_id(&seed, self.name) });
    }

    pub(super) fn finish(mut self, mut ending: PhaseEnding, told_at: Timestamp) -> Finished {
        if let (None, Some((status, error_type))) = (&ending.status, self.status.take()) {
            ending.status = Some(status);
            ending.error_type = ending.error_type.or(error_type);
        }
        let end = ending.duration_ms.map_or(told_at, |duration| self.started_at.plus(millis(duration)));
        put_more(&mut self.attributes, PREFIX, &ending.more);
        let status = ending.status.as_deref().filter(|status| !status.is_empty());
        put(&mut self.attributes, "aws.lambda.status", status);
        let status = match status {
            Some("success") => SpanStatus::Ok,
            None => SpanStatus::Unset,
            Some(status) => {
                put(&mut self.attributes, "error.type", Some(ending.error_type.as_deref().unwrap_or(status)));
                let why = self.last_error.take().or(ending.error_type);
                SpanStatus::Error(why.unwrap_or_else(|| status.to_owned()))
            }
        };
        let told = ending.parts.iter().map(|part| part.name.clone()).collect::<Vec<_>>();
        let mut parts = std::mem::take(&mut self.parts);
        parts.retain(|part| !told.contains(&part.name));
        parts.extend(ending.parts);
        Finished { end: end.max(self.started_at), phase: self, status, parts }
    }
}

impl Finished {
    /// The span and its parts: below `invocation`, or as the root of their own trace.
    fn spans(self, invocation: Option<&Invocation>) -> Vec<Span> {
        let Self { phase, end, status, parts } = self;
        let request_id = invocation.map(|invocation| invocation.request_id.as_str());
        let seed = request_id.unwrap_or_default();
        let role = format!("{} {}", phase.name, phase.started_at);
        let context = phase.root.unwrap_or_else(|| TraceContext {
            trace_id: invocation.map_or_else(|| identity::trace_id(&role), |first| first.context.trace_id),
            span_id: identity::span_id(seed, &role),
        });
        let is_child = phase.root.is_none();
        let span = Span {
            trace_id: context.trace_id,
            span_id: context.span_id,
            parent_id: invocation.filter(|_| is_child).map(|invocation| invocation.context.span_id),
            name: phase.name.to_owned(),
            kind: SpanKind::Internal,
            start: phase.started_at,
            end,
            status,
            request_id: request_id.filter(|_| is_child).map(str::to_owned),
            attributes: phase.attributes,
            events: Vec::new(),
            links: Vec::new(),
        };
        let parts = parts.iter().filter_map(|measured| part(measured, context, None)).collect::<Vec<_>>();
        std::iter::once(span).chain(parts).collect()
    }
}

/// The phase that runs, and what waits for the first invocation.
#[derive(Debug, Default)]
pub(super) struct Phases {
    pub(super) open: Option<Phase>,
    held: Vec<Finished>,
    held_logs: VecDeque<LogRecord>,
    held_bytes: usize,
}

fn printed_bytes(log: &LogRecord) -> usize {
    log.line.as_ref().map_or(0, String::len)
}

impl Phases {
    /// A snapshot is being restored, because of the invocation that comes next.
    pub(super) fn is_restoring(&self) -> bool {
        self.open.as_ref().is_some_and(|phase| phase.name == "restore")
    }

    /// A phase is over: out at once if it has a place, else held.
    pub(super) fn end(&mut self, finished: Finished, invocation: Option<&Invocation>) -> Vec<Span> {
        if finished.phase.root.is_some() || invocation.is_some() || self.held.len() == HELD_SPANS_MAX {
            return finished.spans(invocation);
        }
        self.held.push(finished);
        Vec::new()
    }

    /// Holds a line that was printed before the first invocation; gives back the oldest if there are too many.
    pub(super) fn hold(&mut self, log: LogRecord) -> Vec<LogRecord> {
        self.held_bytes += printed_bytes(&log);
        self.held_logs.push_back(log);
        let mut over = Vec::new();
        while self.held_logs.len() > HELD_LOGS_MAX || self.held_bytes > HELD_BYTES_MAX {
            let Some(oldest) = self.held_logs.pop_front() else { break };
            self.held_bytes -= printed_bytes(&oldest);
            over.push(oldest);
        }
        over
    }

    /// Gives out what was held, with its place in the first invocation's trace, or without one at the sandbox's end.
    pub(super) fn release(&mut self, invocation: Option<&Invocation>) -> Signals {
        let mut signals = Signals::default();
        let mut init = None;
        for finished in self.held.drain(..) {
            let spans = finished.spans(invocation);
            init = init.or_else(|| spans.first().map(|span| (span.trace_id, span.span_id)));
            signals.spans.extend(spans);
        }
        // A line printed while init runs belongs to init's span; if that is still open, to the invocation's.
        let place = init.or_else(|| invocation.map(|first| (first.context.trace_id, first.context.span_id)));
        self.held_bytes = 0;
        for mut log in self.held_logs.drain(..) {
            if log.trace_id.is_none() {
                log.trace_id = place.map(|(trace_id, _)| trace_id);
                log.span_id = place.map(|(_, span_id)| span_id);
            }
            log.request_id = log.request_id.or_else(|| Some(invocation?.request_id.clone()));
            signals.logs.push(log);
        }
        signals
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_prints_is_held_up_to_a_number_and_a_size() {
        let log = |bytes| LogRecord { line: Some("x".repeat(bytes)), ..LogRecord::default() };
        let mut phases = Phases::default();
        let over: usize = (0..300).map(|_| phases.hold(log(10)).len()).sum();
        assert_eq!(over, 300 - HELD_LOGS_MAX);
        assert_eq!(phases.release(None).logs.len(), HELD_LOGS_MAX);
        let over: usize = (0..8).map(|_| phases.hold(log(HELD_BYTES_MAX / 4)).len()).sum();
        assert_eq!(over, 4);
        assert_eq!(
            phases.hold(log(HELD_BYTES_MAX + 1)).len(),
            5,
            "a giant is not held, nor what is before it"
        );
    }
}

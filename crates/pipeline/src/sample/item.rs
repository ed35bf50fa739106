//! A span or a log record under the sampler's hands: whose it is, and what it says about its invocation.

use std::time::Duration;

use model::{Level, LogRecord, Span, SpanStatus, TraceId, Value};

use crate::Signals;
use crate::assemble::invocation::is_invocation;
use crate::batch::weigh;

/// The key that says for how many events of its kind one stands; absent on those that were surely kept.
pub const INTERVAL_KEY: &str = "$limelight.samplingInterval";

#[derive(Debug)]
pub(super) enum Item {
    Span(Span),
    Log(LogRecord),
}

/// The end of an invocation.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) trace_id: TraceId,
    pub(super) duration: Duration,
    /// It failed or was cold.
    pub(super) is_remarkable: bool,
}

impl Item {
    pub(super) fn request_id(&self) -> Option<&str> {
        match self {
            Self::Span(span) => span.request_id.as_deref(),
            Self::Log(log) => log.request_id.as_deref(),
        }
    }

    pub(super) fn trace_id(&self) -> Option<TraceId> {
        match self {
            Self::Span(span) => Some(span.trace_id),
            Self::Log(log) => log.trace_id,
        }
    }

    /// What the platform told of the invocation's end.
    pub(super) fn end(&self) -> Option<End> {
        let Self::Span(span) = self else { return None };
        let is_cold = span.attributes.get("faas.coldstart") == Some(&Value::Bool(true));
        is_invocation(span).then(|| End {
            trace_id: span.trace_id,
            duration: span.end.since(span.start),
            is_remarkable: is_cold || span.status != SpanStatus::Ok,
        })
    }

    pub(super) fn tells_an_error(&self) -> bool {
        match self {
            Self::Span(span) => matches!(span.status, SpanStatus::Error(_)),
            Self::Log(log) => log.error.is_some() || log.level.is_some_and(|level| level >= Level::Error),
        }
    }

    /// Lost records, faults: not about the invocation that happened to run.
    pub(super) fn tells_of_the_platform(&self) -> bool {
        matches!(self, Self::Log(log) if log.platform && log.level.is_some_and(|level| level >= Level::Warn))
    }

    /// Writes the interval on it.
    pub(super) fn stand_for(&mut self, interval: f64) {
        let keys = match self {
            Self::Span(span) => &mut span.attributes,
            Self::Log(log) => &mut log.body,
        };
        keys.insert(INTERVAL_KEY.to_owned(), Value::Float(interval));
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Span(span) => weigh::span(span),
            Self::Log(log) => weigh::log(log),
        }
    }

    pub(super) fn push_to(self, signals: &mut Signals) {
        match self {
            Self::Span(span) => signals.spans.push(span),
            Self::Log(log) => signals.logs.push(log),
        }
    }
}

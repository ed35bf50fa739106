//! What the Runtime API proxy copied of an invocation (its event, its response) → log records in the invocation's
//! trace, and what its span says of its trigger. Called by the extension; knows no clock and no socket.
//!
//! The copies come before the platform's own records of the same invocation: they wait here, bounded, for its START,
//! which tells their trace. What an event says about its origin is `trigger`'s to know.

mod read;
mod encoded;

use std::collections::VecDeque;

use model::{LogRecord, Map, Span, SpanKind, SpanLink, SpanStatus, Timestamp, TraceContext, Value};

use crate::Signals;
use crate::trigger::{self, Trigger};

/// Invocations that run at a time (Managed Instances: 64 on each vCPU), or whose records are late. What their copies
/// hold is bounded in bytes.
const WAITING_MAX: usize = 256;
/// OpenTelemetry, HTTP spans: from here on a server's answer is its own failure.
const SERVER_ERROR: i64 = 500;
const STATUS_CODE: &str = "http.response.status_code";

/// What of the copies becomes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// Neither: only the trigger is recognised.
    Triggers,
    /// The event.
    Events,
    /// The event and the response.
    All,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the function was invoked with.
    Event,
    /// What it answered.
    Response,
}

/// The copies of one sandbox.
#[derive(Debug)]
pub struct Payloads {
    keep: Keep,
    bytes_max: usize,
    waiting: VecDeque<Waiting>,
}

/// One invocation whose span has not closed.
#[derive(Debug)]
struct Waiting {
    request_id: String,
    place: Option<TraceContext>,
    trigger: Option<Trigger>,
    status_code: Option<i64>,
    logs: Vec<LogRecord>,
    /// Of the copies that became `logs`.
    bytes: usize,
}

impl Payloads {
    /// Before the first copy; of those that wait, `bytes_max` are kept: what is more goes at once, without its trace.
    pub fn new(keep: Keep, bytes_max: usize) -> Self {
        Self { keep, bytes_max, waiting: VecDeque::new() }
    }

    /// Takes a copy; `cut` if it is only the beginning. Gives back what has waited in vain, and what need not wait.
    pub fn take(&mut self, part: Part, request_id: &str, bytes: &[u8], cut: bool, now: Timestamp) -> Signals {
        let mut signals = Signals::default();
        let value = read::payload(bytes, cut);
        let (key, kind, keep) = match part {
            Part::Event => ("event", "EVENT", self.keep >= Keep::Events),
            Part::Response => ("response", "RESPONSE", self.keep >= Keep::All),
        };
        let waiting = self.waiting(request_id, &mut signals);
        match part {
            Part::Event => waiting.trigger = value.as_object().and_then(trigger::of_event),
            Part::Response => waiting.status_code = value.as_object().and_then(status_code),
        }
        if keep {
            let mut log = record(kind, request_id, now);
            log.body.insert(key.to_owned(), value);
            if cut {
                log.body.insert("@truncated".to_owned(), true.into());
            }
            waiting.logs.push(log);
            waiting.bytes += bytes.len();
        }
        if waiting.place.is_some() {
            waiting.release(&mut signals);
        }
        self.make_room(&mut signals);
        signals
    }

    /// What is known of an invocation stays; only its copies go.
    fn make_room(&mut self, signals: &mut Signals) {
        let mut over = self.waiting.iter().map(|waiting| waiting.bytes).sum::<usize>();
        for waiting in &mut self.waiting {
            if over <= self.bytes_max {
                return;
            }
            over -= waiting.bytes;
            waiting.release(signals);
        }
    }

    /// Adds to what the platform's records became: copies beside the START of their invocation, the trigger to its
    /// span.
    pub fn dress(&mut self, signals: &mut Signals) {
        if self.waiting.is_empty() {
            return;
        }
        let starts = signals.logs.iter().filter(|log| is_start(log));
        let places: Vec<_> = starts.filter_map(|log| Some((log.request_id.clone()?, place(log)?))).collect();
        for (request_id, place) in places {
            if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.request_id == request_id) {
                waiting.place = Some(place);
                waiting.release(signals);
            }
        }
        let mut done = Vec::new();
        for span in signals.spans.iter_mut().filter(|span| span.kind == SpanKind::Server) {
            let index =
                self.waiting.iter().position(|waiting| span.request_id.as_ref() == Some(&waiting.request_id));
            if let Some(mut waiting) = index.and_then(|index| self.waiting.remove(index)) {
                waiting.place = Some(TraceContext { trace_id: span.trace_id, span_id: span.span_id });
                waiting.describe(span);
                done.push(waiting);
            }
        }
        for mut waiting in done {
            waiting.release(signals);
        }
    }

    /// The sandbox ends: what still waits goes as it is.
    pub fn close(&mut self) -> Signals {
        let mut signals = Signals::default();
        for mut waiting in self.waiting.drain(..) {
            waiting.release(&mut signals);
        }
        signals
    }

    fn waiting(&mut self, request_id: &str, signals: &mut Signals) -> &mut Waiting {
        let known = self.waiting.iter().position(|waiting| waiting.request_id == request_id);
        let index = known.unwrap_or_else(|| {
            if self.waiting.len() == WAITING_MAX
                && let Some(mut oldest) = self.waiting.pop_front()
            {
                oldest.release(signals);
            }
            self.waiting.push_back(Waiting {
                request_id: request_id.to_owned(),
                place: None,
                trigger: None,
                status_code: None,
                logs: Vec::new(),
                bytes: 0,
            });
            self.waiting.len() - 1
        });
        &mut self.waiting[index]
    }
}

impl Waiting {
    fn release(&mut self, signals: &mut Signals) {
        self.bytes = 0;
        for mut log in self.logs.drain(..) {
            log.trace_id = self.place.map(|place| place.trace_id);
            log.span_id = self.place.map(|place| place.span_id);
            signals.logs.push(log);
        }
    }

    fn describe(&mut self, span: &mut Span) {
        if let Some(trigger) = self.trigger.take() {
            for (key, value) in trigger.span_attributes() {
                span.attributes.entry(key).or_insert(value);
            }
            // A log may have shown the same event.
            let known: Vec<_> = span.links.iter().map(|link| link.context).collect();
            span.links.extend(trigger.links.into_iter().filter(|link| !known.contains(&link.context)));
            if let Some(caller) = trigger.caller {
                tie(span, caller);
            }
        }
        if let Some(code) = self.status_code {
            span.attributes.insert(STATUS_CODE.to_owned(), Value::Int(code));
            if code >= SERVER_ERROR && !matches!(span.status, SpanStatus::Error(_)) {
                span.attributes.insert("error.type".to_owned(), code.to_string().into());
                span.status = SpanStatus::Error(format!("HTTP {code}"));
            }
        }
    }
}

/// The platform's word on trace and parent stands, so that all sources agree; the caller that the event names is the
/// parent where there is none and the trace is the same, else a link.
fn tie(span: &mut Span, caller: TraceContext) {
    let same_trace = caller.trace_id == span.trace_id;
    if same_trace && span.parent_id.is_none() && caller.span_id != span.span_id {
        span.parent_id = Some(caller.span_id);
    } else if !same_trace && span.links.iter().all(|link| link.context != caller) {
        span.links.push(SpanLink { context: caller, attributes: Map::new() });
    }
}

fn is_start(log: &LogRecord) -> bool {
    log.platform && log.body.get("@type").and_then(Value::as_str) == Some("START")
}

fn place(log: &LogRecord) -> Option<TraceContext> {
    Some(TraceContext { trace_id: log.trace_id?, span_id: log.span_id? })
}

fn record(kind: &str, request_id: &str, time: Timestamp) -> LogRecord {
    LogRecord {
        time,
        request_id: Some(request_id.to_owned()),
        platform: true,
        body: Map::from([("@type".to_owned(), kind.into()), ("@requestId".to_owned(), request_id.into())]),
        ..LogRecord::default()
    }
}

/// What API Gateway, load balancers and function URLs take for the HTTP status.
fn status_code(response: &Map) -> Option<i64> {
    match response.get("statusCode")? {
        Value::Int(code @ 100..=599) => Some(*code),
        Value::String(text) => text.parse().ok().filter(|code| (100..=599).contains(code)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

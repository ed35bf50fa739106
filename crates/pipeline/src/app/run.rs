//! The invocations' course, as far as it helps to tell whose a record is: by trace, unless several invocations share it,
//! else by time.

use std::collections::VecDeque;

use lambda_api::telemetry::{Payload, Record};
use model::{Timestamp, TraceId, Value};

use crate::parse::trace_header;

/// An SDK exports within seconds; more invocations than this at a time run on no instance.
const RUNS_MAX: usize = 256;
/// Traces that SDKs named themselves; as many.
const TRACES_MAX: usize = 256;

/// One invocation.
#[derive(Debug)]
struct Run {
    request_id: String,
    trace_id: Option<TraceId>,
    /// None while only INVOKE has told of it; its telemetry comes a little later.
    started_at: Option<Timestamp>,
    done_at: Option<Timestamp>,
}

/// The last invocations, oldest first, and the traces whose invocation a span has named.
#[derive(Debug, Default)]
pub(super) struct Runs {
    runs: VecDeque<Run>,
    /// None: of several.
    named: VecDeque<(TraceId, Option<String>)>,
}

impl Runs {
    pub(super) fn observe(&mut self, record: &Record<Payload<Value>>) {
        let time = || record.time.parse::<Timestamp>().ok();
        match &record.record {
            Payload::Start(start) => {
                let run = self.run(&start.request_id);
                run.started_at = time();
                let header = start.tracing.as_ref().and_then(|tracing| trace_header(&tracing.value));
                run.trace_id = header.map(|header| header.trace_id);
            }
            Payload::RuntimeDone(done) => self.done(&done.request_id, time()),
            Payload::Report(report) => self.done(&report.request_id, time()),
            _ => {}
        }
    }

    pub(super) fn announce(&mut self, request_id: &str) {
        self.run(request_id);
    }

    /// A span of this trace has said whose it is.
    pub(super) fn learn(&mut self, trace_id: TraceId, request_id: &str) {
        if let Some((_, known)) = self.named.iter_mut().find(|(known, _)| *known == trace_id) {
            if known.as_deref() != Some(request_id) {
                *known = None;
            }
            return;
        }
        if self.named.len() == TRACES_MAX {
            self.named.pop_front();
        }
        self.named.push_back((trace_id, Some(request_id.to_owned())));
    }

    /// Whose record this is, if that can be known.
    pub(super) fn find(&self, trace_id: Option<TraceId>, time: Timestamp, overlaps: bool) -> Option<&str> {
        let by_trace = trace_id.and_then(|trace_id| self.by_trace(trace_id));
        by_trace.or_else(|| if overlaps { None } else { self.by_time(time) })
    }

    /// A trace that several invocations share (a retry, a fan-out into one function) tells nothing.
    fn by_trace(&self, trace_id: TraceId) -> Option<&str> {
        if let Some((_, request_id)) = self.named.iter().find(|(known, _)| *known == trace_id) {
            return request_id.as_deref();
        }
        let mut same = self.runs.iter().filter(|run| run.trace_id == Some(trace_id));
        match (same.next(), same.next()) {
            (Some(run), None) => Some(&run.request_id),
            _ => None,
        }
    }

    /// The one that ran then. One that is only announced began after the end of the one before it.
    fn by_time(&self, time: Timestamp) -> Option<&str> {
        let mut newest_first = self.runs.iter().rev().peekable();
        while let Some(run) = newest_first.next() {
            let begun = match (run.started_at, newest_first.peek()) {
                (Some(started_at), _) => started_at <= time,
                (None, Some(before)) => before.done_at.is_some_and(|done_at| done_at < time),
                (None, None) => false,
            };
            if begun {
                let over = run.done_at.is_some_and(|done_at| done_at < time);
                return (!over).then_some(run.request_id.as_str());
            }
        }
        None
    }

    fn done(&mut self, request_id: &str, time: Option<Timestamp>) {
        let mut newest_first = self.runs.iter_mut().rev();
        if let Some(run) = newest_first.find(|run| run.request_id == request_id) {
            run.done_at = run.done_at.or(time);
        }
    }

    /// The one of this id that is not over. A retried event has the id of its first attempt, and is a new run.
    fn run(&mut self, request_id: &str) -> &mut Run {
        let open = |run: &Run| run.done_at.is_none() && run.request_id == request_id;
        let index = self.runs.iter().rposition(open).unwrap_or_else(|| {
            if self.runs.len() == RUNS_MAX {
                self.runs.pop_front();
            }
            let request_id = request_id.to_owned();
            self.runs.push_back(Run { request_id, trace_id: None, started_at: None, done_at: None });
            self.runs.len() - 1
        });
        &mut self.runs[index]
    }
}

//! Records that the function and the extensions printed: each becomes one log record at its place in a trace, or is
//! folded into what is known already.

use std::time::Duration;

use model::{LogRecord, Timestamp, Value};

use super::{Assembler, OWN_LINE_MARKER};
use crate::Signals;
use crate::parse::{self, Line, LineKind};

/// A line's own time is believed within these bounds of the platform's: a buffer may be written after a long freeze,
/// a clock may run ahead a little. Beyond them it is some other time that the line tells of.
const OLDER_MAX: Duration = Duration::from_hours(24);
const NEWER_MAX: Duration = Duration::from_mins(5);

/// Who printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Function,
    Extension,
}

impl Assembler {
    /// One printed record.
    pub(super) fn on_line(
        &mut self,
        record: serde_json::Value,
        source: Source,
        seen_at: Timestamp,
    ) -> Signals {
        let line = match record {
            // An empty line tells nothing.
            serde_json::Value::String(text) if text.trim().is_empty() => return folded(),
            serde_json::Value::String(text) => parse::line(&text),
            serde_json::Value::Object(map) => parse::object(model::value::from_json_object(map)),
            other => parse::line(&other.to_string()),
        };
        let folds = match source {
            Source::Function => self.is_second_copy(&line),
            Source::Extension => is_own(&line),
        };
        if folds {
            return folded();
        }
        self.log(line, source, seen_at)
    }

    fn log(&mut self, mut line: Line, source: Source, seen_at: Timestamp) -> Signals {
        let metrics = std::mem::take(&mut line.metrics);
        let mut log = self.place(line, seen_at);
        if source == Source::Extension {
            log.body.entry("@type".to_owned()).or_insert_with(|| "EXTENSION".into());
        }
        let mut signals = Signals::default();
        for mut metric in metrics {
            metric.request_id.clone_from(&log.request_id);
            if metric.time == Timestamp::EPOCH {
                metric.time = log.time;
            }
            signals.metrics.push(metric);
        }
        let waits = self.invocations.none_yet() && self.function.inits_on_demand();
        let ready = if waits { self.phases.hold(log) } else { Some(log) };
        signals.logs.extend(ready);
        signals
    }

    /// Gives a line its invocation, its trace and its time, and lets the invocation remember its error.
    fn place(&mut self, line: Line, seen_at: Timestamp) -> LogRecord {
        let mut log = LogRecord {
            time: line.time.filter(|time| is_believable(*time, seen_at)).unwrap_or(seen_at),
            level: line.level,
            request_id: line.request_id,
            trace_id: line.trace_id,
            span_id: line.span_id,
            duration_ms: line.duration_ms,
            error: line.error,
            platform: false,
            body: line.body,
        };
        let named = log.request_id.as_deref().filter(|id| self.invocations.find(id).is_some());
        let invocation = match (named, line.request_id_certain) {
            (Some(id), _) => self.invocations.find(id),
            // An invocation of which nothing else is known: a line from before the extension was restarted.
            (None, true) => None,
            (None, false) => self.invocations.current(self.function.overlaps()),
        };
        if let Some(invocation) = invocation {
            if log.error.is_some() {
                invocation.last_error.clone_from(&log.error);
            }
            log.request_id = Some(invocation.request_id.clone());
            let context = invocation.context;
            if log.trace_id.is_none_or(|trace| trace == context.trace_id) {
                log.trace_id = Some(context.trace_id);
                log.span_id = log.span_id.or(Some(context.span_id));
            }
        } else if let Some(phase) = &mut self.phases.open {
            if log.error.is_some() {
                phase.last_error.clone_from(&log.error);
            }
            if let (None, Some(root)) = (log.trace_id, phase.root) {
                log.trace_id = Some(root.trace_id);
                log.span_id = Some(root.span_id);
            }
        }
        log
    }

    /// True for a platform event that also came, or will come, as a record of its own.
    fn is_second_copy(&mut self, line: &Line) -> bool {
        let Some(invocation) = line.request_id.as_deref().and_then(|id| self.invocations.find(id)) else {
            return false;
        };
        match line.kind {
            LineKind::Log => false,
            LineKind::Start | LineKind::End | LineKind::Report => true,
            // The first to tell of a timeout is kept.
            LineKind::Timeout => std::mem::replace(&mut invocation.timed_out, true),
        }
    }
}

fn is_believable(time: Timestamp, seen_at: Timestamp) -> bool {
    seen_at.since(time) <= OLDER_MAX && time.since(seen_at) <= NEWER_MAX
}

fn is_own(line: &Line) -> bool {
    let message = line.body.get("message").and_then(Value::as_str);
    message.is_some_and(|text| text.trim_start().starts_with(OWN_LINE_MARKER))
}

/// A record that makes no log of its own.
pub(super) fn folded() -> Signals {
    Signals { folded: 1, ..Signals::default() }
}

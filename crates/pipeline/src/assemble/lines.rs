//! Records that the function and the extensions printed: each becomes one log record at its place in a trace, or is
//! folded into what is known already.

use std::time::Duration;

use model::{LogRecord, Span, Timestamp, Value};

use super::{Assembler, OWN_LINE_MARKER, timed};
use crate::join::Released;
use crate::parse::{self, Line, LineKind};
use crate::{Signals, trigger};

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
        record: Value,
        source: Source,
        seen_at: Timestamp,
        now: Timestamp,
    ) -> Signals {
        let text = match record {
            Value::String(text) => text,
            // Lambda's JSON format: the object is what was printed.
            other => serde_json::Value::from(other).to_string(),
        };
        if text.trim().is_empty() {
            // An empty line tells nothing, unless it stands inside a stack trace.
            if source == Source::Function {
                self.joiner.blank();
            }
            return folded();
        }
        if source == Source::Function && !parse::is_json_object(&text) {
            return self.on_text(text, seen_at, now);
        }
        self.on_whole(text, source, seen_at)
    }

    /// A text of the function: perhaps a line of a stack trace. Lines of invocations that overlap are not joined, since
    /// nobody knows whose they are.
    fn on_text(&mut self, text: String, seen_at: Timestamp, now: Timestamp) -> Signals {
        let before = self.joiner.push(text, seen_at, now);
        let mut signals = self.on_blocks(before);
        if self.function.overlaps() && self.invocations.are_mixed() {
            signals.append(self.finish_lines());
        }
        signals
    }

    /// Joined lines become the log that they are.
    pub(super) fn on_blocks(&mut self, blocks: Released) -> Signals {
        let mut signals = Signals::default();
        for block in blocks.into_iter().flatten() {
            signals.append(self.log(block.text, Source::Function, block.seen_at));
            signals.folded += block.records - 1;
        }
        signals
    }

    /// What is a record by itself: no line of a trace comes after it.
    fn on_whole(&mut self, text: String, source: Source, seen_at: Timestamp) -> Signals {
        if source == Source::Extension {
            return if is_own(&text) { folded() } else { self.log(text, source, seen_at) };
        }
        let mut signals = self.finish_lines();
        signals.append(self.log(text, source, seen_at));
        signals
    }

    fn log(&mut self, text: String, source: Source, seen_at: Timestamp) -> Signals {
        let mut line = parse::glance(&text);
        if source == Source::Function && self.is_second_copy(&line) {
            return folded();
        }
        let mut signals = Signals { metrics: std::mem::take(&mut line.metrics), ..Signals::default() };
        let is_timed = line.kind == LineKind::Log && line.span_id.is_none() && signals.metrics.is_empty();
        let mut log = self.place(&line, text, seen_at);
        if source == Source::Extension {
            log.body.insert("@type".to_owned(), "EXTENSION".into());
        }
        if line.metrics_left_out > 0 {
            let left_out = i64::try_from(line.metrics_left_out).unwrap_or(i64::MAX);
            log.body.insert("limelight.droppedPoints".to_owned(), left_out.into());
        }
        for metric in &mut signals.metrics {
            metric.request_id.clone_from(&log.request_id);
            if metric.time == Timestamp::EPOCH {
                metric.time = log.time;
            }
        }
        if is_timed {
            signals.spans = self.timed(&log, parse::message(&line)).into_iter().collect();
        }
        let will_be_invoked = self.function.inits_on_demand() || self.phases.is_restoring();
        let waits = self.invocations.none_yet() && will_be_invoked;
        signals.logs = if waits { self.phases.hold(log) } else { vec![log] };
        signals
    }

    /// The span that a log with a duration tells of, below its invocation's.
    fn timed(&mut self, log: &LogRecord, message: Option<&str>) -> Option<Span> {
        log.duration_ms?;
        let invocation = self.invocations.find(log.request_id.as_deref()?)?;
        let is_inside = log.trace_id == Some(invocation.context.trace_id);
        is_inside.then(|| timed::span(log, message, invocation.context, invocation.started_at))?
    }

    /// Gives a line its invocation, its trace and its time, and lets the invocation remember its error.
    fn place(&mut self, line: &Line, text: String, seen_at: Timestamp) -> LogRecord {
        let mut log = LogRecord {
            time: line.time.filter(|time| is_believable(*time, seen_at)).unwrap_or(seen_at),
            level: line.level,
            request_id: line.request_id.clone(),
            trace_id: line.trace_id,
            span_id: line.span_id,
            duration_ms: line.duration_ms,
            error: line.error.clone(),
            line: Some(parse::kept(text)),
            ..LogRecord::default()
        };
        let named = log.request_id.as_deref().filter(|id| self.invocations.find(id).is_some());
        let invocation = match (named, line.request_id_certain) {
            (Some(id), _) => self.invocations.find(id),
            // An invocation of which nothing else is known: a line from before the extension was restarted.
            (None, true) => None,
            (None, false) => {
                // Under a common key it is the id of something else, unless an invocation has it.
                log.request_id = None;
                self.invocations.current(self.function.overlaps(), seen_at)
            }
        };
        if let Some(invocation) = invocation {
            if let Some(error) = &log.error {
                invocation.logged(error);
            }
            if invocation.trigger.is_none() {
                let whole = || parse::line(log.line.as_deref().unwrap_or_default()).body;
                invocation.trigger = trigger::of_log(&line.body, whole);
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

fn is_own(text: &str) -> bool {
    text.trim_start().starts_with(OWN_LINE_MARKER)
        || parse::message(&parse::glance(text))
            .is_some_and(|text| text.trim_start().starts_with(OWN_LINE_MARKER))
}

/// A record that makes no log of its own.
pub(super) fn folded() -> Signals {
    Signals { folded: 1, ..Signals::default() }
}

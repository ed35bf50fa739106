//! Platform records become spans, logs and metric points, one trace per invocation. Called by the extension for each
//! record in the order of arrival; knows no clock and no socket.

pub mod identity;
pub(crate) mod failure;
pub(crate) mod invocation;
mod invocations;
mod phase;
mod start_up;
mod course;
mod platform;
mod lines;
pub(crate) mod timed;

use std::time::Duration;

use lambda_api::telemetry::{More, Payload, Record};
use model::{Map, Resource, Timestamp, Value};

use self::invocation::Ending;
use self::invocations::Invocations;
use self::lines::Source;
use self::phase::{PhaseEnding, Phases};
use crate::join::Joiner;
use crate::{FunctionContext, Signals};

/// A line of an `extension` record that begins with this is our own: it is folded, so that nothing feeds on itself.
pub const OWN_LINE_MARKER: &str = "[limelight]";

/// Why a sandbox ends, from SHUTDOWN's `shutdownReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// `spindown`: not needed any longer.
    Spindown,
    /// `timeout`: the invocation (or init) took too long.
    Timeout,
    /// `failure`: the runtime or an extension died.
    Failure,
}

/// The state of one sandbox. Bounded: see the constants of `invocations`, `phase` and `join`.
#[derive(Debug)]
pub struct Assembler {
    function: FunctionContext,
    phases: Phases,
    invocations: Invocations,
    joiner: Joiner,
    /// A durable function: its invocations are steps of a longer run.
    is_durable: bool,
}

impl Assembler {
    /// For the sandbox of `function`, before any record.
    pub fn new(function: FunctionContext) -> Self {
        Self {
            function,
            phases: Phases::default(),
            invocations: Invocations::default(),
            joiner: Joiner::default(),
            is_durable: false,
        }
    }

    /// Takes one record whose content is a tree; see [`Self::take`].
    pub fn accept<V: Into<serde_json::Value>>(&mut self, record: Record<V>, now: Timestamp) -> Signals {
        self.take(record.typed(), now)
    }

    /// Takes one record. `now` stands in where the record's own time cannot be read.
    pub fn take(&mut self, record: Record<Payload<Value>>, now: Timestamp) -> Signals {
        let time = record.time.parse().unwrap_or(now);
        match record.record {
            Payload::Function(content) => self.on_line(content, Source::Function, time, now),
            Payload::ExtensionLine(content) => self.on_line(content, Source::Extension, time, now),
            payload => {
                // What the platform says next may change whose line it is.
                let mut signals = self.finish_lines();
                signals.append(self.on_platform(&record.kind, payload, time));
                signals
            }
        }
    }

    /// The emitter of everything that `accept` gives, as far as it is known by now.
    pub fn resource(&self) -> Resource {
        self.function.resource()
    }

    /// Takes what the function's ARN tells (INVOKE's `invokedFunctionArn`).
    pub fn learn_arn(&mut self, arn: &str) {
        self.function.learn_arn(arn);
    }

    /// When to call [`Self::release`]; none if no line is held.
    pub fn due(&self) -> Option<Timestamp> {
        self.joiner.due()
    }

    /// Lines that have waited long enough for the rest of a stack trace.
    pub fn release(&mut self, now: Timestamp) -> Signals {
        let blocks = self.joiner.release(now);
        self.on_blocks(blocks)
    }

    /// A delivery has been taken to its end. While nothing runs, nothing is held: the sandbox may be frozen.
    pub fn settle(&mut self) -> Signals {
        if self.invocations.is_idle() && self.phases.open.is_none() {
            self.finish_lines()
        } else {
            Signals::default()
        }
    }

    /// Lines that are held, whatever might still come.
    pub fn finish_lines(&mut self) -> Signals {
        let blocks = self.joiner.finish();
        self.on_blocks(blocks)
    }

    /// What is still open when the sandbox ends. The assembler can go on if it does not.
    pub fn close(&mut self, reason: CloseReason, now: Timestamp) -> Signals {
        let (status, error_type) = match reason {
            CloseReason::Spindown => ("", None),
            CloseReason::Timeout => ("timeout", None),
            CloseReason::Failure => ("failure", Some("Sandbox.Failure".to_owned())),
        };
        let mut signals = self.finish_lines();
        signals.append(self.close_phases(status, error_type.clone(), now));
        for invocation in self.invocations.take_all() {
            let ending =
                Ending { status: status.to_owned(), error_type: error_type.clone(), ..Ending::default() };
            signals.append(self.finish(invocation, &ending, &[], now));
        }
        signals
    }

    fn on_platform(&mut self, kind: &str, payload: Payload<Value>, time: Timestamp) -> Signals {
        match payload {
            Payload::InitStart(start) => self.on_init_start(*start, time),
            Payload::InitReport(report) => {
                let ending = PhaseEnding {
                    status: report.status,
                    error_type: report.error_type,
                    duration_ms: report.metrics.duration_ms,
                    parts: report.spans,
                    more: report.more.into_iter().chain(report.metrics.more).collect(),
                };
                self.on_phase_end("init", ending, time)
            }
            Payload::InitRuntimeDone(done) => {
                self.on_phase_status(&done.status, done.error_type, done.spans, &done.more)
            }
            Payload::RestoreStart(start) => self.on_restore_start(*start, time),
            Payload::RestoreRuntimeDone(done) => {
                self.on_phase_status(&done.status, done.error_type, done.spans, &done.more)
            }
            Payload::RestoreReport(report) => {
                let metrics = report.metrics.unwrap_or_default();
                let ending = PhaseEnding {
                    status: report.status,
                    error_type: report.error_type,
                    duration_ms: metrics.duration_ms,
                    parts: report.spans,
                    more: report.more.into_iter().chain(metrics.more).collect(),
                };
                self.on_phase_end("restore", ending, time)
            }
            Payload::Start(start) => self.on_start(*start, time),
            Payload::RuntimeDone(done) => self.on_runtime_done(&done, time),
            Payload::Report(report) => self.on_report(&report, time),
            Payload::End(end) => self.on_end(&end, time),
            Payload::Fault(fault) => self.on_fault(fault, time),
            Payload::Function(content) | Payload::ExtensionLine(content) | Payload::Unknown(content) => {
                self.on_other(kind, content, time)
            }
        }
    }
}

/// Adds a key if there is a value.
fn put(map: &mut Map, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value.into());
    }
}

/// Adds fields that are not known here under a prefix; a key that is known already stays.
fn put_more(map: &mut Map, prefix: &str, more: &More) {
    for (key, value) in more {
        map.entry(format!("{prefix}{key}")).or_insert_with(|| value.clone().into());
    }
}

/// The platform's figure as a duration; nonsense (negative, NaN, centuries) is none.
fn millis(duration_ms: f64) -> Duration {
    Duration::try_from_secs_f64(duration_ms / 1_000.0).unwrap_or_default()
}

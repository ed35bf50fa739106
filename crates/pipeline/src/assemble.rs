//! Platform records become spans, logs and metric points, one trace per invocation. Called by the extension for each
//! record in the order of arrival; knows no clock and no socket.

pub mod identity;
mod invocation;
mod phase;
mod start_up;
mod platform;
mod lines;

use std::time::Duration;

use lambda_api::telemetry::{self, Payload, Record, kind};
use model::{Map, Resource, Timestamp, Value};

use self::invocation::{Ending, Invocation, Invocations, context, part};
use self::lines::Source;
use self::phase::{PhaseEnding, Phases};
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

/// The state of one sandbox. Bounded: see the constants of `invocation` and `phase`.
#[derive(Debug)]
pub struct Assembler {
    function: FunctionContext,
    phases: Phases,
    invocations: Invocations,
}

impl Assembler {
    /// For the sandbox of `function`, before any record.
    pub fn new(function: FunctionContext) -> Self {
        Self { function, phases: Phases::default(), invocations: Invocations::default() }
    }

    /// Takes one record. `arrived_at` stands in where the record's own time cannot be read.
    pub fn accept(&mut self, record: Record, arrived_at: Timestamp) -> Signals {
        let time = record.time.parse().unwrap_or(arrived_at);
        match record.kind.as_str() {
            kind::FUNCTION => return self.on_line(record.record, Source::Function, time),
            kind::EXTENSION => return self.on_line(record.record, Source::Extension, time),
            _ => {}
        }
        match record.payload() {
            Payload::InitStart(start) => self.on_init_start(start, time),
            Payload::InitReport(report) => {
                let ending = PhaseEnding {
                    status: report.status,
                    error_type: report.error_type,
                    duration_ms: report.metrics.duration_ms,
                    parts: report.spans,
                };
                self.on_phase_end("init", ending, time)
            }
            Payload::InitRuntimeDone(done) => self.on_phase_status(&done.status, done.error_type),
            Payload::RestoreStart(start) => self.on_restore_start(start, time),
            Payload::RestoreRuntimeDone(done) => self.on_phase_status(&done.status, done.error_type),
            Payload::RestoreReport(report) => {
                let ending = PhaseEnding {
                    status: report.status,
                    error_type: report.error_type,
                    duration_ms: report.metrics.and_then(|metrics| metrics.duration_ms),
                    parts: report.spans,
                };
                self.on_phase_end("restore", ending, time)
            }
            Payload::Start(start) => self.on_start(start, time),
            Payload::RuntimeDone(done) => self.on_runtime_done(&done, time),
            Payload::Report(report) => self.on_report(&report, time),
            _ => self.on_other(&record.kind, record.record, time),
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

    /// What is still open when the sandbox ends. The assembler can go on if it does not.
    pub fn close(&mut self, reason: CloseReason, now: Timestamp) -> Signals {
        let (status, error_type) = match reason {
            CloseReason::Spindown => ("", None),
            CloseReason::Timeout => ("timeout", None),
            CloseReason::Failure => ("failure", Some("Sandbox.Failure".to_owned())),
        };
        let mut signals = Signals::default();
        signals.append(self.close_phases(status, error_type.clone(), now));
        for invocation in self.invocations.take_all() {
            let ending =
                Ending { status: status.to_owned(), error_type: error_type.clone(), ..Ending::default() };
            signals.append(self.finish(invocation, &ending, &[], now));
        }
        signals
    }

    fn on_start(&mut self, start: telemetry::Start, time: Timestamp) -> Signals {
        let mut invocation = Invocation::new(&start.request_id, start.tracing.as_ref(), time);
        let function = &self.function;
        invocation.cold_start = self.invocations.none_yet() && function.starts_cold();
        invocation.version =
            start.version.or_else(|| Some(function.version.clone()).filter(|version| !version.is_empty()));
        invocation.tenant_id = start.tenant_id;
        invocation.arn = start.function_arn;
        let mut signals = self.phases.release(Some(&invocation));
        signals.logs.push(platform::start(&invocation));
        if let Some(lost) = self.invocations.open(invocation) {
            signals.append(self.finish(lost, &Ending::default(), &[], time));
        }
        signals
    }

    fn on_runtime_done(&mut self, done: &telemetry::RuntimeDone, time: Timestamp) -> Signals {
        let metrics = done.metrics.clone().unwrap_or_default();
        let ending = Ending {
            status: done.status.clone(),
            error_type: done.error_type.clone(),
            duration_ms: metrics.duration_ms,
            produced_bytes: metrics.produced_bytes,
        };
        let invocation = match self.invocations.take(&done.request_id) {
            Some(invocation) => invocation,
            // Its report came first and has closed it.
            None if self.invocations.find(&done.request_id).is_some() => {
                return lines::folded();
            }
            None => {
                let started_at = time.minus(millis(metrics.duration_ms.unwrap_or(0.0)));
                Invocation::new(&done.request_id, done.tracing.as_ref(), started_at)
            }
        };
        self.finish(invocation, &ending, &done.spans, time)
    }

    fn on_report(&mut self, report: &telemetry::Report, time: Timestamp) -> Signals {
        let mut signals = Signals::default();
        let mut parts = report.spans.as_slice();
        // Managed Instances send no runtimeDone; elsewhere it was lost.
        if let Some(invocation) = self.invocations.take(&report.request_id) {
            let ending = Ending {
                status: report.status.clone().unwrap_or_default(),
                error_type: report.error_type.clone(),
                duration_ms: report.metrics.duration_ms,
                produced_bytes: None,
            };
            signals = self.finish(invocation, &ending, parts, time);
            parts = &[];
        }
        let known = self.invocations.find(&report.request_id).map(|invocation| invocation.context);
        let context = known.unwrap_or_else(|| context(&report.request_id, report.tracing.as_ref()).0);
        let request_id = Some(report.request_id.as_str());
        signals.spans.extend(parts.iter().filter_map(|measured| part(measured, context, request_id)));
        signals.logs.push(platform::report(report, context, time));
        signals
    }

    /// Closes an invocation: its span, its parts, END, and its timeout where no line has told it.
    fn finish(
        &mut self,
        mut invocation: Invocation,
        ending: &Ending,
        parts: &[telemetry::Span],
        told_at: Timestamp,
    ) -> Signals {
        let end = invocation.end(ending, told_at);
        let mut signals = Signals::default();
        signals.spans.push(invocation.span(&self.function.name, ending, end));
        let request_id = Some(invocation.request_id.as_str());
        signals
            .spans
            .extend(parts.iter().filter_map(|measured| part(measured, invocation.context, request_id)));
        if ending.status == "timeout" && !std::mem::replace(&mut invocation.timed_out, true) {
            signals.logs.push(platform::timeout(&invocation, end));
        }
        signals.logs.push(platform::end(&invocation, ending, told_at));
        self.invocations.remember(invocation);
        signals
    }

    fn on_other(&mut self, kind: &str, record: serde_json::Value, time: Timestamp) -> Signals {
        let mut log = platform::other(kind, record, time);
        if let Some(invocation) = self.invocations.current(self.function.overlaps()) {
            log.request_id = Some(invocation.request_id.clone());
            log.trace_id = Some(invocation.context.trace_id);
            log.span_id = Some(invocation.context.span_id);
        }
        Signals { logs: vec![log], ..Signals::default() }
    }
}

/// Adds a key if there is a value.
fn put(map: &mut Map, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value.into());
    }
}

/// The platform's figure as a duration; nonsense (negative, NaN, centuries) is none.
fn millis(duration_ms: f64) -> Duration {
    Duration::try_from_secs_f64(duration_ms / 1_000.0).unwrap_or_default()
}

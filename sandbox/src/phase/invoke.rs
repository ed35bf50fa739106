//! Invoke: the runtime and the listening extensions get their event; it is over when all have asked for the next.
//!
//! Source: AWS Lambda Developer Guide, "Lambda execution environment", invoke phase, failures included.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use lambda_api::extensions::{EventKind, NextEvent, ShutdownReason, Tracing as EventTracing};
use lambda_api::telemetry::{
    Report, ReportMetrics, RuntimeDone, RuntimeDoneMetrics, Span, Start, Tracing, kind,
};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use uuid::Uuid;

use super::{Current, InitPhase, epoch_ms};
use crate::environment::agent::State;
use crate::environment::records::{milliseconds, rfc3339};
use crate::environment::{Environment, Failure, Wait};
use crate::fault::Dice;
use crate::invocation::{Invocation, Outcome};
use crate::message::Work;
use crate::telemetry::Tempo;

const TRACE_TYPE: &str = "X-Amzn-Trace-Id";

/// An invocation on its way to an environment.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request_id: String,
    pub(crate) invocation: Invocation,
    pub(crate) caller: oneshot::Sender<Outcome>,
    /// Held until the environment can take the next one.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// What an invocation leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Ready for the next one.
    Alive,
    /// Nothing: all processes have ended.
    Dead,
}

/// How the runtime's part ended.
struct Done {
    at: Instant,
    status: &'static str,
    error_type: Option<String>,
}

impl Environment {
    /// Runs one invocation from thaw to freeze. The permit is given back by the caller of this.
    pub(crate) async fn invoke(&mut self, job: Job) -> (After, OwnedSemaphorePermit) {
        self.wake().await;
        let trace = Trace::of(job.invocation.trace_header.as_deref());
        let version = self.function.config.version.clone();
        let current =
            Current::new(job.request_id, version, trace.record(), job.caller, job.invocation.log_tail);
        let deadline = current.started + self.function.config.timeout;
        let again = self.begin(current, deadline).await;
        let outcome = match again {
            Ok(()) => {
                self.hand_out(&trace, &job.invocation, deadline);
                self.work(deadline).await
            }
            Err(failure) => Err(failure),
        };
        (self.conclude(outcome).await, job.permit)
    }

    async fn wake(&mut self) {
        if self.frozen
            && let Some(longer) = self.dice.as_mut().and_then(Dice::jump)
        {
            tracing::info!(function = self.function.config.name, ?longer, "a fault: clocks jump");
            tokio::time::sleep(longer).await;
        }
        self.thaw(Tempo::Normal);
    }

    /// A failed init is repeated first, inside the invocation's time; then the invocation is on record.
    async fn begin(&mut self, current: Current, deadline: Instant) -> Result<(), Failure> {
        let again =
            if self.initialized { Ok(()) } else { self.initialize(InitPhase::Invoke, deadline).await };
        let start = Start {
            request_id: current.request_id.clone(),
            version: Some(current.version.clone()),
            tracing: Some(current.tracing.clone()),
            ..Start::default()
        };
        let text = format!("START RequestId: {} Version: {}", current.request_id, current.version);
        self.current = Some(current);
        self.emit(kind::START, &start);
        self.say(text);
        again
    }

    fn hand_out(&mut self, trace: &Trace, invocation: &Invocation, deadline: Instant) {
        let Some(current) = &self.current else { return };
        let left = deadline.saturating_duration_since(Instant::now());
        let deadline_ms = epoch_ms(SystemTime::now() + left);
        let function_arn = self.function.config.arn();
        let event = NextEvent::Invoke {
            deadline_ms,
            request_id: current.request_id.clone(),
            invoked_function_arn: function_arn.clone(),
            tracing: Some(EventTracing { kind: TRACE_TYPE.to_owned(), value: trace.incoming.clone() }),
        };
        let work = Work {
            request_id: current.request_id.clone(),
            deadline_ms,
            function_arn,
            trace: trace.outgoing(),
            client_context: invocation.client_context.clone(),
            payload: invocation.payload.clone(),
        };
        for agent in self.agents.iter_mut().filter(|agent| agent.listens(EventKind::Invoke)) {
            agent.tell(event.clone());
        }
        self.hand_work(work);
        self.watchman.blow =
            self.dice.as_mut().and_then(Dice::blow).map(|(after, blow)| (Instant::now() + after, blow));
    }

    /// Waits for the runtime, then for the extensions.
    async fn work(&mut self, deadline: Instant) -> Result<(Done, Instant), Failure> {
        let answered =
            |env: &Self| env.runtime_next.is_some() && env.current.as_ref().is_some_and(Current::is_answered);
        match self.until(deadline, answered).await {
            Wait::Done => {}
            Wait::Deadline => return Err(timed_out(self.function.config.timeout)),
            Wait::Failed(failure) => return Err(failure),
        }
        let at = Instant::now();
        self.drain().await;
        let error_type =
            self.current.as_ref().and_then(|current| current.answered.as_ref()?.error_type.clone());
        let status = if error_type.is_some() { "error" } else { "success" };
        let done = Done { at, status, error_type };
        self.emit_runtime_done(&done);
        self.end_log(&done, done.at);
        let ready = |env: &Self| env.agents.iter().all(|agent| agent.state == State::Ready);
        match self.until(deadline, ready).await {
            Wait::Done => Ok((done, Instant::now())),
            Wait::Deadline => Err(timed_out(self.function.config.timeout)),
            Wait::Failed(failure) => Err(failure),
        }
    }

    async fn conclude(&mut self, outcome: Result<(Done, Instant), Failure>) -> After {
        self.watchman.blow = None;
        match outcome {
            Ok((done, finished)) => {
                self.look_at_memory();
                self.emit_report(&done, finished);
                self.current = None;
                if self.function.config.freeze {
                    self.freeze();
                }
                After::Alive
            }
            Err(failure) => {
                self.conclude_failure(failure).await;
                After::Dead
            }
        }
    }

    async fn conclude_failure(&mut self, failure: Failure) {
        let timeout = failure.error_type == TIMED_OUT;
        let status = if timeout { "timeout" } else { "failure" };
        let done =
            Done { at: Instant::now(), status, error_type: (!timeout).then(|| failure.error_type.clone()) };
        self.drain().await;
        if self.runtime_is_open() {
            let text = self.current.as_ref().map(|current| {
                let id = &current.request_id;
                if timeout {
                    format!("{} {id} {}", rfc3339(SystemTime::now()), failure.message)
                } else {
                    format!("RequestId: {id} Error: {}\n{}", failure.message, failure.error_type)
                }
            });
            self.say(text.unwrap_or_default());
            self.emit_runtime_done(&done);
            if let Some(current) = &mut self.current {
                current.fail(&failure);
            }
            self.end_log(&done, done.at);
        }
        let reason = if timeout { ShutdownReason::Timeout } else { ShutdownReason::Failure };
        self.end(reason).await;
        // Nobody is left to get it, as on AWS; it stands in the log.
        self.emit_report(&done, done.at);
        self.current = None;
    }

    /// Whether the runtime's part of the invocation has not been told yet.
    fn runtime_is_open(&self) -> bool {
        self.current.as_ref().is_some_and(|current| !current.is_told())
    }

    fn emit_runtime_done(&mut self, done: &Done) {
        let Some(current) = &mut self.current else { return };
        current.tell();
        let spans = current.answered.as_ref().map_or_else(Vec::new, |answered| {
            [
                ("responseLatency", current.started, answered.first_byte),
                ("responseDuration", answered.first_byte, answered.complete),
                ("runtimeOverhead", answered.complete, done.at),
            ]
            .map(|(name, from, to)| span(current, name, from, to))
            .to_vec()
        });
        let record = RuntimeDone {
            request_id: current.request_id.clone(),
            status: done.status.to_owned(),
            error_type: done.error_type.clone(),
            metrics: Some(RuntimeDoneMetrics {
                duration_ms: Some(milliseconds(done.at.duration_since(current.started))),
                produced_bytes: Some(current.answered.as_ref().map_or(0, |answered| answered.bytes as u64)),
            }),
            spans,
            tenant_id: None,
            tracing: Some(current.tracing.clone()),
        };
        self.emit(kind::RUNTIME_DONE, &record);
    }

    /// END and REPORT as the log has them, and the caller's tail with them.
    fn end_log(&mut self, done: &Done, finished: Instant) {
        self.look_at_memory();
        let Some(current) = &self.current else { return };
        let metrics = self.metrics(current, finished);
        let id = current.request_id.clone();
        let figure = |figure: Option<f64>| figure.unwrap_or_default();
        let mut report = format!(
            "REPORT RequestId: {id}\tDuration: {:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
            figure(metrics.duration_ms),
            figure(metrics.billed_duration_ms),
            metrics.memory_size_mb.unwrap_or_default(),
            metrics.max_memory_used_mb.unwrap_or_default(),
        );
        if let Some(init) = metrics.init_duration_ms {
            report.push_str(&format!("\tInit Duration: {init:.2} ms"));
        }
        if done.status == "timeout" || done.status == "failure" {
            report.push_str(&format!("\tStatus: {}", done.status));
        }
        self.say(format!("END RequestId: {id}"));
        self.say(report);
        if let Some(current) = &mut self.current {
            current.release();
        }
    }

    fn emit_report(&mut self, done: &Done, finished: Instant) {
        let Some(current) = &self.current else { return };
        let overhead = span(current, "extensionOverhead", done.at, finished);
        let record = Report {
            request_id: current.request_id.clone(),
            status: Some(done.status.to_owned()),
            error_type: done.error_type.clone(),
            metrics: self.metrics(current, finished),
            spans: if self.agents.is_empty() { Vec::new() } else { vec![overhead] },
            tenant_id: None,
            tracing: Some(current.tracing.clone()),
        };
        self.init_duration = None;
        self.emit(kind::REPORT, &record);
    }

    /// Billed is what ran, in whole milliseconds, init included (AWS bills it since August 2025).
    fn metrics(&self, current: &Current, finished: Instant) -> ReportMetrics {
        let duration = finished.duration_since(current.started);
        let init = self.init_duration;
        ReportMetrics {
            duration_ms: Some(milliseconds(duration)),
            billed_duration_ms: Some(milliseconds(duration + init.unwrap_or_default()).ceil()),
            memory_size_mb: Some(u64::from(self.function.config.memory_mb)),
            max_memory_used_mb: Some(self.watchman.peak_mb()),
            init_duration_ms: init.map(milliseconds),
            ..ReportMetrics::default()
        }
    }
}

const TIMED_OUT: &str = "Sandbox.Timedout";

fn timed_out(timeout: Duration) -> Failure {
    Failure::new(TIMED_OUT, format!("Task timed out after {:.2} seconds", timeout.as_secs_f64()))
}

fn span(current: &Current, name: &str, from: Instant, to: Instant) -> Span {
    Span {
        name: name.to_owned(),
        start: rfc3339(current.started_at + from.saturating_duration_since(current.started)),
        duration_ms: milliseconds(to.saturating_duration_since(from)),
    }
}

/// X-Ray's header on its way through an invocation: the caller's span is the parent, the invocation's own span is
/// what the function passes on.
struct Trace {
    incoming: String,
    span_id: String,
}

impl Trace {
    fn of(header: Option<&str>) -> Self {
        let span_id = Uuid::new_v4().simple().to_string()[..16].to_owned();
        let incoming = match header {
            Some(header) if header.contains("Root=") => header.to_owned(),
            _ => {
                let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                let unique = &Uuid::new_v4().simple().to_string()[..24];
                format!("Root=1-{seconds:08x}-{unique};Sampled=1")
            }
        };
        Self { incoming, span_id }
    }

    fn record(&self) -> Tracing {
        Tracing {
            span_id: Some(self.span_id.clone()),
            kind: TRACE_TYPE.to_owned(),
            value: self.incoming.clone(),
        }
    }

    /// What the runtime gets, and passes on to whom it calls.
    fn outgoing(&self) -> String {
        let parts = self.incoming.split(';').map(str::trim).filter(|part| !part.starts_with("Parent="));
        let mut parts: Vec<String> = parts.filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
        let after_root = parts.iter().position(|part| part.starts_with("Root=")).map_or(0, |index| index + 1);
        parts.insert(after_root, format!("Parent={}", self.span_id));
        parts.join(";")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_becomes_the_parent_of_what_it_calls() {
        let trace =
            Trace::of(Some("Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1"));
        assert_eq!(
            trace.outgoing(),
            format!("Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent={};Sampled=1", trace.span_id)
        );
        assert!(trace.record().value.contains("2be948a625588e32"));
    }

    #[test]
    fn a_trace_is_made_where_there_is_none() {
        for header in [None, Some("nonsense")] {
            let trace = Trace::of(header);
            assert!(
                trace.incoming.starts_with("Root=1-")
                    && trace.incoming.len() == "Root=1-".len() + 33 + ";Sampled=1".len()
            );
        }
    }

    #[test]
    fn a_timeout_reads_as_in_the_log_of_aws() {
        assert_eq!(timed_out(Duration::from_secs(3)).message, "Task timed out after 3.00 seconds");
    }
}

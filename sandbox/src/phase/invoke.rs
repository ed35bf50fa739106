//! Invoke: the runtime and the listening extensions get their event; it is over when all have asked for the next.
//!
//! Source: AWS Lambda Developer Guide, "Lambda execution environment", invoke phase, failures included.

mod report;

use std::time::{Duration, Instant};

use lambda_api::extensions::{EventKind, NextEvent, ShutdownReason, Tracing as EventTracing};
use lambda_api::telemetry::{Start, kind};
use tokio::sync::OwnedSemaphorePermit;

use super::trace::{TRACE_TYPE, Trace};
use super::{Caller, Current, InitPhase, epoch_ms};
use crate::environment::agent::State;
use crate::environment::records::rfc3339;
use crate::environment::{Environment, Failure, Wait};
use crate::fault::{Dice, word};
use crate::invocation::Invocation;
use crate::message::Work;
use crate::telemetry::Tempo;
use report::Done;
pub(crate) use report::span;

/// An invocation on its way to an environment.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) request_id: String,
    pub(crate) invocation: Invocation,
    pub(crate) caller: Caller,
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

impl Environment {
    /// Runs one invocation from thaw to freeze. The permit is given back by the caller of this.
    pub(crate) async fn invoke(&mut self, job: Job) -> (After, OwnedSemaphorePermit) {
        self.wake().await;
        let restored = self.restore().await;
        let trace = Trace::of(job.invocation.trace_header.as_deref(), self.now());
        let current = self.opened(job.request_id, &job.invocation, &trace, job.caller);
        let deadline = current.started + self.function.config.timeout;
        let begun = match restored {
            Ok(()) => self.begin(current, deadline).await,
            Err(failure) => {
                self.current = Some(current);
                self.emit_start();
                Err(failure)
            }
        };
        let outcome = match begun {
            Ok(()) => {
                self.hand_out(&trace, &job.invocation, deadline);
                self.work(deadline).await
            }
            Err(failure) => Err(failure),
        };
        (self.conclude(outcome).await, job.permit)
    }

    async fn wake(&mut self) {
        self.watchman.calm();
        if self.frozen {
            let jump = self.dice.as_mut().and_then(Dice::jump);
            if let Some(jump) = jump {
                self.function.config.strikes.count(word::CLOCK_JUMP);
                tracing::info!(function = self.function.config.name, ?jump, "a fault: clocks jump");
                if !self.clock.is_faked() {
                    tokio::time::sleep(jump.stop).await;
                }
            }
            if let Err(error) = self.clock.adjust(jump.map_or(0, |jump| jump.shift_ms)) {
                tracing::warn!(%error, "the faked clock could not be set");
            }
        }
        self.thaw(Tempo::Normal);
    }

    /// The invocation as it begins now.
    pub(super) fn opened(
        &self,
        request_id: String,
        invocation: &Invocation,
        trace: &Trace,
        caller: Caller,
    ) -> Current {
        let version = self.function.config.version.clone();
        Current::new(request_id, version, trace.record(), invocation, caller, self.now())
    }

    /// A failed init is repeated first, inside the invocation's time; then the invocation is on record.
    async fn begin(&mut self, current: Current, deadline: Instant) -> Result<(), Failure> {
        let mut ready = Ok(());
        if !self.initialized {
            ready = self.initialize(InitPhase::Invoke, deadline).await;
            if ready.is_ok() {
                ready = self.restore().await;
            }
        }
        self.current = Some(current);
        self.emit_start();
        ready
    }

    fn emit_start(&mut self) {
        let Some(current) = &self.current else { return };
        let record = start(current);
        let text = format!("START RequestId: {} Version: {}", current.request_id, current.version);
        self.emit(kind::START, &record);
        self.say(text);
    }

    fn hand_out(&mut self, trace: &Trace, invocation: &Invocation, deadline: Instant) {
        let Some(current) = &self.current else { return };
        let work = self.work_of(current, trace, invocation, deadline);
        let event = NextEvent::Invoke {
            deadline_ms: work.deadline_ms,
            request_id: work.request_id.clone(),
            invoked_function_arn: work.function_arn.clone(),
            tracing: Some(EventTracing { kind: TRACE_TYPE.to_owned(), value: trace.incoming.clone() }),
        };
        self.around(|env| {
            for agent in env.agents.iter_mut().filter(|agent| agent.listens(EventKind::Invoke)) {
                agent.tell(event.clone());
            }
        });
        self.around(|env| env.hand_work(work));
        self.draw_blow();
    }

    /// What the runtime gets.
    pub(super) fn work_of(
        &self,
        current: &Current,
        trace: &Trace,
        invocation: &Invocation,
        deadline: Instant,
    ) -> Work {
        let left = deadline.saturating_duration_since(Instant::now());
        Work {
            request_id: current.request_id.clone(),
            deadline_ms: epoch_ms(self.now() + left),
            function_arn: self.function.config.arn(),
            trace: trace.outgoing(),
            client_context: invocation.client_context.clone(),
            tenant_id: invocation.tenant_id.clone(),
            payload: invocation.payload.clone(),
        }
    }

    /// What goes wrong in the invocation that begins now.
    pub(super) fn draw_blow(&mut self) {
        self.watchman.blow =
            self.dice.as_mut().and_then(Dice::blow).map(|(after, blow)| (Instant::now() + after, blow));
    }

    /// Waits for the runtime, then for the extensions.
    async fn work(&mut self, deadline: Instant) -> Result<(Done, Instant), Failure> {
        let answered =
            |env: &Self| env.runtime_asks() && env.current.as_ref().is_some_and(Current::is_answered);
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
                self.rest();
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
                    format!("{} {id} {}", rfc3339(self.now()), failure.message)
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
}

/// `platform.start`.
pub(super) fn start(current: &Current) -> Start {
    Start {
        request_id: current.request_id.clone(),
        version: Some(current.version.clone()),
        tenant_id: current.tenant_id.clone(),
        tracing: Some(current.tracing.clone()),
        ..Start::default()
    }
}

const TIMED_OUT: &str = "Sandbox.Timedout";

pub(super) fn timed_out(timeout: Duration) -> Failure {
    Failure::new(TIMED_OUT, format!("Task timed out after {:.2} seconds", timeout.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_reads_as_in_the_log_of_aws() {
        assert_eq!(timed_out(Duration::from_secs(3)).message, "Task timed out after 3.00 seconds");
    }
}

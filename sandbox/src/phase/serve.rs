//! Serve: a managed instance runs several invocations at once. There is no freeze, no INVOKE and no `runtimeDone`; an
//! invocation is over at its answer, or at its deadline, which costs nobody else anything.
//!
//! Source: AWS's own emulator in its Managed Instances mode.

use std::time::Instant;

use lambda_api::telemetry::{Report, ReportMetrics, kind};
use tokio::sync::OwnedSemaphorePermit;

use super::invoke::{span, start, timed_out};
use super::trace::Trace;
use super::{Current, Job};
use crate::environment::records::milliseconds;
use crate::environment::{Environment, Failure};

/// Requests that timed out and whose answer is still to come: as many as an instance may run at once, generously.
const LATE_MAX: usize = 1_024;

/// One of the invocations that run at once.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) current: Current,
    deadline: Instant,
    permit: OwnedSemaphorePermit,
}

impl Serving {
    fn is_over(&self, now: Instant) -> bool {
        self.current.is_answered() || self.deadline <= now
    }
}

/// What came of waiting.
#[derive(Debug)]
pub(crate) enum Served {
    /// Invocations are over: their permits.
    Over(Vec<OwnedSemaphorePermit>),
    /// The environment cannot go on.
    Failed(Failure),
}

impl Environment {
    /// Begins an invocation beside those that run.
    pub(crate) fn admit(&mut self, job: Job) {
        let trace = Trace::of(job.invocation.trace_header.as_deref(), self.now());
        let current = self.opened(job.request_id, &job.invocation, &trace, job.caller);
        let mut record = start(&current);
        record.function_arn = Some(self.function.config.arn());
        self.emit(kind::START, &record);
        self.say(format!("START RequestId: {} Version: {}", current.request_id, current.version));
        let deadline = current.started + self.function.config.timeout;
        let work = self.work_of(&current, &trace, &job.invocation, deadline);
        self.serving.push(Serving { current, deadline, permit: job.permit });
        self.around(|env| env.hand_work(work));
        self.draw_blow();
    }

    /// Waits until an invocation is over, or everything is. May be dropped and called again.
    pub(crate) async fn serve(&mut self) -> Served {
        loop {
            if let Some(failure) = self.failure.take() {
                return Served::Failed(failure);
            }
            let now = Instant::now();
            if self.serving.iter().any(|one| one.is_over(now)) {
                // What they printed goes out before their reports.
                self.drain().await;
                let (over, going) = self.serving.drain(..).partition(|one| one.is_over(now));
                self.serving = going;
                return Served::Over(self.conclude_served(over));
            }
            let wake = self.serving.iter().map(|one| one.deadline).min();
            self.step(wake.unwrap_or(now + IDLE_STEP)).await;
        }
    }

    fn conclude_served(&mut self, over: Vec<Serving>) -> Vec<OwnedSemaphorePermit> {
        let timeout = timed_out(self.function.config.timeout);
        let conclude = |one: Serving| {
            if !one.current.is_answered() {
                self.remember_late(one.current.request_id.clone());
            }
            self.conclude_one(one, "timeout", None, &timeout)
        };
        over.into_iter().map(conclude).collect()
    }

    /// The environment has failed: so has everything that runs in it.
    pub(crate) fn fail_serving(&mut self, failure: &Failure) {
        for one in std::mem::take(&mut self.serving) {
            drop(self.conclude_one(one, "failure", Some(failure.error_type.clone()), failure));
        }
    }

    /// The runtime's answer, if there is one, else how it failed.
    fn conclude_one(
        &mut self,
        mut one: Serving,
        status: &str,
        error_type: Option<String>,
        failure: &Failure,
    ) -> OwnedSemaphorePermit {
        match &one.current.answered {
            Some(answered) => {
                let error_type = answered.error_type.clone();
                let status = if error_type.is_some() { "error" } else { "success" };
                self.tell_served(&one.current, status, error_type);
            }
            None => {
                one.current.fail(failure);
                self.tell_served(&one.current, status, error_type);
            }
        }
        one.permit
    }

    fn remember_late(&mut self, request_id: String) {
        self.pending_work.retain(|work| work.request_id != request_id);
        if self.late.len() >= LATE_MAX {
            self.late.pop_front();
        }
        self.late.push_back(request_id);
    }

    fn tell_served(&mut self, current: &Current, status: &str, error_type: Option<String>) {
        let answered = current.answered.as_ref();
        let finished = answered.map_or_else(Instant::now, |answered| answered.complete);
        let duration_ms = milliseconds(finished.saturating_duration_since(current.started));
        let spans = answered.map(|answered| {
            [
                span(current, "responseLatency", current.started, answered.first_byte),
                span(current, "responseDuration", answered.first_byte, answered.complete),
            ]
        });
        let record = Report {
            request_id: current.request_id.clone(),
            status: Some(status.to_owned()),
            error_type,
            metrics: ReportMetrics { duration_ms: Some(duration_ms), ..ReportMetrics::default() },
            spans: spans.map(Vec::from).unwrap_or_default(),
            tenant_id: current.tenant_id.clone(),
            tracing: Some(current.tracing.clone()),
            ..Report::default()
        };
        self.emit(kind::REPORT, &record);
        self.say(format!("END RequestId: {}", current.request_id));
        self.say(format!(
            "REPORT RequestId: {}\tDuration: {duration_ms:.2} ms\tStatus: {status}",
            current.request_id
        ));
    }
}

/// Nothing runs: messages wake it anyway.
const IDLE_STEP: std::time::Duration = std::time::Duration::from_secs(60);

//! Shutdown: the runtime is asked to end, extensions are told SHUTDOWN, whoever is left at the deadline is killed.
//!
//! Source: AWS Lambda Developer Guide, "Lambda execution environment", shutdown phase; the shares are those of
//! <https://github.com/aws-samples/graceful-shutdown-with-aws-lambda>, and for managed instances those of AWS's emulator.

use std::time::{Duration, Instant};

use lambda_api::extensions::{EventKind, ShutdownReason};

use super::epoch_ms;
use crate::environment::agent::Agent;
use crate::environment::{Ending, Environment};
use crate::process::Process;
use crate::telemetry::{Telemetry, Tempo};

/// For all together, with external extensions.
const BUDGET: Duration = Duration::from_millis(2_000);
/// Of it for the runtime, which gets SIGTERM.
const RUNTIME_BUDGET: Duration = Duration::from_millis(300);
/// Of it for the runtime of a managed instance.
const MANAGED_RUNTIME_BUDGET: Duration = Duration::from_millis(600);
/// With only internal extensions, for the runtime.
const INTERNAL_BUDGET: Duration = Duration::from_millis(500);
/// A killed process that is not gone after this hangs in the kernel; the environment does not wait for it.
const KILL_WAIT: Duration = Duration::from_millis(500);

impl Environment {
    /// Ends all processes. Extensions get what telemetry there is, the last report included, before their time is up.
    pub(crate) async fn end(&mut self, reason: ShutdownReason) {
        let started = Instant::now();
        self.ending = Some(Ending { reason, deadline_ms: epoch_ms(self.now() + BUDGET) });
        self.failure = None;
        self.watchman.calm();
        self.thaw(Tempo::Closing);
        self.end_runtime(started).await;
        self.end_extensions(started + BUDGET).await;
        self.kill_rest().await;
    }

    async fn end_runtime(&mut self, started: Instant) {
        let external = self.agents.iter().any(|agent| agent.process.is_some());
        let budget = match (external, self.agents.is_empty()) {
            (true, _) if self.initialization.is_managed() => MANAGED_RUNTIME_BUDGET,
            (true, _) => RUNTIME_BUDGET,
            (false, false) => INTERNAL_BUDGET,
            // AWS spends no time on a graceful end if nobody could use it.
            (false, true) => Duration::ZERO,
        };
        if budget > Duration::ZERO {
            self.runtime.iter().for_each(Process::terminate);
        }
        self.regardless(started + budget, |env| env.runtime.is_none()).await;
        self.runtime.iter().for_each(Process::kill);
    }

    async fn end_extensions(&mut self, deadline: Instant) {
        let event = self.shutdown_event();
        self.around(|env| {
            for agent in &mut env.agents {
                match &event {
                    Some(event) if agent.listens(EventKind::Shutdown) => agent.tell(event.clone()),
                    _ => agent.process.iter().for_each(Process::kill),
                }
            }
        });
        self.regardless(deadline, |env| env.agents.iter().all(|agent| agent.process.is_none())).await;
        let left =
            self.agents.iter().filter(|agent| agent.process.is_some()).map(|agent| agent.name.as_str());
        let left: Vec<_> = left.collect();
        if !left.is_empty() {
            tracing::warn!(extensions = ?left, "extensions were killed: they did not end within the shutdown's budget");
        }
        if !self.telemetry.is_delivered() {
            tracing::debug!(function = self.function.config.name, "the last records reached nobody");
        }
    }

    async fn kill_rest(&mut self) {
        self.processes().for_each(Process::kill);
        let patience = Instant::now() + KILL_WAIT;
        self.regardless(patience, |env| env.processes().next().is_none()).await;
    }

    /// Makes the environment as it was before its init, for another one.
    pub(crate) fn reset(&mut self) {
        self.runtime = None;
        self.runtime_next.clear();
        self.pending_work.clear();
        self.restore_next = None;
        self.is_snapshot = false;
        self.agents = Vec::<Agent>::new();
        self.telemetry = Telemetry::new(self.inbox.clone());
        self.failure = None;
        self.ending = None;
        self.initialized = false;
    }
}

//! The records of init and restore: they open and close a phase.

use lambda_api::telemetry::{self, More};
use model::Timestamp;

use super::phase::{PREFIX, Phase, PhaseEnding};
use super::{Assembler, millis, put, put_more};
use crate::Signals;

/// Stands in the runtime version of durable functions, and nowhere else do they differ.
const DURABLE: &str = "DurableFunction";

impl Assembler {
    pub(super) fn on_init_start(&mut self, start: telemetry::InitStart, time: Timestamp) -> Signals {
        let function = &mut self.function;
        if !start.initialization_type.is_empty() {
            function.initialization_type.clone_from(&start.initialization_type);
        }
        if let Some(arn) = &start.function_arn {
            function.learn_arn(arn);
        }
        fill(&mut function.name, start.function_name);
        fill(&mut function.version, start.function_version);
        self.is_durable |= start.runtime_version.as_deref().is_some_and(|version| version.contains(DURABLE));
        let mut phase = Phase::new("init", time);
        let kind = Some(&*function.initialization_type).filter(|kind| !kind.is_empty());
        put(&mut phase.attributes, "aws.lambda.initialization_type", kind);
        put(&mut phase.attributes, "aws.lambda.init.phase", start.phase);
        put(&mut phase.attributes, "aws.lambda.runtime_version", start.runtime_version);
        put(&mut phase.attributes, "aws.lambda.runtime_version_arn", start.runtime_version_arn);
        put(&mut phase.attributes, "aws.lambda.instance_id", start.instance_id);
        let memory = start.instance_max_memory.and_then(|bytes| i64::try_from(bytes).ok());
        put(&mut phase.attributes, "aws.lambda.instance_max_memory", memory);
        put_more(&mut phase.attributes, PREFIX, &start.more);
        if !function.inits_on_demand() {
            phase.set_root(&function.instance, start.tracing.as_ref());
        }
        self.begin_phase(phase)
    }

    pub(super) fn on_restore_start(&mut self, start: telemetry::RestoreStart, time: Timestamp) -> Signals {
        fill(&mut self.function.name, start.function_name);
        fill(&mut self.function.version, start.function_version);
        let mut phase = Phase::new("restore", time);
        put(&mut phase.attributes, "aws.lambda.runtime_version", start.runtime_version);
        put(&mut phase.attributes, "aws.lambda.runtime_version_arn", start.runtime_version_arn);
        put(&mut phase.attributes, "aws.lambda.instance_id", start.instance_id);
        let memory = start.instance_max_memory.and_then(|bytes| i64::try_from(bytes).ok());
        put(&mut phase.attributes, "aws.lambda.instance_max_memory", memory);
        put_more(&mut phase.attributes, PREFIX, &start.more);
        self.begin_phase(phase)
    }

    /// A phase that never reported its end is over when the next begins.
    fn begin_phase(&mut self, phase: Phase) -> Signals {
        let before = self.phases.open.as_ref().map(|open| open.name);
        let signals = before.map(|name| self.on_phase_end(name, PhaseEnding::default(), phase.started_at));
        self.phases.open = Some(phase);
        signals.unwrap_or_default()
    }

    /// What the runtime says about its phase; the oldest schema's report does not repeat it.
    pub(super) fn on_phase_status(
        &mut self,
        status: &str,
        error_type: Option<String>,
        parts: Vec<telemetry::Span>,
        more: &More,
    ) -> Signals {
        if let Some(phase) = &mut self.phases.open {
            phase.status = Some((status.to_owned(), error_type));
            phase.parts = parts;
            put_more(&mut phase.attributes, PREFIX, more);
        }
        Signals::default()
    }

    pub(super) fn on_phase_end(
        &mut self,
        name: &'static str,
        ending: PhaseEnding,
        time: Timestamp,
    ) -> Signals {
        let unseen = || Phase::new(name, time.minus(millis(ending.duration_ms.unwrap_or(0.0))));
        let phase = self.phases.open.take().filter(|phase| phase.name == name).unwrap_or_else(unseen);
        let finished = phase.finish(ending, time);
        let invocation =
            self.invocations.current(self.function.overlaps(), time).map(|invocation| &*invocation);
        Signals { spans: self.phases.end(finished, invocation), ..Signals::default() }
    }

    /// The sandbox ends: what runs is over, what waits goes out without the invocation that it waited for.
    pub(super) fn close_phases(
        &mut self,
        status: &str,
        error_type: Option<String>,
        now: Timestamp,
    ) -> Signals {
        let mut signals = Signals::default();
        if let Some(phase) = &self.phases.open {
            let name = phase.name;
            let status = Some(status.to_owned());
            signals =
                self.on_phase_end(name, PhaseEnding { status, error_type, ..PhaseEnding::default() }, now);
        }
        signals.append(self.phases.release(None));
        signals
    }
}

/// Fills in what was not known.
fn fill(known: &mut String, told: Option<String>) {
    if let Some(told) = told.filter(|_| known.is_empty()) {
        *known = told;
    }
}

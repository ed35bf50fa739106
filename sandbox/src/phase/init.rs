//! Init: extensions start and register, then the runtime starts, then all of them ask for their first event.
//!
//! Source: AWS Lambda Developer Guide, "Lambda execution environment", init phase.

mod report;

use std::io;
use std::time::Instant;

use lambda_api::extensions::ShutdownReason;
use lambda_api::telemetry::kind;

use crate::environment::agent::{Agent, State};
use crate::environment::registration::extension_record;
use crate::environment::{Environment, Failure, Wait};
use crate::initialization::Initialization;
use crate::output::Source;
use crate::process::{Process, Program, variables};
pub(super) use report::{error_type, status};

/// When init happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitPhase {
    /// Before the first invocation.
    Init,
    /// Again, inside the first invocation, after it failed.
    Invoke,
}

impl InitPhase {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Invoke => "invoke",
        }
    }
}

impl Environment {
    /// Starts all processes and waits until all are ready. After a failure none is left.
    pub(crate) async fn initialize(&mut self, phase: InitPhase, deadline: Instant) -> Result<(), Failure> {
        let started = Instant::now();
        self.emit_init_start(phase);
        let mut runtime_is_done = false;
        let outcome = self.bring_up(phase, deadline, &mut runtime_is_done).await;
        if let (Err(failure), false) = (&outcome, runtime_is_done) {
            self.drain().await;
            self.emit_init_runtime_done(phase, Some(failure));
        }
        self.emit_init_report(phase, started, outcome.as_ref().err());
        match outcome {
            Ok(()) => {
                self.initialized = true;
                self.telemetry.close_subscription();
                self.is_snapshot = self.initialization == Initialization::SnapStart;
                // Who has waited for it gets it in its report.
                if phase == InitPhase::Init && self.initialization == Initialization::OnDemand {
                    self.init_duration = Some(started.elapsed());
                }
                Ok(())
            }
            Err(failure) => {
                let reason = if failure.error_type == TIMED_OUT {
                    ShutdownReason::Timeout
                } else {
                    ShutdownReason::Failure
                };
                self.end(reason).await;
                self.reset();
                Err(failure)
            }
        }
    }

    async fn bring_up(
        &mut self,
        phase: InitPhase,
        deadline: Instant,
        runtime_is_done: &mut bool,
    ) -> Result<(), Failure> {
        self.start_extensions().await?;
        let registered = |env: &Self| env.agents.iter().all(Agent::is_registered);
        let waited = self.until(deadline, registered).await;
        in_time(waited, || "extensions did not register in time".to_owned())?;
        self.start_runtime()
            .await
            .map_err(|error| Failure::new("Runtime.InvalidEntrypoint", error.to_string()))?;
        let waited = self.until(deadline, Self::runtime_is_up).await;
        in_time(waited, || "the runtime did not ask for work in time".to_owned())?;
        self.drain().await;
        self.emit_init_runtime_done(phase, None);
        *runtime_is_done = true;
        let waited =
            self.until(deadline, |env| env.agents.iter().all(|agent| agent.state == State::Ready)).await;
        let slow =
            self.agents.iter().filter(|agent| agent.state != State::Ready).map(|agent| agent.name.clone());
        let slow = slow.collect::<Vec<_>>().join(", ");
        in_time(waited, || format!("extensions did not ask for their first event in time: {slow}"))?;
        let records: Vec<_> =
            self.agents.iter().map(|agent| extension_record(agent, "Ready", None)).collect();
        for record in &records {
            self.emit(kind::PLATFORM_EXTENSION, record);
        }
        Ok(())
    }

    async fn start_extensions(&mut self) -> Result<(), Failure> {
        let function = self.function.clone();
        for (name, executable) in &function.extensions {
            let program = Program {
                source: Source::Extension(name.clone()),
                executable,
                arguments: &[],
                working_dir: &function.working_dir,
                variables: variables::of_extension(&function.config, &self.surroundings()),
                log_pipe: false,
            };
            match Process::start(program, &self.inbox).await {
                Ok(process) => self.agents.push(Agent::external(name.clone(), process)),
                Err(error) => {
                    let agent = Agent::internal(name.clone());
                    let record =
                        extension_record(&agent, "LaunchError", Some("Extension.LaunchError".to_owned()));
                    self.emit(kind::PLATFORM_EXTENSION, &record);
                    return Err(Failure::new("Extension.LaunchError", format!("{name}: {error}")));
                }
            }
        }
        Ok(())
    }

    async fn start_runtime(&mut self) -> io::Result<()> {
        let function = self.function.clone();
        let (config, dir) = (&function.config, &function.working_dir);
        let program = Program {
            source: Source::Function,
            executable: &function.executable,
            arguments: config.command.get(1..).unwrap_or_default(),
            working_dir: dir,
            variables: variables::of_runtime(config, dir, &self.surroundings()),
            // The workers of a managed instance would write into one pipe; AWS gives each a socket of its own.
            log_pipe: config.log_pipe && !self.initialization.is_managed(),
        };
        self.runtime = Some(Process::start(program, &self.inbox).await?);
        Ok(())
    }
}

/// AWS has no error type for it in init records; the caller never sees this one.
const TIMED_OUT: &str = "Sandbox.Timedout";

/// What a wait that ended too early or too late is.
pub(super) fn in_time(waited: Wait, why: impl FnOnce() -> String) -> Result<(), Failure> {
    match waited {
        Wait::Done => Ok(()),
        Wait::Deadline => Err(Failure::new(TIMED_OUT, why())),
        Wait::Failed(failure) => Err(failure),
    }
}

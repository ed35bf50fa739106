//! Init: extensions start and register, then the runtime starts, then all of them ask for their first event.
//!
//! Source: AWS Lambda Developer Guide, "Lambda execution environment", init phase.

use std::io;
use std::time::Instant;

use lambda_api::extensions::ShutdownReason;
use lambda_api::telemetry::{InitMetrics, InitReport, InitRuntimeDone, InitStart, kind};

use crate::environment::agent::{Agent, State};
use crate::environment::records::milliseconds;
use crate::environment::registration::extension_record;
use crate::environment::{Environment, Failure, Wait};
use crate::function::Source;
use crate::process::{Process, Program, variables};

const ON_DEMAND: &str = "on-demand";

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
                if phase == InitPhase::Init {
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
        let waited = self.until(deadline, |env| env.runtime_next.is_some()).await;
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
                variables: variables::of_extension(&function.config, self.server.address),
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
            variables: variables::of_runtime(config, dir, self.server.address, &self.stream),
        };
        self.runtime = Some(Process::start(program, &self.inbox).await?);
        Ok(())
    }

    fn emit_init_start(&mut self, phase: InitPhase) {
        let config = &self.function.config;
        let version = config.runtime_version.clone();
        let version_arn =
            version.as_ref().map(|_| format!("arn:aws:lambda:{}::runtime:local", config.region));
        let record = InitStart {
            initialization_type: ON_DEMAND.to_owned(),
            phase: Some(phase.as_str().to_owned()),
            runtime_version: version.clone(),
            runtime_version_arn: version_arn.clone(),
            function_name: Some(config.name.clone()),
            function_arn: Some(config.arn()),
            function_version: Some(config.version.clone()),
            instance_id: Some(self.instance.clone()),
            instance_max_memory: Some(u64::from(config.memory_mb) << 20),
            tracing: None,
        };
        self.emit(kind::INIT_START, &record);
        if let (Some(version), Some(arn)) = (version, version_arn) {
            self.say(format!("INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}"));
        }
    }

    fn emit_init_runtime_done(&mut self, phase: InitPhase, failure: Option<&Failure>) {
        let record = InitRuntimeDone {
            initialization_type: ON_DEMAND.to_owned(),
            phase: Some(phase.as_str().to_owned()),
            status: status(failure).to_owned(),
            error_type: error_type(failure),
            ..InitRuntimeDone::default()
        };
        self.emit(kind::INIT_RUNTIME_DONE, &record);
    }

    fn emit_init_report(&mut self, phase: InitPhase, started: Instant, failure: Option<&Failure>) {
        let duration_ms = milliseconds(started.elapsed());
        let record = InitReport {
            initialization_type: ON_DEMAND.to_owned(),
            phase: Some(phase.as_str().to_owned()),
            status: Some(status(failure).to_owned()),
            error_type: error_type(failure),
            metrics: InitMetrics { duration_ms: Some(duration_ms) },
            ..InitReport::default()
        };
        self.emit(kind::INIT_REPORT, &record);
        if let Some(failure) = failure {
            let (phase, status) = (phase.as_str(), status(Some(failure)));
            self.say(format!(
                "INIT_REPORT Init Duration: {duration_ms:.2} ms\tPhase: {phase}\tStatus: {status}\tError Type: {}\tError: {}",
                failure.error_type, failure.message
            ));
        }
    }
}

/// AWS has no error type for it in init records; the caller never sees this one.
const TIMED_OUT: &str = "Sandbox.Timedout";

fn in_time(waited: Wait, why: impl FnOnce() -> String) -> Result<(), Failure> {
    match waited {
        Wait::Done => Ok(()),
        Wait::Deadline => Err(Failure::new(TIMED_OUT, why())),
        Wait::Failed(failure) => Err(failure),
    }
}

fn status(failure: Option<&Failure>) -> &'static str {
    match failure {
        None => "success",
        Some(failure) if failure.error_type == TIMED_OUT => "timeout",
        Some(_) => "error",
    }
}

fn error_type(failure: Option<&Failure>) -> Option<String> {
    failure.filter(|failure| failure.error_type != TIMED_OUT).map(|failure| failure.error_type.clone())
}

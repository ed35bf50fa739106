//! What the platform tells of an init: `initStart`, `initRuntimeDone` and `initReport`, and lines in the log.

use std::time::Instant;

use lambda_api::telemetry::{InitMetrics, InitReport, InitRuntimeDone, InitStart, kind};

use super::{InitPhase, TIMED_OUT};
use crate::environment::records::milliseconds;
use crate::environment::{Environment, Failure};
use crate::initialization::Initialization;

impl Environment {
    /// The runtime's version and its ARN, if the function has one; a durable function's is marked.
    pub(in crate::phase) fn runtime_version(&self) -> (Option<String>, Option<String>) {
        let config = &self.function.config;
        let arn = format!("arn:aws:lambda:{}::runtime:local", config.region);
        let version = config.runtime_version.as_deref().map(|version| match version.split_once(".v") {
            Some((language, number)) if config.durable => format!("{language}.DurableFunction.v{number}"),
            _ => version.to_owned(),
        });
        let arn = version.is_some().then_some(arn);
        (version, arn)
    }

    pub(super) fn emit_init_start(&mut self, phase: InitPhase) {
        let config = &self.function.config;
        let (version, version_arn) = self.runtime_version();
        let record = InitStart {
            initialization_type: self.initialization.as_str().to_owned(),
            phase: Some(phase.as_str().to_owned()),
            runtime_version: version.clone(),
            runtime_version_arn: version_arn.clone(),
            function_name: Some(config.name.clone()),
            // On managed instances `start` has it.
            function_arn: (!self.initialization.is_managed()).then(|| config.arn()),
            function_version: Some(config.version.clone()),
            instance_id: Some(self.instance.clone()),
            instance_max_memory: Some(u64::from(config.memory_mb) << 20),
            ..InitStart::default()
        };
        self.emit(kind::INIT_START, &record);
        if let (Some(version), Some(arn)) = (version, version_arn) {
            self.say(format!("INIT_START Runtime Version: {version}\tRuntime Version ARN: {arn}"));
        }
    }

    pub(super) fn emit_init_runtime_done(&mut self, phase: InitPhase, failure: Option<&Failure>) {
        let record = InitRuntimeDone {
            initialization_type: self.initialization.as_str().to_owned(),
            phase: Some(phase.as_str().to_owned()),
            status: status(failure).to_owned(),
            error_type: error_type(failure),
            ..InitRuntimeDone::default()
        };
        self.emit(kind::INIT_RUNTIME_DONE, &record);
    }

    pub(super) fn emit_init_report(&mut self, phase: InitPhase, started: Instant, failure: Option<&Failure>) {
        let duration_ms = milliseconds(started.elapsed());
        let record = InitReport {
            initialization_type: self.initialization.as_str().to_owned(),
            phase: Some(phase.as_str().to_owned()),
            status: Some(status(failure).to_owned()),
            error_type: error_type(failure),
            metrics: InitMetrics { duration_ms: Some(duration_ms), ..InitMetrics::default() },
            ..InitReport::default()
        };
        self.emit(kind::INIT_REPORT, &record);
        let mut text = format!("INIT_REPORT Init Duration: {duration_ms:.2} ms\tPhase: {}", phase.as_str());
        if let Some(failure) = failure {
            let (status, kind) = (status(Some(failure)), &failure.error_type);
            text.push_str(&format!("\tStatus: {status}\tError Type: {kind}\tError: {}", failure.message));
        }
        // Of an init that somebody waited for, the invocation's report tells.
        if failure.is_some() || self.initialization != Initialization::OnDemand {
            self.say(text);
        }
    }
}

/// `success`, `timeout` or `error`, as init and restore are told.
pub(in crate::phase) fn status(failure: Option<&Failure>) -> &'static str {
    match failure {
        None => "success",
        Some(failure) if failure.error_type == TIMED_OUT => "timeout",
        Some(_) => "error",
    }
}

/// A timeout has none.
pub(in crate::phase) fn error_type(failure: Option<&Failure>) -> Option<String> {
    failure.filter(|failure| failure.error_type != TIMED_OUT).map(|failure| failure.error_type.clone())
}

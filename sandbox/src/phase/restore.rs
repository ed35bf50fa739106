//! Restore: a snapshot goes on. The runtime is told, runs what its function has registered for this moment, and asks
//! for its first event.
//!
//! Source: AWS Lambda Developer Guide, "Monitoring for Lambda SnapStart" and "Lambda Telemetry API Event schema
//! reference".

use std::time::{Duration, Instant};

use lambda_api::telemetry::{InitMetrics, RestoreReport, RestoreRuntimeDone, RestoreStart, kind};

use super::init::{error_type, in_time, status};
use crate::environment::records::milliseconds;
use crate::environment::{Environment, Failure};

/// AWS gives the runtime and its hooks so long.
const RESTORE_LIMIT: Duration = Duration::from_secs(10);

impl Environment {
    /// Restores the snapshot if there is one that has not been: once, before the first invocation's time begins.
    pub(super) async fn restore(&mut self) -> Result<(), Failure> {
        if !std::mem::take(&mut self.is_snapshot) {
            return Ok(());
        }
        let started = Instant::now();
        self.emit_restore_start();
        if let Some(next) = self.restore_next.take() {
            // A request that broke off has a runtime that comes for its first event by itself, or never.
            let _ = next.send(Ok(()));
        }
        let waited = self.until(started + RESTORE_LIMIT, Self::runtime_asks).await;
        let restored = in_time(waited, || "the runtime was not restored in time".to_owned());
        self.drain().await;
        self.restore_duration = Some(started.elapsed());
        self.emit_restored(started.elapsed(), restored.as_ref().err());
        restored
    }

    fn emit_restore_start(&mut self) {
        let config = &self.function.config;
        let (runtime_version, runtime_version_arn) = self.runtime_version();
        let record = RestoreStart {
            runtime_version: runtime_version.clone(),
            runtime_version_arn: runtime_version_arn.clone(),
            function_name: Some(config.name.clone()),
            function_version: Some(config.version.clone()),
            instance_id: Some(self.instance.clone()),
            instance_max_memory: Some(u64::from(config.memory_mb) << 20),
            ..RestoreStart::default()
        };
        self.emit(kind::RESTORE_START, &record);
        if let (Some(version), Some(arn)) = (runtime_version, runtime_version_arn) {
            self.say(format!("RESTORE_START Runtime Version: {version}\tRuntime Version ARN: {arn}"));
        }
    }

    fn emit_restored(&mut self, took: Duration, failure: Option<&Failure>) {
        let (status, error_type) = (status(failure).to_owned(), error_type(failure));
        let done = RestoreRuntimeDone {
            status: status.clone(),
            error_type: error_type.clone(),
            ..RestoreRuntimeDone::default()
        };
        self.emit(kind::RESTORE_RUNTIME_DONE, &done);
        let duration_ms = milliseconds(took);
        let report = RestoreReport {
            status: Some(status),
            error_type,
            metrics: Some(InitMetrics { duration_ms: Some(duration_ms), ..InitMetrics::default() }),
            ..RestoreReport::default()
        };
        self.emit(kind::RESTORE_REPORT, &report);
        self.say(format!("RESTORE_REPORT Restore Duration: {duration_ms:.2} ms"));
    }
}

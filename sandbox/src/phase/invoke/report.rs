//! What the platform tells of an invocation: `runtimeDone` and `report` to subscribers, END and REPORT to the log.

use std::time::Instant;

use lambda_api::telemetry::{Report, ReportMetrics, RuntimeDone, RuntimeDoneMetrics, Span, kind};

use crate::environment::Environment;
use crate::environment::records::{milliseconds, rfc3339};
use crate::phase::Current;

/// How the runtime's part ended.
pub(super) struct Done {
    pub(super) at: Instant,
    pub(super) status: &'static str,
    pub(super) error_type: Option<String>,
}

impl Environment {
    pub(super) fn emit_runtime_done(&mut self, done: &Done) {
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
                ..RuntimeDoneMetrics::default()
            }),
            spans,
            tenant_id: current.tenant_id.clone(),
            tracing: Some(current.tracing.clone()),
            ..RuntimeDone::default()
        };
        self.emit(kind::RUNTIME_DONE, &record);
    }

    /// END and REPORT as the log has them, and the caller's tail with them.
    pub(super) fn end_log(&mut self, done: &Done, finished: Instant) {
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
        if let (Some(restore), Some(billed)) =
            (metrics.restore_duration_ms, metrics.billed_restore_duration_ms)
        {
            report.push_str(&format!(
                "\tRestore Duration: {restore:.2} ms\tBilled Restore Duration: {billed:.0} ms"
            ));
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

    pub(super) fn emit_report(&mut self, done: &Done, finished: Instant) {
        let Some(current) = &self.current else { return };
        let overhead = span(current, "extensionOverhead", done.at, finished);
        let record = Report {
            request_id: current.request_id.clone(),
            status: Some(done.status.to_owned()),
            error_type: done.error_type.clone(),
            metrics: self.metrics(current, finished),
            spans: if self.agents.is_empty() { Vec::new() } else { vec![overhead] },
            tenant_id: current.tenant_id.clone(),
            tracing: Some(current.tracing.clone()),
            ..Report::default()
        };
        self.init_duration = None;
        self.restore_duration = None;
        self.emit(kind::REPORT, &record);
    }

    /// Billed is what ran, in whole milliseconds, init included (AWS bills it since August 2025). A restore is
    /// billed apart from it; the whole of it here, since no snapshot is loaded on this machine.
    fn metrics(&self, current: &Current, finished: Instant) -> ReportMetrics {
        let duration = finished.duration_since(current.started);
        let init = self.init_duration;
        ReportMetrics {
            duration_ms: Some(milliseconds(duration)),
            billed_duration_ms: Some(milliseconds(duration + init.unwrap_or_default()).ceil()),
            memory_size_mb: Some(u64::from(self.function.config.memory_mb)),
            max_memory_used_mb: Some(self.watchman.peak_mb()),
            init_duration_ms: init.map(milliseconds),
            restore_duration_ms: self.restore_duration.map(milliseconds),
            billed_restore_duration_ms: self.restore_duration.map(|restore| milliseconds(restore).ceil()),
            ..ReportMetrics::default()
        }
    }
}

/// A part of the invocation, from one moment to another.
pub(crate) fn span(current: &Current, name: &str, from: Instant, to: Instant) -> Span {
    Span {
        name: name.to_owned(),
        start: rfc3339(current.started_at + from.saturating_duration_since(current.started)),
        duration_ms: milliseconds(to.saturating_duration_since(from)),
    }
}

//! The records that tell of an invocation's course: they open it, close it, and report it.

use lambda_api::telemetry::{self, More, kind};
use model::{Timestamp, Value};

use super::failure::{tells_out_of_memory, used_all_memory};
use super::invocation::{Ending, Invocation, context, part};
use super::{Assembler, lines, millis, platform};
use crate::Signals;
use crate::parse::{self, LineKind};

impl Assembler {
    pub(super) fn on_start(&mut self, start: telemetry::Start, time: Timestamp) -> Signals {
        if let Some(arn) = &start.function_arn {
            self.function.learn_arn(arn);
        }
        let mut invocation = Invocation::new(&start.request_id, start.tracing.as_ref(), time);
        let function = &self.function;
        invocation.cold_start = self.invocations.none_yet() && function.starts_cold();
        invocation.is_durable = self.is_durable;
        invocation.version =
            start.version.or_else(|| Some(function.version.clone()).filter(|version| !version.is_empty()));
        invocation.tenant_id = start.tenant_id;
        invocation.arn = start.function_arn;
        let mut signals = self.phases.release(Some(&invocation));
        signals.logs.push(platform::start(&invocation, &start.more));
        if let Some(lost) = self.invocations.open(invocation, self.function.overlaps()) {
            signals.append(self.finish(lost, &Ending::default(), &[], time));
        }
        signals
    }

    pub(super) fn on_runtime_done(&mut self, done: &telemetry::RuntimeDone, time: Timestamp) -> Signals {
        let metrics = done.metrics.clone().unwrap_or_default();
        let ending = Ending {
            status: done.status.clone(),
            error_type: done.error_type.clone(),
            duration_ms: metrics.duration_ms,
            produced_bytes: metrics.produced_bytes,
            more: done
                .more
                .iter()
                .chain(&metrics.more)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        };
        let mut invocation = match self.invocations.take(&done.request_id) {
            Some(invocation) => invocation,
            None => match self.invocations.find(&done.request_id) {
                Some(closed) => return late_parts(closed, done),
                None => {
                    let started_at = time.minus(millis(metrics.duration_ms.unwrap_or(0.0)));
                    Invocation::new(&done.request_id, done.tracing.as_ref(), started_at)
                }
            },
        };
        invocation.runtime_done = true;
        invocation.tenant_id = invocation.tenant_id.or_else(|| done.tenant_id.clone());
        self.finish(invocation, &ending, &done.spans, time)
    }

    pub(super) fn on_report(&mut self, report: &telemetry::Report, time: Timestamp) -> Signals {
        let (status, kind) = (report.status.as_deref(), report.error_type.as_deref());
        let ran_out = used_all_memory(&report.metrics, status, kind) || kind.is_some_and(tells_out_of_memory);
        let mut signals = Signals::default();
        let mut parts = report.spans.as_slice();
        // Managed Instances send no runtimeDone; elsewhere it was lost.
        if let Some(mut invocation) = self.invocations.take(&report.request_id) {
            invocation.out_of_memory |= ran_out;
            invocation.tenant_id = invocation.tenant_id.or_else(|| report.tenant_id.clone());
            signals = self.finish(invocation, &ending_of(report), parts, time);
            parts = &[];
        }
        let (context, is_news) = match self.invocations.find(&report.request_id) {
            // A line that came after its end may have told, too.
            Some(invocation) => {
                let ran_out = ran_out || (invocation.out_of_memory && status != Some("success"));
                (invocation.context, ran_out && !std::mem::replace(&mut invocation.ran_out, true))
            }
            None => (context(&report.request_id, report.tracing.as_ref()).0, ran_out),
        };
        let request_id = Some(report.request_id.as_str());
        signals.spans.extend(parts.iter().filter_map(|measured| part(measured, context, request_id)));
        signals.logs.push(platform::report(report, context, is_news, time));
        signals
    }

    /// The Logs API's end of an invocation. What `runtimeDone` has told before is not told again.
    pub(super) fn on_end(&mut self, end: &telemetry::End, time: Timestamp) -> Signals {
        match self.invocations.take(&end.request_id) {
            Some(invocation) => self.finish(invocation, &Ending::default(), &[], time),
            None if self.invocations.find(&end.request_id).is_some() => lines::folded(),
            None => {
                let invocation = Invocation::new(&end.request_id, None, time);
                let log = platform::end(&invocation, &Ending::default(), time);
                Signals { logs: vec![log], ..Signals::default() }
            }
        }
    }

    /// The Logs API's text about a runtime that died: `RequestId: … Error: Runtime exited with error: signal: killed`.
    pub(super) fn on_fault(&mut self, fault: telemetry::Fault, time: Timestamp) -> Signals {
        let line = parse::line(&fault.0);
        let mut signals = self.on_other(kind::FAULT, fault.0.into(), time);
        let Some(log) = signals.logs.first_mut() else { return signals };
        if let (LineKind::Log, Some(error)) = (line.kind, &line.error) {
            log.error = Some(error.clone());
        }
        let Some(id) = line.request_id else { return signals };
        let (context, _) = context(&id, None);
        let context = match self.invocations.find(&id) {
            Some(invocation) => {
                invocation.last_error.clone_from(&log.error);
                invocation.out_of_memory |= log.error.as_deref().is_some_and(tells_out_of_memory);
                invocation.context
            }
            None => context,
        };
        (log.trace_id, log.span_id) = (Some(context.trace_id), Some(context.span_id));
        log.request_id = Some(id);
        signals
    }

    /// Closes an invocation: its span, its parts, END, and its timeout where no line has told it.
    pub(super) fn finish(
        &mut self,
        mut invocation: Invocation,
        ending: &Ending,
        parts: &[telemetry::Span],
        told_at: Timestamp,
    ) -> Signals {
        invocation.out_of_memory |= ending.error_type.as_deref().is_some_and(tells_out_of_memory);
        let end = invocation.end(ending, told_at);
        invocation.ran_out = invocation.out_of_memory && ending.failed();
        let span = invocation.span(&self.function.name, ending, end);
        let mut signals = Signals { spans: vec![span], ..Signals::default() };
        let request_id = Some(invocation.request_id.as_str());
        let parts = parts.iter().filter_map(|measured| part(measured, invocation.context, request_id));
        signals.spans.extend(parts);
        if ending.status == "timeout" && !std::mem::replace(&mut invocation.timed_out, true) {
            signals.logs.push(platform::timeout(&invocation, end));
        }
        signals.logs.push(platform::end(&invocation, ending, told_at));
        self.invocations.remember(invocation, told_at);
        signals
    }

    pub(super) fn on_other(&mut self, kind: &str, record: Value, time: Timestamp) -> Signals {
        let mut log = platform::other(kind, record, time);
        if let Some(invocation) = self.invocations.current(self.function.overlaps(), time) {
            log.request_id = Some(invocation.request_id.clone());
            log.trace_id = Some(invocation.context.trace_id);
            log.span_id = Some(invocation.context.span_id);
        }
        Signals { logs: vec![log], ..Signals::default() }
    }
}

/// Of an invocation whose report came first and has closed it: the parts that no record has told yet.
fn late_parts(closed: &mut Invocation, done: &telemetry::RuntimeDone) -> Signals {
    let told = std::mem::replace(&mut closed.runtime_done, true);
    let parts = if told { &[] } else { done.spans.as_slice() };
    let request_id = Some(closed.request_id.as_str());
    let spans = parts.iter().filter_map(|measured| part(measured, closed.context, request_id)).collect();
    Signals { spans, ..lines::folded() }
}

fn ending_of(report: &telemetry::Report) -> Ending {
    Ending {
        status: report.status.clone().unwrap_or_default(),
        error_type: report.error_type.clone(),
        duration_ms: report.metrics.duration_ms,
        produced_bytes: None,
        // The report's own event tells what is more.
        more: More::new(),
    }
}

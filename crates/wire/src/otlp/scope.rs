//! Records that stand in one place (one invocation, trace and span) share an OTLP scope, and the place stands on it
//! once: on each record it would cost more than most of what records say. A record's own place wins over its scope's.

use model::{LogRecord, SpanId, TraceId};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::ScopeLogs;

use crate::error::DecodeError;
use crate::otlp::log::{self, REQUEST_ID};
use crate::otlp::value::{take_text, write_text};
use crate::writer::Writer;

const TRACE_ID: &str = "limelight.trace_id";
const SPAN_ID: &str = "limelight.span_id";

/// Field numbers of `ScopeLogs` and `InstrumentationScope` (opentelemetry-proto, `logs/v1/logs.proto`,
/// `common/v1/common.proto`).
mod field {
    pub(super) const SCOPE: u64 = 1;
    pub(super) const LOG_RECORDS: u64 = 2;
    pub(super) const ATTRIBUTES: u64 = 3;
}

/// What records of one scope share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Place {
    request_id: Option<String>,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
}

/// Writes the fields of an OTLP `ScopeLogs`. All logs stand in the same place; see [`runs`].
pub(crate) fn write(writer: &mut Writer, logs: &[LogRecord]) {
    // A place of a single record takes less room on the record.
    let alone = logs.len() == 1;
    for log in logs.iter().rev() {
        writer.message(field::LOG_RECORDS, |writer| log::write(writer, log, alone));
    }
    if let (Some(log), false) = (logs.first(), alone)
        && is_somewhere(log)
    {
        writer.message(field::SCOPE, |writer| write_place(writer, log));
    }
}

/// The logs in their order, in runs of one place.
pub(crate) fn runs(logs: &[LogRecord]) -> impl DoubleEndedIterator<Item = &[LogRecord]> {
    logs.chunk_by(|one, next| {
        one.request_id == next.request_id && one.trace_id == next.trace_id && one.span_id == next.span_id
    })
}

fn is_somewhere(log: &LogRecord) -> bool {
    log.request_id.is_some() || log.trace_id.is_some() || log.span_id.is_some()
}

fn write_place(writer: &mut Writer, log: &LogRecord) {
    if let Some(id) = log.span_id {
        write_text(writer, field::ATTRIBUTES, SPAN_ID, &id.to_string());
    }
    if let Some(id) = log.trace_id {
        write_text(writer, field::ATTRIBUTES, TRACE_ID, &id.to_string());
    }
    if let Some(id) = &log.request_id {
        write_text(writer, field::ATTRIBUTES, REQUEST_ID, id);
    }
}

/// The opposite of [`write`]: the scope's logs behind those that are there.
pub(crate) fn read(scope: ScopeLogs, logs: &mut Vec<LogRecord>) -> Result<(), DecodeError> {
    let place = Place::of(scope.scope);
    for found in scope.log_records {
        let mut log = log::from_ours(found, logs.len())?;
        place.stamp(&mut log);
        logs.push(log);
    }
    Ok(())
}

impl Place {
    pub(crate) fn of(scope: Option<InstrumentationScope>) -> Self {
        let mut attributes = scope.map(|scope| scope.attributes).unwrap_or_default();
        Self {
            request_id: take_text(&mut attributes, REQUEST_ID),
            trace_id: take_text(&mut attributes, TRACE_ID).and_then(|id| id.parse().ok()),
            span_id: take_text(&mut attributes, SPAN_ID).and_then(|id| id.parse().ok()),
        }
    }

    fn stamp(&self, log: &mut LogRecord) {
        if log.request_id.is_none() {
            log.request_id.clone_from(&self.request_id);
        }
        log.trace_id = log.trace_id.or(self.trace_id);
        log.span_id = log.span_id.or(self.span_id);
    }
}

//! `ExportLogsServiceRequest`.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};

use super::value::{any, attributes, resource, scope};
use super::{Fault, Object};

pub(crate) fn logs(mut object: Object) -> Result<ExportLogsServiceRequest, Fault> {
    let scope_logs = |mut object: Object| {
        let (scope, log_records) = (scope(&mut object)?, object.messages("logRecords", log)?);
        Ok(ScopeLogs { scope, log_records, ..ScopeLogs::default() })
    };
    let resource_logs = |mut object: Object| {
        let (resource, scope_logs) = (resource(&mut object)?, object.messages("scopeLogs", scope_logs)?);
        Ok(ResourceLogs { resource, scope_logs, ..ResourceLogs::default() })
    };
    Ok(ExportLogsServiceRequest { resource_logs: object.messages("resourceLogs", resource_logs)? })
}

fn log(mut object: Object) -> Result<LogRecord, Fault> {
    let severity = |name: &str| SeverityNumber::from_str_name(name).map(i32::from);
    Ok(LogRecord {
        time_unix_nano: object.whole("timeUnixNano")?,
        observed_time_unix_nano: object.whole("observedTimeUnixNano")?,
        severity_number: object.one_of("severityNumber", severity)?,
        severity_text: object.text("severityText")?,
        body: object.message("body", any)?,
        attributes: attributes(&mut object)?,
        trace_id: object.id("traceId")?,
        span_id: object.id("spanId")?,
        event_name: object.text("eventName")?,
        ..LogRecord::default()
    })
}

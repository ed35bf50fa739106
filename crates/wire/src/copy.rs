//! A sealed record of the stream → OTLP export requests for somebody else's endpoint. The extension's second
//! destination sends these: what a batch carries is OTLP already, so spans and metric points go as they are; logs get
//! their text as the body and their other keys as attributes, because that is where others look.

use std::borrow::Cow;
use std::mem;

use model::{Level, Value};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ScopeLogs};
use prost::Message as _;

use crate::error::DecodeError;
use crate::event;
use crate::inflate::gunzip;
use crate::limits::Limits;
use crate::otlp::{log, scope, span_bytes, to_nanos, trace_bytes, value};
use crate::printed::{self, ReadLine};
use crate::structure::{self, Signal};

/// The keys that say what a record without a text is about: `@type` of platform events, `event.name` of SDKs' events.
const NAMES: [&str; 2] = ["@type", "event.name"];

/// The requests that `record` (what [`crate::encode`] gave) holds, protobuf, not compressed: up to one per signal.
///
/// # Errors
/// When the record is none of ours.
pub fn requests(
    record: &[u8],
    read_line: ReadLine,
    limits: &Limits,
) -> Result<Vec<(Signal, Vec<u8>)>, DecodeError> {
    let plain = match record {
        [0x1f, 0x8b, ..] => Cow::Owned(gunzip(record, limits.inflated_bytes_max)?),
        plain => Cow::Borrowed(plain),
    };
    structure::batch_version(&plain)?;
    let mut requests = Vec::new();
    for (signal, number) in [(Signal::Traces, 1), (Signal::Logs, 2), (Signal::Metrics, 3)] {
        match (structure::field(&plain, number), signal) {
            (None, _) => {}
            (Some(bytes), Signal::Logs) => {
                requests.extend(logs(bytes, read_line)?.map(|bytes| (signal, bytes)))
            }
            (Some(bytes), _) => requests.push((signal, bytes.to_vec())),
        }
    }
    Ok(requests)
}

/// None without a record: a batch that only carries an account.
fn logs(bytes: &[u8], read_line: ReadLine) -> Result<Option<Vec<u8>>, DecodeError> {
    let mut request = ExportLogsServiceRequest::decode(bytes).map_err(|source| DecodeError::Protobuf {
        message: "ExportLogsServiceRequest",
        at: 0,
        source: Some(source),
    })?;
    let mut count = 0;
    for of_resource in &mut request.resource_logs {
        let mut logs = Vec::new();
        for of_scope in mem::take(&mut of_resource.scope_logs) {
            scope::read(of_scope, &mut logs)?;
        }
        count += logs.len();
        let log_records = logs.into_iter().map(|log| turn_out(log, read_line)).collect();
        of_resource.scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    }
    Ok((count > 0).then(|| request.encode_to_vec()))
}

/// Its text is the body, its keys are attributes.
fn turn_out(mut log: model::LogRecord, read_line: ReadLine) -> LogRecord {
    printed::take_apart(&mut log, read_line);
    let mut attributes = log::attributes(&log);
    let text = event::take_message(&mut log.body).map(Value::String);
    let name = || NAMES.iter().find_map(|key| log.body.get(*key)).cloned();
    let body = text.or_else(name).map(|text| value::to_any(&text));
    attributes.extend(value::to_attributes(&log.body));
    LogRecord {
        time_unix_nano: to_nanos(log.time),
        severity_number: log.level.map_or(0, Level::severity_number),
        severity_text: log.level.map_or_else(String::new, |level| level.to_string()),
        body,
        attributes,
        trace_id: trace_bytes(log.trace_id),
        span_id: span_bytes(log.span_id),
        ..LogRecord::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printed::as_text;
    use crate::{Account, Batch, encode};
    use model::{BatchId, LogRecord as Log, Map, Metric, MetricKind, Resource, Timestamp, Value};
    use opentelemetry_proto::tonic::common::v1::AnyValue;
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;

    fn log(body: &[(&str, Value)]) -> Log {
        Log {
            time: Timestamp::from_millis(1),
            level: Some(Level::Warn),
            request_id: Some("one".to_owned()),
            body: body.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(),
            ..Log::default()
        }
    }

    fn batch(logs: Vec<Log>, metrics: Vec<Metric>) -> Batch {
        Batch {
            id: BatchId { sandbox: "a".repeat(32), sequence: 0 },
            first_record: 0,
            resource: Resource { namespace: "checkout".into(), ..Resource::default() },
            spans: Vec::new(),
            logs,
            metrics,
            account: Account::default(),
        }
    }

    #[test]
    fn a_log_shows_its_text_as_its_body_and_its_keys_as_attributes() {
        let structured = log(&[("message", "hello".into()), ("order", Value::Int(7))]);
        let line = Log { line: Some("printed".to_owned()), ..log(&[]) };
        let report = log(&[("@type", "REPORT".into()), ("@duration", Value::Float(1.5))]);
        let record = encode(&batch(vec![structured, report, line], Vec::new()));
        let requests = requests(&record, as_text, &Limits::default()).unwrap();
        let [(Signal::Logs, bytes)] = &requests[..] else { panic!("{requests:?}") };
        let request = ExportLogsServiceRequest::decode(&bytes[..]).unwrap();
        let logs = &request.resource_logs[0].scope_logs[0].log_records;
        let body = |at: usize| match &logs[at].body {
            Some(AnyValue { value: Some(Any::StringValue(text)) }) => text.as_str(),
            other => panic!("{other:?}"),
        };
        assert_eq!([body(0), body(1), body(2)], ["hello", "REPORT", "printed"]);
        assert_eq!(logs[0].severity_text, "warn");
        let keys: Vec<_> = logs[0].attributes.iter().map(|pair| pair.key.as_str()).collect();
        assert_eq!(keys, ["faas.invocation_id", "order"]);
    }

    #[test]
    fn each_signal_is_a_request_and_an_account_is_none() {
        let point = Metric {
            name: "n".to_owned(),
            unit: String::new(),
            time: Timestamp::EPOCH,
            kind: MetricKind::Gauge(1.0),
            request_id: None,
            attributes: Map::new(),
        };
        let record = encode(&batch(vec![log(&[])], vec![point]));
        let signals: Vec<_> = requests(&record, as_text, &Limits::default())
            .unwrap()
            .into_iter()
            .map(|(signal, _)| signal)
            .collect();
        assert_eq!(signals, [Signal::Logs, Signal::Metrics]);
        let account_only = encode(&batch(Vec::new(), Vec::new()));
        assert_eq!(requests(&account_only, as_text, &Limits::default()).unwrap(), []);
        assert!(requests(b"{}", as_text, &Limits::default()).is_err());
    }
}

//! A record's content, read once: JSON and the record's kind in, what it says out. Called by whoever reads deliveries;
//! the shapes are `platform`'s.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::kind;
use super::platform::{
    End, Fault, InitReport, InitRuntimeDone, InitStart, Report, RestoreReport, RestoreRuntimeDone,
    RestoreStart, RuntimeDone, Start,
};

/// A record's content by its kind. What has no shape of its own is in a type of the reader's (`V`); what has one is far
/// larger than a line, of which there are many more.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload<V = Value> {
    /// A line of the function: text, or an object with the JSON log format.
    Function(V),
    /// A line of an extension, likewise.
    ExtensionLine(V),
    /// `platform.initStart`
    InitStart(Box<InitStart>),
    /// `platform.initRuntimeDone`
    InitRuntimeDone(Box<InitRuntimeDone>),
    /// `platform.initReport`
    InitReport(Box<InitReport>),
    /// `platform.restoreStart`
    RestoreStart(Box<RestoreStart>),
    /// `platform.restoreRuntimeDone`
    RestoreRuntimeDone(Box<RestoreRuntimeDone>),
    /// `platform.restoreReport`
    RestoreReport(Box<RestoreReport>),
    /// `platform.start`
    Start(Box<Start>),
    /// `platform.runtimeDone`
    RuntimeDone(Box<RuntimeDone>),
    /// `platform.report`
    Report(Box<Report>),
    /// `platform.fault`
    Fault(Fault),
    /// `platform.end`
    End(End),
    /// A kind that only tells (an extension that registered, records that were dropped), or that is not known here, or
    /// has another shape than is known: as it came, with all of its fields.
    Unknown(V),
}

impl<V: DeserializeOwned> Payload<V> {
    /// What a record of this kind says, straight from its JSON. What does not fit its kind is [`Payload::Unknown`];
    /// none if it is no JSON.
    pub fn read(name: &str, json: &str) -> Option<Self> {
        match name {
            kind::INIT_START => typed(json, Self::InitStart),
            kind::INIT_RUNTIME_DONE => typed(json, Self::InitRuntimeDone),
            kind::INIT_REPORT => typed(json, Self::InitReport),
            kind::RESTORE_START => typed(json, Self::RestoreStart),
            kind::RESTORE_RUNTIME_DONE => typed(json, Self::RestoreRuntimeDone),
            kind::RESTORE_REPORT => typed(json, Self::RestoreReport),
            kind::START => typed(json, Self::Start),
            kind::RUNTIME_DONE => typed(json, Self::RuntimeDone),
            kind::REPORT => typed(json, Self::Report),
            kind::FAULT => typed(json, Self::Fault),
            kind::END => typed(json, Self::End),
            _ => serde_json::from_str(json).ok().map(|content| Self::as_it_came(name, content)),
        }
    }

    /// A line, or what is not looked into.
    pub fn as_it_came(name: &str, content: V) -> Self {
        match name {
            kind::FUNCTION => Self::Function(content),
            kind::EXTENSION => Self::ExtensionLine(content),
            _ => Self::Unknown(content),
        }
    }
}

fn typed<T: DeserializeOwned, V: DeserializeOwned>(
    json: &str,
    wrap: fn(T) -> Payload<V>,
) -> Option<Payload<V>> {
    match serde_json::from_str(json) {
        Ok(fields) => Some(wrap(fields)),
        Err(_) => serde_json::from_str(json).ok().map(Payload::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::ReportMetrics;
    use proptest::prelude::*;
    use serde_json::json;

    fn read(name: &str, record: &Value) -> Payload {
        Payload::read(name, &record.to_string()).unwrap()
    }

    #[test]
    fn a_report_reads_whether_its_numbers_are_whole_or_not() {
        let record = json!({"requestId":"r","status":"success","metrics":{"durationMs":101.51,"billedDurationMs":300,
            "memorySizeMB":512.0,"maxMemoryUsedMB":33,"initDurationMs":116.67},"new":{"deep":1}});
        let Payload::Report(report) = read(kind::REPORT, &record) else { panic!("no report") };
        assert_eq!(report.metrics.memory_size_mb, Some(512));
        assert_eq!(report.metrics.billed_duration_ms, Some(300.0));
        let written = serde_json::to_value(&report).unwrap();
        assert_eq!(written["metrics"]["maxMemoryUsedMB"], 33);
        assert_eq!(written["new"]["deep"], 1);
        assert_eq!(written["metrics"]["billedDurationMs"].to_string(), "300");
    }

    #[test]
    fn managed_instances_report_only_a_duration() {
        let record = json!({"requestId":"r","status":"success","metrics":{"durationMs":2.5}});
        let Payload::Report(report) = read(kind::REPORT, &record) else { panic!("no report") };
        assert_eq!(report.metrics, ReportMetrics { duration_ms: Some(2.5), ..ReportMetrics::default() });
    }

    #[test]
    fn what_is_null_says_nothing() {
        let record = json!({"requestId":"r","status":"success","spans":null,"metrics":null,"errorType":null});
        let Payload::RuntimeDone(done) = read(kind::RUNTIME_DONE, &record) else { panic!("no end") };
        assert_eq!((done.metrics, done.spans, done.error_type), (None, Vec::new(), None));
        let Payload::Report(report) = read(kind::REPORT, &record) else { panic!("no report") };
        assert_eq!(report.metrics, ReportMetrics::default());
    }

    #[test]
    fn a_known_kind_of_another_shape_is_kept() {
        let record = json!({"requestId": 7});
        assert_eq!(read(kind::START, &record), Payload::Unknown(record));
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(name in "platform\\.[a-zA-Z]{0,20}", text in ".*") {
            prop_assert_eq!(Payload::<Value>::read(&name, &text).is_some(), serde_json::from_str::<Value>(&text).is_ok());
            let _ = read(&name, &Value::String(text));
        }
    }
}

//! The Telemetry API: how an extension subscribes, and the envelope of what the platform then POSTs to it.
//! Source: AWS Lambda Developer Guide, "Accessing real-time telemetry data for extensions using the Telemetry API".

mod platform;
mod payload;
mod subscription;

pub use payload::Payload;
pub use platform::{
    End, Extension, Fault, InitMetrics, InitReport, InitRuntimeDone, InitStart, LogsDropped, More, Report,
    ReportMetrics, RestoreReport, RestoreRuntimeDone, RestoreStart, RuntimeDone, RuntimeDoneMetrics, Span,
    Start, TelemetrySubscription, Tracing,
};
pub use subscription::{Buffering, BufferingError, Category, Destination, SchemaVersion, Subscription};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `PUT`: subscribe. The path never changes; the schema version stands in the body.
pub const SUBSCRIBE_PATH: &str = "/2022-07-01/telemetry";
/// `PUT`: the Telemetry API's predecessor.
pub const LOGS_SUBSCRIBE_PATH: &str = "/2020-08-15/logs";
/// On every POST to a subscriber: base64 of the body's SHA-256, the same on a redelivery.
pub const SEQUENCE_HEADER: &str = "sequence-id";
/// Host names that a destination URI may have; both are the sandbox's loopback address.
pub const DESTINATION_HOSTS: [&str; 2] = ["sandbox.localdomain", "sandbox"];

/// The kinds of records. Unknown kinds arrive too.
pub mod kind {
    /// A line of the function.
    pub const FUNCTION: &str = "function";
    /// A line of an extension.
    pub const EXTENSION: &str = "extension";
    /// Init begins.
    pub const INIT_START: &str = "platform.initStart";
    /// The runtime's part of init is done.
    pub const INIT_RUNTIME_DONE: &str = "platform.initRuntimeDone";
    /// Init is over.
    pub const INIT_REPORT: &str = "platform.initReport";
    /// A snapshot's restore begins.
    pub const RESTORE_START: &str = "platform.restoreStart";
    /// The runtime's part of restore is done.
    pub const RESTORE_RUNTIME_DONE: &str = "platform.restoreRuntimeDone";
    /// Restore is over.
    pub const RESTORE_REPORT: &str = "platform.restoreReport";
    /// An invocation begins.
    pub const START: &str = "platform.start";
    /// The runtime's part of an invocation is done.
    pub const RUNTIME_DONE: &str = "platform.runtimeDone";
    /// An invocation is over, extensions included.
    pub const REPORT: &str = "platform.report";
    /// An extension registered.
    pub const PLATFORM_EXTENSION: &str = "platform.extension";
    /// An extension subscribed.
    pub const TELEMETRY_SUBSCRIPTION: &str = "platform.telemetrySubscription";
    /// Records were lost before they were delivered.
    pub const LOGS_DROPPED: &str = "platform.logsDropped";
    /// The runtime or the sandbox failed (Logs API).
    pub const FAULT: &str = "platform.fault";
    /// An invocation ended (Logs API).
    pub const END: &str = "platform.end";
}

/// One record as it is delivered: the kind decides what `record` means, see [`Payload::read`]. A reader may have the
/// content in a type of its own (`V`), so that it is read once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de> + Default"))]
pub struct Record<V = Value> {
    /// When it happened, RFC 3339.
    #[serde(default)]
    pub time: String,
    /// One of [`kind`], or what AWS has added since.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// A line of text, or an object.
    #[serde(default)]
    pub record: V,
}

impl<J: Into<Value>> Record<J> {
    /// The same with its content read by its kind, for who has it as a tree. Never fails: what does not fit its kind is
    /// [`Payload::Unknown`].
    pub fn typed<V: DeserializeOwned + Default>(self) -> Record<Payload<V>> {
        let Self { time, kind, record } = self;
        let json: Value = record.into();
        // What was a tree is JSON.
        let record =
            Payload::read(&kind, &json.to_string()).unwrap_or_else(|| Payload::Unknown(V::default()));
        Record { time, kind, record }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_with_an_unknown_kind_and_odd_elements_still_reads() {
        let batch: Vec<Record> = serde_json::from_str(
            r#"[{"time":"2026-11-20T13:52:00.123Z","type":"function","record":"hello\n"},
                {"time":"2026-11-20T13:52:00.124Z","type":"platform.novelty","record":{"a":1},"extra":true},
                {"type":"platform.report","record":"not an object"},
                {}]"#,
        )
        .unwrap();
        let mut payloads = batch.into_iter().map(|record| record.typed::<Value>().record);
        assert_eq!(payloads.next(), Some(Payload::Function(Value::from("hello\n"))));
        assert!(payloads.all(|payload| matches!(payload, Payload::Unknown(_))));
    }
}

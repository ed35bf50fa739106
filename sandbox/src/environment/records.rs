//! What an environment writes: telemetry records, and the function's log as CloudWatch would show it.

use std::time::{Duration, SystemTime};

use lambda_api::telemetry::{Record, kind};
use serde::Serialize;

use super::Environment;
use crate::output::{OutputLine, Source};
use crate::telemetry::line;

impl Environment {
    /// Publishes a platform record that happens now.
    pub(crate) fn emit(&mut self, name: &str, record: &impl Serialize) {
        match serde_json::to_value(record) {
            Ok(record) => {
                let time = rfc3339(self.now());
                self.telemetry.publish(Record { time, kind: name.to_owned(), record });
            }
            Err(error) => tracing::error!(%error, name, "a platform record could not be written"),
        }
    }

    /// Publishes what a process printed.
    pub(super) fn line(&mut self, source: Source, text: String, at: Option<SystemTime>) {
        let time = rfc3339(at.unwrap_or_else(|| self.now()));
        let request = self.current.as_ref().map(|current| current.request_id.as_str());
        let record = line::record(self.function.config.log_format, &source, &text, &time, request);
        let name = if source == Source::Function { kind::FUNCTION } else { kind::EXTENSION };
        self.telemetry.publish(Record { time, kind: name.to_owned(), record });
        self.write(source, text);
    }

    /// Writes a line of the platform into the function's log; subscribers have their records for it.
    pub(crate) fn say(&mut self, text: String) {
        self.write(Source::Platform, text);
    }

    fn write(&mut self, source: Source, text: String) {
        if let Some(current) = &mut self.current {
            current.keep_tail(&text);
        }
        self.function.config.output.write(&OutputLine {
            function: self.function.config.name.clone(),
            stream: self.stream.clone(),
            source,
            text,
        });
    }
}

/// As records have it: UTC, milliseconds.
pub(crate) fn rfc3339(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map(|time| format!("{time:.3}")).unwrap_or_default()
}

/// Milliseconds with three decimals, as the platform's figures have.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

//! Log records: a printed line, or a platform event that is no span.
//!
//! A line stays the text that was printed until somebody stores it. Taking it apart costs more than everything else
//! that becomes of it on its way, and its text packs better than its parts.

use std::fmt;
use std::str::FromStr;

use crate::id::{SpanId, TraceId};
use crate::time::Timestamp;
use crate::value::Map;

/// One log line or platform event, and what is known of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LogRecord {
    /// When it happened: what the record itself says, else when the platform saw it.
    pub time: Timestamp,
    /// How grave it is, if it says so.
    pub level: Option<Level>,
    /// The invocation that it belongs to.
    pub request_id: Option<String>,
    /// Its trace.
    pub trace_id: Option<TraceId>,
    /// The span that was active.
    pub span_id: Option<SpanId>,
    /// How long what it tells of took, if it says so (a report, an access log), milliseconds.
    pub duration_ms: Option<f64>,
    /// What makes it an error, if anything does: a type or a text.
    pub error: Option<String>,
    /// `true` for platform events, `false` for what the function or an extension printed.
    pub platform: bool,
    /// What was printed, where nobody has taken it apart: its keys follow from it (`pipeline::parse::line`). None for
    /// what was not printed.
    pub line: Option<String>,
    /// The record's keys: discovered ones (`@type`, `@requestId`, …), an SDK's. Beside a `line` those that were added
    /// to it on its way; they stand before the line's own.
    pub body: Map,
}

/// Gravity, ordered. The words are the ones that a dataset stores and a query compares with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// `trace`
    Trace,
    /// `debug`
    Debug,
    /// `info`
    Info,
    /// `warn`
    Warn,
    /// `error`
    Error,
    /// `fatal` (also critical, alert, emergency)
    Fatal,
}

impl Level {
    /// The stored word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// OpenTelemetry's severity number: the first of each range (logs data model, "SeverityNumber").
    pub fn severity_number(self) -> i32 {
        match self {
            Self::Trace => 1,
            Self::Debug => 5,
            Self::Info => 9,
            Self::Warn => 13,
            Self::Error => 17,
            Self::Fatal => 21,
        }
    }

    /// The level whose range holds an OpenTelemetry severity number; none for 0 and what is out of range.
    pub fn from_severity_number(number: i32) -> Option<Self> {
        match number {
            1..=4 => Some(Self::Trace),
            5..=8 => Some(Self::Debug),
            9..=12 => Some(Self::Info),
            13..=16 => Some(Self::Warn),
            17..=20 => Some(Self::Error),
            21..=24 => Some(Self::Fatal),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of the words that loggers use for a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a log level")]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    /// The words of the common loggers, in any case: Python, Node, slog, logback, .NET, syslog.
    fn from_str(word: &str) -> Result<Self, UnknownLevel> {
        // The longest word has 11 letters; a log line is not lower-cased to find that out.
        if word.len() > 11 {
            return Err(UnknownLevel);
        }
        match word.to_ascii_lowercase().as_str() {
            "trace" | "verbose" | "silly" | "finest" => Ok(Self::Trace),
            "debug" | "dbug" | "fine" => Ok(Self::Debug),
            "info" | "information" | "notice" | "log" => Ok(Self::Info),
            "warn" | "warning" => Ok(Self::Warn),
            "error" | "err" | "severe" | "fail" => Ok(Self::Error),
            "fatal" | "critical" | "crit" | "alert" | "emergency" | "emerg" | "panic" | "dpanic" => {
                Ok(Self::Fatal)
            }
            _ => Err(UnknownLevel),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_survives_its_word_and_its_number() {
        for level in [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal] {
            assert_eq!(level.as_str().parse(), Ok(level));
            assert_eq!(Level::from_severity_number(level.severity_number()), Some(level));
        }
        assert_eq!("WARNING".parse(), Ok(Level::Warn));
        assert_eq!("Information".parse(), Ok(Level::Info));
        assert_eq!("hello".parse::<Level>(), Err(UnknownLevel));
    }
}

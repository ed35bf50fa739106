//! What goes first when there is no room for all: signals in, the same sorted by how much they would be missed.

use model::{Level, LogRecord};

use crate::Signals;

/// From what is missed least to what is missed most. While the stream takes everything, batches are [`Self::Mixed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Worth {
    /// Trace and debug lines.
    Debug,
    /// Info lines, and lines that do not say.
    Info,
    /// Warnings.
    Warn,
    /// Of everything: packed before anybody knew that room would be short.
    Mixed,
    /// Errors, what the platform says, spans and metric points.
    Vital,
}

/// How batches are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// As it comes: everything is going to be sent, and gzip learns more from larger batches.
    Together,
    /// One worth per batch, because some of them may have to go.
    ByWorth,
}

impl Worth {
    fn of(log: &LogRecord) -> Self {
        match log.level {
            _ if log.platform || log.error.is_some() => Self::Vital,
            Some(Level::Trace | Level::Debug) => Self::Debug,
            Some(Level::Info) | None => Self::Info,
            Some(Level::Warn) => Self::Warn,
            Some(Level::Error | Level::Fatal) => Self::Vital,
        }
    }
}

/// What is there, each worth once, what is missed most first. Order within a worth is kept.
pub(super) fn sort(signals: Signals) -> Vec<(Worth, Signals)> {
    let Signals { spans, logs, metrics, folded } = signals;
    let mut vital = Signals { spans, metrics, folded, ..Signals::default() };
    let [mut warn, mut info, mut debug] = [const { Vec::new() }; 3];
    for log in logs {
        match Worth::of(&log) {
            Worth::Debug => debug.push(log),
            Worth::Info => info.push(log),
            Worth::Warn => warn.push(log),
            Worth::Mixed | Worth::Vital => vital.logs.push(log),
        }
    }
    let lines = |logs| Signals { logs, ..Signals::default() };
    let sorted = [
        (Worth::Vital, vital),
        (Worth::Warn, lines(warn)),
        (Worth::Info, lines(info)),
        (Worth::Debug, lines(debug)),
    ];
    sorted.into_iter().filter(|(_, signals)| !signals.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(level: Option<Level>) -> LogRecord {
        LogRecord { level, ..LogRecord::default() }
    }

    #[test]
    fn errors_and_the_platform_are_missed_most_and_nothing_gets_lost() {
        let report = LogRecord { platform: true, ..log(None) };
        let failed = LogRecord { error: Some("E".to_owned()), ..log(Some(Level::Debug)) };
        let levels = [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];
        let mut logs = vec![log(None), report, failed];
        logs.extend(levels.map(|level| log(Some(level))));
        let sorted = sort(Signals { logs, ..Signals::default() });
        let counts: Vec<_> = sorted.iter().map(|(worth, signals)| (*worth, signals.len())).collect();
        assert_eq!(counts, [(Worth::Vital, 4), (Worth::Warn, 1), (Worth::Info, 2), (Worth::Debug, 2)]);
    }
}

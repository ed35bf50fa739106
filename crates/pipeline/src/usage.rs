//! What a sandbox uses: readings of the kernel's counters in, metric points out. The extension reads the files and
//! says when invocations ended; this parses, subtracts and names. No file, no clock.
//!
//! A reading costs a fraction of a millisecond, so there is at most one per [`Meter::INTERVAL`], fewer where it costs
//! more, taken while a handler begins its work and never while somebody waits for the extension. It tells of what ran
//! since the one before: of one invocation, if only one did, and then the points carry its request id. Points are
//! single values (gauges), so that percentiles of a query are exact; names are OpenTelemetry's where it has some.

mod proc;
mod reading;

use std::time::Duration;

use model::{Map, Metric, MetricKind, Timestamp, Value};

use crate::Signals;

pub use proc::{cpu, network, threads};
pub use reading::{Cpu, Network, Processes, Reading, Storage};

/// Keeps the reading before, and what ran since.
#[derive(Debug, Default)]
pub struct Meter {
    before: Option<Reading>,
    /// The invocation that ended last since then, and when.
    ended: Option<(String, Timestamp)>,
    /// How many ended since then.
    invocations: u64,
}

impl Meter {
    /// Functions that take longer get figures for each invocation; for shorter ones a reading's cost would show.
    pub const INTERVAL: Duration = Duration::from_secs(1);
    /// Between two readings lies this many times what the first of them took: looking takes a thousandth of a processor
    /// at the most, however many processes there are.
    const COST_FACTOR: u32 = 1_000;

    /// An invocation has ended.
    pub fn ended(&mut self, request_id: &str, now: Timestamp) {
        self.ended = Some((request_id.to_owned(), now));
        self.invocations += 1;
    }

    /// Whether a reading is worth its cost at `now`: the first is, then those that tell of an invocation.
    pub fn wants(&self, now: Timestamp) -> bool {
        match &self.before {
            None => true,
            // A clock that was set back must not end all readings.
            Some(before) => {
                let pause = Self::INTERVAL.max(before.took.saturating_mul(Self::COST_FACTOR));
                self.ended.is_some() && (before.at.plus(pause) <= now || before.at > now)
            }
        }
    }

    /// Whether the sandbox's last reading would tell of an invocation; nobody waits for a next one then.
    pub fn wants_last(&self) -> bool {
        self.ended.is_some()
    }

    /// Takes a reading; gives what it tells since the one before, dated to the last invocation's end.
    pub fn take(&mut self, reading: Reading) -> Signals {
        let (before, ended) = (self.before.take(), self.ended.take());
        let invocations = std::mem::take(&mut self.invocations);
        let mut metrics = Vec::new();
        if let (Some(before), Some((request_id, time))) = (before, ended) {
            let request_id = Some(request_id.as_str()).filter(|_| invocations == 1);
            let mut points = Points { metrics: &mut metrics, time, request_id };
            points.differences(&before, &reading);
            points.levels(&reading);
        }
        self.before = Some(reading);
        Signals { metrics, ..Signals::default() }
    }
}

/// Where points are put, and what they have in common.
struct Points<'a> {
    metrics: &'a mut Vec<Metric>,
    time: Timestamp,
    request_id: Option<&'a str>,
}

impl Points<'_> {
    /// What was used between two readings. A counter that went back (another sandbox's snapshot) tells nothing.
    fn differences(&mut self, before: &Reading, after: &Reading) {
        if let (Some(before), Some(after)) = (before.cpu, after.cpu)
            && let Some((busy, all)) = after.since(before)
        {
            self.push("faas.cpu_usage", "s", busy.as_secs_f64(), None);
            if !all.is_zero() {
                let share = busy.as_secs_f64() / all.as_secs_f64();
                self.push("aws.lambda.cpu_utilization", "1", share, None);
            }
        }
        if let (Some(before), Some(after)) = (before.network, after.network) {
            for (direction, before, after) in [
                ("receive", before.received_bytes, after.received_bytes),
                ("transmit", before.sent_bytes, after.sent_bytes),
            ] {
                if let Some(bytes) = after.checked_sub(before) {
                    self.push("faas.net_io", "By", float(bytes), Some(("network.io.direction", direction)));
                }
            }
        }
    }

    /// What is in use now.
    fn levels(&mut self, reading: &Reading) {
        if let Some(Processes { open_files, threads }) = reading.processes {
            self.push("aws.lambda.open_file_descriptors", "{file_descriptor}", float(open_files), None);
            self.push("aws.lambda.threads", "{thread}", float(threads), None);
        }
        if let Some(Storage { used_bytes, free_bytes }) = reading.tmp {
            for (state, bytes) in [("used", used_bytes), ("free", free_bytes)] {
                self.push(
                    "system.filesystem.usage",
                    "By",
                    float(bytes),
                    Some(("system.filesystem.state", state)),
                );
                if let Some(metric) = self.metrics.last_mut() {
                    metric.attributes.insert("system.filesystem.mountpoint".to_owned(), "/tmp".into());
                }
            }
        }
    }

    fn push(&mut self, name: &str, unit: &str, value: f64, attribute: Option<(&str, &str)>) {
        let attribute = attribute.map(|(key, word)| (key.to_owned(), Value::from(word)));
        self.metrics.push(Metric {
            name: name.to_owned(),
            unit: unit.to_owned(),
            time: self.time,
            kind: MetricKind::Gauge(value),
            request_id: self.request_id.map(str::to_owned),
            attributes: Map::from_iter(attribute),
        });
    }
}

#[expect(clippy::cast_precision_loss, reason = "bytes and counts over 2^53 need no last digit")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;

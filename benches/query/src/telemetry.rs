//! A day of an organisation's Lambda functions, from a seed: what their extensions would have shipped, batch by batch in
//! the order of time. Knows no store.
//!
//! Forty functions of eight services share the load very unevenly; each line is a JSON object of about forty keys, two
//! levels deep, of which half are its function's own, so that all together have some two hundred columns. Users are
//! 200,000, some of them busy; one key (`code`) is a number here and a text there; errors come in bursts.

mod function;
mod line;
mod invocation;

use chance::Chance;
use model::{BatchId, Timestamp};
use wire::{Account, Batch};

use function::Function;

/// The day that is told.
pub(crate) const DAY: &str = "2026-11-20";
const HOUR_US: i64 = 3_600_000_000;
/// One extension ships about so many invocations at once.
const INVOCATIONS_PER_BATCH: usize = 25;
/// Events of one invocation, on average: START, END, REPORT, a span, sixteen lines.
const EVENTS_PER_INVOCATION: u64 = 20;

/// The part of the day from one moment to another, in steps.
pub(crate) struct Telemetry {
    functions: Vec<Function>,
    chance: Chance,
    day_us: i64,
    events_per_day: u64,
}

impl Telemetry {
    /// About so many events in the whole day.
    pub(crate) fn new(seed: u64, events_per_day: u64) -> anyhow::Result<Self> {
        let start: Timestamp = format!("{DAY}T00:00:00Z").parse()?;
        let (functions, chance) = (Function::all(), Chance::new(seed));
        Ok(Self { functions, chance, day_us: start.as_micros(), events_per_day })
    }

    /// The batches of an hour (0 to 23) in steps of so many seconds; each step's batches come together.
    pub(crate) fn hour(&mut self, hour: i64, step_s: i64) -> impl Iterator<Item = Vec<Batch>> {
        let step_us = step_s * 1_000_000;
        let from = self.day_us + hour * HOUR_US;
        (0..HOUR_US / step_us).map(move |step| self.step(from + step * step_us, step_us))
    }

    fn step(&mut self, from_us: i64, step_us: i64) -> Vec<Batch> {
        let invocations = self.events_per_day as f64 / EVENTS_PER_INVOCATION as f64;
        let of_step = invocations * step_us as f64 / (24 * HOUR_US) as f64;
        let mut batches = Vec::new();
        for function in &mut self.functions {
            let mut left = about(&mut self.chance, of_step * function.share);
            while left > 0 {
                let here = left.min(INVOCATIONS_PER_BATCH);
                left -= here;
                batches.push(batch(function, &mut self.chance, here, (from_us, step_us)));
            }
        }
        batches
    }
}

fn batch(function: &mut Function, chance: &mut Chance, invocations: usize, step: (i64, i64)) -> Batch {
    let (mut logs, mut spans) = (Vec::new(), Vec::new());
    let mut starts: Vec<i64> = (0..invocations).map(|_| step.0 + below(chance, step.1)).collect();
    starts.sort_unstable();
    for start_us in starts {
        invocation::run(function, chance, start_us, &mut logs, &mut spans);
    }
    let records = (logs.len() + spans.len()) as u64;
    let sequence = function.batches;
    let first_record = function.records;
    function.batches += 1;
    function.records += records;
    Batch {
        id: BatchId { sandbox: format!("{:032x}", function.number + 1), sequence },
        first_record,
        resource: function.resource(),
        spans,
        logs,
        metrics: Vec::new(),
        account: Account { received: function.records, shipped: function.records, ..Account::default() },
    }
}

/// From 0 to below `end`, as a signed number.
fn below(chance: &mut Chance, end: i64) -> i64 {
    i64::try_from(chance.below(end.unsigned_abs())).unwrap_or(0)
}

/// A whole number that is `mean` on average.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "far inside the range")]
fn about(chance: &mut Chance, mean: f64) -> usize {
    mean.floor() as usize + usize::from(chance.happens(mean.fract()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    fn hour(seed: u64) -> Vec<Batch> {
        Telemetry::new(seed, 200_000).unwrap().hour(13, 60).flatten().collect()
    }

    #[test]
    fn a_seed_tells_the_same_day_and_about_as_many_events_as_asked_for() {
        let (one, same, other) = (hour(1), hour(1), hour(2));
        assert_eq!(one, same);
        assert_ne!(one, other);
        let events: usize = one.iter().map(Batch::records).sum();
        assert!((6_000..11_000).contains(&events), "{events} events in an hour of 200,000 a day");
    }

    #[test]
    fn lines_have_forty_keys_and_all_together_two_hundred() {
        let mut paths = BTreeSet::new();
        for log in hour(1).iter().flat_map(|batch| &batch.logs) {
            let Some(line) = &log.line else { continue };
            let keys = leaves(&serde_json::from_str(line).unwrap(), "", &mut paths);
            assert!((35..50).contains(&keys), "{keys} keys: {line}");
        }
        assert!((150..220).contains(&paths.len()), "{} columns", paths.len());
    }

    fn leaves(value: &Value, path: &str, paths: &mut BTreeSet<String>) -> usize {
        match value {
            Value::Object(map) => {
                map.iter().map(|(key, value)| leaves(value, &format!("{path}.{key}"), paths)).sum()
            }
            leaf => {
                paths.insert(format!("{path}:{}", if leaf.is_string() { "text" } else { "other" }));
                1
            }
        }
    }
}

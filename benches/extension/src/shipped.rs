//! What arrived at the stream, held against what was printed: every line once, and how many bytes it took beside what
//! gzip makes of the same lines.

use std::collections::{HashMap, HashSet};
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use bytes::Bytes;
use flate2::read::GzDecoder;
use model::{LogRecord, Value};
use wire::{Batch, Limits};

use crate::kinesis::Taken;
use crate::lines::name_in;

/// Lines by their names.
pub(crate) type Printed = HashMap<String, String>;

/// Bytes of the same lines, packed twice.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Weights {
    shipped: usize,
    gzip: usize,
}

impl Weights {
    pub(crate) fn add(&mut self, other: Self) {
        self.shipped += other.shipped;
        self.gzip += other.gzip;
    }

    /// Shipped bytes for each byte of gzip's; nothing shipped is no ratio.
    pub(crate) fn ratio(self) -> f64 {
        share(self.shipped, self.gzip)
    }
}

/// The batches of everything that came.
pub(crate) fn batches(taken: &Taken) -> anyhow::Result<Vec<Batch>> {
    taken.records.iter().map(batch).collect()
}

fn batch(record: &Bytes) -> anyhow::Result<Batch> {
    let mut plain = Vec::new();
    GzDecoder::new(record.as_ref()).read_to_end(&mut plain).context("a record that is no gzip")?;
    wire::decode_plain(&plain, &Limits::default()).context("a record that is no batch")
}

/// How many printed lines are in no batch, and how many are there again.
pub(crate) fn account(batches: &[Batch], printed: &Printed) -> (usize, usize) {
    let mut seen = HashSet::new();
    let mut again = 0;
    for name in batches.iter().flat_map(|batch| &batch.logs).filter_map(name_of) {
        if !seen.insert(name) {
            again += 1;
        }
    }
    let missing = printed.keys().filter(|name| !seen.contains(name.as_str())).count();
    (missing, again)
}

/// Packs the lines of up to `flushes_max` batches as the extension packs them, spans, metrics and platform events
/// left out, and as `gzip -6` does: as they were printed, one after another.
pub(crate) fn weigh(batches: &[Batch], printed: &Printed, flushes_max: usize) -> anyhow::Result<Weights> {
    let mut weights = Weights::default();
    for batch in batches.iter().step_by((batches.len() / flushes_max.max(1)).max(1)) {
        let mut alone = batch.clone();
        alone.spans.clear();
        alone.metrics.clear();
        alone.logs.retain(|log| name_of(log).is_some_and(|name| printed.contains_key(name)));
        let names = alone.logs.iter().filter_map(name_of);
        let raw: Vec<&str> = names.filter_map(|name| printed.get(name)).map(String::as_str).collect();
        if !raw.is_empty() {
            weights.shipped += wire::encode(&alone).len();
            weights.gzip += gzip(&format!("{}\n", raw.join("\n")))?;
        }
    }
    Ok(weights)
}

/// By the program itself: libraries differ by some percent at the same level.
fn gzip(text: &str) -> anyhow::Result<usize> {
    let mut program = Command::new("gzip")
        .args(["-6", "-n", "-c"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("the program gzip is needed to compare with")?;
    let mut input = program.stdin.take().context("gzip without input")?;
    let mut output = program.stdout.take().context("gzip without output")?;
    let mut packed = Vec::new();
    // It may write before it has read everything.
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || input.write_all(text.as_bytes()));
        output.read_to_end(&mut packed)?;
        writing.join().map_err(|_| anyhow::anyhow!("gzip's input broke"))?.context("gzip stopped reading")
    })?;
    program.wait()?;
    Ok(packed.len())
}

/// The name of the printed line that this log is made of.
fn name_of(log: &LogRecord) -> Option<&str> {
    log.line.as_deref().and_then(name_in).or_else(|| log.body.values().find_map(name_within))
}

fn name_within(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => name_in(text),
        Value::Array(items) => items.iter().find_map(name_within),
        Value::Object(map) => map.values().find_map(name_within),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "all are far below 2^53")]
pub(crate) fn share(of: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { of as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch_with(lines: &[&str]) -> Batch {
        let log = |line: &&str| LogRecord {
            body: model::Map::from([("data".to_owned(), Value::Array(vec![Value::from(*line)]))]),
            ..LogRecord::default()
        };
        Batch {
            id: model::BatchId { sandbox: "s".to_owned(), sequence: 0 },
            first_record: 0,
            resource: model::Resource::default(),
            spans: Vec::new(),
            logs: lines.iter().map(log).collect(),
            metrics: Vec::new(),
            account: wire::Account::default(),
        }
    }

    fn printed(lines: &[&str]) -> Printed {
        lines.iter().map(|line| (name_in(line).unwrap().to_owned(), (*line).to_owned())).collect()
    }

    #[test]
    fn lines_are_missed_and_told_when_they_come_twice() {
        let batches = [batch_with(&["evt-000000001 a", "evt-000000002 b"]), batch_with(&["evt-000000001 a"])];
        let printed = printed(&["evt-000000001 a", "evt-000000002 b", "evt-000000003 c"]);
        assert_eq!(account(&batches, &printed), (1, 1));
    }

    #[test]
    fn a_shipped_batch_is_read_back_and_weighed_beside_gzip() {
        let lines = ["evt-000000001 a", "evt-000000002 b"];
        let sent = batch_with(&lines);
        let taken = Taken { requests: 1, records: vec![wire::encode(&sent).into()] };
        let batches = batches(&taken).unwrap();
        assert_eq!(batches, [sent]);
        let weights = weigh(&batches, &printed(&lines), 10).unwrap();
        assert!(weights.gzip > 20 && weights.shipped > weights.gzip, "{weights:?}");
        assert!(weights.ratio() > 1.0);
    }
}

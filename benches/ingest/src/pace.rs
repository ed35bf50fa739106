//! Events per second from gzip'd batches to committed tables: what a companion with one core takes from a shard.

use std::time::Instant;

use anyhow::bail;
use companion::{Companion, Settings, StreamRecord};
use figure::Figure;
use model::Timestamp;

use crate::batches::record;

/// Invocations in one batch: about what a busy function flushes each second.
const INVOCATIONS: usize = 25;
/// Batches that one call gets from the stream.
const BATCHES_PER_CALL: u64 = 40;
const CALLS: u64 = 8;
/// Sandboxes whose batches stand in turn in the shard.
const SANDBOXES: u64 = 7;
const TARGET_EVENTS_PER_SECOND: f64 = 120_000.0;

/// Generating and encoding the batches is not in the figure.
#[expect(clippy::cast_precision_loss, reason = "counts")]
pub(crate) async fn measure(now: Timestamp) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let companion = Companion::open(Settings::new(crate::location(folder.path())?)).await?;
    let calls: Vec<Vec<StreamRecord>> = (0..CALLS).map(|call| records(call, now)).collect();
    let began = Instant::now();
    let mut events = 0;
    for records in calls {
        let report = companion.ingest("bench", "shardId-000000000000", records).await;
        if let Some((sequence, why)) = report.first_failure {
            bail!("record {sequence} was not taken: {why}");
        }
        events += report.events;
    }
    let value = (events as f64 / began.elapsed().as_secs_f64()).round();
    let name = "ingest, one core, gzip'd batches to committed tables";
    Ok(vec![Figure::at_least(name, value, "events/s", TARGET_EVENTS_PER_SECOND)])
}

fn records(call: u64, now: Timestamp) -> Vec<StreamRecord> {
    let numbers = call * BATCHES_PER_CALL..(call + 1) * BATCHES_PER_CALL;
    numbers.map(|number| record(number % SANDBOXES, number / SANDBOXES, number, INVOCATIONS, now)).collect()
}

//! Sixty-four writers of one dataset, each committing every five seconds: whether all of them get their turn, and how long
//! a commit takes. Each has a companion of its own on the same folder, as functions on as many shards would, and knows of
//! the others only what the log says.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use companion::{Companion, Settings};
use figure::Figure;
use model::Timestamp;
use store::Location;
use tokio::task::JoinSet;

use crate::batches::{LINES, record};

const WRITERS: u64 = 64;
const EVERY: Duration = Duration::from_secs(5);
/// An invocation each time: commits are measured, not events.
const INVOCATIONS: usize = 1;
const TARGET_P99_MS: f64 = 2_000.0;

/// For about so long.
///
/// # Errors
/// When a commit fails, or the table does not have what was committed.
#[expect(clippy::cast_precision_loss, reason = "counts")]
pub(crate) async fn measure(now: Timestamp, lasting: Duration) -> anyhow::Result<Vec<Figure>> {
    let folder = tempfile::tempdir()?;
    let location = crate::location(folder.path())?;
    let commits_each = (lasting.as_secs() / EVERY.as_secs()).max(2);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(write(location.clone(), writer, commits_each, now));
    }
    let mut took_ms: Vec<f64> = Vec::new();
    while let Some(written) = writers.join_next().await {
        took_ms.extend(written??);
    }
    took_ms.sort_by(f64::total_cmp);
    let companion = Companion::open(Settings::new(location)).await?;
    let datasets = companion.store().datasets().await?;
    let events: u64 =
        datasets.iter().filter(|found| found.name == "lambda-logs").map(|found| found.rows).sum();
    let made = WRITERS * commits_each * (INVOCATIONS * LINES) as u64;
    ensure!(events == made, "{made} events were committed and {events} are in the table");
    let rank = |percent: usize| took_ms[(took_ms.len() * percent).div_ceil(100).max(1) - 1].round();
    let commits = took_ms.len() as u64;
    Ok(vec![
        Figure::told("64 writers: commits that succeeded", commits as f64, ""),
        Figure::told("64 writers: a commit, median", rank(50), "ms"),
        Figure::at_most("64 writers: a commit, p99", rank(99), "ms", TARGET_P99_MS),
        Figure::told("64 writers: a commit, longest", rank(100), "ms"),
    ])
}

/// One writer's commits, each in its turn of five seconds: how long they took, milliseconds. One that comes late makes the
/// next one late, and is not made up for.
async fn write(location: Location, writer: u64, commits: u64, now: Timestamp) -> anyhow::Result<Vec<f64>> {
    let companion = Companion::open(Settings::new(location)).await?;
    let shard = format!("shardId-{writer:012}");
    let step = u32::try_from(writer)?;
    tokio::time::sleep(EVERY * step / u32::try_from(WRITERS)?).await;
    let mut turns = tokio::time::interval(EVERY);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut took_ms = Vec::new();
    for number in 0..commits {
        turns.tick().await;
        let records = vec![record(writer, number, number, INVOCATIONS, now)];
        let began = Instant::now();
        let report = companion.ingest("bench", &shard, records).await;
        took_ms.push(began.elapsed().as_secs_f64() * 1_000.0);
        if let Some((_, why)) = report.first_failure {
            bail!("commit {number} of writer {writer} failed: {why}");
        }
    }
    Ok(took_ms)
}

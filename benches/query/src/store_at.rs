//! The store of a benchmark's folder: opened at a time of its own, compacted, and rid of what compaction left behind, so
//! that every engine reads the same files.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use companion::{Companion, Settings};
use model::Timestamp;
use store::{Compaction, Location, Options, Store, Vacuum};

use crate::telemetry::DAY;

/// Where Limelight tells of itself; nobody asks it here.
pub(crate) const SELF: &str = "limelight";
/// What is asked.
pub(crate) const DATASETS: [&str; 2] = ["lambda-logs", "otel"];
/// So much later everything that is in no snapshot may go.
const MUCH_LATER: Duration = Duration::from_hours(24 * 3_650);

/// The day after the one that is told: it is closed.
pub(crate) fn now() -> Timestamp {
    let day: Timestamp = format!("{DAY}T12:00:00Z").parse().unwrap_or(Timestamp::EPOCH);
    day.plus(Duration::from_hours(24))
}

/// The companion of a folder.
pub(crate) async fn open(data: &Path) -> anyhow::Result<Companion> {
    let mut settings = Settings::new(location(data)?);
    settings.options.clock = Arc::new(now);
    Ok(Companion::open(settings).await?)
}

fn location(data: &Path) -> anyhow::Result<Location> {
    Ok(Location::parse(data.join("store").to_str().context("a path that is no text")?)?)
}

/// Compacts all datasets to the end; how many steps that took.
pub(crate) async fn compact(store: &Store) -> anyhow::Result<usize> {
    let mut steps = 0;
    for dataset in DATASETS {
        let mut compactor = store.compactor(dataset, Compaction::default());
        while compactor.step().await?.is_some() {
            steps += 1;
        }
    }
    Ok(steps)
}

/// Leaves on the disk only what the tables have.
pub(crate) async fn vacuum(data: &Path) -> anyhow::Result<()> {
    let mut options = Options::default();
    options.clock = Arc::new(|| Timestamp::from(std::time::SystemTime::now()).plus(MUCH_LATER));
    let store = Store::open(&location(data)?, options).await?;
    for dataset in DATASETS {
        store.vacuum(dataset, &Vacuum::default()).await?;
    }
    Ok(())
}

/// Bytes of the Parquet files, or of whatever else lies there.
pub(crate) fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let metadata = entry?.metadata()?;
        bytes += metadata.len();
    }
    Ok(bytes)
}

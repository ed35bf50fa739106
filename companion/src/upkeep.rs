//! Keeps the files of all datasets healthy: retention, compaction, vacuum, in this order and for as long as there is
//! time. Driven by a schedule (Lambda), by `limelight dev`, and by `limelight store`. Whoever stops in the middle has
//! lost nothing, and two at once do no harm.

use std::time::Duration;

use store::{Compacted, Compaction, Retained, StoreError, Vacuum, Vacuumed};
use tokio::time::Instant;

use crate::companion::Companion;
use crate::ingest::chain;

/// Between two vacuums of one process: they list the whole store, and what they look for is a day old.
const VACUUM_EVERY: Duration = Duration::from_hours(1);

/// How long answers are kept that somebody saved.
const RUNS_KEPT_FOR: Duration = Duration::from_hours(30 * 24);

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upkeep {
    /// What retention took out.
    pub retained: Retained,
    /// How many compactions there were, and their sums.
    pub compactions: u64,
    /// Their sums.
    pub compacted: Compacted,
    /// What vacuum removed.
    pub vacuumed: Vacuumed,
    /// Whether time was up before everything was done.
    pub unfinished: bool,
    /// What went wrong, by dataset; the others were looked after.
    pub failures: Vec<String>,
}

impl Companion {
    /// Looks after all datasets, and ends after the step during which `time_max` passes (a step takes seconds). What
    /// fails in one dataset does not keep the others waiting. Another call of the same process that is under way is
    /// not waited for: nothing is done then.
    pub async fn look_after(&self, time_max: Duration) -> Upkeep {
        let Ok(mut vacuumed_at) = self.vacuumed_at().try_lock() else { return Upkeep::default() };
        let until = Instant::now() + time_max;
        let mut upkeep = Upkeep::default();
        let datasets = match self.store().datasets().await {
            Ok(datasets) => datasets,
            Err(error) => {
                upkeep.failures.push(chain(&error));
                return upkeep;
            }
        };
        for dataset in &datasets {
            if let Err(error) = self.reduce(&dataset.name, until, &mut upkeep).await {
                upkeep.failures.push(format!("{}: {}", dataset.name, chain(&error)));
            }
        }
        if vacuumed_at.is_none_or(|at| at.elapsed() >= VACUUM_EVERY) && Instant::now() < until {
            let names = datasets.iter().map(|dataset| dataset.name.as_str());
            self.vacuum(names, &mut upkeep).await;
            if let Err(error) = self.store().forget_runs(RUNS_KEPT_FOR).await {
                upkeep.failures.push(chain(&error));
            }
            *vacuumed_at = Some(Instant::now());
        }
        upkeep.unfinished |= Instant::now() >= until;
        for failure in &upkeep.failures {
            tracing::error!(failure, "upkeep failed");
        }
        upkeep
    }

    /// Retention and compaction of one dataset.
    async fn reduce(&self, dataset: &str, until: Instant, upkeep: &mut Upkeep) -> Result<(), StoreError> {
        let went = self.store().retain(dataset, &self.settings().retentions.of(dataset)).await?;
        upkeep.retained.files += went.files;
        upkeep.retained.bytes += went.bytes;
        upkeep.retained.rows += went.rows;
        let mut compactor = self.store().compactor(dataset, self.compaction());
        while Instant::now() < until {
            let Some(step) = compactor.step().await? else { return Ok(()) };
            upkeep.compactions += 1;
            upkeep.compacted.files += step.files;
            upkeep.compacted.rows += step.rows;
            upkeep.compacted.bytes_before += step.bytes_before;
            upkeep.compacted.bytes_after += step.bytes_after;
            upkeep.compacted.duplicates += step.duplicates;
            tracing::info!(
                dataset,
                files = step.files,
                rows = step.rows,
                bytes = step.bytes_after,
                "compacted"
            );
        }
        upkeep.unfinished = true;
        Ok(())
    }

    async fn vacuum(&self, datasets: impl Iterator<Item = &str>, upkeep: &mut Upkeep) {
        let rules = Vacuum::default();
        for dataset in datasets {
            match self.store().vacuum(dataset, &rules).await {
                Ok(went) => add(&mut upkeep.vacuumed, went),
                Err(error) => upkeep.failures.push(format!("{dataset}: {}", chain(&error))),
            }
        }
        match self.store().vacuum_letters(&rules).await {
            Ok(went) => add(&mut upkeep.vacuumed, went),
            Err(error) => upkeep.failures.push(format!("dead letters: {}", chain(&error))),
        }
    }

    /// How files are compacted in the memory that there is.
    fn compaction(&self) -> Compaction {
        self.settings().memory_bytes.map_or_else(Compaction::default, Compaction::within)
    }
}

fn add(sum: &mut Vacuumed, more: Vacuumed) {
    sum.files += more.files;
    sum.bytes += more.bytes;
    sum.log_files += more.log_files;
}

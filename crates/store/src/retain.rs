//! How long events are kept: first whole days that are too old, then the oldest files of what is too much. A commit
//! takes files out of the table; vacuum takes them off the disk.

use std::collections::HashSet;
use std::sync::Arc;

use crate::append::{ATTEMPTS_MAX, keep_checkpointed, wait};
use crate::day::Day;
use crate::error::StoreError;
use crate::files::DataFile;
use crate::store::Store;
use crate::table::{Cause, Change, Outcome};

/// Files that one commit takes out: the log entry stays below a megabyte.
const FILES_PER_COMMIT: usize = 2_000;

/// What is kept of a dataset. Without bounds everything is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Retention {
    /// So many UTC days before today.
    pub days: Option<u32>,
    /// So many bytes of data files.
    pub bytes: Option<u64>,
}

impl Retention {
    /// These bounds.
    pub fn new(days: Option<u32>, bytes: Option<u64>) -> Self {
        Self { days, bytes }
    }
}

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retained {
    /// Files that left the table.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows, as far as the log tells.
    pub rows: u64,
}

impl Store {
    /// Takes what is too old or too much out of a dataset.
    ///
    /// # Errors
    /// When the object store or the log fails; what went before that is gone.
    pub async fn retain(&self, dataset: &str, retention: &Retention) -> Result<Retained, StoreError> {
        let table = self.table(dataset)?;
        let mut retained = Retained::default();
        for attempt in 0..ATTEMPTS_MAX {
            let turn = table.turn().await;
            let now = self.options().now();
            let Some(view) = table.view(self.since()).await? else { return Ok(retained) };
            let going = going(view.files.iter(), Day::of(now), retention);
            if going.is_empty() {
                return Ok(retained);
            }
            let went = Retained {
                files: going.len() as u64,
                bytes: going.iter().map(|file| file.bytes).sum(),
                rows: going.iter().filter_map(|file| file.statistics.num_records).sum(),
            };
            let change =
                Change { adds: Vec::new(), removes: going, columns: Vec::new(), cause: Cause::Retain, now };
            let outcome = table.commit(Some(&view), change).await?;
            drop(turn);
            match outcome {
                Outcome::Committed(version) => {
                    retained.files += went.files;
                    retained.bytes += went.bytes;
                    retained.rows += went.rows;
                    keep_checkpointed(&table, version).await;
                }
                Outcome::Overtaken => tokio::time::sleep(wait(attempt)).await,
            }
        }
        Err(StoreError::Contended { dataset: dataset.to_owned(), attempts: ATTEMPTS_MAX })
    }
}

/// The files that go with the next commit, the oldest first.
fn going<'a>(
    files: impl Iterator<Item = &'a Arc<DataFile>>,
    today: Day,
    retention: &Retention,
) -> Vec<Arc<DataFile>> {
    let mut files: Vec<&Arc<DataFile>> = files.collect();
    files.sort_by(|a, b| (&a.date, a.span().1, &a.path).cmp(&(&b.date, b.span().1, &b.path)));
    let first_kept = retention.days.map(|days| today.minus(days));
    let too_old = |file: &DataFile| {
        let day = file.date.parse::<Day>();
        first_kept.zip(day.ok()).is_some_and(|(first_kept, day)| day < first_kept)
    };
    let mut going: Vec<_> = files.iter().filter(|file| too_old(file)).map(|file| (*file).clone()).collect();
    let gone: HashSet<&str> = going.iter().map(|file| file.path.as_str()).collect();
    let kept = || files.iter().filter(|file| !gone.contains(file.path.as_str()));
    let kept_bytes: u64 = kept().map(|file| file.bytes).sum();
    let mut too_much = retention.bytes.map_or(0, |bytes| kept_bytes.saturating_sub(bytes));
    let mut more = Vec::new();
    for file in kept() {
        if too_much == 0 {
            break;
        }
        too_much = too_much.saturating_sub(file.bytes);
        more.push((*file).clone());
    }
    going.extend(more);
    going.truncate(FILES_PER_COMMIT);
    going
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(date: &str, number: usize) -> Arc<DataFile> {
        Arc::new(DataFile {
            path: format!("date={date}/{number}"),
            bytes: 10,
            modified_ms: 0,
            date: date.to_owned(),
            statistics: crate::files::Statistics::default(),
            checksum: None,
        })
    }

    fn gone(days: Option<u32>, bytes: Option<u64>) -> Vec<String> {
        let files =
            [("2026-11-20", 0), ("2026-11-18", 1), ("2026-11-19", 2), ("2026-11-20", 3), ("2099-01-01", 4)]
                .map(|(date, number)| file(date, number));
        let today = "2026-11-20".parse().unwrap();
        let going = going(files.iter(), today, &Retention { days, bytes });
        going.iter().map(|file| file.path.trim_start_matches("date=").to_owned()).collect()
    }

    #[test]
    fn days_go_first_and_then_the_oldest_of_what_is_too_much() {
        assert_eq!(gone(None, None), [""; 0]);
        assert_eq!(gone(Some(1), None), ["2026-11-18/1"]);
        assert_eq!(gone(Some(0), None), ["2026-11-18/1", "2026-11-19/2"]);
        assert_eq!(gone(Some(1), Some(40)), ["2026-11-18/1"]);
        assert_eq!(gone(Some(1), Some(39)), ["2026-11-18/1", "2026-11-19/2"]);
        assert_eq!(gone(None, Some(25)), ["2026-11-18/1", "2026-11-19/2", "2026-11-20/0"]);
        assert_eq!(gone(None, Some(0)).len(), 5);
    }
}

//! Which files become one: a pure choice over what the log says of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Compaction;
use crate::day::Day;
use crate::files::DataFile;

/// Files that are read at once. Each is one cursor of the merge.
const INPUTS_MAX: usize = 64;
/// On a day that still fills, so many files of like size are worth writing anew: each event is then written about
/// three times on its way from a small file to a large one.
const INPUTS_MIN_OPEN: usize = 8;
/// On a day that is over nothing more is waited for.
const INPUTS_MIN_CLOSED: usize = 2;
/// A file joins smaller ones only up to this many times their sum, so that a late event does not cost a day's file.
const RATIO_MAX: u64 = 4;

/// The files of one day that should become one; none if all is well. The choice depends on the files alone, so that
/// whoever dies in the middle is followed by somebody who chooses the same.
pub(super) fn next<'a>(
    files: impl Iterator<Item = &'a Arc<DataFile>>,
    today: Day,
    rules: &Compaction,
) -> Option<Vec<Arc<DataFile>>> {
    let mut by_day: BTreeMap<&str, Vec<&Arc<DataFile>>> = BTreeMap::new();
    for file in files.filter(|file| rules.is_small(file.bytes)) {
        by_day.entry(&file.date).or_default().push(file);
    }
    // Where there are most files a query gains most; of equal days the newest is asked for most.
    let mut days: Vec<_> = by_day.into_iter().collect();
    days.sort_by_key(|(date, files)| (files.len(), *date));
    days.into_iter().rev().find_map(|(date, files)| {
        let closed = date.parse::<Day>().is_ok_and(|day| day < today);
        of_day(files, if closed { INPUTS_MIN_CLOSED } else { INPUTS_MIN_OPEN }, rules)
    })
}

/// Of one day's small files the largest run of like sizes, smallest first.
fn of_day(
    mut files: Vec<&Arc<DataFile>>,
    inputs_min: usize,
    rules: &Compaction,
) -> Option<Vec<Arc<DataFile>>> {
    files.sort_by(|a, b| (a.bytes, a.span(), &a.path).cmp(&(b.bytes, b.span(), &b.path)));
    (0..files.len()).find_map(|first| {
        let mut bytes = 0_u64;
        let fits = |file: &&&Arc<DataFile>| {
            let alike = bytes == 0 || file.bytes <= bytes.saturating_mul(RATIO_MAX);
            bytes += file.bytes;
            alike && bytes <= rules.file_bytes
        };
        let run: Vec<_> =
            files[first..].iter().take(INPUTS_MAX).take_while(fits).map(|file| (*file).clone()).collect();
        (run.len() >= inputs_min).then_some(run)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1_000_000;

    fn file(date: &str, number: usize, bytes: u64) -> Arc<DataFile> {
        Arc::new(DataFile {
            path: format!("date={date}/{number:04}.parquet"),
            bytes,
            modified_ms: 0,
            date: date.to_owned(),
            statistics: crate::files::Statistics::default(),
            checksum: None,
        })
    }

    fn chosen(files: &[Arc<DataFile>]) -> Vec<u64> {
        let today = "2026-11-20".parse().unwrap();
        let chosen = next(files.iter(), today, &Compaction::default());
        chosen.unwrap_or_default().iter().map(|file| file.bytes / MB).collect()
    }

    fn day(date: &str, sizes: &[u64]) -> Vec<Arc<DataFile>> {
        sizes.iter().enumerate().map(|(number, size)| file(date, number, size * MB)).collect()
    }

    #[test]
    fn an_open_day_waits_for_enough_and_a_closed_one_does_not() {
        assert_eq!(chosen(&day("2026-11-20", &[1; 7])), [0; 0]);
        assert_eq!(chosen(&day("2026-11-20", &[1; 9])), [1; 9]);
        assert_eq!(chosen(&day("2026-11-19", &[1, 2])), [1, 2]);
        assert_eq!(chosen(&day("2026-11-19", &[1])), [0; 0]);
    }

    #[test]
    fn a_late_event_does_not_cost_a_days_file() {
        assert_eq!(chosen(&day("2026-11-19", &[1, 50])), [0; 0]);
        assert_eq!(chosen(&day("2026-11-19", &[1, 1, 1, 1, 50])), [1; 4]);
        assert_eq!(chosen(&day("2026-11-19", &[20, 50])), [20, 50]);
        // One that is too small to be alike does not hold up the others.
        assert_eq!(chosen(&day("2026-11-19", &[1, 10, 10])), [10, 10]);
    }

    #[test]
    fn what_is_large_enough_is_left_alone_and_no_output_is_too_large() {
        assert_eq!(chosen(&day("2026-11-19", &[64, 128, 200])), [0; 0]);
        assert_eq!(chosen(&day("2026-11-19", &[40, 40, 40, 40])), [40, 40, 40]);
    }

    /// Whatever is merged, in the end each day has few files, and no event was written often.
    #[test]
    fn it_comes_to_an_end() {
        let mut files: Vec<_> = (0..5_000).map(|number| file("2026-11-19", number, 40_000)).collect();
        let today = "2026-11-20".parse().unwrap();
        let (mut rounds, mut written) = (0, 0);
        while let Some(run) = next(files.iter(), today, &Compaction::default()) {
            rounds += 1;
            let bytes = run.iter().map(|file| file.bytes).sum();
            written += bytes;
            files.retain(|file| !run.contains(file));
            files.push(file("2026-11-19", 10_000 + rounds, bytes));
        }
        assert!(files.len() <= 4, "{} files", files.len());
        assert!(written <= 5 * 5_000 * 40_000, "{written} bytes written");
    }
}

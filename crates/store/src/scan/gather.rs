//! Which small files of a scan are read as one: a pure choice over what the log says of them.
//!
//! Files come one after another, so the choice is one that stays: whole runs of the files of a day in the order in which
//! they were written, long runs first. A file that comes makes at most one run of each length anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::files::DataFile;

/// What is larger is read as it is: opening it costs little beside reading it. A run of the longest is as much as the
/// compactor's merge reads at once.
const SMALL_BYTES_MAX: u64 = 128 * 1024;
/// How many files a run has. Of an hour of five-second commits eleven runs of 64, two of eight and at most seven single
/// files are left; each event is encoded twice.
const LENGTHS: [usize; 2] = [64, 8];

/// Runs of files, by their numbers, that can be read as one each. All of a run are of one day.
pub(super) fn runs(files: &[Arc<DataFile>]) -> Vec<Vec<usize>> {
    let mut days: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (number, file) in files.iter().enumerate().filter(|(_, file)| file.bytes <= SMALL_BYTES_MAX) {
        days.entry(&file.date).or_default().push(number);
    }
    let mut runs = Vec::new();
    for mut small in days.into_values() {
        small.sort_by_key(|number| (files[*number].modified_ms, &files[*number].path));
        let mut rest = small.as_slice();
        for length in LENGTHS {
            let (whole, left) = rest.split_at(rest.len() - rest.len() % length);
            runs.extend(whole.chunks_exact(length).map(<[usize]>::to_vec));
            rest = left;
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Statistics;

    fn file(number: i64, date: &str, bytes: u64) -> Arc<DataFile> {
        Arc::new(DataFile {
            path: format!("date={date}/{number:04}.parquet"),
            bytes,
            modified_ms: number,
            date: date.to_owned(),
            statistics: Statistics::default(),
            checksum: None,
        })
    }

    fn lengths(files: &[Arc<DataFile>]) -> Vec<usize> {
        runs(files).iter().map(Vec::len).collect()
    }

    #[test]
    fn an_hour_of_small_files_is_read_as_a_few() {
        let mut files: Vec<_> = (0..720).map(|number| file(number, "2026-11-20", 40_000)).collect();
        files.push(file(-1, "2026-11-20", 80 << 20));
        assert_eq!(lengths(&files), [[64; 11].as_slice(), &[8; 2]].concat());
        assert_eq!(lengths(&files[..7]), [0; 0]);
    }

    #[test]
    fn files_of_two_days_stay_apart_and_large_ones_alone() {
        let days = ["2026-11-20", "2026-11-21"];
        let files: Vec<_> = (0..24).map(|n| file(n, days[usize::from(n >= 12)], 1_000)).collect();
        let expected: [Vec<usize>; 2] = [(0..8).collect(), (12..20).collect()];
        assert_eq!(runs(&files), expected);
        let large: Vec<_> = (0..24).map(|n| file(n, days[0], SMALL_BYTES_MAX + 1)).collect();
        assert_eq!(lengths(&large), [0; 0]);
    }

    #[test]
    fn a_file_that_comes_leaves_the_runs_as_they_are() {
        let files: Vec<_> = (0..100).map(|number| file(number, "2026-11-20", 1_000)).collect();
        let (before, after) = (runs(&files[..96]), runs(&files));
        assert_eq!(before, after);
        // In whatever order the log gives them.
        let backwards: Vec<_> = files.iter().rev().cloned().collect();
        let paths = |files: &[Arc<DataFile>]| -> Vec<String> {
            runs(files).concat().iter().map(|number| files[*number].path.clone()).collect()
        };
        assert_eq!(paths(&backwards), paths(&files));
    }
}

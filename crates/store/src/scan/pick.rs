//! Whole rows out of a scan's files, by their places: only the pages that they stand in are read, of all columns.
//!
//! Asking for rows by their ids instead would look through the ids of every row group that could have one, and a query
//! engine would plan hundreds of columns for it.

use arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::datasource::physical_plan::ParquetFileReaderFactory as _;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::TryStreamExt as _;
use parquet::arrow::ParquetRecordBatchStreamBuilder;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, RowSelection};
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::file::metadata::PageIndexPolicy;

use super::{FOOTER_BYTES_HINT, Scan};

/// Whole rows, and what they cost.
pub(crate) struct Picked {
    /// The rows in the file's order.
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) bytes_read: u64,
}

impl Scan {
    /// Rows of one file (by its number among the scan's), given by their numbers in it, which grow.
    ///
    /// # Errors
    /// When the file cannot be read, or has no such rows.
    pub(crate) async fn pick(&self, runtime: &RuntimeEnv, file: usize, rows: &[u64]) -> Result<Picked> {
        let missing = || exec_datafusion_err!("there is no file {file}");
        let part = self.part(file).ok_or_else(missing)?;
        let metrics = ExecutionPlanMetricsSet::new();
        let (file, readers) = (self.partitioned(&part), self.readers(runtime));
        let path = file.object_meta.location.clone();
        let reader: Box<dyn AsyncFileReader> =
            readers.create_reader(0, file, Some(FOOTER_BYTES_HINT), &metrics)?;
        // Without the index of pages every page before the rows would be read.
        let options = ArrowReaderOptions::new()
            .with_skip_arrow_metadata(true)
            .with_page_index_policy(PageIndexPolicy::Optional);
        let failed = |error| DataFusionError::ParquetError(Box::new(error));
        let builder = ParquetRecordBatchStreamBuilder::new_with_options(reader, options).await;
        let builder = builder.map_err(failed)?;
        let groups = builder.metadata().row_groups();
        let sizes: Vec<u64> =
            groups.iter().map(|group| u64::try_from(group.num_rows()).unwrap_or(0)).collect();
        let (groups, selection) = select(&sizes, rows);
        let stream = builder.with_row_groups(groups).with_row_selection(selection).build().map_err(failed)?;
        let batches: Vec<RecordBatch> = stream.try_collect().await.map_err(failed)?;
        let found: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if found != rows.len() {
            return Err(exec_datafusion_err!("{path} has {found} of {} rows", rows.len()));
        }
        let bytes = metrics.clone_inner().sum_by_name("bytes_scanned");
        Ok(Picked { batches, bytes_read: bytes.map_or(0, |bytes| bytes.as_usize() as u64) })
    }
}

/// The row groups that have the rows, and the rows among theirs.
fn select(sizes: &[u64], rows: &[u64]) -> (Vec<usize>, RowSelection) {
    let (mut groups, mut ranges) = (Vec::new(), Vec::new());
    let (mut rest, mut first, mut skipped) = (rows, 0_u64, 0_u64);
    for (number, size) in sizes.iter().enumerate() {
        let here = rest.partition_point(|row| *row < first + size);
        if here == 0 {
            skipped += size;
        } else {
            groups.push(number);
            // A selection counts the rows of the chosen groups alone.
            let place = |row: &u64| usize::try_from(row - skipped).unwrap_or(usize::MAX);
            ranges.extend(rest[..here].iter().map(place).map(|row| row..row.saturating_add(1)));
            rest = &rest[here..];
        }
        first += size;
    }
    let chosen: u64 = groups.iter().map(|group| sizes[*group]).sum();
    let chosen = usize::try_from(chosen).unwrap_or(usize::MAX);
    (groups, RowSelection::from_consecutive_ranges(ranges.into_iter(), chosen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(sizes: &[u64], rows: &[u64]) -> (Vec<usize>, Vec<(bool, usize)>) {
        let (groups, selection) = select(sizes, rows);
        let selectors: Vec<_> = selection.iter().map(|of| (!of.skip, of.row_count)).collect();
        (groups, selectors)
    }

    #[test]
    fn groups_without_a_wanted_row_are_left_out_and_not_counted() {
        let (groups, selectors) = selected(&[10, 10, 10, 5], &[12, 13, 34]);
        assert_eq!(groups, [1, 3]);
        assert_eq!(selectors, [(false, 2), (true, 2), (false, 10), (true, 1)]);
    }

    #[test]
    fn the_first_and_the_last_row_are_rows_like_others() {
        let (groups, selectors) = selected(&[3, 3], &[0, 5]);
        assert_eq!(groups, [0, 1]);
        assert_eq!(selectors, [(true, 1), (false, 4), (true, 1)]);
        assert_eq!(selected(&[3, 3], &[]).0, [0; 0]);
    }
}

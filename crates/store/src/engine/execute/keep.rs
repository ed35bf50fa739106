//! Rows of a statement as a table in memory, for the statements that come after it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::common::TableReference;
use datafusion::datasource::MemTable;
use query::RunError;

use super::{Execution, explained};
use crate::engine::failed;

/// What is to be kept of a statement's rows, and how much of it.
pub(in crate::engine) struct Keep {
    /// What the table is called.
    pub(in crate::engine) table: &'static str,
    pub(in crate::engine) rows_max: u64,
    /// In memory.
    pub(in crate::engine) bytes_max: usize,
}

impl Execution {
    /// Keeps the rows of a statement as a table for those that come; false if they are too many, and then there is none.
    pub(in crate::engine) async fn keep(&mut self, sql: &str, keep: &Keep) -> Result<bool, RunError> {
        let plan = self.planned(sql).await?;
        let (schema, mut batches, mut bytes) = (plan.schema(), Vec::new(), 0);
        let take = |batch: RecordBatch| {
            let batch = compacted(&batch)?;
            bytes += batch.get_array_memory_size();
            batches.push(batch);
            if bytes > keep.bytes_max { Err(RunError::TooManyRows { limit: keep.rows_max }) } else { Ok(()) }
        };
        match self.each(sql, plan, keep.rows_max, take).await {
            Ok(()) => {}
            Err(RunError::TooManyRows { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        let table = MemTable::try_new(schema, vec![batches]).map_err(|error| explained(&error))?;
        let registered = self.context.register_table(TableReference::bare(keep.table), Arc::new(table));
        registered.map(|_| true).map_err(|error| explained(&error))
    }
}

/// The same rows without what else their texts' buffers hold: some rows of a page would keep all of it in memory.
fn compacted(batch: &RecordBatch) -> Result<RecordBatch, RunError> {
    let column = |array: &ArrayRef| match array.as_string_view_opt() {
        Some(texts) => Arc::new(texts.gc()) as ArrayRef,
        None => array.clone(),
    };
    let columns = batch.columns().iter().map(column).collect();
    RecordBatch::try_new(batch.schema(), columns).map_err(failed)
}

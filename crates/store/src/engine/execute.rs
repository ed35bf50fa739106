//! One statement after the other, and what they cost.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt as _;
use query::{RunError, Statistics};

use super::failed;
use super::session::MEMORY_BYTES_MAX;
use crate::store::Snapshot;

/// The statements of one query, in one session.
pub(super) struct Execution {
    context: SessionContext,
    rows_read: u64,
    bytes_read: u64,
    /// The most files that any statement read.
    files_read: u64,
}

impl Execution {
    pub(super) fn start(context: SessionContext) -> Self {
        Self { context, rows_read: 0, bytes_read: 0, files_read: 0 }
    }

    /// Runs a statement to its end; more rows than `rows_max` are an error.
    pub(super) async fn run(&mut self, sql: &str, rows_max: u64) -> Result<Vec<RecordBatch>, RunError> {
        tracing::debug!(sql, "query statement");
        let plan = self.plan(sql).await.map_err(|error| explained(&error))?;
        let task = self.context.task_ctx();
        let mut stream = execute_stream(plan.clone(), task).map_err(|error| explained(&error))?;
        let mut batches = Vec::new();
        let mut rows = 0_u64;
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(|error| explained(&error))?;
            rows = rows.saturating_add(batch.num_rows() as u64);
            if rows > rows_max {
                return Err(RunError::TooManyRows { limit: rows_max });
            }
            batches.push(batch);
        }
        let mut files = 0;
        self.count(&plan, &mut files);
        self.files_read = self.files_read.max(files);
        Ok(batches)
    }

    async fn plan(&self, sql: &str) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        // Our statements only ever read; this says so to the engine too.
        let read_only =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        self.context.sql_with_options(sql, read_only).await?.create_physical_plan().await
    }

    /// Adds what the scans of a finished plan say of themselves.
    fn count(&mut self, plan: &Arc<dyn ExecutionPlan>, files: &mut u64) {
        let metrics: BTreeMap<String, u64> = plan
            .metrics()
            .map(|metrics| metrics.aggregate_by_name())
            .into_iter()
            .flat_map(|metrics| {
                let named = |metric: &Arc<datafusion::physical_plan::metrics::Metric>| {
                    (metric.value().name().to_owned(), metric.value().as_usize() as u64)
                };
                metrics.iter().map(named).collect::<Vec<_>>()
            })
            .collect();
        let metric = |name: &str| metrics.get(name).copied().unwrap_or(0);
        *files += metric("count_files_scanned");
        if metrics.contains_key("bytes_scanned") {
            self.bytes_read += metric("bytes_scanned");
            self.rows_read += metric("output_rows");
        }
        for child in plan.children() {
            self.count(child, files);
        }
    }

    /// What all statements cost together.
    pub(super) fn statistics(&self, snapshots: &[Snapshot]) -> Statistics {
        let files: u64 = snapshots.iter().map(|snapshot| snapshot.files).sum();
        Statistics {
            elapsed_ms: 0,
            rows_read: self.rows_read,
            bytes_read: self.bytes_read,
            files_read: self.files_read,
            files_skipped: files.saturating_sub(self.files_read),
        }
    }
}

/// The engine's failure in words of ours.
fn explained(error: &DataFusionError) -> RunError {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            RunError::TooMuchMemory { limit_bytes: MEMORY_BYTES_MAX as u64 }
        }
        root => RunError::Failed(root.to_string().into()),
    }
}

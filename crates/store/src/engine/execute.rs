//! One statement after the other, and what they cost.

mod keep;

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SQLOptions;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt as _;
use object_store::path::Path;
use query::sql::{DataFusion, Dialect};
use query::{RunError, Statement, Statistics};

use super::elsewhere::Elsewhere;
use super::session::MEMORY_BYTES_MAX;
use crate::scan::stored_files;
use crate::store::Snapshot;

pub(super) use keep::Keep;

/// The statements of one query, in one session.
pub(super) struct Execution {
    context: SessionContext,
    /// Who else runs them; nobody if they are run in the session.
    elsewhere: Option<Arc<dyn Elsewhere>>,
    rows_read: u64,
    bytes_read: u64,
    /// A file that several statements read counts once.
    files_read: HashSet<Path>,
    /// What was run, if that is to be told.
    statements: Option<Vec<Statement>>,
}

impl Execution {
    pub(super) fn start(context: SessionContext, explain: bool) -> Self {
        let statements = explain.then(Vec::new);
        let files_read = HashSet::new();
        Self { context, elsewhere: None, rows_read: 0, bytes_read: 0, files_read, statements }
    }

    /// The same, and somebody else runs the statements.
    pub(super) fn start_elsewhere(
        context: SessionContext,
        explain: bool,
        elsewhere: Arc<dyn Elsewhere>,
    ) -> Self {
        Self { elsewhere: Some(elsewhere), ..Self::start(context, explain) }
    }

    /// What statements are written in.
    pub(super) fn dialect(&self) -> &dyn Dialect {
        self.elsewhere.as_ref().map_or(&DataFusion as &dyn Dialect, |elsewhere| elsewhere.dialect())
    }

    /// Whether somebody else runs the statements.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.elsewhere.is_some()
    }

    /// Runs a statement to its end; more rows than `rows_max` are an error.
    pub(super) async fn run(&mut self, sql: &str, rows_max: u64) -> Result<Vec<RecordBatch>, RunError> {
        match self.elsewhere.clone() {
            Some(elsewhere) => Ok(vec![self.run_elsewhere(elsewhere.as_ref(), sql, rows_max).await?]),
            None => self.run_here(sql, rows_max).await,
        }
    }

    async fn run_elsewhere(
        &mut self,
        elsewhere: &dyn Elsewhere,
        sql: &str,
        rows_max: u64,
    ) -> Result<RecordBatch, RunError> {
        tracing::debug!(sql, engine = elsewhere.dialect().name(), "query statement");
        let started = Instant::now();
        let result = elsewhere.run(sql, rows_max).await?;
        self.bytes_read += result.bytes_read;
        if let Some(statements) = &mut self.statements {
            statements.push(Statement {
                sql: sql.to_owned(),
                plan: vec![format!("run by {}", elsewhere.dialect().name())],
                rows: result.rows.len() as u64,
                elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            });
        }
        result.batch()
    }

    /// The same in this process, also where somebody else runs the query's other statements.
    pub(super) async fn run_here(&mut self, sql: &str, rows_max: u64) -> Result<Vec<RecordBatch>, RunError> {
        let plan = self.planned(sql).await?;
        let mut batches = Vec::new();
        let keep = |batch| {
            batches.push(batch);
            Ok(())
        };
        self.each(sql, plan, rows_max, keep).await?;
        Ok(batches)
    }

    async fn planned(&self, sql: &str) -> Result<Arc<dyn ExecutionPlan>, RunError> {
        let frame = self.context.sql_with_options(sql, read_only()).await;
        let plan = async { frame?.create_physical_plan().await };
        plan.await.map_err(|error| explained(&error))
    }

    /// Runs a statement that was planned and gives each of its batches away; more rows than `rows_max` are an error, and
    /// the taker's error ends it.
    pub(super) async fn each(
        &mut self,
        sql: &str,
        plan: Arc<dyn ExecutionPlan>,
        rows_max: u64,
        mut take: impl FnMut(RecordBatch) -> Result<(), RunError>,
    ) -> Result<(), RunError> {
        tracing::debug!(sql, "query statement");
        let started = Instant::now();
        let task = self.context.task_ctx();
        let mut stream = execute_stream(plan.clone(), task).map_err(|error| explained(&error))?;
        let mut rows = 0_u64;
        let ended = async {
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(|error| explained(&error))?;
                rows = rows.saturating_add(batch.num_rows() as u64);
                if rows > rows_max {
                    return Err(RunError::TooManyRows { limit: rows_max });
                }
                take(batch)?;
            }
            Ok(())
        };
        let ended = ended.await;
        // What was read before it ended was read, too.
        self.count(&plan);
        if let Some(statements) = &mut self.statements {
            statements.push(told(sql, plan.as_ref(), rows, started));
        }
        ended
    }

    /// Whole rows of one of a dataset's files, in the file's order. A file that goes on without them is an error.
    pub(super) async fn pick(
        &mut self,
        snapshot: &Snapshot,
        file: usize,
        rows: &[u64],
    ) -> Result<Vec<RecordBatch>, RunError> {
        let started = Instant::now();
        let runtime = self.context.runtime_env();
        let picked = snapshot.scan.pick(&runtime, file, rows).await.map_err(|error| explained(&error))?;
        self.rows_read += rows.len() as u64;
        self.bytes_read += picked.bytes_read;
        if let Some(statements) = &mut self.statements {
            statements.push(Statement {
                sql: format!("-- {} whole rows of file {file} of {}", rows.len(), snapshot.dataset),
                plan: vec![format!("rows by place, bytes_scanned={}", picked.bytes_read)],
                rows: rows.len() as u64,
                elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            });
        }
        Ok(picked.batches)
    }

    /// Adds what the scans of a finished plan say of themselves.
    fn count(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
            let metrics = scan.metrics().unwrap_or_default();
            let sum = |name: &str| metrics.sum_by_name(name).map_or(0, |value| value.as_usize() as u64);
            self.bytes_read += sum("bytes_scanned");
            self.rows_read += metrics.output_rows().unwrap_or(0) as u64;
            if let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() {
                let groups = config.file_groups.iter().flat_map(|group| group.files());
                self.files_read.extend(groups.flat_map(stored_files));
            }
        }
        for child in plan.children() {
            self.count(child);
        }
    }

    /// What was run, if that is to be told.
    pub(super) fn statements(&mut self) -> Option<Vec<Statement>> {
        self.statements.take()
    }

    /// What all statements cost together.
    pub(super) fn statistics(&self, snapshots: &[Snapshot]) -> Statistics {
        let files: u64 = snapshots.iter().map(|snapshot| snapshot.files).sum();
        let files_read = self.files_read.len() as u64;
        Statistics {
            elapsed_ms: 0,
            rows_read: self.rows_read,
            bytes_read: self.bytes_read,
            bytes_of_time: 0,
            files_read,
            files_skipped: files.saturating_sub(files_read),
        }
    }
}

/// Statements only ever read; this says so to the engine too.
pub(super) fn read_only() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}

/// A statement that was run, its plan with what each operator did.
fn told(sql: &str, plan: &dyn ExecutionPlan, rows: u64, started: Instant) -> Statement {
    let plan = DisplayableExecutionPlan::with_metrics(plan).indent(false).to_string();
    Statement {
        sql: sql.to_owned(),
        plan: plan.lines().map(str::to_owned).collect(),
        rows,
        elapsed_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

/// A data file that a statement reads is not there any more: what the source of [`RunError::Failed`] is then.
#[derive(Debug, thiserror::Error)]
#[error("the data file {path} is not there")]
pub(super) struct FileGone {
    /// In the object store.
    pub(super) path: String,
}

/// The engine's failure in words of ours.
fn explained(error: &DataFusionError) -> RunError {
    if let Some(gone) = gone(error) {
        return RunError::Failed(Box::new(gone));
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            RunError::TooMuchMemory { limit_bytes: MEMORY_BYTES_MAX as u64 }
        }
        root => RunError::Failed(root.to_string().into()),
    }
}

/// Whether it is a missing file that is behind an error, however deep.
fn gone(error: &DataFusionError) -> Option<FileGone> {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        let boxed = || error.downcast_ref::<Box<object_store::Error>>().map(AsRef::as_ref);
        match error.downcast_ref::<object_store::Error>().or_else(boxed) {
            Some(object_store::Error::NotFound { path, .. }) => return Some(FileGone { path: path.clone() }),
            _ => next = error.source(),
        }
    }
    None
}

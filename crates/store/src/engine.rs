//! Queries become answers: each dataset at one version, DataFusion over its table, the statements of the query's plan,
//! and their rows as the answer's figures and events. Bounded in memory, time and rows.

mod overflow;
mod arithmetic;
mod percentile;
mod pattern;
mod bucket;
mod session;
mod elsewhere;
mod execute;
mod cell;
mod figure;
mod heatmap;
mod event;
mod whole;
mod tail;
mod sql;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::datatypes::DataType;
use datafusion::execution::runtime_env::RuntimeEnv;
use query::sql::{DataFusion, Dialect};
use query::{Answer, Explanation, Plan, Query, RunError, Runner, Table, View};

pub use elsewhere::{Elsewhere, Rows};
pub use sql::SqlAnswer;
pub use tail::{Cursor, CursorError, TailError};

use crate::error::StoreError;
use crate::scan::HeldFiles;
use crate::store::{Snapshot, Store};
use execute::Execution;

/// How long a query may take. API Gateway gives up after 30 s, and its user before.
const QUERY_TIME_MAX: Duration = Duration::from_secs(25);

/// What all queries of a store share: memory, the footers of files read before, and small files that were put together.
#[derive(Debug, Clone)]
pub(crate) struct Engine {
    runtime: Arc<RuntimeEnv>,
    held: Arc<HeldFiles>,
}

impl Engine {
    pub(crate) fn new() -> Self {
        Self { runtime: session::runtime(), held: Arc::default() }
    }

    /// Small files that are read as one.
    pub(crate) fn held(&self) -> Arc<HeldFiles> {
        self.held.clone()
    }

    /// Answers a query over these datasets.
    async fn answer(&self, query: &Query, snapshots: &[Snapshot]) -> Result<Answer, RunError> {
        self.answer_by(query, snapshots, None).await
    }

    /// The same with statements that somebody else runs, if there is somebody.
    async fn answer_by(
        &self,
        query: &Query,
        snapshots: &[Snapshot],
        elsewhere: Option<Arc<dyn Elsewhere>>,
    ) -> Result<Answer, RunError> {
        let started = Instant::now();
        if snapshots.is_empty() {
            let note = "there is no dataset yet: nothing was ingested".to_owned();
            return Ok(Answer { notes: vec![note], ..Answer::default() });
        }
        let tables: Vec<Table> = snapshots.iter().map(table).collect();
        let plan = Plan::new(query, &tables);
        let context = match query.view {
            View::Calculations | View::Wholes(_) => session::context(&self.runtime, snapshots)?,
            View::Events => session::placed(&self.runtime, snapshots)?,
        };
        let mut notes = plan.notes().to_vec();
        let mut execution = match elsewhere {
            Some(elsewhere) => {
                notes.extend(plan.said_by(elsewhere.dialect())?);
                Execution::start_elsewhere(context, query.explain, elsewhere)
            }
            None => Execution::start(context, query.explain),
        };
        let mut answer = match (query.view, &query.heatmap) {
            (_, Some(drawn)) => heatmap::answer(query, drawn, &tables, &mut execution).await?,
            (View::Calculations, None) => figure::answer(query, &plan, &mut execution).await?,
            (View::Events, None) => event::answer(query, &plan, snapshots, &mut execution).await?,
            (View::Wholes(kind), None) => whole::answer(query, &plan, kind, &mut execution).await?,
        };
        answer.notes.splice(0..0, notes);
        answer.fields = plan.fields().to_vec();
        answer.statistics = execution.statistics(snapshots);
        answer.statistics.bytes_of_time = bytes_of(query, snapshots);
        answer.explanation =
            execution.statements().map(|statements| Explanation { query: query.to_string(), statements });
        answer.statistics.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(answer)
    }

    /// How many rows a dataset's files say that they have.
    async fn rows(&self, snapshot: &Snapshot) -> Result<u64, RunError> {
        let context = session::context(&self.runtime, std::slice::from_ref(snapshot))?;
        let sql = format!("SELECT COUNT(*) AS n FROM {}", DataFusion.identifier(&snapshot.dataset));
        let batches = Execution::start(context, false).run(&sql, 1).await?;
        let count = batches.first().map(|batch| cell::column(batch, "n", &DataType::Int64)).transpose()?;
        Ok(count.map_or(0, |count| u64::try_from(cell::int(&count, 0)).unwrap_or(0)))
    }
}

impl Runner for Store {
    async fn run(&self, query: &Query) -> Result<Answer, RunError> {
        // A large future: it is moved on its way to the threads of queries.
        let work = Box::pin(async {
            let snapshots = self.named(query).await?;
            self.engine().answer(query, &snapshots).await
        });
        let answered = tokio::time::timeout(QUERY_TIME_MAX, work).await;
        // Also after a question that took too long: the next one may not.
        self.engine().held.begin();
        answered.unwrap_or(Err(RunError::TookTooLong { limit: QUERY_TIME_MAX }))
    }

    async fn datasets(&self) -> Result<Vec<String>, RunError> {
        let datasets = Store::datasets(self).await.map_err(failed)?;
        Ok(datasets.into_iter().map(|dataset| dataset.name).collect())
    }
}

impl Store {
    /// Answers a query with another engine's help: it finds and counts over the same tables, whole events are read
    /// here. How long it may take is the engine's own business.
    ///
    /// # Errors
    /// Those of [`Runner::run`], and [`RunError::Unsayable`] where the engine cannot say what is asked.
    pub async fn run_elsewhere(&self, query: &Query, by: Arc<dyn Elsewhere>) -> Result<Answer, RunError> {
        let snapshots = self.named(query).await?;
        Box::pin(self.engine().answer_by(query, &snapshots, Some(by))).await
    }

    /// How many bytes the files have that a query may have to read, by its time alone: an upper bound, because other
    /// conditions leave files out, and columns that nobody asks for are not read.
    ///
    /// # Errors
    /// When a dataset is not there, or the store cannot be read.
    pub async fn estimated_bytes(&self, query: &Query) -> Result<u64, RunError> {
        let snapshots = self.named(query).await?;
        Ok(bytes_of(query, &snapshots))
    }

    /// The statements that a query's answer begins with in the SQL of an engine, which does not run them; which ones
    /// follow depends on what these find.
    ///
    /// # Errors
    /// When a dataset is not there, the store cannot be read, or the engine cannot say what is asked.
    pub async fn statements(&self, query: &Query, dialect: &dyn Dialect) -> Result<Vec<String>, RunError> {
        let snapshots = self.named(query).await?;
        let tables: Vec<Table> = snapshots.iter().map(table).collect();
        let range = query.heatmap.as_ref().map(|heatmap| query.heatmap_range(heatmap));
        let plan = Plan::new(range.as_ref().unwrap_or(query), &tables);
        plan.said_by(dialect)?;
        Ok(plan.first_statements(dialect))
    }

    /// The keys of each of these datasets (of all, if none is named), from their schemas alone.
    ///
    /// # Errors
    /// When a dataset is not there, or the store cannot be read.
    pub async fn keys(&self, datasets: &[String]) -> Result<Vec<(String, Vec<query::Field>)>, RunError> {
        let names =
            if datasets.is_empty() { vec![Query::ALL_DATASETS.to_owned()] } else { datasets.to_vec() };
        let now = query::Timeframe { from: model::Timestamp::EPOCH, to: model::Timestamp::EPOCH };
        let query = Query { datasets: names, ..Query::events("", now) };
        let snapshots = self.named(&query).await?;
        let keys = |snapshot: &Snapshot| {
            let fields = Plan::new(&query, &[table(snapshot)]).fields().to_vec();
            (snapshot.dataset.clone(), fields)
        };
        Ok(snapshots.iter().map(keys).collect())
    }

    /// The datasets that a query names, in its order, each at one version.
    async fn named(&self, query: &Query) -> Result<Vec<Snapshot>, RunError> {
        let mut snapshots = Vec::new();
        for name in self.names(query).await? {
            match self.opened(&name).await? {
                Some(snapshot) => snapshots.push(snapshot),
                // Gone between listing and opening: as if it had not been listed.
                None if names_all(query) => {}
                None => return Err(self.unknown(name).await?),
            }
        }
        Ok(snapshots)
    }

    /// The names of the datasets that a query is about, in its order.
    async fn names(&self, query: &Query) -> Result<Vec<String>, RunError> {
        if names_all(query) { Runner::datasets(self).await } else { Ok(query.datasets.clone()) }
    }

    /// A dataset; none if there is no such dataset, also where none can have that name.
    async fn opened(&self, name: &str) -> Result<Option<Snapshot>, RunError> {
        match self.snapshot(name).await {
            Err(StoreError::DatasetName(_)) => Ok(None),
            opened => opened.map_err(failed),
        }
    }

    /// What whoever named a dataset that is not there is told.
    async fn unknown(&self, name: String) -> Result<RunError, RunError> {
        Ok(RunError::UnknownDataset { name, known: Runner::datasets(self).await? })
    }
}

fn names_all(query: &Query) -> bool {
    query.datasets.iter().any(|name| name == Query::ALL_DATASETS)
}

/// The bytes of the files that a query's time leaves.
fn bytes_of(query: &Query, snapshots: &[Snapshot]) -> u64 {
    snapshots.iter().map(|snapshot| snapshot.scan.bytes_of(query.timeframe)).sum()
}

/// A dataset as the plan sees it.
fn table(snapshot: &Snapshot) -> Table<'_> {
    Table {
        dataset: &snapshot.dataset,
        columns: &snapshot.columns,
        overflow: snapshot.overflows.then_some(Snapshot::OVERFLOW),
    }
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> RunError {
    RunError::Failed(Box::new(error))
}

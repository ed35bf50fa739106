//! SQL as somebody else wrote it: one SELECT over datasets, read, bounded as our own statements are, and nothing else.
//! What it may be is decided on the parsed statement, before it is planned; the planner refuses what changes anything
//! once more.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as Parsed;
use query::{RunError, Statistics};
use serde_json::Value;

use super::cell::{figure_json, group_json};
use super::execute::{Execution, read_only};
use super::{QUERY_TIME_MAX, failed, session};
use crate::store::{Snapshot, Store};

/// Rows of an answer: it is held in memory and goes over HTTP in one piece.
const ROWS_MAX: u64 = 10_000;
/// Longer than any statement that a person writes.
const STATEMENT_BYTES_MAX: usize = 100_000;

/// What a statement answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SqlAnswer {
    /// The columns' names and the engine's types, in order.
    pub columns: Vec<(String, String)>,
    /// Rows, each with one value per column. Times are RFC 3339; what JSON has no word for is its text.
    pub rows: Vec<Vec<Value>>,
    /// What the answer cost.
    pub statistics: Statistics,
}

impl Store {
    /// Answers one read-only statement; tables are datasets by their names, columns are the store's own.
    ///
    /// # Errors
    /// [`RunError::Refused`] for what is no single SELECT or makes no sense, and whatever stops a query.
    pub async fn sql(&self, statement: &str) -> Result<SqlAnswer, RunError> {
        match tokio::time::timeout(QUERY_TIME_MAX, self.answer_sql(statement)).await {
            Ok(answer) => answer,
            Err(_) => Err(RunError::TookTooLong { limit: QUERY_TIME_MAX }),
        }
    }

    async fn answer_sql(&self, statement: &str) -> Result<SqlAnswer, RunError> {
        let started = std::time::Instant::now();
        let mut snapshots = Vec::new();
        for name in self.tables(statement)? {
            match self.snapshot(&name).await {
                Ok(Some(snapshot)) => snapshots.push(snapshot),
                _ => return Err(RunError::UnknownDataset { name, known: self.names().await? }),
            }
        }
        let context = session::context(&self.engine().runtime, &snapshots)?;
        // What cannot be planned is the statement's fault, not ours.
        let planned = context.sql_with_options(statement, read_only()).await;
        let plan = planned.map_err(|error| refused(&error))?;
        let fields = plan.schema().fields().iter();
        let columns = fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect();
        let mut execution = Execution::start(context, false);
        let batches = execution.run(statement, ROWS_MAX).await?;
        let mut answer = SqlAnswer { columns, ..SqlAnswer::default() };
        for batch in &batches {
            answer.rows.extend(rows(batch)?);
        }
        answer.statistics = execution.statistics(&snapshots);
        answer.statistics.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(answer)
    }

    async fn names(&self) -> Result<Vec<String>, RunError> {
        query::Runner::datasets(self).await
    }

    /// The datasets that an allowed statement reads.
    fn tables(&self, statement: &str) -> Result<Vec<String>, RunError> {
        if statement.len() > STATEMENT_BYTES_MAX {
            return Err(RunError::Refused {
                reason: format!("it has more than {STATEMENT_BYTES_MAX} bytes"),
            });
        }
        let none: &[Snapshot] = &[];
        let state = session::context(&self.engine().runtime, none)?.state();
        let dialect = state.config().options().sql_parser.dialect;
        let parsed = state.sql_to_statement(statement, &dialect).map_err(|error| refused(&error))?;
        if !is_select(&parsed) {
            return Err(RunError::Refused { reason: "only a SELECT is allowed".to_owned() });
        }
        let references = state.resolve_table_references(&parsed).map_err(|error| refused(&error))?;
        let name = |reference| match reference {
            TableReference::Bare { table } => Ok(table.to_string()),
            other => Err(RunError::Refused { reason: format!("{other} is no dataset") }),
        };
        references.into_iter().map(name).collect()
    }
}

fn is_select(statement: &Statement) -> bool {
    matches!(statement, Statement::Statement(parsed) if matches!(**parsed, Parsed::Query(_)))
}

fn refused(error: &DataFusionError) -> RunError {
    RunError::Refused { reason: error.find_root().strip_backtrace() }
}

fn rows(batch: &RecordBatch) -> Result<Vec<Vec<Value>>, RunError> {
    let columns: Vec<ArrayRef> =
        batch.columns().iter().map(|array| readable(array)).collect::<Result<_, _>>()?;
    Ok((0..batch.num_rows()).map(|row| columns.iter().map(|array| cell(array, row)).collect()).collect())
}

/// A column in one of the layouts that [`cell`] reads.
fn readable(array: &ArrayRef) -> Result<ArrayRef, RunError> {
    let layout = match array.data_type() {
        DataType::Boolean => DataType::Boolean,
        kind if kind.is_integer() && *kind != DataType::UInt64 => DataType::Int64,
        kind if kind.is_floating() => DataType::Float64,
        DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => DataType::Utf8,
    };
    cast(array, &layout).map_err(failed)
}

fn cell(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::from(array.as_boolean().value(row)),
        DataType::Utf8 => Value::from(array.as_string::<i32>().value(row)),
        DataType::Timestamp(_, _) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            group_json(&query::GroupValue::Time(micros))
        }
        _ => figure_json(array, row),
    }
}

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
/// About so many bytes of JSON an answer may have, for the same reason: 3 KB for each of the most rows. A Lambda
/// function hands out a fifth of it.
const ANSWER_BYTES_MAX: usize = 32 << 20;
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
        let answered = tokio::time::timeout(QUERY_TIME_MAX, self.answer_sql(statement)).await;
        self.engine().held().begin();
        answered.unwrap_or(Err(RunError::TookTooLong { limit: QUERY_TIME_MAX }))
    }

    async fn answer_sql(&self, statement: &str) -> Result<SqlAnswer, RunError> {
        let started = std::time::Instant::now();
        let mut snapshots = Vec::new();
        for name in self.tables(statement)? {
            match self.opened(&name).await? {
                Some(snapshot) => snapshots.push(snapshot),
                None => return Err(self.unknown(name).await?),
            }
        }
        let context = session::context(&self.engine().runtime, &snapshots)?;
        // What cannot be planned is the statement's fault, not ours.
        let planned = context.sql_with_options(statement, read_only()).await;
        let frame = planned.map_err(|error| refused(&error))?;
        let fields = frame.schema().fields().iter();
        let columns = fields.map(|field| (field.name().clone(), field.data_type().to_string())).collect();
        let plan = frame.create_physical_plan().await.map_err(|error| refused(&error))?;
        let (mut execution, mut rows) = (Execution::start(context, false), Rows::default());
        execution.each(statement, plan, ROWS_MAX, |batch| rows.take(&batch)).await?;
        let mut statistics = execution.statistics(&snapshots);
        statistics.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(SqlAnswer { columns, rows: rows.rows, statistics })
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

/// Rows as JSON, and about how many bytes that is.
#[derive(Default)]
struct Rows {
    rows: Vec<Vec<Value>>,
    bytes: usize,
}

impl Rows {
    fn take(&mut self, batch: &RecordBatch) -> Result<(), RunError> {
        let columns: Vec<ArrayRef> =
            batch.columns().iter().map(|array| readable(array)).collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let row: Vec<Value> = columns.iter().map(|array| cell(array, row)).collect();
            self.bytes += row.iter().map(json_bytes).sum::<usize>();
            if self.bytes > ANSWER_BYTES_MAX {
                return Err(RunError::TooManyBytes { limit_bytes: ANSWER_BYTES_MAX as u64 });
            }
            self.rows.push(row);
        }
        Ok(())
    }
}

/// What a cell takes in an answer, its escapes left out. Cells are texts, numbers and booleans.
fn json_bytes(cell: &Value) -> usize {
    /// Digits of a usual number and a comma.
    const PLAIN: usize = 8;
    cell.as_str().map_or(PLAIN, |text| text.len() + PLAIN)
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

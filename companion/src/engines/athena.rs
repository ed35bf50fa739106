//! Athena as an engine: a statement is started, looked at until it has ended, and its result read page by page. Whoever
//! no longer waits for it stops it.

mod client;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_athena::Client;
use aws_sdk_athena::operation::get_query_results::GetQueryResultsOutput;
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row,
};
use query::RunError;
use query::sql::{self, Dialect};
use store::{Elsewhere, Rows};
use tokio::runtime::Handle;

/// Bytes of the longest statement that Athena takes.
const STATEMENT_BYTES_MAX: usize = 262_144;
/// Between two looks at a statement: short at first, because small ones end within a second.
const LOOK_FIRST: Duration = Duration::from_millis(100);
const LOOK_LONGEST: Duration = Duration::from_secs(2);
/// Rows of a page, the most that Athena gives.
const PAGE_ROWS: i32 = 1_000;

/// Where Athena finds the tables: a Glue database that has one for each dataset, under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AthenaPlace {
    /// The Glue database.
    pub database: String,
    /// The workgroup, which bounds and pays.
    pub workgroup: String,
    /// Where results are put (`s3://bucket/prefix/`); none where the workgroup says it.
    pub output: Option<String>,
}

/// Runs statements through Athena's API.
#[derive(Debug, Clone)]
pub(crate) struct Athena {
    client: Client,
    place: AthenaPlace,
}

/// Why a statement has no result.
#[derive(Debug, thiserror::Error)]
enum AthenaError {
    #[error("Athena could not be asked to {doing}")]
    Call {
        doing: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("Athena's statement {id} failed: {reason}")]
    Failed { id: String, reason: String },
    #[error("Athena's statement {id} was stopped by somebody else")]
    Cancelled { id: String },
    #[error("Athena's answer has no {what}")]
    Incomplete { what: &'static str },
}

impl Athena {
    /// With the environment's region and credentials, and its `AWS_ENDPOINT_URL_ATHENA` if there is one.
    pub(crate) async fn at(place: AthenaPlace) -> Self {
        Self { client: Client::new(&client::settings().await), place }
    }

    async fn start(&self, sql: &str) -> Result<Started, RunError> {
        let context = QueryExecutionContext::builder().database(&self.place.database).build();
        let output = self.place.output.as_ref();
        let output = output.map(|output| ResultConfiguration::builder().output_location(output).build());
        let started = self
            .client
            .start_query_execution()
            .query_string(sql)
            .query_execution_context(context)
            .work_group(&self.place.workgroup)
            .set_result_configuration(output)
            .send()
            .await;
        let started = started.map_err(|source| call("start a statement", source))?;
        let id = started.query_execution_id.ok_or_else(|| missing("id of the statement"))?;
        Ok(Started { client: self.client.clone(), id, runs: true, threads: Handle::current() })
    }

    /// Waits until it has ended; the bytes that it read.
    async fn wait(&self, started: &mut Started) -> Result<u64, RunError> {
        let mut pause = LOOK_FIRST;
        loop {
            let looked = self.client.get_query_execution().query_execution_id(&started.id).send().await;
            let looked = looked.map_err(|source| call("look at a statement", source))?;
            let execution = looked.query_execution.ok_or_else(|| missing("statement"))?;
            if let Some(ended) = ended(&execution, &started.id) {
                started.runs = false;
                return ended;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LOOK_LONGEST);
        }
    }

    async fn result(&self, id: &str, rows_max: u64) -> Result<Rows, RunError> {
        let (mut rows, mut next, mut is_first) = (Rows::default(), None, true);
        while is_first || next.is_some() {
            let request = self.client.get_query_results().query_execution_id(id).max_results(PAGE_ROWS);
            let page = request.set_next_token(next.take()).send().await;
            let page = page.map_err(|source| call("read a result", source))?;
            add(&page, is_first, &mut rows)?;
            if rows.rows.len() as u64 > rows_max {
                return Err(RunError::TooManyRows { limit: rows_max });
            }
            (next, is_first) = (page.next_token, false);
        }
        Ok(rows)
    }
}

#[async_trait]
impl Elsewhere for Athena {
    fn dialect(&self) -> &dyn Dialect {
        &sql::Athena
    }

    async fn run(&self, sql: &str, rows_max: u64) -> Result<Rows, RunError> {
        if sql.len() > STATEMENT_BYTES_MAX {
            let reason = format!(
                "the query is {} bytes long in Athena's SQL, and Athena takes {STATEMENT_BYTES_MAX}; a search of every \
                 key of a wide dataset is so long: name the keys in WHERE",
                sql.len()
            );
            return Err(RunError::NotByThatEngine { reason });
        }
        let mut started = self.start(sql).await?;
        let bytes_read = self.wait(&mut started).await?;
        Ok(Rows { bytes_read, ..self.result(&started.id, rows_max).await? })
    }
}

/// A statement that runs; stopped when nobody waits for it any more.
struct Started {
    client: Client,
    id: String,
    runs: bool,
    threads: Handle,
}

impl Drop for Started {
    fn drop(&mut self) {
        if self.runs {
            let stop = self.client.stop_query_execution().query_execution_id(&self.id);
            let id = self.id.clone();
            self.threads.spawn(async move {
                if let Err(error) = stop.send().await {
                    tracing::warn!(statement = id, %error, "a statement that nobody waits for goes on in Athena");
                }
            });
        }
    }
}

/// How it ended; none if it has not.
fn ended(execution: &QueryExecution, id: &str) -> Option<Result<u64, RunError>> {
    let status = execution.status.as_ref();
    let told = || status.and_then(|status| status.state_change_reason.clone());
    match status.and_then(|status| status.state.as_ref())? {
        QueryExecutionState::Succeeded => {
            let scanned = execution.statistics.as_ref().and_then(|of| of.data_scanned_in_bytes);
            Some(Ok(scanned.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0)))
        }
        QueryExecutionState::Failed => {
            let reason = told().unwrap_or_else(|| "it does not say why".to_owned());
            Some(Err(failed(AthenaError::Failed { id: id.to_owned(), reason })))
        }
        QueryExecutionState::Cancelled => Some(Err(failed(AthenaError::Cancelled { id: id.to_owned() }))),
        _ => None,
    }
}

/// A page of a result; the first one begins with the names of the columns as a row.
fn add(page: &GetQueryResultsOutput, is_first: bool, rows: &mut Rows) -> Result<(), RunError> {
    let result = page.result_set.as_ref().ok_or_else(|| missing("result"))?;
    let columns = result.result_set_metadata.as_ref().and_then(|of| of.column_info.as_deref());
    let columns = columns.ok_or_else(|| missing("columns"))?;
    if is_first {
        rows.columns = columns.iter().map(|column| column.name.clone()).collect();
    }
    let is_time: Vec<bool> = columns.iter().map(|column| column.r#type.starts_with("timestamp")).collect();
    let cells = |row: &Row| {
        let values = row.data().iter().map(|value| value.var_char_value.clone());
        // Times of Delta tables are of UTC, and say so.
        let plain = |(value, is_time): (Option<String>, &bool)| {
            value.map(|text| if *is_time { text.trim_end_matches(" UTC").to_owned() } else { text })
        };
        values.zip(&is_time).map(plain).collect()
    };
    rows.rows.extend(result.rows().iter().skip(usize::from(is_first)).map(cells));
    Ok(())
}

fn call(doing: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> RunError {
    failed(AthenaError::Call { doing, source: Box::new(source) })
}

fn missing(what: &'static str) -> RunError {
    failed(AthenaError::Incomplete { what })
}

fn failed(error: AthenaError) -> RunError {
    RunError::Failed(Box::new(error))
}

#[cfg(test)]
mod tests;

//! ClickHouse beside us (`clickhouse.py`), reading the same Delta tables.

use std::path::Path;

use async_trait::async_trait;
use query::RunError;
use query::sql::{self, Dialect};
use store::{Elsewhere, Rows};

use crate::peer::Peer;

/// The oracle.
#[derive(Debug)]
pub(crate) struct ClickHouse(Peer);

impl ClickHouse {
    /// Over the tables in a folder, as they are now.
    pub(crate) fn over(datasets: &Path) -> Self {
        Self(Peer::start("PARTS_ENGINES", "clickhouse.py", datasets))
    }
}

#[async_trait]
impl Elsewhere for ClickHouse {
    fn dialect(&self) -> &dyn Dialect {
        &sql::ClickHouse
    }

    async fn run(&self, sql: &str, rows_max: u64) -> Result<Rows, RunError> {
        let rows = self.0.ask(sql).map_err(|error| RunError::Failed(error.into()))?;
        if rows.rows.len() as u64 > rows_max {
            return Err(RunError::TooManyRows { limit: rows_max });
        }
        Ok(rows)
    }
}

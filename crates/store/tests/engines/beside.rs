//! Engines beside us that answer whole questions over the same tables, each in a process of its own.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use query::RunError;
use query::sql::{Athena, ClickHouse, Dialect};
use store::{Elsewhere, Rows};

use crate::peer::Peer;

/// A program that runs the statements of a dialect.
#[derive(Debug)]
pub(crate) struct Beside {
    peer: Peer,
    dialect: &'static dyn Dialect,
}

impl Beside {
    /// ClickHouse over the tables in a folder, as they are now.
    pub(crate) fn clickhouse(datasets: &Path) -> Arc<dyn Elsewhere> {
        let peer = Peer::start("PARTS_ENGINES", "clickhouse.py", datasets);
        Arc::new(Self { peer, dialect: &ClickHouse })
    }

    /// DuckDB, which is told in its own words what Athena would be told. It is not Athena.
    pub(crate) fn athena_on_duckdb(datasets: &Path) -> Arc<dyn Elsewhere> {
        let peer = Peer::start("PARTS_ATHENA", "athena_on_duckdb.py", datasets);
        Arc::new(Self { peer, dialect: &Athena })
    }
}

#[async_trait]
impl Elsewhere for Beside {
    fn dialect(&self) -> &dyn Dialect {
        self.dialect
    }

    async fn run(&self, sql: &str, rows_max: u64) -> Result<Rows, RunError> {
        let rows = self.peer.ask(sql).map_err(|error| RunError::Failed(error.into()))?;
        if rows.rows.len() as u64 > rows_max {
            return Err(RunError::TooManyRows { limit: rows_max });
        }
        Ok(rows)
    }
}

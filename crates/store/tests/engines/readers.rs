//! Programs that read the tables' files without us: what they count is what we count, after the schema grew, after a
//! compaction, and after a vacuum.

use serde_json::Value;
use store::Rows;

use crate::peer::Peer;
use crate::tables::Tables;

/// In words that our engine, DuckDB and Spark have in common: counts, a group, a key of several types, whole numbers,
/// texts and days.
const STATEMENTS: [&str; 6] = [
    "SELECT COUNT(*) AS n FROM logs",
    "SELECT namespace, COUNT(*) AS n FROM logs GROUP BY namespace ORDER BY namespace",
    "SELECT COUNT(k_a) AS texts, COUNT(k_a__i) AS whole, SUM(k_a__i) AS sum, MAX(k_a__f) AS most, COUNT(k_a__b) AS flags \
     FROM logs",
    "SELECT k_c__dd, COUNT(*) AS n FROM logs WHERE k_c__dd IS NOT NULL GROUP BY k_c__dd ORDER BY k_c__dd",
    "SELECT CAST(date AS VARCHAR(10)) AS day, COUNT(*) AS n FROM logs GROUP BY date ORDER BY date",
    "SELECT k_k, k_k__i, k_k__f, k_k__b, k_k__j FROM types ORDER BY id",
];

async fn counts_what_we_count(tables: &Tables, reader: &Peer) {
    for sql in STATEMENTS {
        let ours = tables.store.sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let theirs = reader.ask(sql).unwrap();
        let ours: Vec<Vec<Option<String>>> =
            ours.rows.iter().map(|row| row.iter().map(text).collect()).collect();
        let theirs: Vec<Vec<Option<String>>> = numbered(theirs);
        assert_eq!(ours, theirs, "{sql}");
        assert!(!ours.is_empty(), "{sql}");
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

/// Whole floats are written without their fraction by us.
fn numbered(rows: Rows) -> Vec<Vec<Option<String>>> {
    let cell = |value: String| value.strip_suffix(".0").map(str::to_owned).unwrap_or(value);
    rows.rows.into_iter().map(|row| row.into_iter().map(|value| value.map(cell)).collect()).collect()
}

async fn reads_them_all(part: &str, script: &str) {
    let tables = Tables::write().await;
    counts_what_we_count(&tables, &Peer::start(part, script, &tables.datasets())).await;
    tables.vacuum().await;
    counts_what_we_count(&tables, &Peer::start(part, script, &tables.datasets())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_reads_the_tables() {
    reads_them_all("PARTS_ENGINES", "duckdb_reader.py").await;
}

/// Starting Spark twice takes its time: `make test-engines` runs it.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "half a minute, and needs Java: make test-engines"]
async fn spark_reads_the_tables() {
    reads_them_all("PARTS_SPARK", "spark_reader.py").await;
}

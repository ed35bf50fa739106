//! Athena's statements for every question of the suite, and those of the language's golden files, are read by a parser
//! of its SQL that we did not write. (Athena itself is in AWS only.)

use std::path::Path;

use query::sql::Athena;

use crate::peer::Peer;
use crate::questions;
use crate::tables::Tables;

/// Bytes of the longest statement that Athena takes.
const STATEMENT_BYTES_MAX: usize = 262_144;

#[tokio::test(flavor = "multi_thread")]
async fn a_parser_of_its_sql_reads_what_the_suite_asks() {
    let tables = Tables::write().await;
    let parser = Peer::start("PARTS_ATHENA", "athena.py", &tables.datasets());
    let mut read = 0;
    for query in questions::written().into_iter().chain(questions::drawn()) {
        for sql in tables.store.statements(&query, &Athena).await.unwrap() {
            parser.ask(&sql).unwrap_or_else(|fault| panic!("{query}: {fault}"));
            assert!(sql.len() < STATEMENT_BYTES_MAX, "{query}");
            read += 1;
        }
    }
    println!("{read} statements for Athena were read");
}

#[test]
fn a_parser_of_its_sql_reads_the_golden_statements() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../query/tests/language/snapshots");
    let parser = Peer::start("PARTS_ATHENA", "athena.py", &golden);
    let files = std::fs::read_dir(&golden).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> =
        files.filter(|path| path.to_str().is_some_and(|path| path.contains("athena"))).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // What stands indented is SQL: whole statements, or what stands behind WHERE.
        for sql in
            text.lines().filter_map(|line| line.strip_prefix("    ")).filter(|sql| *sql != "every event")
        {
            let whole = if sql.starts_with("SELECT") {
                sql.to_owned()
            } else {
                format!("SELECT id FROM d WHERE {sql}")
            };
            parser.ask(&whole).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()));
        }
    }
}

#[test]
fn the_parser_finds_faults() {
    let parser = Peer::start("PARTS_ATHENA", "athena.py", Path::new("."));
    assert!(parser.ask("SELECT id FROM d WHERE strpos(id, 'x') > 0").is_ok());
    for wrong in [
        "SELECT FROM WHERE",
        "SELECT id FROM d WHERE (id = 'x'",
        "SELECT percentile_of(id) FROM d",
        "DROP TABLE d",
    ] {
        assert!(parser.ask(wrong).is_err(), "{wrong}");
    }
}

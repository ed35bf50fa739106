//! The same statements for other engines: each operation on each type, figures, events, wholes, and what an engine
//! cannot say.

use query::sql::{Athena, ClickHouse, Construct, DataFusion, Dialect};
use query::{Plan, Table};

use crate::statements::{columns, operations, statements, wholes};
use crate::text;

#[test]
fn athena_is_asked_for_every_operation() {
    insta::assert_snapshot!(operations(&Athena));
}

#[test]
fn athena_is_asked_in_whole_statements() {
    insta::assert_snapshot!(statements(&Athena));
}

#[test]
fn athena_is_asked_for_wholes() {
    insta::assert_snapshot!(wholes(&Athena));
}

#[test]
fn clickhouse_is_asked_for_every_operation() {
    insta::assert_snapshot!(operations(&ClickHouse));
}

#[test]
fn clickhouse_is_asked_in_whole_statements() {
    insta::assert_snapshot!(statements(&ClickHouse));
}

/// Keys in one JSON text, arithmetic with every function, samples.
#[test]
fn athena_is_asked_for_what_is_seldom() {
    let sampled = columns().into_iter().take(2).chain([crate::statements::column(
        "$limelight.samplingInterval",
        query::ColumnKind::Float,
        "k_sampling__f",
    )]);
    let columns: Vec<_> = sampled.collect();
    let asked = [
        "FROM d WHERE a.b = 5 AND c EXISTS AND NOT d.e.f INCLUDES x",
        "COUNT, AVG(int), P99(int), MEDIAN(int) IF (text = x) FROM d GROUP BY a EVERY NONE",
        "SUM(int) as s, round(s) as a, abs(s) ^ 2 as b, sqrt(s) % 3 as c, ln(s) + log10(s) as d, \
         floor(s) - ceil(s) as e, sin(s) * cos(s) / tan(s) as f, asin(s) + acos(s) + atan(s) as g FROM d EVERY NONE",
    ];
    let said = |written: &str| {
        let query = text(written);
        let table = Table { dataset: "d", columns: &columns, overflow: Some("attributes") };
        let plan = Plan::new(&query, &[table]);
        format!("{written}\n    {}", plan.first_statements(&Athena).join("\n    "))
    };
    insta::assert_snapshot!(asked.map(said).join("\n"));
}

#[test]
fn what_an_engine_cannot_say_is_named_and_what_differs_is_told() {
    let columns = columns();
    let said = |written: &str, dialect: &dyn Dialect| {
        let query = text(written);
        let table = Table { dataset: "d", columns: &columns, overflow: None };
        Plan::new(&query, &[table]).said_by(dialect)
    };
    let patterns = "COUNT FROM d GROUP BY $limelight.pattern";
    assert_eq!(said(patterns, &DataFusion), Ok(Vec::new()));
    let unsayable = said(patterns, &Athena).unwrap_err();
    assert_eq!(unsayable.constructs, [Construct::MessagePattern]);
    assert!(unsayable.to_string().starts_with("Athena cannot say message patterns"), "{unsayable}");
    let told = said("P99(int) IF (text MATCH_REGEX /\\bx/) FROM d WHERE float INCLUDES 5", &Athena).unwrap();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().all(|note| note.starts_with("answered by Athena: ")), "{told:?}");
    assert_eq!(said("COUNT FROM d WHERE int = 5 GROUP BY text", &Athena), Ok(Vec::new()));
    assert!(said("FROM d WHERE text MATCH_REGEX /(?mR)x$/", &ClickHouse).is_err());
}

//! The SQL of queries over a small dataset whose keys have every type, alone and together.

use std::fmt::Write as _;

use model::Path;
use query::plan::Members;
use query::sql::{DataFusion, Dialect};
use query::{Column, ColumnKind, GroupValue, Plan, Table};

use crate::text;

pub(crate) fn column(path: &str, kind: ColumnKind, physical: &str) -> Column {
    let segments = path.split('/').map(str::to_owned).collect();
    Column { path: Path::from_segments(segments).unwrap(), kind, physical: physical.to_owned() }
}

pub(crate) fn columns() -> Vec<Column> {
    vec![
        column("text", ColumnKind::Text, "k_text"),
        column("int", ColumnKind::Int, "k_int__i"),
        column("float", ColumnKind::Float, "k_float__f"),
        column("bool", ColumnKind::Bool, "k_bool__b"),
        column("list", ColumnKind::Json, "k_list__j"),
        column("mixed", ColumnKind::Text, "k_mixed"),
        column("mixed", ColumnKind::Int, "k_mixed__i"),
        column("mixed", ColumnKind::Bool, "k_mixed__b"),
        column("data/user/id", ColumnKind::Text, "k_data__duser__did"),
        column("data.user/id", ColumnKind::Int, "k_data__puser__did__i"),
        column("message", ColumnKind::Json, "k_message__j"),
    ]
}

/// What stands behind the timeframe in a statement's condition.
fn condition(filter: &str, dialect: &dyn Dialect) -> String {
    let query = text(&format!("FROM d WHERE {filter}"));
    let columns = columns();
    let plan = Plan::new(&query, &[Table { dataset: "d", columns: &columns, overflow: None }]);
    let sql = plan.first_events(dialect, 0, &[]).unwrap();
    let (_, rest) = sql.split_once("\"timestamp\" < ").unwrap();
    let until = dialect.time(query.timeframe.to.as_micros());
    let (_, rest) = rest.split_once(&format!("{until} AND ")).unwrap_or((rest, "every event ORDER"));
    rest.split_once(" ORDER").unwrap().0.to_owned()
}

#[test]
fn every_operation_on_every_type_and_on_a_missing_key() {
    insta::assert_snapshot!(operations(&DataFusion));
}

/// The condition of each operation on each key.
pub(crate) fn operations(dialect: &dyn Dialect) -> String {
    let tests = [
        "= x",
        "= 5",
        "= 2.5",
        "= true",
        "= \"5\"",
        "!= x",
        "!= 5",
        "> 5",
        ">= 2.5",
        "< 2.5",
        "<= 5",
        "> \"b\"",
        "> 1e300",
        "< 1e300",
        "INCLUDES x",
        "DOES_NOT_INCLUDE x",
        "STARTS_WITH x",
        "LIKE x%",
        "NOT_LIKE x%",
        "MATCH_REGEX /x+/",
        "EXISTS",
        "DOES_NOT_EXIST",
        "IN (x, 5, true)",
        "NOT_IN (x, 5)",
    ];
    let keys = [
        "text",
        "int",
        "float",
        "bool",
        "list",
        "mixed",
        "data.user.id",
        "data",
        "message",
        "$limelight.namespace",
        "$limelight.duration",
        "$limelight.timestamp",
        "$limelight.dataset",
        "missing",
        "$limelight.missing",
    ];
    let mut golden = String::new();
    for key in keys {
        for test in tests {
            let filter = format!("{key} {test}");
            writeln!(golden, "{filter}\n    {}", condition(&filter, dialect)).unwrap();
        }
    }
    golden
}

/// What the extension writes on sampled events stands beside the envelope, in a column of its own.
#[test]
fn a_reserved_name_outside_the_envelope_is_a_key_of_some_events() {
    let columns = [column("$limelight.samplingInterval", ColumnKind::Float, "k_sampling__f")];
    for name in ["$limelight.samplingInterval", "$baselime.samplingInterval"] {
        let query = text(&format!("SUM({name}) FROM d WHERE {name} > 1"));
        let plan = Plan::new(&query, &[Table { dataset: "d", columns: &columns, overflow: None }]);
        let sql = plan.aggregates(&DataFusion, Members::All);
        assert!(sql.contains("\"k_sampling__f\" > 1"), "{sql}");
        assert!(sql.contains("SUM(v0 * w) AS c0"), "{sql}");
        assert!(sql.contains("COALESCE(\"k_sampling__f\", 1.0) AS w"), "{sql}");
        assert!(plan.notes().is_empty(), "{:?}", plan.notes());
    }
}

#[test]
fn whole_statements() {
    insta::assert_snapshot!(statements(&DataFusion));
}

/// The statements of figures and events.
pub(crate) fn statements(dialect: &dyn Dialect) -> String {
    let columns = columns();
    let queries = [
        "COUNT FROM d EVERY NONE",
        "COUNT as n, COUNT_DISTINCT(text), SUM(int), AVG(int), MIN(float), MAX(mixed), MEDIAN(float), STDDEV(float), \
         VARIANCE(float), P001(float), P999(float) FROM d WHERE text = x GROUP BY text, mixed ORDER BY n ASC LIMIT 3 \
         EVERY 5m",
        "COUNT, SUM(missing), COUNT_DISTINCT(mixed) FROM d, e GROUP BY int, missing, $limelight.timestamp",
        "COUNT IF (text = x) as errors, COUNT as total, errors / total * 100 as rate FROM d DERIVE half = int / 2 \
         WHERE half > 1 GROUP BY text HAVING rate > 5 AND MAX(half) ^ 2 != total ORDER BY rate EVERY 5m",
        "COUNT FROM d GROUP BY text LIMIT 2 OTHERS EVERY 1d COMPARE 7d TIMEZONE Europe/Berlin LAST 60d",
        "COUNT FROM d GROUP BY $limelight.pattern EVERY 1h TIMEZONE Asia/Kolkata",
        "FROM d SEARCH needle",
        "FROM d SEARCH 42 MATCH CASE",
        "FROM d SEARCH /a\\\\b/",
        "FROM d, e WHERE bool = true ORDER BY $limelight.timestamp ASC LIMIT 5 LAST 2d",
    ];
    let mut golden = String::new();
    for written in queries {
        let query = text(written);
        let tables = [
            Table { dataset: "d", columns: &columns, overflow: None },
            Table { dataset: "e", columns: &columns[..2], overflow: None },
        ];
        let plan = Plan::new(&query, &tables[..query.datasets.len()]);
        writeln!(golden, "{written}").unwrap();
        if query.calculations.is_empty() {
            for table in 0..query.datasets.len() {
                writeln!(golden, "    {}", plan.first_events(dialect, table, &[]).unwrap()).unwrap();
            }
        } else {
            writeln!(golden, "    {}", plan.aggregates(dialect, Members::All)).unwrap();
            let kept: Vec<Vec<GroupValue>> = [GroupValue::Text("it's".to_owned()), GroupValue::Missing]
                .map(|value| vec![value; plan.groups().len()])
                .to_vec();
            if let Some(series) = plan.series(dialect, Members::These(&kept), 100) {
                writeln!(golden, "    {series}").unwrap();
            }
            if let Some(earlier) = plan.earlier() {
                let others = earlier.series(dialect, Members::Others(&kept), 100).unwrap();
                writeln!(golden, "    {others}").unwrap();
            }
        }
    }
    golden
}

#[test]
fn statements_of_wholes() {
    insta::assert_snapshot!(wholes(&DataFusion));
}

/// The statements of requests, invocations and traces.
pub(crate) fn wholes(dialect: &dyn Dialect) -> String {
    let columns = [
        column("@type", ColumnKind::Text, "k_type"),
        column("@billedDuration", ColumnKind::Int, "k_billed__i"),
    ];
    let spans = [
        column("aws.lambda.status", ColumnKind::Text, "k_status"),
        column("faas.coldstart", ColumnKind::Bool, "k_cold__b"),
    ];
    let mut golden = String::new();
    for written in [
        "VIEW requests FROM d, e",
        "VIEW invocations FROM e SEARCH x HAVING billedDuration / duration > 2 ORDER BY billedDuration ASC LIMIT 3",
        "VIEW traces FROM d, e WHERE @type EXISTS",
    ] {
        let query = text(written);
        let tables = [("d", &columns[..]), ("e", &spans[..])].map(|(dataset, columns)| Table {
            dataset,
            columns,
            overflow: None,
        });
        let tables: Vec<Table> = tables
            .into_iter()
            .filter(|table| query.datasets.iter().any(|name| name == table.dataset))
            .collect();
        let plan = Plan::new(&query, &tables);
        let ids = ["it's".to_owned()];
        let statements =
            [plan.wholes(dialect), plan.whole_members(dialect, &ids), plan.whole_heads(dialect, &ids, 9)];
        writeln!(golden, "{written}").unwrap();
        statements.into_iter().flatten().for_each(|sql| writeln!(golden, "    {sql}").unwrap());
    }
    golden
}

#[test]
fn whoever_reads_the_answer_is_told_what_cannot_match() {
    let columns = columns();
    let notes = |written: &str| {
        let query = text(written);
        Plan::new(&query, &[Table { dataset: "d", columns: &columns, overflow: None }]).notes().join("\n")
    };
    insta::assert_snapshot!(
        [
            notes("FROM d WHERE txet = 1"),
            notes("FROM d WHERE @int = 1"),
            notes("FROM d WHERE id = 1"),
            notes("FROM d WHERE namespace = x"),
            notes("FROM d WHERE $limelight.namespce = x"),
            notes("FROM d WHERE nothing.like.it = x"),
            notes("FROM d WHERE int = 1.0"),
            notes("AVG(text), AVG(bool), COUNT_DISTINCT(text) FROM d"),
        ]
        .join("\n")
    );
    assert_eq!(
        notes("COUNT FROM d WHERE data EXISTS AND message INCLUDES x GROUP BY $baselime.baselimeId"),
        ""
    );
}

#[test]
fn keys_without_a_column_are_looked_up_in_the_overflow() {
    let columns = columns();
    let query = text("FROM d WHERE int = 5 AND data EXISTS SEARCH x");
    let table = Table { dataset: "d", columns: &columns[1..2], overflow: Some("rest") };
    let sql = Plan::new(&query, &[table]).first_events(&DataFusion, 0, &[]).unwrap();
    assert!(sql.contains(
        "(\"k_int__i\" = 5 OR overflow_text(\"rest\", 'int') = '5' OR overflow_int(\"rest\", 'int') = 5 \
         OR overflow_float(\"rest\", 'int') = 5.0 OR overflow_json(\"rest\", 'int') = '5')"
    ));
    assert!(sql.contains("overflow_any(\"rest\", 'data') IS NOT NULL"));
    assert!(sql.contains("\"rest\" ~ '(?i)x'"));
}

#[test]
fn long_rows_are_balanced() {
    let many: Vec<Column> =
        (0..1_000).map(|n| column(&format!("key{n}"), ColumnKind::Text, &format!("k_{n}"))).collect();
    let query = text("FROM d SEARCH x");
    let sql = Plan::new(&query, &[Table { dataset: "d", columns: &many, overflow: None }])
        .first_events(&DataFusion, 0, &[])
        .unwrap();
    let mut depth = 0_i32;
    let deepest = sql.chars().fold(0, |deepest, c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        deepest.max(depth)
    });
    assert!(deepest < 16, "{deepest}");
}

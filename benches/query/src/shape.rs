//! What is asked: thirteen shapes of question, each in our language and in SQL over the same columns (their names:
//! docs/adr/0002). Equivalent down to the order of rows that a limit depends on; the answers are compared.

use crate::rows::Part;

/// Hours of the day that is asked about.
const DAY: (&str, &str) = ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");
const HOUR: (&str, &str) = ("2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z");

/// How an engine says what engines say differently.
#[derive(Debug)]
pub(crate) struct Sql {
    /// A time of the type of the time columns.
    time: fn(&str) -> String,
    /// The exact 95th percentile with linear interpolation, as ours.
    p95: fn(&str) -> String,
    /// Milliseconds at which a bucket of so many of them begins.
    bucket: fn(u32) -> String,
    /// Whether a text is found in a column.
    contains: fn(&str, &str) -> String,
    /// Whether a regular expression is.
    matches: fn(&str, &str) -> String,
}

/// DuckDB's.
pub(crate) const DUCKDB: Sql = Sql {
    time: |time| format!("TIMESTAMPTZ '{time}'"),
    p95: |value| format!("quantile_cont({value}, 0.95)"),
    // Its milliseconds are rounded, and an event at the end of a bucket would be in the next one.
    bucket: |width| format!("epoch_us(\"timestamp\") // ({width} * 1000) * {width}"),
    contains: |text, part| format!("contains({text}, '{part}')"),
    matches: |text, pattern| format!("regexp_matches({text}, '{pattern}')"),
};

/// ClickHouse's.
pub(crate) const CLICKHOUSE: Sql = Sql {
    time: |time| format!("toDateTime64('{}', 6, 'UTC')", time.replace('T', " ").replace('Z', "")),
    p95: |value| format!("quantileExactInclusive(0.95)({value})"),
    bucket: |width| format!("intDiv(toUnixTimestamp64Milli(assumeNotNull(timestamp)), {width}) * {width}"),
    contains: |text, part| format!("{text} LIKE '%{part}%'"),
    matches: |text, pattern| format!("match({text}, '{pattern}')"),
};

/// A question in an engine's SQL: its statements.
type Statements = Box<dyn Fn(&Sql) -> Vec<String>>;

/// One question.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) orl: String,
    pub(crate) part: Part,
    sql: Statements,
}

impl Shape {
    pub(crate) fn statements(&self, sql: &Sql) -> Vec<String> {
        (self.sql)(sql)
    }

    /// Of the whole day; `orl` and `sql` without the time.
    fn new(name: &'static str, part: Part, orl: &str, sql: impl Fn(&Sql, &str) -> String + 'static) -> Self {
        Self::within(DAY, name, part, orl, move |dialect, time| vec![sql(dialect, time)])
    }

    fn within(
        (from, to): (&'static str, &'static str),
        name: &'static str,
        part: Part,
        orl: &str,
        sql: impl Fn(&Sql, &str) -> Vec<String> + 'static,
    ) -> Self {
        let orl = format!("{orl} BETWEEN {from} AND {to}");
        let sql = move |dialect: &Sql| {
            let [from, to] = [from, to].map(|time| (dialect.time)(time));
            sql(dialect, &format!("\"timestamp\" >= {from} AND \"timestamp\" < {to}"))
        };
        Self { name, orl, part, sql: Box::new(sql) }
    }
}

/// What is looked for that is there.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) request_id: String,
    pub(crate) trace_id: String,
    pub(crate) namespace: String,
}

/// All thirteen.
pub(crate) fn all(wanted: &Wanted) -> Vec<Shape> {
    figures().into_iter().chain(series()).chain(events(wanted)).collect()
}

fn figures() -> Vec<Shape> {
    let new = |name, orl, sql: fn(&Sql, &str) -> String| Shape::new(name, Part::Aggregates, orl, sql);
    vec![
        Shape::within(HOUR, "count in an hour", Part::Aggregates, "COUNT as n EVERY NONE", |_, time| {
            vec![format!("SELECT count(*) AS n FROM logs WHERE {time}")]
        }),
        new(
            "p95 by namespace",
            "P95(@duration) as p95 WHERE @type = REPORT GROUP BY $limelight.namespace LIMIT 100 EVERY NONE",
            |sql, time| {
                let p95 = (sql.p95)("k___aduration__f");
                format!(
                    "SELECT namespace, {p95} AS p95 FROM logs WHERE {time} AND k___atype = 'REPORT' GROUP BY namespace"
                )
            },
        ),
        new(
            "substring",
            r#"COUNT as n WHERE message INCLUDES "provider timed out" EVERY NONE"#,
            |sql, time| {
                let found = (sql.contains)("message", "provider timed out");
                format!("SELECT count(*) AS n FROM logs WHERE {time} AND {found}")
            },
        ),
        new(
            "regex",
            r"COUNT as n WHERE message MATCH_REGEX /order o-\d+7 was charged/ EVERY NONE",
            |sql, time| {
                let found = (sql.matches)("message", "order o-[0-9]+7 was charged");
                format!("SELECT count(*) AS n FROM logs WHERE {time} AND {found}")
            },
        ),
        new(
            "top 10 of 200,000 users",
            "COUNT as n GROUP BY user.id LIMIT 10 EVERY NONE WHERE user.id EXISTS",
            |_, time| {
                format!(
                    "SELECT k_user__did, count(*) AS n FROM logs WHERE {time} AND k_user__did IS NOT NULL \
                 GROUP BY k_user__did ORDER BY n DESC, k_user__did LIMIT 10"
                )
            },
        ),
        new("distinct users", "COUNT_DISTINCT(user.id) as n EVERY NONE", |_, time| {
            format!("SELECT count(DISTINCT k_user__did) AS n FROM logs WHERE {time}")
        }),
        new(
            "nested key by namespace",
            "COUNT as n WHERE http.status >= 500 GROUP BY $limelight.namespace LIMIT 100 EVERY NONE",
            |_, time| {
                format!(
                    "SELECT namespace, count(*) AS n FROM logs WHERE {time} AND k_http__dstatus__i >= 500 \
                     GROUP BY namespace"
                )
            },
        ),
    ]
}

fn series() -> Vec<Shape> {
    vec![
        Shape::new("5-minute buckets", Part::Series, "COUNT as n EVERY 5m", |sql, time| {
            format!("SELECT {} AS b, count(*) AS n FROM logs WHERE {time} GROUP BY b", (sql.bucket)(300_000))
        }),
        Shape::new(
            "p95 and count of errors per service and minute",
            Part::Series,
            "COUNT as n, P95($limelight.duration) as p95 WHERE $limelight.level = error \
             GROUP BY $limelight.service LIMIT 100 EVERY 1m",
            |sql, time| {
                format!(
                    "SELECT {} AS b, service, count(*) AS n, {} AS p95 FROM logs WHERE {time} AND level = 'error' \
                     GROUP BY b, service",
                    (sql.bucket)(60_000),
                    (sql.p95)("duration_ms")
                )
            },
        ),
    ]
}

fn events(wanted: &Wanted) -> Vec<Shape> {
    let by_id = |name, column: &'static str, key: &str, id: &str, tables: &'static [&'static str]| {
        let from = if tables.len() > 1 { "FROM lambda-logs, otel " } else { "" };
        let orl = format!("{from}WHERE {key} = \"{id}\" LIMIT 1000");
        let id = id.to_owned();
        Shape::within(DAY, name, Part::Events, &orl, move |_, time| {
            let of = |table: &&str| {
                format!(
                    "SELECT * FROM {table} WHERE {time} AND {column} = '{id}' ORDER BY \"timestamp\" DESC, id DESC LIMIT 1000"
                )
            };
            tables.iter().map(of).collect()
        })
    };
    let absent = "00000000-0000-4000-8000-000000000000";
    let (request, namespace) = ("$limelight.requestId", wanted.namespace.clone());
    vec![
        by_id("request id, present", "request_id", request, &wanted.request_id, &["logs"]),
        by_id("request id, absent", "request_id", request, absent, &["logs"]),
        by_id("trace by id", "trace_id", "$limelight.traceId", &wanted.trace_id, &["logs", "otel"]),
        Shape::new(
            "latest 100 of a namespace",
            Part::Events,
            &format!("WHERE $limelight.namespace = {namespace} LIMIT 100"),
            move |_, time| {
                format!(
                    "SELECT * FROM logs WHERE {time} AND namespace = '{namespace}' \
                     ORDER BY \"timestamp\" DESC, id DESC LIMIT 100"
                )
            },
        ),
    ]
}

/// Any value of the event against every text column. Not one of the thirteen: it has a target of its own.
pub(crate) fn needle() -> Shape {
    let orl = r#"COUNT as n SEARCH "provider timed out" MATCH CASE EVERY NONE"#;
    Shape::new("needle over the whole event", Part::Aggregates, orl, |_, time| {
        format!("SELECT count(*) AS n FROM logs WHERE {time} AND ANY_TEXT(logs, 'provider timed out')")
    })
}

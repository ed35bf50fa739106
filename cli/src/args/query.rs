//! The arguments of the commands that ask.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Format, PlaceArgs, TimeArgs};

/// `limelight query`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "EXAMPLES
  limelight query 'COUNT as n, P99(@duration) FROM lambda-logs WHERE @type = REPORT GROUP BY $limelight.namespace'
  limelight query 'COUNT GROUP BY $limelight.level LAST 3h EVERY 5m' --format chart
  limelight query 'COUNT as n, COUNT IF ($limelight.level = error) as bad, bad / n * 100 as rate GROUP BY $limelight.namespace HAVING rate > 1'
  limelight query 'COUNT GROUP BY $limelight.pattern LIMIT 10 OTHERS LAST 1d COMPARE 1d'
  limelight query 'WHERE $limelight.level = error SEARCH \"timed out\" LIMIT 20'
  limelight query 'VIEW requests WHERE message INCLUDES declined HAVING duration > 1000 ORDER BY duration'
  limelight query 'HEATMAP @duration WHERE @type = REPORT EVERY 1m'
  limelight query 'VIEW traces WHERE $limelight.service = payment HAVING errors > 0 LAST 3h'
  limelight query --filter '@duration > 1000' --last 1d --format ndjson
  limelight query --calc COUNT --calc 'AVG(@billedDuration) as billed' --group-by $limelight.namespace
  limelight query -f .limelight/queries.yaml --id slow-requests --last 3h
  limelight query 'COUNT FROM otel' --store s3://bucket/limelight

The text is ORL, one line: calculations FROM datasets WHERE conditions SEARCH text GROUP BY keys ORDER BY figure
LIMIT n LAST duration (or BETWEEN, SINCE, UNTIL) EVERY bucket; VIEW requests, invocations or traces; and DERIVE, HEATMAP, HAVING, OTHERS, COMPARE, TIMEZONE, EXPLAIN:
docs/orl.md has all of it. Without calculations it finds events. Any key of any
event can be named by its dotted path; $limelight.* are the keys that every event has.")]
pub struct QueryArgs {
    /// The question in ORL
    #[arg(value_name = "TEXT", conflicts_with_all = ["datasets", "filters", "calculations", "group_by", "order_by", "needle", "any"])]
    pub text: Option<String>,
    /// A YAML file with a saved query
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["text", "datasets", "filters", "calculations", "group_by", "order_by", "needle", "any"])]
    pub file: Option<PathBuf>,
    /// Which query of the file, if it has several
    #[arg(long, value_name = "NAME", requires = "file")]
    pub id: Option<String>,
    /// A dataset to read; more than one: repeat, or separate with commas (default: lambda-logs)
    #[arg(long = "dataset", visible_alias = "datasets", value_name = "NAME", value_delimiter = ',')]
    pub datasets: Vec<String>,
    /// What to work out, as COUNT or 'P99(@duration) as p99'; repeatable
    #[arg(long = "calc", value_name = "CALCULATION")]
    pub calculations: Vec<String>,
    /// Which events count, as '@type = REPORT'; repeatable, all must hold
    #[arg(long = "filter", visible_alias = "filters", value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Any filter is enough
    #[arg(long)]
    pub any: bool,
    /// One row for each value of this key; repeatable
    #[arg(long, value_name = "KEY")]
    pub group_by: Vec<String>,
    /// Greatest first by this calculation or alias
    #[arg(long, value_name = "FIGURE")]
    pub order_by: Option<String>,
    /// A text that must stand somewhere in the event
    #[arg(long, value_name = "TEXT")]
    pub needle: Option<String>,
    /// The needle is a regular expression
    #[arg(long, requires = "needle")]
    pub regex: bool,
    /// The needle's case matters
    #[arg(long, requires = "needle")]
    pub match_case: bool,
    /// The most groups or events to show
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// The width of a bucket of the time series, as 5m
    #[arg(long, value_name = "DURATION")]
    pub granularity: Option<String>,
    /// Tell how the answer came about: statements, plans, what was read
    #[arg(long)]
    pub explain: bool,
    /// Keep the answer for 30 days: `limelight runs show` shows it again
    #[arg(long)]
    pub save: bool,
    /// Who answers: embedded, athena, or auto (athena where there is much to read); with --explain also what Athena
    /// would be asked where it is not set up
    #[arg(long, value_name = "ENGINE", value_parser = ["embedded", "athena", "auto"])]
    pub engine: Option<String>,
    /// How to write the answer
    #[arg(long, value_enum, default_value_t = QueryFormat::Table)]
    pub format: QueryFormat,
    /// Which time.
    #[command(flatten)]
    pub time: TimeArgs,
    /// Whom to ask.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// How the answer to a query is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum QueryFormat {
    /// Rows and columns, or one line for each event
    #[default]
    Table,
    /// The time series as lines
    Chart,
    /// The API's answer as it is
    Json,
    /// One JSON object for each group or event
    Ndjson,
}

/// `limelight tail`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "EXAMPLES
  limelight tail                                      the 100 newest of the last hour
  limelight tail -f                                   and then those that come
  limelight tail -f --filter '$limelight.level = error'
  limelight tail --needle 'order 17' --from 2days
  limelight tail -f --field data.user.id              one value of each event
  limelight tail -f --dataset otel --format json      one JSON object a line, for jq

From then on every event is shown once and none is left out, however late its batch arrives.")]
pub struct TailArgs {
    /// A dataset to read; more than one: repeat, or separate with commas; '*' is all (default: lambda-logs)
    #[arg(long = "dataset", visible_alias = "datasets", value_name = "NAME", value_delimiter = ',')]
    pub datasets: Vec<String>,
    /// Only this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// Only this function (or whoever else emits events)
    #[arg(long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// Which events, as '@type = REPORT'; repeatable, all must hold
    #[arg(long = "filter", visible_alias = "filters", value_name = "FILTER")]
    pub filters: Vec<String>,
    /// A text that must stand somewhere in the event
    #[arg(long, value_name = "TEXT")]
    pub needle: Option<String>,
    /// A regular expression that must match somewhere in the event; wins over --needle
    #[arg(long, value_name = "REGEX")]
    pub regex: Option<String>,
    /// The needle's case matters
    #[arg(long)]
    pub match_case: bool,
    /// Show only the value at this dotted path
    #[arg(long, value_name = "PATH")]
    pub field: Option<String>,
    /// Go on with what comes
    #[arg(short, long)]
    pub follow: bool,
    /// The most events to begin with
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: u64,
    /// How to write them: lines for people, or one JSON object a line
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Which time.
    #[command(flatten)]
    pub time: TimeArgs,
    /// Whom to ask.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `limelight trace`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "EXAMPLES
  limelight trace 58406520a006649127e371903a2de979
  limelight trace 1-58406520-a006649127e371903a2de979 --logs
  limelight trace 58406520a006649127e371903a2de979 --format json | jq .spans")]
pub struct TraceArgs {
    /// The trace's id: 32 hexadecimal digits, or X-Ray's 1-…-… form
    #[arg(value_name = "ID")]
    pub id: String,
    /// Show what was logged under each span
    #[arg(long)]
    pub logs: bool,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Whom to ask.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `limelight datasets`.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "EXAMPLES
  limelight datasets
  limelight datasets --store .limelight-data/store --format json")]
pub struct DatasetsArgs {
    /// How to write them
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Whom to ask.
    #[command(flatten)]
    pub place: PlaceArgs,
}

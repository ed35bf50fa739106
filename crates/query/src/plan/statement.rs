//! The statements of a plan.
//!
//! Every statement about groups has the same inside: one row per event with only what is needed of it, from each
//! dataset with its own filter, under the same names (`g0`… the group keys, `v0`… the inputs of calculations, `t` the
//! time). Around it stands the aggregation, whose columns are named in the constants here.

use model::Timestamp;

use super::figure::Roll;
use super::{Plan, TablePlan};
use crate::ast::{Order, Timeframe, View};
use crate::column::ColumnKind;
use crate::envelope::Envelope;
use crate::sql::{Dialect, Expr, write};

/// A group's value for one key, as a result gave it.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupValue {
    /// The events do not have the key.
    Missing,
    /// Text.
    Text(String),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// Microseconds since the epoch.
    Time(i64),
}

impl GroupValue {
    fn expr(&self) -> Option<Expr> {
        Some(match self {
            Self::Missing => return None,
            Self::Text(text) => Expr::Text(text.clone()),
            Self::Int(number) => Expr::Int(*number),
            Self::Float(number) => Expr::Float(*number),
            Self::Bool(flag) => Expr::Bool(*flag),
            Self::Time(micros) => Expr::Time(*micros),
        })
    }
}

/// Of which groups a statement speaks.
#[derive(Debug, Clone, Copy)]
pub enum Members<'a> {
    /// Of all, each for itself.
    All,
    /// Of these, each for itself.
    These(&'a [Vec<GroupValue>]),
    /// Of all but these, taken together.
    Others(&'a [Vec<GroupValue>]),
}

/// What a statement's rows are of.
#[derive(Debug, Clone, Copy)]
enum Times<'a> {
    /// The whole timeframe.
    Whole,
    /// Buckets, by the expression of their number.
    Buckets(&'a str),
    /// Buckets, from which the whole is to follow.
    Parts(&'a str),
}

impl<'a> Times<'a> {
    fn bucket(self) -> Option<&'a str> {
        match self {
            Self::Whole => None,
            Self::Buckets(bucket) | Self::Parts(bucket) => Some(bucket),
        }
    }

    /// Columns that tell when the first and the last of the events were, microseconds since the epoch.
    fn seen(self, dialect: &dyn Dialect) -> Vec<String> {
        let seen = |(figure, name): (&str, &str)| format!("{} AS {name}", dialect.micros(figure));
        match self {
            Self::Buckets(_) => Vec::new(),
            Self::Whole | Self::Parts(_) => [("MIN(t)", "t_first"), ("MAX(t)", "t_last")].map(seen).to_vec(),
        }
    }
}

impl Plan<'_> {
    /// Figures per group over the whole timeframe, one group more than the limit so that it shows whether there are
    /// more. Columns: `g0`… · `n` (events) · `t_first` `t_last` · the figures' own.
    pub fn aggregates(&self, dialect: &dyn Dialect, members: Members<'_>) -> String {
        let mut sql = self.figures_of(dialect, members, Times::Whole);
        let groups = self.group_names(members);
        if !groups.is_empty() {
            let order = self.query.order_by.as_ref().map(|order_by| order_by.order);
            let direction = if order == Some(Order::Ascending) { "ASC" } else { "DESC" };
            let figure = self.figures.ordered(self.query);
            // Equal figures are ordered by their group, so that the same question has the same answer.
            let ties = groups.iter().map(|group| format!(", {group} ASC NULLS LAST")).collect::<String>();
            let limit = self.query.limit.saturating_add(1);
            sql += &format!(" ORDER BY {figure} {direction} NULLS LAST{ties} LIMIT {limit}");
        }
        sql
    }

    /// Figures per bucket and group, at most `rows_max` rows. Columns: `b` (the bucket's number since the epoch) ·
    /// `g0`… · `n` · the figures' own. None if no series is wanted.
    pub fn series(&self, dialect: &dyn Dialect, members: Members<'_>, rows_max: u64) -> Option<String> {
        let bucket = self.frame.bucket(dialect)?;
        Some(format!("{} LIMIT {rows_max}", self.figures_of(dialect, members, Times::Buckets(&bucket))))
    }

    /// Figures per bucket of all events, if those of the whole timeframe follow from them ([`Plan::rolls`]); at most
    /// `rows_max` rows. Columns: `b` · `n` · `t_first` `t_last` · the figures' own. None if they do not, or if no series
    /// is wanted.
    pub fn buckets(&self, dialect: &dyn Dialect, rows_max: u64) -> Option<String> {
        let bucket = self.frame.bucket(dialect).filter(|_| !self.rolls().is_empty())?;
        let sql = self.figures_of(dialect, Members::All, Times::Parts(&bucket));
        Some(format!("{sql} LIMIT {rows_max}"))
    }

    /// The statements that the answer begins with; which ones follow depends on what these find.
    pub fn first_statements(&self, dialect: &dyn Dialect) -> Vec<String> {
        match (self.query.view, self.buckets(dialect, self.query.limit)) {
            (View::Events, _) => {
                (0..self.tables.len()).filter_map(|table| self.first_events(dialect, table, &[])).collect()
            }
            (View::Wholes(_), _) => self.wholes(dialect).into_iter().collect(),
            (View::Calculations, Some(buckets)) => vec![buckets],
            (View::Calculations, None) => vec![self.aggregates(dialect, Members::All)],
        }
    }

    /// What is needed of each event, at most `rows_max` rows. Columns: `g0`… · `v0`… · `w` (for how many events it stands,
    /// if any stands for several) · `t`.
    pub fn each_event(&self, dialect: &dyn Dialect, rows_max: u64) -> String {
        format!("SELECT * FROM ({}) AS e LIMIT {rows_max}", self.rows(dialect))
    }

    /// How each column of [`Plan::aggregates`] comes from that of [`Plan::buckets`]; nothing if it does not.
    pub fn rolls(&self) -> Vec<(String, Roll)> {
        let figures = self.figures.rolls().filter(|_| self.groups.is_empty());
        let events = [("n", Roll::Sum), ("t_first", Roll::Least), ("t_last", Roll::Greatest)];
        let events = events.map(|(name, roll)| (name.to_owned(), roll));
        figures.map(|figures| events.into_iter().chain(figures).collect()).unwrap_or_default()
    }

    /// Per group, and per bucket if they are wanted: what the events say, then what the figures say.
    fn figures_of(&self, dialect: &dyn Dialect, members: Members<'_>, of: Times<'_>) -> String {
        let (groups, bucket) = (self.group_names(members), of.bucket());
        let columns = bucket.map(|bucket| format!("{bucket} AS b")).into_iter().chain(groups.iter().cloned());
        let columns = columns.chain(["COUNT(*) AS n".to_owned()]).chain(of.seen(dialect));
        let columns: Vec<String> = columns.chain(self.figures.first_step(dialect)).collect();
        let rows = match self.kept {
            Some(table) => dialect.identifier(table),
            None => format!("({})", self.rows(dialect)),
        };
        let mut sql = format!("SELECT {} FROM {rows} AS e", columns.join(", "));
        if let Some(wanted) = self.wanted(members) {
            sql += &format!(" WHERE {}", write(&wanted, dialect));
        }
        // By expression: a name of ours in GROUP BY would be a column's in some engines, an alias in others.
        let by: Vec<&str> = bucket.into_iter().chain(groups.iter().map(String::as_str)).collect();
        if !by.is_empty() {
            sql += &format!(" GROUP BY {}", by.join(", "));
        }
        if self.figures.has_second_step() { self.second_step(dialect, members, bucket, &sql) } else { sql }
    }

    /// Formulas and the condition on groups, around what was grouped.
    fn second_step(
        &self,
        dialect: &dyn Dialect,
        members: Members<'_>,
        bucket: Option<&str>,
        grouped: &str,
    ) -> String {
        let fixed: &[&str] = if bucket.is_some() { &["b", "n"] } else { &["n", "t_first", "t_last"] };
        let columns = fixed.iter().map(|name| (*name).to_owned()).chain(self.group_names(members));
        let columns: Vec<String> = columns.chain(self.figures.second_step(dialect)).collect();
        let sql = format!("SELECT {} FROM ({grouped}) AS a", columns.join(", "));
        // Groups that were chosen stay; inside a bucket a group's figures may be anything.
        match (&self.figures.having, members) {
            (Some(having), Members::All) => format!("{sql} WHERE {}", write(having, dialect)),
            _ => sql,
        }
    }

    /// The ids and times of a dataset's first events in the order asked for. Columns: `id` · `timestamp` · `also`, by
    /// which whoever runs the statement finds the whole events.
    pub fn first_events(&self, dialect: &dyn Dialect, table: usize, also: &[&str]) -> Option<String> {
        let table = self.tables.get(table)?;
        let [id, time] =
            [Envelope::Id, Envelope::Timestamp].map(|field| dialect.identifier(field.physical()));
        let direction = match &self.query.order_by {
            Some(order_by) if order_by.order == Order::Ascending => "ASC",
            _ => "DESC",
        };
        let also = also.iter().map(|column| format!(", {}", dialect.identifier(column))).collect::<String>();
        Some(format!(
            "SELECT {id}, {time}{also} FROM {} WHERE {} ORDER BY {time} {direction}, {id} {direction} LIMIT {}",
            dialect.identifier(&table.dataset),
            self.row_filter(table, dialect),
            self.query.limit
        ))
    }

    /// The same of events whose ids are known, in a time; at most as many as there are ids.
    pub fn these_events(
        &self,
        dialect: &dyn Dialect,
        table: usize,
        ids: &[String],
        times: Timeframe,
        also: &[&str],
    ) -> Option<String> {
        let table = self.tables.get(table)?;
        let [id, time] =
            [Envelope::Id, Envelope::Timestamp].map(|field| dialect.identifier(field.physical()));
        let also = also.iter().map(|column| format!(", {}", dialect.identifier(column))).collect::<String>();
        let (from, inside) = (dialect.identifier(&table.dataset), inside(times, dialect));
        let column = Expr::Column(Envelope::Id.physical().to_owned());
        let wanted = Expr::In(Box::new(column), ids.iter().cloned().map(Expr::Text).collect());
        let wanted = write(&wanted, dialect);
        let limit = ids.len();
        Some(format!("SELECT {id}, {time}{also} FROM {from} WHERE {inside} AND {wanted} LIMIT {limit}"))
    }

    fn group_names(&self, members: Members<'_>) -> Vec<String> {
        match members {
            Members::Others(_) => Vec::new(),
            _ => (0..self.groups.len()).map(|index| format!("g{index}")).collect(),
        }
    }

    /// One row per event of every dataset.
    fn rows(&self, dialect: &dyn Dialect) -> String {
        let rows: Vec<String> = self.tables.iter().map(|table| self.table_rows(table, dialect)).collect();
        rows.join(" UNION ALL ")
    }

    fn table_rows(&self, table: &TablePlan, dialect: &dyn Dialect) -> String {
        let time = dialect.identifier(Envelope::Timestamp.physical());
        let named = |prefix: &'static str, exprs: &[Expr]| {
            let column = |(index, expr)| format!("{} AS {prefix}{index}", write(expr, dialect));
            exprs.iter().enumerate().map(column).collect::<Vec<_>>()
        };
        let columns = named("g", &table.groups).into_iter().chain(named("v", &table.inputs));
        let weight = self.figures.weighted.then(|| match &table.weight {
            Some(weight) => format!("{} AS w", write(weight, dialect)),
            None => format!("{} AS w", dialect.float(1.0)),
        });
        let columns: Vec<String> = columns.chain(weight).chain([format!("{time} AS t")]).collect();
        let (from, filter) = (dialect.identifier(&table.dataset), self.row_filter(table, dialect));
        format!("SELECT {} FROM {from} WHERE {filter}", columns.join(", "))
    }

    /// The timeframe and the query's own conditions.
    pub(super) fn row_filter(&self, table: &TablePlan, dialect: &dyn Dialect) -> String {
        let frame = inside(self.frame.times, dialect);
        match &table.filter {
            Expr::All(none) if none.is_empty() => frame,
            filter => format!("{frame} AND ({})", write(filter, dialect)),
        }
    }

    /// Whether a row is of the groups spoken of; none if all are.
    fn wanted(&self, members: Members<'_>) -> Option<Expr> {
        match members {
            Members::All => None,
            _ if self.groups.is_empty() => None,
            Members::These(groups) => Some(self.one_of(groups)),
            Members::Others(groups) => Some(Expr::Not(Box::new(self.one_of(groups)))),
        }
    }

    fn one_of(&self, kept: &[Vec<GroupValue>]) -> Expr {
        let is = |index: usize, value: &GroupValue| match value.expr() {
            Some(value) => Expr::Equals(Box::new(Expr::Inner("g", index)), Box::new(value)),
            None => Expr::IsNull(Box::new(Expr::Inner("g", index))),
        };
        if self.groups.len() > 1 {
            let group = |values: &Vec<GroupValue>| {
                Expr::All(values.iter().enumerate().map(|(index, value)| is(index, value)).collect())
            };
            return Expr::Any(kept.iter().map(group).collect());
        }
        // One key: a list, which engines look up instead of comparing one by one.
        let values: Vec<Expr> = kept.iter().flatten().filter_map(GroupValue::expr).collect();
        let missing = kept.iter().flatten().any(|value| *value == GroupValue::Missing);
        let listed = (!values.is_empty()).then(|| Expr::In(Box::new(Expr::Inner("g", 0)), values));
        let missing = missing.then(|| is(0, &GroupValue::Missing));
        Expr::Any([listed, missing].into_iter().flatten().collect())
    }

    /// Whether the answer holds figures or events.
    pub fn view(&self) -> View {
        self.query.view
    }
}

/// Whether an event is of a time: by day too, which is how tables are partitioned.
pub(super) fn inside(times: Timeframe, dialect: &dyn Dialect) -> String {
    let time = dialect.identifier(Envelope::Timestamp.physical());
    let (from, to) = (times.from.as_micros(), times.to.as_micros());
    let days = days(dialect, from, to.saturating_sub(1).max(from));
    format!("{days}{time} >= {} AND {time} < {}", dialect.time(from), dialect.time(to))
}

/// The partition column between the days of two times (inclusive, microseconds), with ` AND ` behind it.
fn days(dialect: &dyn Dialect, first_us: i64, last_us: i64) -> String {
    let day =
        |micros| Timestamp::from_micros(micros).to_string().split('T').next().map(|day| dialect.day(day));
    // Years before 0 or over 9999 do not occur in the range of a timestamp.
    match (day(first_us), day(last_us)) {
        (Some(first), Some(last)) if first == last => {
            format!("{} = {first} AND ", dialect.identifier("date"))
        }
        (Some(first), Some(last)) => {
            let date = dialect.identifier("date");
            format!("{date} >= {first} AND {date} <= {last} AND ")
        }
        _ => String::new(),
    }
}

impl ColumnKind {
    /// What the reference calls the type of such values.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Text | Self::Timestamp => "string",
            Self::Int | Self::Float => "number",
            Self::Bool => "boolean",
            Self::Json => "json",
        }
    }
}

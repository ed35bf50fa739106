//! The statements of a plan.
//!
//! Every statement about groups has the same inside: one row per event with only what is needed of it, from each
//! dataset with its own filter, under the same names (`g0`… the group keys, `v0`… the inputs of calculations, `t` the
//! time). Around it stands the aggregation, whose columns are named in the constants here.

use model::Timestamp;

use super::{Figure, Plan, TablePlan};
use crate::ast::{Order, View};
use crate::calculation::Operator;
use crate::column::ColumnKind;
use crate::envelope::Envelope;
use crate::sql::{Dialect, Expr, literal_list, write};

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

impl Plan<'_> {
    /// Figures per group over the whole timeframe, one group more than the limit so that it shows whether there are
    /// more. Columns: `g0`… · `n` (events) · `t_first` `t_last` · `c0`… (figures).
    pub fn aggregates(&self, dialect: &dyn Dialect) -> String {
        let groups = self.group_names();
        let times = ["MIN(t) AS t_first".to_owned(), "MAX(t) AS t_last".to_owned()];
        let columns = groups.iter().cloned().chain(["COUNT(*) AS n".to_owned()]).chain(times);
        let columns: Vec<String> = columns.chain(self.figure_columns(dialect)).collect();
        let mut sql = format!("SELECT {} FROM ({}) AS e", columns.join(", "), self.rows(dialect));
        if !groups.is_empty() {
            let (figure, order) = self.order();
            let direction = if order == Order::Ascending { "ASC" } else { "DESC" };
            // Equal figures are ordered by their group, so that the same question has the same answer.
            let ties = groups.iter().map(|group| format!(", {group} ASC NULLS LAST")).collect::<String>();
            let limit = self.query.limit.saturating_add(1);
            let groups = groups.join(", ");
            sql +=
                &format!(" GROUP BY {groups} ORDER BY c{figure} {direction} NULLS LAST{ties} LIMIT {limit}");
        }
        sql
    }

    /// Figures per bucket and group; of these groups only, if any are given. At most `rows_max` rows. Columns: `b` (the
    /// bucket's number since the epoch) · `g0`… · `n` · `c0`…. None if no series is wanted.
    pub fn series(&self, dialect: &dyn Dialect, kept: &[Vec<GroupValue>], rows_max: u64) -> Option<String> {
        let width_us = i64::try_from(self.query.granularity_ms?).ok()?.checked_mul(1_000)?;
        let groups = self.group_names();
        let bucket = dialect.bucket("t", width_us);
        let columns = [format!("{bucket} AS b")].into_iter().chain(groups.iter().cloned());
        let columns = columns.chain(["COUNT(*) AS n".to_owned()]).chain(self.figure_columns(dialect));
        let columns: Vec<String> = columns.collect();
        let kept = match self.kept(kept) {
            Some(expr) => format!(" WHERE {}", write(&expr, dialect)),
            None => String::new(),
        };
        // By expression: a name of ours in GROUP BY would be a column's in some engines, an alias in others.
        let by: Vec<String> = [bucket].into_iter().chain(groups).collect();
        Some(format!(
            "SELECT {} FROM ({}) AS e{kept} GROUP BY {} LIMIT {rows_max}",
            columns.join(", "),
            self.rows(dialect),
            by.join(", ")
        ))
    }

    /// The ids and times of a dataset's first events in the order asked for. Columns: `id` · `timestamp`.
    pub fn first_events(&self, dialect: &dyn Dialect, table: usize) -> Option<String> {
        let table = self.tables.get(table)?;
        let [id, time] =
            [Envelope::Id, Envelope::Timestamp].map(|field| dialect.identifier(field.physical()));
        let direction = match &self.query.order_by {
            Some(order_by) if order_by.order == Order::Ascending => "ASC",
            _ => "DESC",
        };
        Some(format!(
            "SELECT {id}, {time} FROM {} WHERE {} ORDER BY {time} {direction}, {id} {direction} LIMIT {}",
            dialect.identifier(&table.dataset),
            self.row_filter(table, dialect),
            self.query.limit
        ))
    }

    /// Everything of a dataset's events of these ids, all of which are between two times (inclusive, microseconds).
    pub fn whole_events(
        &self,
        dialect: &dyn Dialect,
        table: usize,
        ids: &[String],
        (first_us, last_us): (i64, i64),
    ) -> Option<String> {
        let table = self.tables.get(table)?;
        let [id, time] =
            [Envelope::Id, Envelope::Timestamp].map(|field| dialect.identifier(field.physical()));
        let ids: Vec<Expr> = ids.iter().cloned().map(Expr::Text).collect();
        let days = days(dialect, first_us, last_us);
        Some(format!(
            "SELECT * FROM {} WHERE {days}{time} >= {} AND {time} <= {} AND {id} IN ({})",
            dialect.identifier(&table.dataset),
            dialect.time(first_us),
            dialect.time(last_us),
            literal_list(&ids, dialect)
        ))
    }

    fn group_names(&self) -> Vec<String> {
        (0..self.groups.len()).map(|index| format!("g{index}")).collect()
    }

    fn figure_columns(&self, dialect: &dyn Dialect) -> Vec<String> {
        let named = |(index, figure): (usize, &Figure)| format!("{} AS c{index}", figure.sql(dialect));
        self.figures.iter().enumerate().map(named).collect()
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
        let columns: Vec<String> = columns.chain([format!("{time} AS t")]).collect();
        let (from, filter) = (dialect.identifier(&table.dataset), self.row_filter(table, dialect));
        format!("SELECT {} FROM {from} WHERE {filter}", columns.join(", "))
    }

    /// The timeframe (by day too, which is how tables are partitioned) and the query's own conditions.
    fn row_filter(&self, table: &TablePlan, dialect: &dyn Dialect) -> String {
        let time = dialect.identifier(Envelope::Timestamp.physical());
        let (from, to) = (self.query.timeframe.from.as_micros(), self.query.timeframe.to.as_micros());
        let days = days(dialect, from, to.saturating_sub(1).max(from));
        let frame = format!("{days}{time} >= {} AND {time} < {}", dialect.time(from), dialect.time(to));
        match &table.filter {
            Expr::All(none) if none.is_empty() => frame,
            filter => format!("{frame} AND ({})", write(filter, dialect)),
        }
    }

    /// Whether a row is of one of these groups; none if all are.
    fn kept(&self, kept: &[Vec<GroupValue>]) -> Option<Expr> {
        if kept.is_empty() || self.groups.is_empty() {
            return None;
        }
        let is = |index: usize, value: &GroupValue| match value.expr() {
            Some(value) => Expr::Equals(Box::new(Expr::Inner("g", index)), Box::new(value)),
            None => Expr::IsNull(Box::new(Expr::Inner("g", index))),
        };
        if self.groups.len() > 1 {
            let group = |values: &Vec<GroupValue>| {
                Expr::All(values.iter().enumerate().map(|(index, value)| is(index, value)).collect())
            };
            return Some(Expr::Any(kept.iter().map(group).collect()));
        }
        // One key: a list, which engines look up instead of comparing one by one.
        let values: Vec<Expr> = kept.iter().flatten().filter_map(GroupValue::expr).collect();
        let missing = kept.iter().flatten().any(|value| *value == GroupValue::Missing);
        let listed = (!values.is_empty()).then(|| Expr::In(Box::new(Expr::Inner("g", 0)), values));
        let missing = missing.then(|| is(0, &GroupValue::Missing));
        Some(Expr::Any([listed, missing].into_iter().flatten().collect()))
    }

    /// Whether the answer holds figures or events.
    pub fn view(&self) -> View {
        self.query.view
    }
}

impl Figure {
    fn sql(&self, dialect: &dyn Dialect) -> String {
        let Some(input) = self.input else { return "COUNT(*)".to_owned() };
        let value = format!("v{input}");
        match self.operator {
            Operator::Count => "COUNT(*)".to_owned(),
            Operator::CountDistinct => dialect.count_distinct(&value),
            Operator::Sum => format!("SUM({value})"),
            Operator::Avg => format!("AVG({value})"),
            Operator::Min => format!("MIN({value})"),
            Operator::Max => format!("MAX({value})"),
            Operator::Median => dialect.percentile(&value, 0.5),
            Operator::Stddev => dialect.stddev(&value),
            Operator::Variance => dialect.variance(&value),
            Operator::Percentile(thousandths) => dialect.percentile(&value, f64::from(thousandths) / 1_000.0),
        }
    }
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

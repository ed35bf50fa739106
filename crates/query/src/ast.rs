//! The one logical query that every form compiles to. The readers make it, the checks bound it, the plan turns it into
//! SQL. Closed and small on purpose: derive, filter, search, calculate, group, bucket, choose, order, limit.

mod literal;
mod view;

pub use literal::Literal;
pub use view::{Fact, FactKind, View, Whole};

use model::{Timestamp, TraceId};

use crate::calculation::Calculation;
use crate::formula::{Derived, Formula, Having};
use crate::heatmap::Heatmap;
use crate::zone::Zone;

/// What is asked of one or more datasets. Made by [`crate::parse_text`] and [`crate::from_json`], or by hand and then
/// [`Query::check`]ed.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The tables to read, at least one; `*` alone is all of them.
    pub datasets: Vec<String>,
    /// Keys worked out of each event's own keys.
    pub derived: Vec<Derived>,
    /// What to work out; none means that the events themselves are wanted.
    pub calculations: Vec<Calculation>,
    /// What to work out of the calculations' figures.
    pub formulas: Vec<Formula>,
    /// Which events count.
    pub filter: Filter,
    /// A text that must stand somewhere in the event.
    pub needle: Option<Needle>,
    /// One row (and one line of the chart) for each combination of these keys' values.
    pub group_by: Vec<Group>,
    /// Which of the groups are shown, by their figures.
    pub having: Option<Having>,
    /// What is drawn against time, instead of figures.
    pub heatmap: Option<Heatmap>,
    /// Which groups come first: by default the greatest value of the first calculation. For events, their time.
    pub order_by: Option<OrderBy>,
    /// The most rows (groups or events) to return.
    pub limit: u64,
    /// Whether the groups beyond the limit are shown too, taken together as one row.
    pub others: bool,
    /// Which time is looked at.
    pub timeframe: Timeframe,
    /// How much earlier the timeframe is that this one is compared with, milliseconds.
    pub compare_ms: Option<u64>,
    /// Where days begin.
    pub zone: Zone,
    /// The width of a bucket of the time series, milliseconds; none means no series.
    pub granularity_ms: Option<u64>,
    /// What the answer holds.
    pub view: View,
    /// Whether the answer tells how it came about.
    pub explain: bool,
}

/// A time from (inside) and to (outside).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeframe {
    /// The first moment that counts.
    pub from: Timestamp,
    /// The first moment that does not count any more.
    pub to: Timestamp,
}

/// A condition on one event, or several of them. Always true or false, never unknown: see [`Test`].
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every one of them; true if there is none.
    All(Vec<Filter>),
    /// At least one of them; false if there is none.
    Any(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// One condition.
    Is(Condition),
}

/// One key tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// Whose value.
    pub key: Key,
    /// What must be true of it.
    pub test: Test,
}

/// A key as a person writes it: `@duration`, `data.user.id`, `$limelight.namespace`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// What must be true of a value. A key that an event does not have fails every test except the negated ones
/// (`!=`, `DOES_NOT_INCLUDE`, `NOT_LIKE`, `NOT_IN`, `DOES_NOT_EXIST`), which are exactly the opposite of their
/// positive form.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `= value`
    Equals(Literal),
    /// `!= value`
    NotEquals(Literal),
    /// `> >= < <=` with a number (or a text, for times and texts)
    Compare(Comparison, Literal),
    /// `INCLUDES text`, case as written
    Includes(String),
    /// `DOES_NOT_INCLUDE text`
    Excludes(String),
    /// `STARTS_WITH text`, case as written
    StartsWith(String),
    /// `LIKE pattern` with SQL's `%` and `_`, case as written
    Like(String),
    /// `NOT_LIKE pattern`
    NotLike(String),
    /// `MATCH_REGEX regex` in the syntax of Rust's `regex`, found anywhere in the text
    Matches(String),
    /// `EXISTS`
    Exists,
    /// `DOES_NOT_EXIST`
    Missing,
    /// `IN (a, b)`
    In(Vec<Literal>),
    /// `NOT_IN (a, b)`
    NotIn(Vec<Literal>),
}

/// An order between numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
}

/// A text searched for in the whole event: its message and every other value at any depth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needle {
    /// The text, or the regular expression.
    pub value: String,
    /// Whether `value` is a regular expression in the syntax of Rust's `regex`.
    pub is_regex: bool,
    /// Whether case matters; it does not by default.
    pub match_case: bool,
}

/// A key to group by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Whose values.
    pub key: Key,
}

/// Which rows come first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// The alias of a calculation or formula, or a calculation's text (`P99(@duration)`); for events
    /// `$limelight.timestamp`.
    pub value: String,
    /// Which way.
    pub order: Order,
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Least first.
    Ascending,
    /// Greatest first.
    #[default]
    Descending,
}

impl Query {
    /// Stands for every dataset that the store has.
    pub const ALL_DATASETS: &str = "*";
    /// What is read if the query does not say (the reference's default); wholes have parts in all datasets.
    pub const DATASET_DEFAULT: &str = "lambda-logs";
    /// Rows returned if the query does not say.
    pub const LIMIT_DEFAULT: u64 = 100;
    /// The most rows that can be asked for: an answer is held in memory and goes over HTTP in one piece.
    pub const LIMIT_MAX: u64 = 10_000;
    /// How far back a query looks if it does not say, milliseconds: an hour.
    pub const TIMEFRAME_DEFAULT_MS: u64 = 3_600_000;
    /// Buckets of a series if the query does not say how wide they are.
    pub const BUCKETS_DEFAULT: u64 = 60;
    /// The most buckets of a series: more than a screen has columns, few enough for one answer.
    pub const BUCKETS_MAX: u64 = 2_000;

    /// The newest events of one dataset; the start for a query made by hand.
    pub fn events(dataset: impl Into<String>, timeframe: Timeframe) -> Self {
        Self {
            datasets: vec![dataset.into()],
            derived: Vec::new(),
            calculations: Vec::new(),
            formulas: Vec::new(),
            filter: Filter::everything(),
            needle: None,
            group_by: Vec::new(),
            having: None,
            heatmap: None,
            order_by: None,
            limit: Self::LIMIT_DEFAULT,
            others: false,
            timeframe,
            compare_ms: None,
            zone: Zone::default(),
            granularity_ms: None,
            view: View::Events,
            explain: false,
        }
    }

    /// Everything that belongs to one trace, oldest first, from all datasets.
    pub fn trace(id: TraceId, timeframe: Timeframe) -> Self {
        let condition = Condition {
            key: Key::new("$limelight.traceId"),
            test: Test::Equals(Literal::Text(id.to_string())),
        };
        Self {
            filter: Filter::Is(condition),
            order_by: Some(OrderBy { value: "$limelight.timestamp".to_owned(), order: Order::Ascending }),
            limit: Self::LIMIT_MAX,
            ..Self::events(Self::ALL_DATASETS, timeframe)
        }
    }
}

impl Filter {
    /// The filter that lets everything through.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// All of them; one alone is itself.
    #[must_use]
    pub fn all(filters: Vec<Self>) -> Self {
        Self::single(filters).unwrap_or_else(Self::All)
    }

    /// Any of them; one alone is itself, none at all lets everything through (there is nothing to choose from).
    #[must_use]
    pub fn any(filters: Vec<Self>) -> Self {
        match Self::single(filters) {
            Ok(one) => one,
            Err(none) if none.is_empty() => Self::everything(),
            Err(several) => Self::Any(several),
        }
    }

    fn single(filters: Vec<Self>) -> Result<Self, Vec<Self>> {
        <[Self; 1]>::try_from(filters).map(|[one]| one)
    }

    /// Every condition in it, in the order of the text.
    pub fn conditions(&self) -> Vec<&Condition> {
        match self {
            Self::All(filters) | Self::Any(filters) => filters.iter().flat_map(Self::conditions).collect(),
            Self::Not(filter) => filter.conditions(),
            Self::Is(condition) => vec![condition],
        }
    }
}

impl Needle {
    /// The same with `\/` as `/`: between slashes it had to be escaped, elsewhere it means the same.
    #[must_use]
    pub(crate) fn unslashed(mut self) -> Self {
        if self.is_regex {
            self.value = crate::lexer::unslashed(&self.value);
        }
        self
    }
}

impl Key {
    /// A key by its text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Timeframe {
    /// Milliseconds between its ends; zero if they are reversed.
    pub fn width_ms(&self) -> u64 {
        u64::try_from(self.to.since(self.from).as_millis()).unwrap_or(u64::MAX)
    }
}

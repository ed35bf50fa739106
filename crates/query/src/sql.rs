//! SQL expressions, and how an engine writes them. The plan makes expressions; a [`Dialect`] turns each into its
//! engine's text. Everything a person wrote reaches the text through [`Dialect::text`] and [`Dialect::identifier`] only.

mod construct;
mod path;
mod portable;
mod need;
mod write;
mod datafusion;
mod clickhouse;
mod athena;

use std::fmt::Debug;

pub use athena::Athena;
pub use clickhouse::ClickHouse;
pub use construct::{Construct, Said, Unsayable};
pub use datafusion::{BUCKET, DataFusion, PATTERN, PERCENTILE, POWER, ROOT};
pub(crate) use need::needs;
pub(crate) use write::write;

use crate::arithmetic::{Function, Sign};
use crate::ast::Comparison;
use crate::column::ColumnKind;

/// A small typed expression over one row. `Any` of nothing is false, `All` of nothing is true.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// A column by its physical name.
    Column(String),
    /// A key's value of a kind inside a column of JSON objects; of any kind, as text, if none is given.
    Overflow {
        column: String,
        key: String,
        kind: Option<ColumnKind>,
    },
    /// A column of the inner query, by a name of ours.
    Inner(&'static str, usize),
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// Microseconds since the epoch.
    Time(i64),
    /// No value, of a type.
    Null(ColumnKind),
    All(Vec<Expr>),
    Any(Vec<Expr>),
    /// True where the expression is false or unknown.
    Not(Box<Expr>),
    Equals(Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// One of several constants.
    In(Box<Expr>, Vec<Expr>),
    Exists(Box<Expr>),
    IsNull(Box<Expr>),
    Contains(Box<Expr>, String),
    StartsWith(Box<Expr>, String),
    /// SQL's `%` and `_`; a backslash escapes them.
    Like(Box<Expr>, String),
    /// A regular expression found anywhere; whether case matters.
    Matches(Box<Expr>, String, bool),
    /// The first that has a value.
    First(Vec<Expr>),
    /// A value of a kind as text.
    ToText(Box<Expr>, ColumnKind),
    /// A whole number as a float.
    ToFloat(Box<Expr>),
    /// The microseconds of a time since the epoch.
    Micros(Box<Expr>),
    /// Two floats joined.
    Join(Sign, Box<Expr>, Box<Expr>),
    /// A float with the other sign.
    Negative(Box<Expr>),
    /// A function of a float.
    Apply(Function, Box<Expr>),
    /// A float where it is finite.
    Finite(Box<Expr>),
    /// The pattern of a message.
    Pattern(Box<Expr>),
    /// A text where it is not empty.
    Known(Box<Expr>),
    /// The second where the first is true.
    When(Box<Expr>, Box<Expr>),
}

/// How an engine writes what differs between engines. The defaults are standard SQL.
pub trait Dialect: Debug + Send + Sync {
    /// The engine, as people call it.
    fn name(&self) -> &'static str;

    /// How the engine says what not every engine says; where it cannot, the text that the methods below give is never
    /// run.
    fn says(&self, construct: Construct) -> Said;

    /// A name of a table or column.
    fn identifier(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    /// The value of a kind at a dotted key inside a text of a JSON object, null if there is none; a value of any kind
    /// as text, if none is given.
    fn overflow(&self, json: &str, key: &str, kind: Option<ColumnKind>) -> String;

    /// A text constant.
    fn text(&self, text: &str) -> String {
        format!("'{}'", text.replace('\'', "''"))
    }

    /// A whole number, also the least one (whose digits alone are out of range).
    fn int(&self, number: i64) -> String {
        match number {
            i64::MIN => format!("({} - 1)", i64::MIN + 1),
            number => number.to_string(),
        }
    }

    /// A finite float, such that it is read as a float and no digit is lost.
    fn float(&self, number: f64) -> String {
        format!("{number:?}")
    }

    /// True or false.
    fn bool(&self, flag: bool) -> String {
        if flag { "TRUE".to_owned() } else { "FALSE".to_owned() }
    }

    /// A point in time of the type of the time columns, from microseconds since the epoch.
    fn time(&self, micros: i64) -> String;

    /// A day of the type of the partition column, from `2026-11-20`.
    fn day(&self, day: &str) -> String {
        format!("DATE '{day}'")
    }

    /// No value, of the type of such columns.
    fn null(&self, kind: ColumnKind) -> String {
        format!("CAST(NULL AS {})", self.type_name(kind))
    }

    /// The name of the type of such columns.
    fn type_name(&self, kind: ColumnKind) -> &'static str;

    /// True where the condition is false or unknown.
    fn not(&self, condition: &str) -> String {
        format!("({condition}) IS NOT TRUE")
    }

    /// Whether a text has another text in it, case as written.
    fn contains(&self, text: &str, part: &str) -> String;

    /// Whether a text begins with another one, case as written.
    fn starts_with(&self, text: &str, prefix: &str) -> String;

    /// SQL's pattern; a backslash escapes `%`, `_` and itself.
    fn like(&self, text: &str, pattern: &str) -> String;

    /// Whether a regular expression is found in a text.
    fn matches(&self, text: &str, pattern: &str, match_case: bool) -> String;

    /// The first of them that has a value.
    fn first(&self, values: &[String]) -> String {
        format!("COALESCE({})", values.join(", "))
    }

    /// A value as text; of which kind it is matters to engines that write some of them otherwise.
    fn to_text(&self, value: &str, _kind: ColumnKind) -> String {
        format!("CAST({value} AS {})", self.type_name(ColumnKind::Text))
    }

    /// A whole number as a float.
    fn to_float(&self, value: &str) -> String {
        format!("CAST({value} AS {})", self.type_name(ColumnKind::Float))
    }

    /// Two floats joined; no value where the right side of a division is zero. What is not finite may come out.
    fn join(&self, sign: Sign, left: &str, right: &str) -> String {
        let zero = self.float(0.0);
        match sign {
            Sign::Power => self.power(left, right),
            // Some engines tell zero from its negative; adding makes one of both.
            Sign::Over | Sign::Modulo => {
                format!("({left} {} NULLIF({right} + {zero}, {zero}))", sign.name())
            }
            sign => format!("({left} {} {right})", sign.name()),
        }
    }

    /// A function of a float. What is not finite may come out.
    fn apply(&self, function: Function, value: &str) -> String {
        match function {
            Function::Sqrt => self.root(value),
            function => format!("{}({value})", function.name()),
        }
    }

    /// A float raised to a power; where there is none, nothing or what is not finite, never an error.
    fn power(&self, base: &str, exponent: &str) -> String;

    /// The square root of a float; where there is none, nothing or what is not finite, never an error.
    fn root(&self, value: &str) -> String;

    /// A float where it is finite; zero without its sign, which would make two groups of it.
    fn finite(&self, value: &str) -> String {
        let (zero, most) = (self.float(0.0), self.float(f64::MAX));
        format!("CASE WHEN ABS({value}) <= {most} THEN {value} + {zero} END")
    }

    /// A text where it is not empty.
    fn known(&self, text: &str) -> String {
        format!("NULLIF({text}, {})", self.text(""))
    }

    /// The pattern of a message, as `crate::pattern` says.
    fn pattern(&self, message: &str) -> String;

    /// The microseconds of a time since the epoch.
    fn micros(&self, time: &str) -> String;

    /// The number of the bucket that microseconds fall in: whole widths, rounded down.
    fn bucket(&self, micros: &str, width_micros: i64) -> String;

    /// How many different values there are, exactly.
    fn count_distinct(&self, value: &str) -> String {
        format!("COUNT(DISTINCT {value})")
    }

    /// The percentile of floats, with linear interpolation between the two nearest ranks; each counted as often as
    /// its weight says, if there are any.
    fn percentile(&self, value: &str, weight: Option<&str>, fraction: f64) -> String;

    /// The standard deviation of a sample.
    fn stddev(&self, value: &str) -> String {
        format!("STDDEV_SAMP({value})")
    }

    /// The variance of a sample.
    fn variance(&self, value: &str) -> String {
        format!("VAR_SAMP({value})")
    }
}

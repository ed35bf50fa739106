//! ClickHouse's SQL. The session must prefer columns to aliases of the same name (`prefer_column_name_to_alias = 1`).

use super::path::ways;
use super::portable::Portable;
use super::{Construct, Dialect, Said};
use crate::arithmetic::{Function, Sign};
use crate::column::ColumnKind;

/// ClickHouse (26): the oracle that our own answers are compared with.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClickHouse;

impl Dialect for ClickHouse {
    fn name(&self) -> &'static str {
        "ClickHouse"
    }

    fn says(&self, construct: Construct) -> Said {
        match construct {
            Construct::MessagePattern | Construct::CarriageReturnLine => Said::Not,
            Construct::WordBoundary => Said::Nearly("word boundaries are those of ASCII letters"),
            Construct::FloatText => {
                Said::Nearly("the text of a number under 0.0001 or over 10^16 has other digits")
            }
            Construct::Overflow => {
                Said::Nearly("arrays among keys without a column are looked at as ClickHouse writes them")
            }
            Construct::Percentile => Said::Same,
        }
    }

    // A backslash escapes here.
    fn text(&self, text: &str) -> String {
        let escaped = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\0', "\\0");
        format!("'{escaped}'")
    }

    fn overflow(&self, json: &str, key: &str, kind: Option<ColumnKind>) -> String {
        let at = |way: Vec<&str>| {
            let path = way.into_iter().map(|part| self.text(part)).collect::<Vec<_>>().join(", ");
            found_at(json, &path, kind)
        };
        self.first(&ways(key).map(at).collect::<Vec<_>>())
    }

    fn time(&self, micros: i64) -> String {
        format!("fromUnixTimestamp64Micro({}, 'UTC')", self.int(micros))
    }

    fn day(&self, day: &str) -> String {
        format!("toDate32('{day}')")
    }

    fn type_name(&self, kind: ColumnKind) -> &'static str {
        match kind {
            ColumnKind::Text | ColumnKind::Json => "Nullable(String)",
            ColumnKind::Int => "Nullable(Int64)",
            ColumnKind::Float => "Nullable(Float64)",
            ColumnKind::Bool => "Nullable(Bool)",
            ColumnKind::Timestamp => "Nullable(DateTime64(6, 'UTC'))",
        }
    }

    fn not(&self, condition: &str) -> String {
        format!("NOT COALESCE({condition}, FALSE)")
    }

    fn contains(&self, text: &str, part: &str) -> String {
        format!("position({text}, {}) > 0", self.text(part))
    }

    fn starts_with(&self, text: &str, prefix: &str) -> String {
        format!("startsWith({text}, {})", self.text(prefix))
    }

    fn like(&self, text: &str, pattern: &str) -> String {
        format!("{text} LIKE {}", self.text(pattern))
    }

    fn matches(&self, text: &str, pattern: &str, match_case: bool) -> String {
        format!("match({text}, {})", self.text(&Portable::of(pattern, match_case).pattern))
    }

    // Whole floats would be written without their point.
    fn to_text(&self, value: &str, kind: ColumnKind) -> String {
        let whole = format!("{value} = trunc({value}) AND ABS({value}) < 1e16");
        match kind {
            ColumnKind::Float => {
                format!("if({whole}, CONCAT(toString(toInt64({value})), '.0'), toString({value}))")
            }
            _ => format!("toString({value})"),
        }
    }

    fn to_float(&self, value: &str) -> String {
        format!("toFloat64({value})")
    }

    fn join(&self, sign: Sign, left: &str, right: &str) -> String {
        match sign {
            Sign::Power => self.power(left, right),
            Sign::Over | Sign::Modulo => format!("({left} {} nullIf({right} + 0.0, 0.0))", sign.name()),
            sign => format!("({left} {} {right})", sign.name()),
        }
    }

    // Its own rounds halves to the even neighbour.
    fn apply(&self, function: Function, value: &str) -> String {
        match function {
            Function::Sqrt => self.root(value),
            Function::Ln => format!("log({value})"),
            Function::Round => {
                format!("(trunc({value}) + if(ABS({value} - trunc({value})) >= 0.5, sign({value}), 0))")
            }
            function => format!("{}({value})", function.name()),
        }
    }

    fn power(&self, base: &str, exponent: &str) -> String {
        format!("pow({base}, {exponent})")
    }

    fn root(&self, value: &str) -> String {
        format!("sqrt({value})")
    }

    fn pattern(&self, _message: &str) -> String {
        self.null(ColumnKind::Text)
    }

    fn micros(&self, time: &str) -> String {
        format!("toUnixTimestamp64Micro({time})")
    }

    fn bucket(&self, micros: &str, width_micros: i64) -> String {
        let rest = format!("(({micros} % {width_micros}) + {width_micros}) % {width_micros}");
        format!("intDiv({micros} - {rest}, {width_micros})")
    }

    fn count_distinct(&self, value: &str) -> String {
        format!("uniqExact({value})")
    }

    fn percentile(&self, value: &str, weight: Option<&str>, fraction: f64) -> String {
        let fraction = self.float(fraction);
        match weight {
            None => format!("quantileExactInclusiveOrNull({fraction})({value})"),
            Some(weight) => {
                format!("quantileExactWeightedInterpolatedOrNull({fraction})({value}, toUInt64({weight}))")
            }
        }
    }

    // Of a single value its own gives what is no number.
    fn stddev(&self, value: &str) -> String {
        format!("if(COUNT({value}) > 1, stddevSampStable({value}), NULL)")
    }

    fn variance(&self, value: &str) -> String {
        format!("if(COUNT({value}) > 1, varSampStable({value}), NULL)")
    }
}

/// The value of a kind at one path of a JSON text.
fn found_at(json: &str, path: &str, kind: Option<ColumnKind>) -> String {
    let is = format!("JSONType({json}, {path})");
    let (text, raw) =
        (format!("JSONExtractString({json}, {path})"), format!("JSONExtractRaw({json}, {path})"));
    let number = |name: &str| format!("JSONExtract({json}, {path}, 'Nullable({name})')");
    let (there, value) = match kind {
        None => (format!("JSONHas({json}, {path})"), format!("if({is} = 'String', {text}, {raw})")),
        Some(ColumnKind::Text | ColumnKind::Timestamp) => (format!("{is} = 'String'"), text),
        Some(ColumnKind::Int) => (format!("{is} = 'Int64'"), number("Int64")),
        Some(ColumnKind::Float) => (format!("{is} IN ('Double', 'UInt64')"), number("Float64")),
        Some(ColumnKind::Bool) => (format!("{is} = 'Bool'"), number("Bool")),
        Some(ColumnKind::Json) => {
            let empty = format!("{is} = 'Array' OR {is} = 'Null' OR {raw} = '{{}}'");
            (format!("JSONHas({json}, {path}) AND ({empty})"), raw)
        }
    };
    format!("CASE WHEN {there} THEN {value} END")
}

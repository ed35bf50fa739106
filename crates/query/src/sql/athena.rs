//! Athena's SQL (engine version 3, which is Trino's), over Delta tables of the Glue catalogue.

use model::Timestamp;

use super::path::ways;
use super::portable::Portable;
use super::{Construct, Dialect, Said};
use crate::arithmetic::{Function, Sign};
use crate::column::ColumnKind;

/// Amazon Athena, for what is more than one process reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Athena;

impl Dialect for Athena {
    fn name(&self) -> &'static str {
        "Athena"
    }

    fn says(&self, construct: Construct) -> Said {
        match construct {
            Construct::MessagePattern | Construct::CarriageReturnLine => Said::Not,
            Construct::Percentile => Said::Nearly("percentiles are estimates (approx_percentile)"),
            Construct::WordBoundary => Said::Nearly("word boundaries beside combining marks are Java's"),
            Construct::FloatText => Said::Nearly(
                "the text of a number with a fraction has an exponent from 10^7 on and below 0.001",
            ),
            Construct::Overflow => {
                Said::Nearly("arrays among keys without a column are looked at as Athena writes them")
            }
        }
    }

    fn overflow(&self, json: &str, key: &str, kind: Option<ColumnKind>) -> String {
        let at = |way: Vec<&str>| found_at(json, &self.text(&json_path(&way)), kind);
        match ways(key).map(at).collect::<Vec<_>>().as_slice() {
            [only] => only.clone(),
            several => self.first(several),
        }
    }

    // A number without an exponent would be a decimal.
    fn float(&self, number: f64) -> String {
        format!("{number:E}")
    }

    fn time(&self, micros: i64) -> String {
        let time = Timestamp::from_micros(micros).to_string().replace('T', " ").replace('Z', " UTC");
        format!("TIMESTAMP '{time}'")
    }

    fn type_name(&self, kind: ColumnKind) -> &'static str {
        match kind {
            ColumnKind::Text | ColumnKind::Json => "VARCHAR",
            ColumnKind::Int => "BIGINT",
            ColumnKind::Float => "DOUBLE",
            ColumnKind::Bool => "BOOLEAN",
            ColumnKind::Timestamp => "TIMESTAMP(3) WITH TIME ZONE",
        }
    }

    fn not(&self, condition: &str) -> String {
        format!("NOT COALESCE({condition}, FALSE)")
    }

    fn contains(&self, text: &str, part: &str) -> String {
        format!("strpos({text}, {}) > 0", self.text(part))
    }

    fn starts_with(&self, text: &str, prefix: &str) -> String {
        format!("starts_with({text}, {})", self.text(prefix))
    }

    fn like(&self, text: &str, pattern: &str) -> String {
        format!("{text} LIKE {} ESCAPE '\\'", self.text(&escaped_alike(pattern)))
    }

    fn matches(&self, text: &str, pattern: &str, match_case: bool) -> String {
        format!("regexp_like({text}, {})", self.text(&Portable::of(pattern, match_case).pattern))
    }

    // Its own text of every float has an exponent.
    fn to_text(&self, value: &str, kind: ColumnKind) -> String {
        let whole = format!("{value} = truncate({value}) AND ABS({value}) < 1E15");
        match kind {
            ColumnKind::Float => format!(
                "CASE WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) || '.0' \
                 WHEN {value} IS NOT NULL THEN format('%s', {value}) END"
            ),
            _ => format!("CAST({value} AS VARCHAR)"),
        }
    }

    fn join(&self, sign: Sign, left: &str, right: &str) -> String {
        match sign {
            Sign::Power => self.power(left, right),
            Sign::Over | Sign::Modulo => format!("({left} {} NULLIF({right} + 0E0, 0E0))", sign.name()),
            sign => format!("({left} {} {right})", sign.name()),
        }
    }

    fn apply(&self, function: Function, value: &str) -> String {
        format!("{}({value})", function.name())
    }

    fn power(&self, base: &str, exponent: &str) -> String {
        format!("power({base}, {exponent})")
    }

    fn root(&self, value: &str) -> String {
        format!("sqrt({value})")
    }

    fn pattern(&self, _message: &str) -> String {
        self.null(ColumnKind::Text)
    }

    // Athena sees milliseconds of a Delta table's times.
    fn micros(&self, time: &str) -> String {
        format!("date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00.000 UTC', {time}) * 1000")
    }

    fn bucket(&self, micros: &str, width_micros: i64) -> String {
        let rest = format!("((({micros}) % {width_micros}) + {width_micros}) % {width_micros}");
        format!("(({micros}) - {rest}) / {width_micros}")
    }

    fn percentile(&self, value: &str, weight: Option<&str>, fraction: f64) -> String {
        let weight = weight.map(|weight| format!(", {weight}")).unwrap_or_default();
        format!("approx_percentile({value}{weight}, {})", self.float(fraction))
    }
}

/// The path of these keys, each in brackets.
fn json_path(way: &[&str]) -> String {
    let key = |key: &&str| format!("[\"{}\"]", key.replace('\\', "\\\\").replace('"', "\\\""));
    format!("${}", way.iter().map(key).collect::<String>())
}

/// The value of a kind at one path of a JSON text. What a value is, its JSON tells.
fn found_at(json: &str, path: &str, kind: Option<ColumnKind>) -> String {
    let raw = format!("json_format(json_extract({json}, {path}))");
    let scalar = format!("json_extract_scalar({json}, {path})");
    match kind {
        None => format!("COALESCE({scalar}, {raw})"),
        Some(ColumnKind::Text | ColumnKind::Timestamp) => {
            format!("CASE WHEN starts_with({raw}, '\"') THEN {scalar} END")
        }
        Some(ColumnKind::Int) => format!("TRY_CAST({raw} AS BIGINT)"),
        Some(ColumnKind::Float) => {
            format!("CASE WHEN TRY_CAST({raw} AS BIGINT) IS NULL THEN TRY_CAST({raw} AS DOUBLE) END")
        }
        Some(ColumnKind::Bool) => format!("CASE {raw} WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END"),
        Some(ColumnKind::Json) => {
            format!("CASE WHEN {raw} IN ('null', '{{}}') OR starts_with({raw}, '[') THEN {raw} END")
        }
    }
}

/// A pattern in which a backslash stands before `%`, `_` and itself only: before anything else Athena refuses it.
fn escaped_alike(pattern: &str) -> String {
    let mut alike = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match (c == '\\').then(|| chars.next().unwrap_or('\\')) {
            None => alike.push(c),
            Some(escaped @ ('%' | '_' | '\\')) => alike.extend(['\\', escaped]),
            Some(other) => alike.push(other),
        }
    }
    alike
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backslash_escapes_what_may_be_escaped() {
        assert_eq!(Athena.like("x", r"a\%\b\\c\"), r"x LIKE 'a\%b\\c\\' ESCAPE '\'");
    }

    #[test]
    fn numbers_and_times_are_of_their_types() {
        assert_eq!(Athena.float(0.5), "5E-1");
        assert_eq!(Athena.float(f64::MAX), "1.7976931348623157E308");
        assert_eq!(Athena.time(1_795_183_200_000_001), "TIMESTAMP '2026-11-20 14:00:00.000001 UTC'");
    }

    #[test]
    fn keys_of_json_are_quoted() {
        assert_eq!(json_path(&["a", "it's \"b\"\\"]), r#"$["a"]["it's \"b\"\\"]"#);
    }
}

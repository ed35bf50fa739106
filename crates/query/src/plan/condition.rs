//! Filters and needles become expressions that are true, or not true (false or unknown). A missing key is unknown in
//! every column, so nothing but a negation is true of it, and negations are written as "is not true".

use super::resolve::{Catalogue, Named, Source, named, text_like};
use crate::ast::{Comparison, Condition, Filter, Key, Literal, Needle, Test};
use crate::column::ColumnKind;
use crate::sql::Expr;

pub(super) fn filter(filter: &Filter, catalogue: &Catalogue) -> Expr {
    let each = |filters: &[Filter]| filters.iter().map(|one| self::filter(one, catalogue)).collect();
    match filter {
        Filter::All(filters) => Expr::All(each(filters)),
        Filter::Any(filters) => Expr::Any(each(filters)),
        Filter::Not(inner) => not(self::filter(inner, catalogue)),
        Filter::Is(one) => condition(one, catalogue),
    }
}

fn not(expr: Expr) -> Expr {
    match expr {
        // Of constants the opposite is known, and engines prune better without the detour.
        Expr::Any(none) if none.is_empty() => Expr::All(Vec::new()),
        Expr::All(none) if none.is_empty() => Expr::Any(Vec::new()),
        expr => Expr::Not(Box::new(expr)),
    }
}

fn condition(condition: &Condition, catalogue: &Catalogue) -> Expr {
    let sources = catalogue.sources(&condition.key);
    let any = |test: &dyn Fn(&Source) -> Option<Expr>| any(sources.iter().filter_map(test).collect());
    let texts = |no_empty_passes: bool, test: &dyn Fn(Box<Expr>) -> Expr| {
        any(&|source| Some(test(Box::new(filled(as_text(source)?, no_empty_passes)))))
    };
    let contains = |part: &String| texts(!part.is_empty(), &|text| Expr::Contains(text, part.clone()));
    let like = |pattern: &String| {
        texts(pattern.chars().any(|char| char != '%'), &|text| Expr::Like(text, pattern.clone()))
    };
    let exists = || {
        let sources = catalogue.presence(&condition.key);
        self::any(sources.into_iter().map(|source| present(&condition.key, source)).collect())
    };
    match &condition.test {
        Test::Equals(literal) => any(&|source| equals(source, literal)),
        Test::NotEquals(literal) => not(any(&|source| equals(source, literal))),
        Test::Compare(comparison, literal) => any(&|source| compare(source, *comparison, literal)),
        Test::Includes(part) => contains(part),
        Test::Excludes(part) => not(contains(part)),
        Test::StartsWith(prefix) => texts(!prefix.is_empty(), &|text| Expr::StartsWith(text, prefix.clone())),
        Test::Like(pattern) => like(pattern),
        Test::NotLike(pattern) => not(like(pattern)),
        Test::Matches(regex) => texts(false, &|text| Expr::Matches(text, regex.clone(), true)),
        Test::Exists => exists(),
        Test::Missing => not(exists()),
        Test::In(literals) => any(&|source| one_of(source, literals)),
        Test::NotIn(literals) => not(any(&|source| one_of(source, literals))),
    }
}

/// A text without looking whether it is empty, where no empty one passes the test: engines choose files and pages by
/// conditions on columns as they are.
fn filled(text: Expr, no_empty_passes: bool) -> Expr {
    match text {
        Expr::Known(column) if no_empty_passes => *column,
        text => text,
    }
}

/// The envelope's texts are empty where nothing is known, which is the same as not there.
fn present(key: &Key, source: Source) -> Expr {
    let envelope_text = matches!(named(key), Named::Envelope(_)) && source.kind == ColumnKind::Text;
    match envelope_text {
        true => {
            Expr::Compare(Comparison::Greater, Box::new(source.expr), Box::new(Expr::Text(String::new())))
        }
        false => Expr::Exists(Box::new(source.expr)),
    }
}

fn any(mut exprs: Vec<Expr>) -> Expr {
    if exprs.len() == 1 { exprs.remove(0) } else { Expr::Any(exprs) }
}

/// What text tests look at: texts as they are, numbers and booleans by their digits and words; times have no text.
fn as_text(source: &Source) -> Option<Expr> {
    match source.kind {
        kind if text_like(kind) => Some(source.expr.clone()),
        ColumnKind::Timestamp => None,
        kind => Some(Expr::ToText(Box::new(source.expr.clone()), kind)),
    }
}

fn equals(source: &Source, literal: &Literal) -> Option<Expr> {
    let value = constant(source.kind, literal)?;
    let column = filled(source.expr.clone(), !is_empty(&value));
    Some(Expr::Equals(Box::new(column), Box::new(value)))
}

fn one_of(source: &Source, literals: &[Literal]) -> Option<Expr> {
    let values: Vec<Expr> = literals.iter().filter_map(|literal| constant(source.kind, literal)).collect();
    let column = filled(source.expr.clone(), !values.iter().any(is_empty));
    (!values.is_empty()).then_some(Expr::In(Box::new(column), values))
}

fn is_empty(value: &Expr) -> bool {
    matches!(value, Expr::Text(text) if text.is_empty())
}

/// The literal as a value of a column of that kind; none if no such value can be equal to it.
fn constant(kind: ColumnKind, literal: &Literal) -> Option<Expr> {
    match (kind, literal) {
        (ColumnKind::Text | ColumnKind::Json, literal) => Some(Expr::Text(literal.as_text())),
        (ColumnKind::Int, Literal::Int(number)) => Some(Expr::Int(*number)),
        (ColumnKind::Float, Literal::Int(number)) => Some(Expr::Float(rounded(*number))),
        (ColumnKind::Float, Literal::Float(number)) => Some(Expr::Float(*number)),
        (ColumnKind::Bool, Literal::Bool(flag)) => Some(Expr::Bool(*flag)),
        (ColumnKind::Timestamp, literal) => time(literal).map(Expr::Time),
        _ => None,
    }
}

/// A time from RFC 3339 text or milliseconds since the epoch, in microseconds.
fn time(literal: &Literal) -> Option<i64> {
    match literal {
        Literal::Text(text) => text.parse::<model::Timestamp>().ok().map(model::Timestamp::as_micros),
        Literal::Int(millis) => Some(millis.saturating_mul(1_000)),
        Literal::Float(_) | Literal::Bool(_) => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a float column cannot be compared more exactly")]
fn rounded(number: i64) -> f64 {
    number as f64
}

fn compare(source: &Source, comparison: Comparison, literal: &Literal) -> Option<Expr> {
    let against = |comparison, value| {
        let least = matches!(comparison, Comparison::Greater | Comparison::GreaterOrEqual);
        let column = filled(source.expr.clone(), least && !is_empty(&value));
        Some(Expr::Compare(comparison, Box::new(column), Box::new(value)))
    };
    match (source.kind, literal) {
        (ColumnKind::Int, Literal::Float(number)) => whole_bound(comparison, *number)
            .and_then(|(comparison, bound)| against(comparison, Expr::Int(bound))),
        (ColumnKind::Text, Literal::Text(text)) => against(comparison, Expr::Text(text.clone())),
        (ColumnKind::Text | ColumnKind::Json | ColumnKind::Bool, _) => None,
        (kind, literal) => constant(kind, literal).and_then(|value| against(comparison, value)),
    }
}

/// Whole numbers over 2.5 are those over 2: the column stays without a cast, so that its statistics prune.
fn whole_bound(comparison: Comparison, number: f64) -> Option<(Comparison, i64)> {
    // Every float of this size or more is outside the whole numbers of 64 bits.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let whole = match comparison {
        Comparison::Greater | Comparison::LessOrEqual => number.floor(),
        Comparison::GreaterOrEqual | Comparison::Less => number.ceil(),
    };
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if whole.abs() < BEYOND {
        return Some((comparison, whole as i64));
    }
    let all_match = (whole > 0.0) == matches!(comparison, Comparison::Less | Comparison::LessOrEqual);
    all_match.then_some((Comparison::GreaterOrEqual, i64::MIN))
}

/// A needle: any value of the event. Numbers and booleans are looked at only if the needle could be found in one.
pub(super) fn needle(needle: &Needle, catalogue: &Catalogue) -> Expr {
    let pattern = if needle.is_regex { needle.value.clone() } else { regex::escape(&needle.value) };
    let found = |text: Expr| match (needle.is_regex, needle.match_case) {
        (false, true) => Expr::Contains(Box::new(text), needle.value.clone()),
        (_, match_case) => Expr::Matches(Box::new(text), pattern.clone(), match_case),
    };
    let searched = catalogue.everything().into_iter().filter(|source| can_hold(source.kind, needle));
    any(searched.filter_map(|source| as_text(&source).map(found)).collect())
}

fn can_hold(kind: ColumnKind, needle: &Needle) -> bool {
    let lower = needle.value.to_ascii_lowercase();
    match kind {
        ColumnKind::Text | ColumnKind::Json => true,
        ColumnKind::Timestamp => false,
        _ if needle.is_regex => true,
        ColumnKind::Int => lower.chars().all(|c| c.is_ascii_digit() || c == '-'),
        ColumnKind::Float => lower.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e')),
        ColumnKind::Bool => "true".contains(&lower) || "false".contains(&lower),
    }
}

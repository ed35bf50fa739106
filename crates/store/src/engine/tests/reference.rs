//! The language's meaning, written again as plainly as possible: over one event at a time, without columns or SQL.

use model::{Event, Value};
use query::{Calculation, Comparison, Condition, Filter, Key, Literal, Needle, Operator, Query, Test};

use super::leaves;

/// Whether an event belongs to the answer.
pub(super) fn counts(query: &Query, event: &Event) -> bool {
    let time = event.timestamp;
    let searched = query.needle.as_ref().is_none_or(|needle| found(needle, event));
    time >= query.timeframe.from && time < query.timeframe.to && holds(&query.filter, event) && searched
}

fn holds(filter: &Filter, event: &Event) -> bool {
    match filter {
        Filter::All(filters) => filters.iter().all(|filter| holds(filter, event)),
        Filter::Any(filters) => filters.iter().any(|filter| holds(filter, event)),
        Filter::Not(filter) => !holds(filter, event),
        Filter::Is(condition) => is(condition, event),
    }
}

fn all(event: &Event) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    leaves(&event.attributes, "", &mut all);
    all.extend(event.message.iter().map(|message| ("message".to_owned(), Value::from(message.as_str()))));
    all.extend([
        ("$limelight.namespace".to_owned(), Value::from(event.namespace.as_str())),
        ("$limelight.service".to_owned(), Value::from(event.service.as_str())),
    ]);
    all
}

/// The values at a key: more than one only where two paths look alike (`a.b` as one key and as two).
pub(super) fn values(key: &Key, event: &Event) -> Vec<Value> {
    all(event).into_iter().filter(|(dotted, _)| dotted == key.as_str()).map(|(_, value)| value).collect()
}

fn is(condition: &Condition, event: &Event) -> bool {
    let values = values(&condition.key, event);
    let any = |test: &dyn Fn(&Value) -> bool| values.iter().any(test);
    let one_of = |literals: &[Literal]| any(&|value| literals.iter().any(|literal| equals(value, literal)));
    let like = |pattern: &str| any(&|value| pattern_of(pattern).is_match(&text(value)));
    let exists = || {
        let inside = format!("{}.", condition.key.as_str());
        let here =
            |(dotted, _): &(String, Value)| dotted == condition.key.as_str() || dotted.starts_with(&inside);
        all(event).iter().any(here)
    };
    match &condition.test {
        Test::Equals(literal) => any(&|value| equals(value, literal)),
        Test::NotEquals(literal) => !any(&|value| equals(value, literal)),
        Test::Compare(comparison, literal) => any(&|value| compares(value, *comparison, literal)),
        Test::Includes(part) => any(&|value| text(value).contains(part)),
        Test::Excludes(part) => !any(&|value| text(value).contains(part)),
        Test::StartsWith(prefix) => any(&|value| text(value).starts_with(prefix)),
        Test::Like(pattern) => like(pattern),
        Test::NotLike(pattern) => !like(pattern),
        Test::Matches(regex) => any(&|value| regex::Regex::new(regex).unwrap().is_match(&text(value))),
        Test::Exists => exists(),
        Test::Missing => !exists(),
        Test::In(literals) => one_of(literals),
        Test::NotIn(literals) => !one_of(literals),
    }
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => serde_json::Value::from(value.clone()).to_string(),
    }
}

fn equals(value: &Value, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Int(value), Literal::Int(number)) => value == number,
        (Value::Float(value), Literal::Int(number)) => *value == *number as f64,
        (Value::Float(value), Literal::Float(number)) => value == number,
        (Value::Bool(value), Literal::Bool(flag)) => value == flag,
        (Value::Int(_) | Value::Float(_) | Value::Bool(_), _) => false,
        (value, literal) => text(value) == literal.as_text(),
    }
}

fn compares(value: &Value, comparison: Comparison, literal: &Literal) -> bool {
    let order = match (value, literal) {
        (Value::Int(value), Literal::Int(number)) => Some(value.cmp(number)),
        (Value::Int(value), Literal::Float(number)) => (*value as f64).partial_cmp(number),
        (Value::Float(value), Literal::Int(number)) => value.partial_cmp(&(*number as f64)),
        (Value::Float(value), Literal::Float(number)) => value.partial_cmp(number),
        (Value::String(value), Literal::Text(text)) => Some(value.as_str().cmp(text)),
        _ => None,
    };
    order.is_some_and(|order| match comparison {
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
    })
}

/// SQL's pattern as a regular expression.
fn pattern_of(like: &str) -> regex::Regex {
    let mut pattern = String::from("(?s)^");
    let mut chars = like.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => pattern.push_str(".*"),
            '_' => pattern.push('.'),
            '\\' => pattern.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            c => pattern.push_str(&regex::escape(&c.to_string())),
        }
    }
    regex::Regex::new(&(pattern + "$")).unwrap()
}

fn found(needle: &Needle, event: &Event) -> bool {
    let pattern = if needle.is_regex { needle.value.clone() } else { regex::escape(&needle.value) };
    let regex = regex::RegexBuilder::new(&pattern).case_insensitive(!needle.match_case).build().unwrap();
    all(event).iter().any(|(_, value)| regex.is_match(&text(value)))
}

/// A calculation over the events of one group; none where there is nothing to work out.
pub(super) fn figure(calculation: &Calculation, events: &[&Event]) -> Option<f64> {
    let Some(key) = &calculation.key else { return Some(events.len() as f64) };
    let mut numbers: Vec<f64> =
        events.iter().filter_map(|event| values(key, event).iter().find_map(Value::as_f64)).collect();
    numbers.sort_by(f64::total_cmp);
    let (count, sum) = (numbers.len() as f64, numbers.iter().sum::<f64>());
    let some = |figure: f64| (!numbers.is_empty()).then_some(figure);
    let variance = || {
        let squares = numbers.iter().map(|number| (number - sum / count).powi(2)).sum::<f64>();
        (numbers.len() > 1).then(|| squares / (count - 1.0))
    };
    match calculation.operator {
        Operator::Count => Some(events.len() as f64),
        Operator::CountDistinct => {
            let mut texts: Vec<String> =
                events.iter().filter_map(|event| values(key, event).first().map(text)).collect();
            texts.sort();
            texts.dedup();
            Some(texts.len() as f64)
        }
        Operator::Sum => some(sum),
        Operator::Avg => some(sum / count),
        Operator::Min => numbers.first().copied(),
        Operator::Max => numbers.last().copied(),
        Operator::Median => percentile(&numbers, 0.5),
        Operator::Percentile(thousandths) => percentile(&numbers, f64::from(thousandths) / 1_000.0),
        Operator::Variance => variance(),
        Operator::Stddev => variance().map(f64::sqrt),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a rank is no greater than the number of values")]
fn percentile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let rank = fraction * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    Some(below + (above - below) * rank.fract())
}

//! The language's meaning, written again as plainly as possible: over one event at a time, without columns or SQL.

use model::{Event, Timestamp, Value};
use query::{
    Arithmetic, Calculation, Comparison, Condition, Derived, Filter, Function, Having, Key, Literal, Needle,
    Operator, Query, Relation, Sign, Term, Test,
};

use super::leaves;

/// One event as the language sees it: every value by its dotted key.
pub(super) struct Seen {
    time: Timestamp,
    values: Vec<(String, Value)>,
}

impl Seen {
    /// An event with the keys that a query derives from it.
    pub(super) fn new(event: &Event, derived: &[Derived]) -> Self {
        let mut values = Vec::new();
        leaves(&event.attributes, "", &mut values);
        let message =
            event.message.iter().map(|message| ("message".to_owned(), Value::from(message.as_str())));
        values.extend(message);
        // A field that is not set is a missing key.
        let fields = [("$limelight.namespace", &event.namespace), ("$limelight.service", &event.service)];
        let set = fields.into_iter().filter(|(_, value)| !value.is_empty());
        values.extend(set.map(|(key, value)| (key.to_owned(), Value::from(value.as_str()))));
        let stored = Self { time: event.timestamp, values };
        let number = |key: &Key| stored.number(key);
        let made: Vec<(String, Option<f64>)> = derived
            .iter()
            .map(|derived| (derived.name.as_str().to_owned(), worked(&derived.arithmetic, &number)))
            .collect();
        let hidden = |name: &str| made.iter().any(|(derived, _)| derived == name);
        let mut values: Vec<(String, Value)> =
            stored.values.iter().filter(|(name, _)| !hidden(name)).cloned().collect();
        values.extend(made.into_iter().filter_map(|(name, number)| Some((name, Value::Float(number?)))));
        Self { time: stored.time, values }
    }

    /// The values at a key: more than one only where two paths look alike (`a.b` as one key and as two).
    pub(super) fn at(&self, key: &Key) -> Vec<&Value> {
        self.values.iter().filter(|(dotted, _)| dotted == key.as_str()).map(|(_, value)| value).collect()
    }

    fn number(&self, key: &Key) -> Option<f64> {
        self.at(key).into_iter().find_map(Value::as_f64)
    }
}

/// Whether an event belongs to the answer.
pub(super) fn counts(query: &Query, event: &Seen) -> bool {
    let time = event.time;
    let searched = query.needle.as_ref().is_none_or(|needle| found(needle, event));
    time >= query.timeframe.from && time < query.timeframe.to && holds(&query.filter, event) && searched
}

fn holds(filter: &Filter, event: &Seen) -> bool {
    match filter {
        Filter::All(filters) => filters.iter().all(|filter| holds(filter, event)),
        Filter::Any(filters) => filters.iter().any(|filter| holds(filter, event)),
        Filter::Not(filter) => !holds(filter, event),
        Filter::Is(condition) => is(condition, event),
    }
}

fn is(condition: &Condition, event: &Seen) -> bool {
    let values = event.at(&condition.key);
    let any = |test: &dyn Fn(&Value) -> bool| values.iter().any(|value| test(value));
    let one_of = |literals: &[Literal]| any(&|value| literals.iter().any(|literal| equals(value, literal)));
    let like = |pattern: &str| any(&|value| pattern_of(pattern).is_match(&text(value)));
    let exists = || {
        let inside = format!("{}.", condition.key.as_str());
        let here =
            |(dotted, _): &(String, Value)| dotted == condition.key.as_str() || dotted.starts_with(&inside);
        event.values.iter().any(here)
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

fn found(needle: &Needle, event: &Seen) -> bool {
    let pattern = if needle.is_regex { needle.value.clone() } else { regex::escape(&needle.value) };
    let regex = regex::RegexBuilder::new(&pattern).case_insensitive(!needle.match_case).build().unwrap();
    event.values.iter().any(|(_, value)| regex.is_match(&text(value)))
}

/// A calculation over the events of one group; none where there is nothing to work out.
pub(super) fn figure(calculation: &Calculation, events: &[&Seen]) -> Option<f64> {
    let wanted = |event: &&&Seen| calculation.condition.as_ref().is_none_or(|filter| holds(filter, event));
    let events: Vec<&Seen> = events.iter().filter(wanted).copied().collect();
    let Some(key) = &calculation.key else { return Some(events.len() as f64) };
    let mut numbers: Vec<f64> = events.iter().filter_map(|event| event.number(key)).collect();
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
                events.iter().filter_map(|event| event.at(key).first().map(|value| text(value))).collect();
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

/// A formula, or a condition's side, of one group.
pub(super) fn formula(query: &Query, arithmetic: &Arithmetic<Term>, events: &[&Seen]) -> Option<f64> {
    worked(arithmetic, &|term| match term {
        Term::Calculated(calculation) => figure(calculation, events),
        Term::Named(name) => {
            let mut calculations = query.calculations.iter();
            let named = calculations.find(|calculation| calculation.alias.as_ref() == Some(name));
            named.map_or_else(
                || {
                    let formula = query.formulas.iter().find(|formula| formula.alias == *name)?;
                    self::formula(query, &formula.arithmetic, events)
                },
                |calculation| figure(calculation, events),
            )
        }
    })
}

/// Whether a group is shown.
pub(super) fn shows(query: &Query, having: &Having, events: &[&Seen]) -> bool {
    match having {
        Having::All(inner) => inner.iter().all(|one| shows(query, one, events)),
        Having::Any(inner) => inner.iter().any(|one| shows(query, one, events)),
        Having::Not(inner) => !shows(query, inner, events),
        Having::Is(left, relation, right) => {
            let sides = formula(query, left, events).zip(formula(query, right, events));
            match relation {
                Relation::Equal => sides.is_some_and(|(left, right)| left == right),
                Relation::NotEqual => sides.is_none_or(|(left, right)| left != right),
                Relation::Ordered(Comparison::Greater) => sides.is_some_and(|(left, right)| left > right),
                Relation::Ordered(Comparison::GreaterOrEqual) => {
                    sides.is_some_and(|(left, right)| left >= right)
                }
                Relation::Ordered(Comparison::Less) => sides.is_some_and(|(left, right)| left < right),
                Relation::Ordered(Comparison::LessOrEqual) => {
                    sides.is_some_and(|(left, right)| left <= right)
                }
            }
        }
    }
}

/// Arithmetic: no value where a part has none, by zero, and where it is not finite.
fn worked<L>(arithmetic: &Arithmetic<L>, of: &dyn Fn(&L) -> Option<f64>) -> Option<f64> {
    // A zero has no sign.
    part(arithmetic, of).filter(|number| number.is_finite()).map(|number| number + 0.0)
}

fn part<L>(arithmetic: &Arithmetic<L>, of: &dyn Fn(&L) -> Option<f64>) -> Option<f64> {
    match arithmetic {
        Arithmetic::Number(number) => Some(*number),
        Arithmetic::Of(leaf) => of(leaf),
        Arithmetic::Negative(inner) => Some(-part(inner, of)?),
        Arithmetic::Apply(function, inner) => Some(applied(*function, part(inner, of)?)),
        Arithmetic::Join(sign, left, right) => {
            let (left, right) = (part(left, of)?, part(right, of)?);
            match sign {
                Sign::Plus => Some(left + right),
                Sign::Minus => Some(left - right),
                Sign::Times => Some(left * right),
                Sign::Over => (right != 0.0).then(|| left / right),
                Sign::Modulo => (right != 0.0).then(|| left % right),
                Sign::Power => Some(left.powf(right)),
            }
        }
    }
}

fn applied(function: Function, number: f64) -> f64 {
    match function {
        Function::Abs => number.abs(),
        Function::Sqrt => number.sqrt(),
        Function::Ln => number.ln(),
        Function::Log10 => number.log10(),
        Function::Round => number.round(),
        Function::Floor => number.floor(),
        Function::Ceil => number.ceil(),
        Function::Sin => number.sin(),
        Function::Cos => number.cos(),
        Function::Tan => number.tan(),
        Function::Asin => number.asin(),
        Function::Acos => number.acos(),
        Function::Atan => number.atan(),
    }
}

//! The same data, the same query: engine and reference evaluator must agree.

use std::collections::BTreeMap;

use model::Event;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use query::{
    Answer, Arithmetic, Calculation, Derived, Filter, Formula, Group, Having, Key, Operator, Query,
    Runner as _, Term, View,
};
use serde_json::{Value, json};

use super::drawn::{attributes, key, parts};
use super::generate;
use super::reference::Seen;
use super::{event, ids, read, reference, store, store_of, wait};
use crate::Options;

/// Keys that queries derive.
const DERIVED: [&str; 2] = ["derived", "b"];

/// Events of the last 100 minutes, in two appends; nobody knows whose some of them are.
fn events() -> impl Strategy<Value = Vec<Vec<Event>>> {
    vec((attributes(), 0..6_000_000_i64, any::<[bool; 2]>()), 1..25).prop_map(|drawn| {
        let mut parts = vec![Vec::new(), Vec::new()];
        for (number, (attributes, age_ms, [second, unset])) in drawn.into_iter().enumerate() {
            let mut event = event("logs", number, age_ms, attributes);
            if unset {
                event.namespace.clear();
            }
            parts[usize::from(second)].push(event);
        }
        parts.retain(|part| !part.is_empty());
        parts
    })
}

fn calculations() -> Vec<Calculation> {
    let of_a = Operator::ALL.iter().filter(|(_, operator)| *operator != Operator::Count);
    let named = of_a.map(|(name, operator)| Calculation::of(*operator, "a").named(format!("a_{name}")));
    [Calculation::count()]
        .into_iter()
        .chain(named)
        .chain([Calculation::of(Operator::Sum, "nothing"), Calculation::count().named("total")])
        .collect()
}

/// Figures that conditions on groups compare: those that come out the same in whatever order the events are summed.
fn term() -> BoxedStrategy<Term> {
    let operators = [Operator::Sum, Operator::Min, Operator::Max, Operator::CountDistinct];
    let drawn = (proptest::sample::select(operators.to_vec()), key(), option::of(parts().filter(1, 2)));
    let calculated = drawn.prop_map(|(operator, key, condition)| {
        Term::Calculated(Box::new(Calculation { condition, ..Calculation::of(operator, key.as_str()) }))
    });
    let counted = option::of(parts().filter(1, 2))
        .prop_map(|condition| Term::Calculated(Box::new(Calculation { condition, ..Calculation::count() })));
    prop_oneof![calculated, counted, Just(Term::Named("total".to_owned()))].boxed()
}

/// What is asked of groups besides every calculation.
#[derive(Debug, Clone)]
struct Grouped {
    keys: Vec<Key>,
    formulas: Vec<Arithmetic<Term>>,
    having: Option<Having>,
    derived: Vec<Arithmetic<Key>>,
    condition: Filter,
}

fn grouped() -> impl Strategy<Value = Grouped> {
    let keys = prop_oneof![
        4 => key(),
        1 => Just(Key::new("derived")),
    ];
    let drawn = (
        vec(keys, 1..3),
        vec(generate::arithmetic(term()), 2),
        option::of(generate::having(term())),
        vec(generate::arithmetic(key().boxed()), 0..3),
        parts().filter(2, 4),
    );
    drawn.prop_map(|(mut keys, formulas, having, derived, condition)| {
        keys.dedup();
        Grouped { keys, formulas, having, derived, condition }
    })
}

fn query_of(grouped: Grouped) -> Query {
    let conditional = Calculation::of(Operator::Avg, "b").when(grouped.condition).named("conditional");
    let formula = |(index, arithmetic)| Formula { alias: format!("formula_{index}"), arithmetic };
    let derived = |(name, arithmetic): (&&str, _)| Derived { name: Key::new(*name), arithmetic };
    Query {
        calculations: calculations().into_iter().chain([conditional]).collect(),
        formulas: grouped.formulas.into_iter().enumerate().map(formula).collect(),
        derived: DERIVED.iter().zip(grouped.derived).map(derived).collect(),
        group_by: grouped.keys.into_iter().map(|key| Group { key }).collect(),
        having: grouped.having,
        granularity_ms: Some(60_000),
        view: View::Calculations,
        ..read("FROM logs LAST 2h")
    }
}

/// The events that the engine finds are those that the reference finds, newest first.
fn check_events(query: &Query, answer: &Answer, events: &[&Event]) -> Result<(), TestCaseError> {
    let counts = |event: &&&Event| reference::counts(query, &Seen::new(event, &query.derived));
    let mut expected: Vec<&&Event> = events.iter().filter(counts).collect();
    expected
        .sort_by(|left, right| (right.timestamp, right.id.as_str()).cmp(&(left.timestamp, left.id.as_str())));
    let expected: Vec<&str> = expected.iter().map(|event| event.id.as_str()).collect();
    prop_assert_eq!(ids(answer), expected, "{}", query);
    Ok(())
}

/// A group's value as the answer shows it: text where the key has values of several types.
fn shown(key: &Key, event: &Seen, all: &[Seen]) -> Value {
    let kinds: std::collections::BTreeSet<u8> =
        all.iter().flat_map(|event| event.at(key)).map(kind).collect();
    match event.at(key).first() {
        None => Value::Null,
        Some(value) if kinds.len() == 1 && kind(value) != 4 => number_shown(Value::from((*value).clone())),
        Some(value) => Value::from(reference::text(value)),
    }
}

/// Whole floats are shown as whole numbers, zero without its sign.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and far inside the range")]
fn number_shown(value: Value) -> Value {
    match value.as_f64() {
        Some(number) if number.fract() == 0.0 && number.abs() < 1e15 => json!(number as i64),
        _ => value,
    }
}

fn kind(value: &model::Value) -> u8 {
    match value {
        model::Value::String(_) => 0,
        model::Value::Int(_) => 1,
        model::Value::Float(_) => 2,
        model::Value::Bool(_) => 3,
        _ => 4,
    }
}

fn close(left: f64, right: f64) -> bool {
    // Sums in another order differ in their last digits.
    (left - right).abs() <= 1e-6 * (1.0 + left.abs().max(right.abs()))
}

fn check_figures(query: &Query, answer: &Answer, events: &[&Event]) -> Result<(), TestCaseError> {
    let all: Vec<Seen> = events.iter().map(|event| Seen::new(event, &query.derived)).collect();
    let mut groups: BTreeMap<String, Vec<&Seen>> = BTreeMap::new();
    for event in all.iter().filter(|event| reference::counts(query, event)) {
        let values: Vec<Value> = query.group_by.iter().map(|group| shown(&group.key, event, &all)).collect();
        groups.entry(json!(values).to_string()).or_default().push(event);
    }
    if let Some(having) = &query.having {
        groups.retain(|_, members| reference::shows(query, having, members));
    }
    prop_assert_eq!(answer.aggregates.len(), groups.len(), "{}", query);
    for aggregate in &answer.aggregates {
        let values: Vec<&Value> =
            query.group_by.iter().map(|group| &aggregate.groups[group.key.as_str()]).collect();
        let group = json!(values).to_string();
        let Some(members) = groups.get(&group) else {
            return Err(TestCaseError::fail(format!("group {group} of {query}")));
        };
        let calculated = query.calculations.iter().map(|one| (one.label(), reference::figure(one, members)));
        let worked = query.formulas.iter();
        let worked =
            worked.map(|one| (one.alias.clone(), reference::formula(query, &one.arithmetic, members)));
        for (label, expected) in calculated.chain(worked) {
            let agree = match (aggregate.values[&label].as_f64(), expected) {
                (Some(got), Some(expected)) => close(got, expected),
                (got, expected) => got == expected,
            };
            let got = &aggregate.values[&label];
            prop_assert!(agree, "{} of {group}: {got:?}, expected {expected:?} in {query}", label);
        }
        prop_assert_eq!(aggregate.values["_count"].as_u64(), Some(members.len() as u64));
    }
    let in_series: u64 = answer
        .series
        .iter()
        .flat_map(|bucket| bucket.data.iter().map(|data| data.aggregates["_count"].as_u64().unwrap_or(0)))
        .sum();
    prop_assert_eq!(in_series, groups.values().map(|members| members.len() as u64).sum::<u64>());
    Ok(())
}

proptest! {
    // Each case makes a store and asks it a dozen questions; more cases are a matter of PROPTEST_CASES.
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn engine_and_reference_agree(
        written in events(),
        filters in vec((parts().filter(3, 8), option::of(parts().needle())), 8),
        groups in vec(grouped(), 4),
    ) {
        let all: Vec<&Event> = written.iter().flatten().collect();
        wait(async {
            // Once with columns for all keys and once with hardly any.
            let crowded = store_of(&written, Options { columns_max: 2, ..Options::default() }).await;
            let store = store(&written).await;
            for (filter, needle) in filters {
                let narrow = Query { filter: filter.clone(), ..read("FROM logs") };
                let answer = crowded.run(&narrow).await.map_err(|error| TestCaseError::fail(format!("{narrow}: {error}")))?;
                check_events(&narrow, &answer, &all)?;
                let query = Query { filter, needle, ..read("FROM logs") };
                let answer = store.run(&query).await.map_err(|error| TestCaseError::fail(format!("{query}: {error}")))?;
                check_events(&query, &answer, &all)?;
            }
            for grouped in groups {
                let query = query_of(grouped);
                let answer = store.run(&query).await.map_err(|error| TestCaseError::fail(format!("{query}: {error}")))?;
                check_figures(&query, &answer, &all)?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}

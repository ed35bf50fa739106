//! Lines that name themselves, and how often each was found.

use std::collections::BTreeMap;

use serde_json::Value;

/// Lines with the run and their number in them: `line <run>:<number> …`.
pub fn lines(run: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("line <{run}:{number}> of {count}")).collect()
}

/// Asserts that each line of the run is in exactly one of the events.
pub fn assert_exactly_once(run: &str, count: usize, events: &[Value]) {
    let texts: Vec<String> = events.iter().map(ToString::to_string).collect();
    let found = counts(run, &texts);
    let missing: Vec<_> = (0..count).filter(|number| !found.contains_key(number)).collect();
    let double: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
    assert!(
        missing.is_empty() && double.is_empty(),
        "of {count} lines missing {missing:?}, double {double:?}; the first double: {:#?}",
        double.first().map(|(number, _)| copies(run, **number, &texts))
    );
}

/// What the copies of a line say of where they come from tells whose fault they are.
fn copies<'a>(run: &str, number: usize, texts: &'a [String]) -> Vec<&'a String> {
    let mark = format!("<{run}:{number}>");
    texts.iter().filter(|text| text.contains(&mark)).collect()
}

/// In how many of the texts each line of the run is.
pub fn counts(run: &str, texts: &[String]) -> BTreeMap<usize, usize> {
    let mut found: BTreeMap<usize, usize> = BTreeMap::new();
    for number in texts.iter().flat_map(|text| numbers(run, text)) {
        *found.entry(number).or_default() += 1;
    }
    found
}

fn numbers(run: &str, text: &str) -> Vec<usize> {
    let opening = format!("<{run}:");
    let mut numbers: Vec<usize> = text
        .match_indices(&opening)
        .filter_map(|(at, _)| {
            let rest = &text[at + opening.len()..];
            rest.split_once('>').and_then(|(number, _)| number.parse().ok())
        })
        .collect();
    numbers.dedup();
    numbers
}

//! What a filter and a needle must keep to.

use super::regexes::Regexes;
use super::{FILTER_DEPTH_MAX, too_many};
use crate::ast::{Filter, Key, Needle, Test};
use crate::diagnostic::Diagnostic;

/// More conditions than any saved query had; each becomes an expression over every column of its key.
const CONDITIONS_MAX: usize = 200;
/// Values of one `IN`.
const LIST_MAX: usize = 1_000;
/// Bytes of one value or key: longer ones are a mistake (and would come back in every message about them).
const TEXT_BYTES_MAX: usize = 10_000;

pub(super) fn filter(filter: &Filter, regexes: &mut Regexes) -> Option<Diagnostic> {
    if depth(filter, 0) > FILTER_DEPTH_MAX {
        return Some(Diagnostic::new(format!("the filter is nested more than {FILTER_DEPTH_MAX} deep")));
    }
    let conditions = filter.conditions();
    too_many("conditions", conditions.len(), CONDITIONS_MAX).or_else(|| {
        conditions.iter().find_map(|condition| key(&condition.key).or_else(|| test(&condition.test, regexes)))
    })
}

/// How deep a filter is nested; stops counting past what is allowed, so that it never runs out of stack itself.
fn depth(filter: &Filter, above: usize) -> usize {
    if above > FILTER_DEPTH_MAX {
        return above;
    }
    match filter {
        Filter::All(inner) | Filter::Any(inner) => {
            inner.iter().map(|filter| depth(filter, above + 1)).max().unwrap_or(above)
        }
        Filter::Not(inner) => depth(inner, above + 1),
        Filter::Is(_) => above,
    }
}

fn test(test: &Test, regexes: &mut Regexes) -> Option<Diagnostic> {
    match test {
        Test::Equals(value) | Test::NotEquals(value) | Test::Compare(_, value) => text(&value.as_text()),
        Test::Includes(value) | Test::Excludes(value) | Test::StartsWith(value) => text(value),
        Test::Like(pattern) | Test::NotLike(pattern) => text(pattern),
        Test::Matches(pattern) => regexes.fault(pattern, true),
        Test::In(values) | Test::NotIn(values) if values.is_empty() => {
            Some(Diagnostic::new("a list needs at least one value").hint("as in IN (a, b)"))
        }
        Test::In(values) | Test::NotIn(values) => too_many("values", values.len(), LIST_MAX)
            .or_else(|| values.iter().find_map(|value| text(&value.as_text()))),
        Test::Exists | Test::Missing => None,
    }
}

pub(super) fn text(value: &str) -> Option<Diagnostic> {
    (value.len() > TEXT_BYTES_MAX).then(|| {
        Diagnostic::new(format!("a value of {} bytes is too long, {TEXT_BYTES_MAX} is the most", value.len()))
    })
}

pub(super) fn key(key: &Key) -> Option<Diagnostic> {
    let name = key.as_str();
    if name.is_empty() {
        return Some(Diagnostic::new("a key is missing"));
    }
    text(name)
}

pub(super) fn needle(needle: &Needle, regexes: &mut Regexes) -> Option<Diagnostic> {
    if needle.value.is_empty() {
        return Some(Diagnostic::new("there is nothing to search for").hint("as in SEARCH \"timed out\""));
    }
    match needle.is_regex {
        true => regexes.fault(&needle.value, needle.match_case),
        false => text(&needle.value),
    }
}

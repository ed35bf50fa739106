//! What a query must keep to whatever form it came in: the bounds that keep it answerable, and the mistakes that would
//! give a plausible wrong answer. Each fault names the part it is in; the reader knows where that part stands.

use crate::ast::{Filter, Key, Query, Test, View};
use crate::calculation::{Calculation, Operator};
use crate::diagnostic::{Diagnostic, closest};

/// A part of a query that a fault can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Part {
    Datasets,
    Calculation(usize),
    Filter,
    Needle,
    Group(usize),
    OrderBy,
    Limit,
    Timeframe,
    Granularity,
    View,
}

/// Deeper than any person nests; SQL is parsed and planned by recursion, which must not run out of stack.
pub(crate) const FILTER_DEPTH_MAX: usize = 16;
/// More conditions than any saved query had; each becomes an expression over every column of its key.
const CONDITIONS_MAX: usize = 200;
/// Values of one `IN`.
const LIST_MAX: usize = 1_000;
/// Bytes of one value or key: longer ones are a mistake (and would come back in every message about them).
const TEXT_BYTES_MAX: usize = 10_000;
/// Calculations of one query, and keys to group by: columns of a table that a person reads.
const CALCULATIONS_MAX: usize = 50;
const GROUPS_MAX: usize = 10;
/// Datasets named one by one.
const DATASETS_MAX: usize = 50;
/// The compiled size of a regular expression; the default of the `regex` crate, so that what passes here compiles in
/// the engine.
const REGEX_BYTES_MAX: usize = 10 * (1 << 20);

impl Query {
    /// Checks a query that was made by hand; the readers have done it for theirs.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), crate::Diagnostics> {
        let found = faults(self).into_iter().map(|(_, diagnostic)| diagnostic).collect();
        crate::Diagnostics::or_ok(found, ())
    }
}

pub(crate) fn faults(query: &Query) -> Vec<(Part, Diagnostic)> {
    let mut found = Vec::new();
    let mut note = |part, diagnostic: Option<Diagnostic>| found.extend(diagnostic.map(|fault| (part, fault)));
    note(Part::Datasets, datasets(&query.datasets));
    note(
        Part::Calculation(CALCULATIONS_MAX),
        too_many("calculations", query.calculations.len(), CALCULATIONS_MAX),
    );
    for (index, calculation) in query.calculations.iter().enumerate() {
        note(Part::Calculation(index), self::calculation(calculation));
        note(Part::Calculation(index), duplicate(&query.calculations, index));
    }
    note(Part::Filter, filter(&query.filter));
    note(Part::Needle, query.needle.as_ref().and_then(needle));
    note(Part::Group(GROUPS_MAX), too_many("keys to group by", query.group_by.len(), GROUPS_MAX));
    for (index, group) in query.group_by.iter().enumerate() {
        note(Part::Group(index), key(&group.key));
        if query.group_by.iter().take(index).any(|before| before.key == group.key) {
            note(
                Part::Group(index),
                Some(Diagnostic::new(format!("{} is grouped by twice", group.key.as_str()))),
            );
        }
    }
    note(Part::Group(0), groups_without_calculation(query));
    note(Part::OrderBy, order_by(query));
    note(Part::Limit, limit(query.limit));
    note(Part::Timeframe, timeframe(query));
    note(Part::Granularity, granularity(query));
    note(Part::View, view(query));
    found
}

fn too_many(what: &str, count: usize, max: usize) -> Option<Diagnostic> {
    (count > max).then(|| Diagnostic::new(format!("{count} {what} are too many, {max} is the most")))
}

fn datasets(names: &[String]) -> Option<Diagnostic> {
    if names.is_empty() {
        return Some(Diagnostic::new("no dataset is named").hint("FROM * reads all of them"));
    }
    let all = names.iter().any(|name| name == Query::ALL_DATASETS);
    if all && names.len() > 1 {
        return Some(Diagnostic::new("* already is every dataset").hint("name datasets, or * alone"));
    }
    let wrong = |name: &&String| {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !all && (name.is_empty() || name.len() > 100 || !name.chars().all(good))
    };
    let fault = names.iter().find(wrong).map(|name| {
        let name: String = name.chars().take(100).collect();
        Diagnostic::new(format!("{name:?} cannot be a dataset"))
            .hint("a dataset's name has letters, digits, - _ and . only")
    });
    fault.or_else(|| too_many("datasets", names.len(), DATASETS_MAX)).or_else(|| {
        let twice =
            names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|n| n == *name))?;
        Some(Diagnostic::new(format!("{} is named twice", twice.1)))
    })
}

fn calculation(calculation: &Calculation) -> Option<Diagnostic> {
    let name = calculation.operator.name();
    match (&calculation.key, calculation.operator) {
        (Some(_), Operator::Count) => {
            Some(Diagnostic::new("COUNT takes no key").hint(
                "COUNT_DISTINCT(key) counts its values; WHERE key EXISTS leaves the events that have it",
            ))
        }
        (None, operator) if operator != Operator::Count => {
            Some(Diagnostic::new(format!("{name} needs a key")).hint(format!("as in {name}(@duration)")))
        }
        (given, _) => given.as_ref().and_then(key).or_else(|| alias(calculation.alias.as_deref()?)),
    }
}

fn alias(alias: &str) -> Option<Diagnostic> {
    let word =
        !alias.is_empty() && alias.len() <= 100 && alias.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !word {
        return Some(
            Diagnostic::new("an alias is one word of letters, digits and _").hint("as in COUNT as total"),
        );
    }
    // The figures of an answer stand beside these.
    ["_count", "_firstSeen", "_lastSeen"]
        .contains(&alias)
        .then(|| Diagnostic::new(format!("{alias} is in every answer already")).hint("choose another alias"))
}

fn duplicate(calculations: &[Calculation], index: usize) -> Option<Diagnostic> {
    let label = calculations.get(index)?.label();
    calculations.iter().take(index).any(|before| before.label() == label).then(|| {
        Diagnostic::new(format!("two calculations are called {label}"))
            .hint("give one of them an alias: … as other")
    })
}

fn filter(filter: &Filter) -> Option<Diagnostic> {
    if depth(filter, 0) > FILTER_DEPTH_MAX {
        return Some(Diagnostic::new(format!("the filter is nested more than {FILTER_DEPTH_MAX} deep")));
    }
    let conditions = filter.conditions();
    too_many("conditions", conditions.len(), CONDITIONS_MAX).or_else(|| {
        conditions.iter().find_map(|condition| key(&condition.key).or_else(|| test(&condition.test)))
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

fn test(test: &Test) -> Option<Diagnostic> {
    match test {
        Test::Equals(value) | Test::NotEquals(value) | Test::Compare(_, value) => text(&value.as_text()),
        Test::Includes(value) | Test::Excludes(value) | Test::StartsWith(value) => text(value),
        Test::Like(pattern) | Test::NotLike(pattern) => text(pattern),
        Test::Matches(pattern) => regex(pattern, true),
        Test::In(values) | Test::NotIn(values) if values.is_empty() => {
            Some(Diagnostic::new("a list needs at least one value").hint("as in IN (a, b)"))
        }
        Test::In(values) | Test::NotIn(values) => too_many("values", values.len(), LIST_MAX)
            .or_else(|| values.iter().find_map(|value| text(&value.as_text()))),
        Test::Exists | Test::Missing => None,
    }
}

fn text(value: &str) -> Option<Diagnostic> {
    (value.len() > TEXT_BYTES_MAX).then(|| {
        Diagnostic::new(format!("a value of {} bytes is too long, {TEXT_BYTES_MAX} is the most", value.len()))
    })
}

fn key(key: &Key) -> Option<Diagnostic> {
    let name = key.as_str();
    if name.is_empty() {
        return Some(Diagnostic::new("a key is missing"));
    }
    text(name)
}

fn regex(pattern: &str, match_case: bool) -> Option<Diagnostic> {
    let compiled = || {
        regex::RegexBuilder::new(pattern).case_insensitive(!match_case).size_limit(REGEX_BYTES_MAX).build()
    };
    text(pattern).or_else(|| {
        let reason = compiled().err()?.to_string();
        // Its last line says what is wrong; the lines above repeat the pattern.
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Some(Diagnostic::new(format!("the regular expression cannot be read: {reason}")).hint(
            "the syntax is that of Rust's regex: no look-around, no back-references; escape [ ( { . with \\",
        ))
    })
}

fn needle(needle: &crate::ast::Needle) -> Option<Diagnostic> {
    if needle.value.is_empty() {
        return Some(Diagnostic::new("there is nothing to search for").hint("as in SEARCH \"timed out\""));
    }
    if needle.is_regex { regex(&needle.value, needle.match_case) } else { text(&needle.value) }
}

fn groups_without_calculation(query: &Query) -> Option<Diagnostic> {
    let without = query.calculations.is_empty() || query.view == View::Events;
    (!query.group_by.is_empty() && without).then(|| {
        Diagnostic::new("there is nothing to work out for each group").hint("add a calculation, as COUNT")
    })
}

fn order_by(query: &Query) -> Option<Diagnostic> {
    let wanted = &query.order_by.as_ref()?.value;
    if query.view == View::Events {
        let time = ["$limelight.timestamp", "$baselime.timestamp", "timestamp"].contains(&wanted.as_str());
        return (!time).then(|| {
            Diagnostic::new(format!("events are ordered by time, not by {wanted}"))
                .hint("ORDER BY $limelight.timestamp ASC has the oldest first; or add a calculation")
        });
    }
    if query.ordered_calculation(wanted).is_some() {
        return None;
    }
    let labels: Vec<String> = query.calculations.iter().map(Calculation::label).collect();
    let hint = match closest(wanted, labels.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("order by one of {}", labels.join(", ")),
    };
    Some(Diagnostic::new(format!("{wanted} is not calculated")).hint(hint))
}

fn limit(limit: u64) -> Option<Diagnostic> {
    match limit {
        0 => Some(Diagnostic::new("a limit of 0 would show nothing").hint("1 is the least")),
        _ => (limit > Query::LIMIT_MAX).then(|| {
            Diagnostic::new(format!("a limit of {limit} is too high, {} is the most", Query::LIMIT_MAX))
                .hint("narrow the time or the filter")
        }),
    }
}

fn timeframe(query: &Query) -> Option<Diagnostic> {
    let frame = query.timeframe;
    (frame.from >= frame.to).then(|| {
        let fault = format!("the time range ends ({}) before it begins ({})", frame.to, frame.from);
        Diagnostic::new(fault).hint("the earlier time comes first")
    })
}

fn granularity(query: &Query) -> Option<Diagnostic> {
    let width = query.granularity_ms?;
    if width == 0 {
        return Some(
            Diagnostic::new("a bucket of the series cannot have no width").hint("EVERY NONE leaves it out"),
        );
    }
    let buckets = query.timeframe.width_ms() / width;
    (buckets > Query::BUCKETS_MAX).then(|| {
        let least =
            crate::time::duration_text(query.timeframe.width_ms().div_ceil(Query::BUCKETS_MAX).max(1));
        Diagnostic::new(format!(
            "the series would have {buckets} buckets, {} is the most",
            Query::BUCKETS_MAX
        ))
        .hint(format!("at least EVERY {least} for this time range"))
    })
}

fn view(query: &Query) -> Option<Diagnostic> {
    (query.view == View::Calculations && query.calculations.is_empty()).then(|| {
        Diagnostic::new("this view needs a calculation").hint("add one, as COUNT, or ask for the events view")
    })
}

impl Query {
    /// The calculation that `ORDER BY` names, by alias or by text: its place.
    pub(crate) fn ordered_calculation(&self, value: &str) -> Option<usize> {
        let by = |name: fn(&Calculation) -> String| self.calculations.iter().position(|c| name(c) == value);
        by(Calculation::label).or_else(|| by(Calculation::text))
    }
}

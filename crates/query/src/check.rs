//! What a query must keep to whatever form it came in: the bounds that keep it answerable, and the mistakes that would
//! give a plausible wrong answer. Each fault names the part it is in; the reader knows where that part stands.

mod condition;
mod figure;
mod regexes;

use crate::ast::{Query, View, Whole};
use crate::diagnostic::{Diagnostic, Found, closest};
use regexes::Regexes;

/// A part of a query that a fault can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Part {
    Datasets,
    Derived(usize),
    Calculation(usize),
    Formula(usize),
    Filter,
    Needle,
    Group(usize),
    Having,
    Heatmap,
    OrderBy,
    Limit,
    Others,
    Timeframe,
    Compare,
    Zone,
    Granularity,
    View,
}

/// Deeper than any person nests; SQL is parsed and planned by recursion, which must not run out of stack.
pub(crate) const FILTER_DEPTH_MAX: usize = 16;
/// Keys to group by: columns of a table that a person reads.
const GROUPS_MAX: usize = 10;
/// Bytes of a dataset's name: as long as the store lets one be.
const DATASET_BYTES_MAX: usize = 128;
/// Datasets named one by one.
const DATASETS_MAX: usize = 50;

impl Query {
    /// Checks a query that was made by hand; the readers have done it for theirs.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check(&self) -> Result<(), crate::Diagnostics> {
        let mut found = Found::default();
        faults(self).into_iter().for_each(|(_, fault)| found.push(|| fault));
        found.or_ok(())
    }
}

pub(crate) fn faults(query: &Query) -> Vec<(Part, Diagnostic)> {
    let mut found = Vec::new();
    let mut note = |part, diagnostic: Option<Diagnostic>| found.extend(diagnostic.map(|fault| (part, fault)));
    let mut regexes = Regexes::default();
    note(Part::Datasets, datasets(&query.datasets));
    figure::faults(query, &mut regexes, &mut note);
    note(Part::Filter, condition::filter(&query.filter, &mut regexes));
    note(Part::Needle, query.needle.as_ref().and_then(|needle| condition::needle(needle, &mut regexes)));
    note(Part::Group(GROUPS_MAX), too_many("keys to group by", query.group_by.len(), GROUPS_MAX));
    for (index, group) in query.group_by.iter().enumerate().take(GROUPS_MAX) {
        note(Part::Group(index), condition::key(&group.key));
        if query.group_by.iter().take(index).any(|before| before.key == group.key) {
            let fault = Diagnostic::new(format!("{} is grouped by twice", group.key.as_str()));
            note(Part::Group(index), Some(fault));
        }
    }
    note(Part::Group(0), groups_without_calculation(query));
    note(Part::Heatmap, heatmap(query));
    note(Part::OrderBy, figure::order_by(query));
    note(Part::Limit, limit(query.limit));
    note(Part::Others, others(query));
    note(Part::Timeframe, timeframe(query));
    note(Part::Compare, compare(query));
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
        !all && (name.is_empty() || name.len() > DATASET_BYTES_MAX || !name.chars().all(good))
    };
    let fault = names.iter().find(wrong).map(|name| {
        let name: String = name.chars().take(DATASET_BYTES_MAX).collect();
        Diagnostic::new(format!("{name:?} cannot be a dataset"))
            .hint("a dataset's name has letters, digits, - _ and . only")
    });
    fault.or_else(|| too_many("datasets", names.len(), DATASETS_MAX)).or_else(|| {
        let twice =
            names.iter().enumerate().find(|(index, name)| names.iter().take(*index).any(|n| n == *name))?;
        Some(Diagnostic::new(format!("{} is named twice", twice.1)))
    })
}

fn groups_without_calculation(query: &Query) -> Option<Diagnostic> {
    if let Some(whole) = query.view.whole() {
        let name = query.view.name();
        return (!query.group_by.is_empty()).then(|| {
            Diagnostic::new(format!("a row of {name} is a group already"))
                .hint(format!("leave GROUP BY out; its figures are {}", ordered_facts(whole)))
        });
    }
    let without = query.heatmap.is_none() && !query.has_figures() || query.view == View::Events;
    (!query.group_by.is_empty() && without).then(|| {
        Diagnostic::new("there is nothing to work out for each group").hint("add a calculation, as COUNT")
    })
}

/// What can be compared and ordered by.
fn ordered_facts(whole: Whole) -> String {
    let ordered = whole.facts().iter().filter(|fact| fact.kind.is_ordered());
    ordered.map(|fact| fact.name).collect::<Vec<_>>().join(" ")
}

/// A name among the facts that can be compared and ordered by.
fn ordered_fact(whole: Whole, name: &str) -> Option<Diagnostic> {
    if whole.fact(name).is_some_and(|fact| fact.kind.is_ordered()) {
        return None;
    }
    let fault = match whole.fact(name) {
        Some(_) => Diagnostic::new(format!("{name} is no number")),
        None => Diagnostic::new(format!("no figure is called {name}")),
    };
    let near =
        closest(name, whole.facts().iter().filter(|fact| fact.kind.is_ordered()).map(|fact| fact.name));
    Some(match near {
        Some(near) => fault.hint(format!("did you mean {near}?")),
        None => fault.hint(format!("figures are {}", ordered_facts(whole))),
    })
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

fn others(query: &Query) -> Option<Diagnostic> {
    (query.others && query.group_by.is_empty()).then(|| {
        Diagnostic::new("there are no groups to take together").hint("OTHERS wants GROUP BY; leave it out")
    })
}

fn timeframe(query: &Query) -> Option<Diagnostic> {
    let frame = query.timeframe;
    (frame.from >= frame.to).then(|| {
        let fault = format!("the time range ends ({}) before it begins ({})", frame.to, frame.from);
        Diagnostic::new(fault).hint("the earlier time comes first")
    })
}

fn compare(query: &Query) -> Option<Diagnostic> {
    match query.compare_ms? {
        0 => Some(Diagnostic::new("a time cannot be compared with itself").hint("as in COMPARE 1d")),
        _ if query.view != View::Calculations => Some(
            Diagnostic::new(format!("{} cannot be compared with earlier ones", query.view.name()))
                .hint("ask for a calculation, as COUNT"),
        ),
        _ => None,
    }
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

fn heatmap(query: &Query) -> Option<Diagnostic> {
    let heatmap = query.heatmap.as_ref()?;
    let alone = !query.has_figures() && query.group_by.is_empty() && query.order_by.is_none();
    if !alone || query.compare_ms.is_some() || query.view != View::Calculations {
        let fault = Diagnostic::new("a heatmap counts events by time and number, and nothing beside it");
        return Some(fault.hint("leave out calculations, GROUP BY, ORDER BY, COMPARE and VIEW"));
    }
    if query.granularity_ms.is_none() {
        return Some(Diagnostic::new("a heatmap needs buckets of time").hint("as in EVERY 5m"));
    }
    condition::key(&heatmap.key)
}

fn view(query: &Query) -> Option<Diagnostic> {
    if query.heatmap.is_some() {
        return None;
    }
    if query.view.whole().is_some() && query.has_figures() {
        let name = query.view.name();
        let fault =
            Diagnostic::new(format!("{name} have figures of their own, and calculations are of events"));
        return Some(fault.hint("leave the calculations out, or the view"));
    }
    (query.view == View::Calculations && !query.has_figures()).then(|| {
        Diagnostic::new("this view needs a calculation").hint("add one, as COUNT, or ask for the events view")
    })
}

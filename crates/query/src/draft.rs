//! A query while it is being read: what was said, and where each part of it stands. Both readers fill one; finishing it
//! puts in the defaults, resolves the times and checks the whole.

use model::Timestamp;

use crate::ast::{Filter, Group, Key, Needle, OrderBy, Query, Timeframe, View};
use crate::calculation::Calculation;
use crate::check::{Part, faults};
use crate::diagnostic::{Diagnostic, Diagnostics, Found};
use crate::formula::{Derived, Formula, Having, Term};
use crate::heatmap::Heatmap;
use crate::zone::Zone;

/// The name of the view that is read as figures per pattern.
pub(crate) const PATTERNS: &str = "patterns";

/// What was read so far.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) datasets: Vec<String>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) calculations: Vec<Calculation>,
    pub(crate) formulas: Vec<Formula>,
    pub(crate) filter: Option<Filter>,
    pub(crate) needle: Option<Needle>,
    pub(crate) group_by: Vec<Group>,
    pub(crate) having: Option<Having>,
    pub(crate) heatmap: Option<Heatmap>,
    pub(crate) order_by: Option<OrderBy>,
    pub(crate) limit: Option<u64>,
    pub(crate) others: bool,
    pub(crate) compare_ms: Option<u64>,
    pub(crate) zone: Option<Zone>,
    pub(crate) explain: bool,
    pub(crate) from: Option<Timestamp>,
    pub(crate) to: Option<Timestamp>,
    pub(crate) granularity: Granularity,
    pub(crate) view: Option<View>,
    /// The key whose patterns are wanted ([`PATTERNS`]).
    pub(crate) patterns: Option<&'static str>,
    /// What was wrong with it already.
    pub(crate) found: Found,
}

/// What was said of the series' buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Granularity {
    /// Nothing: a sixtieth of the timeframe in the calculations view, no series in the events view.
    #[default]
    Default,
    /// No series is wanted.
    None,
    /// This wide, milliseconds.
    Width(u64),
}

impl Draft {
    /// The checked query; `place` puts a fault where the part stands that it is in.
    pub(crate) fn finish(
        mut self,
        now: Timestamp,
        place: impl Fn(Part, Diagnostic) -> Diagnostic,
    ) -> Result<Query, Diagnostics> {
        let mut found = std::mem::take(&mut self.found);
        if let Some(key) = self.patterns {
            self.group_by_pattern(key);
        }
        let query = self.complete(now);
        // A fault in a part that could not even be read would be said twice, and the second time wrongly.
        if found.is_empty() {
            for (part, fault) in faults(&query) {
                found.push(|| place(part, fault));
            }
        }
        found.or_ok(query)
    }

    /// What the first figure is called.
    pub(crate) fn first_figure(&self) -> Option<String> {
        let calculation = self.calculations.first().map(Calculation::label);
        calculation.or_else(|| self.formulas.first().map(|formula| formula.alias.clone()))
    }

    /// The view of patterns: figures per pattern of the key; how many, if nothing else is said.
    fn group_by_pattern(&mut self, key: &str) {
        if self.calculations.is_empty() && self.formulas.is_empty() {
            self.calculations.push(Calculation::count());
        }
        self.group_by.insert(0, Group { key: Key::new(key) });
        self.view = Some(View::Calculations);
    }

    fn complete(self, now: Timestamp) -> Query {
        let drawn = self.heatmap.is_some();
        let figures = drawn || !self.calculations.is_empty() || !self.formulas.is_empty();
        let view = self.view.unwrap_or(if figures { View::Calculations } else { View::Events });
        let mut term = |term| canonical_term(term, &self.calculations);
        let formulas = self
            .formulas
            .into_iter()
            .map(|formula| Formula { arithmetic: formula.arithmetic.map(&mut term), ..formula });
        let formulas = formulas.collect();
        let having = self.having.map(|having| having.map(&mut term));
        let order_by = self.order_by.map(|order_by| canonical(order_by, &self.calculations));
        let timeframe = timeframe(self.from, self.to, now);
        let granularity_ms = match (self.granularity, view) {
            (Granularity::Width(width), _) => Some(width),
            (Granularity::Default, View::Calculations) => {
                Some((timeframe.width_ms() / Query::BUCKETS_DEFAULT).max(1))
            }
            (Granularity::None, _) | (Granularity::Default, View::Events | View::Wholes(_)) => None,
        };
        Query {
            datasets: match self.datasets.is_empty() {
                true if view.whole().is_some() => vec![Query::ALL_DATASETS.to_owned()],
                true => vec![Query::DATASET_DEFAULT.to_owned()],
                false => self.datasets,
            },
            derived: self.derived,
            calculations: self.calculations,
            formulas,
            filter: self.filter.unwrap_or_else(Filter::everything),
            needle: self.needle,
            group_by: self.group_by,
            having,
            heatmap: self.heatmap,
            order_by,
            limit: self.limit.unwrap_or(Query::LIMIT_DEFAULT),
            others: self.others,
            timeframe,
            compare_ms: self.compare_ms,
            zone: self.zone.unwrap_or_default(),
            granularity_ms,
            view,
            explain: self.explain,
        }
    }
}

/// `ORDER BY count` means `COUNT`, unless something is called `count`.
fn canonical(order_by: OrderBy, calculations: &[Calculation]) -> OrderBy {
    let named = calculations.iter().any(|calculation| calculation.label() == order_by.value);
    let texts = || calculations.iter().map(Calculation::text);
    match texts().find(|text| !named && text.eq_ignore_ascii_case(&order_by.value)) {
        Some(value) => OrderBy { value, ..order_by },
        None => order_by,
    }
}

/// `count` inside a formula means `COUNT`, unless a calculation is called so.
fn canonical_term(term: Term, calculations: &[Calculation]) -> Term {
    match term {
        Term::Named(name)
            if name.eq_ignore_ascii_case("COUNT")
                && !calculations.iter().any(|calculation| calculation.alias.as_ref() == Some(&name)) =>
        {
            Term::Calculated(Box::new(Calculation::count()))
        }
        term => term,
    }
}

/// From an hour before its end, to now, unless said otherwise.
fn timeframe(from: Option<Timestamp>, to: Option<Timestamp>, now: Timestamp) -> Timeframe {
    let to = to.unwrap_or(now);
    let hour = std::time::Duration::from_millis(Query::TIMEFRAME_DEFAULT_MS);
    Timeframe { from: from.unwrap_or_else(|| to.minus(hour)), to }
}

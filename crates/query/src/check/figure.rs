//! What calculations, formulas, conditions on groups and derived keys must keep to.

use super::condition::{filter, key};
use super::regexes::Regexes;
use super::{FILTER_DEPTH_MAX, Part, ordered_fact, too_many};
use crate::arithmetic::Arithmetic;
use crate::ast::{Query, View};
use crate::calculation::{Calculation, Operator};
use crate::diagnostic::{Diagnostic, closest};
use crate::formula::{Derived, Formula, Having, Term};
use crate::parser::ARITHMETIC_DEPTH_MAX;

/// Calculations and formulas of one query: columns of a table that a person reads.
const FIGURES_MAX: usize = 50;
/// Derived keys of one query; each is worked out for every event.
const DERIVED_MAX: usize = 20;
/// Comparisons of one `HAVING`.
const COMPARISONS_MAX: usize = 50;
/// Calculations that are not among the query's own: every comparison may have one.
const HIDDEN_MAX: usize = 50;
/// Keys or figures in one piece of arithmetic; each stands in the engine's statement as often as it is named.
const LEAVES_MAX: usize = 200;

pub(super) fn faults(query: &Query, regexes: &mut Regexes, note: &mut impl FnMut(Part, Option<Diagnostic>)) {
    note(Part::Derived(DERIVED_MAX), too_many("derived keys", query.derived.len(), DERIVED_MAX));
    for (index, one) in query.derived.iter().enumerate().take(DERIVED_MAX) {
        note(Part::Derived(index), derived(one, query.derived.get(..index).unwrap_or_default()));
    }
    let figures = query.calculations.len() + query.formulas.len();
    note(Part::Calculation(FIGURES_MAX), too_many("calculations", figures, FIGURES_MAX));
    for (index, one) in query.calculations.iter().enumerate().take(FIGURES_MAX) {
        let before = query.calculations.get(..index).unwrap_or_default();
        let twice = before.iter().any(|before| before.label() == one.label());
        note(Part::Calculation(index), calculation(one, regexes));
        note(Part::Calculation(index), twice.then(|| called_twice(&one.label())));
    }
    for (index, one) in query.formulas.iter().enumerate().take(FIGURES_MAX) {
        let before = query.formulas.get(..index).unwrap_or_default();
        let mut known = query.calculations.iter().take(FIGURES_MAX);
        let twice = before.iter().any(|before| before.alias == one.alias)
            || known.any(|calculation| calculation.label() == one.alias);
        note(Part::Formula(index), formula(query, one, regexes));
        note(Part::Formula(index), twice.then(|| called_twice(&one.alias)));
    }
    note(Part::Having, query.having.as_ref().and_then(|condition| having(query, condition, regexes)));
    note(Part::Having, hidden(query));
}

/// Calculations that only formulas and conditions on groups name are worked out as well.
fn hidden(query: &Query) -> Option<Diagnostic> {
    let formulas = query.formulas.iter().map(|formula| &formula.arithmetic);
    let conditions = query.having.iter().flat_map(|having| having.sides());
    let mut hidden: Vec<&Calculation> = Vec::new();
    for term in formulas.chain(conditions).flat_map(Arithmetic::leaves) {
        let Term::Calculated(one) = term else { continue };
        let mut known = query.calculations.iter().take(FIGURES_MAX).chain(hidden.iter().copied());
        if known.any(|known| known.same_as(one)) {
            continue;
        }
        if hidden.len() == HIDDEN_MAX {
            let fault = format!("formulas and HAVING name more than {HIDDEN_MAX} calculations of their own");
            return Some(Diagnostic::new(fault).hint("name a calculation with AS, and use its name"));
        }
        hidden.push(one);
    }
    None
}

fn calculation(calculation: &Calculation, regexes: &mut Regexes) -> Option<Diagnostic> {
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
        (given, _) => given
            .as_ref()
            .and_then(key)
            .or_else(|| filter(calculation.condition.as_ref()?, regexes))
            .or_else(|| alias(calculation.alias.as_deref()?)),
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

fn called_twice(label: &str) -> Diagnostic {
    Diagnostic::new(format!("two calculations are called {label}"))
        .hint("give one of them an alias: … as other")
}

fn formula(query: &Query, formula: &Formula, regexes: &mut Regexes) -> Option<Diagnostic> {
    let fault = alias(&formula.alias).or_else(|| arithmetic(&formula.arithmetic));
    fault.or_else(|| {
        formula.arithmetic.leaves().into_iter().find_map(|found| match found {
            Term::Named(name) if query.formula(name).is_some() => {
                let fault = Diagnostic::new(format!("{name} is a formula itself"));
                Some(fault.hint("a formula is made of calculations; write its parts here"))
            }
            found => term(query, found, regexes),
        })
    })
}

fn having(query: &Query, having: &Having, regexes: &mut Regexes) -> Option<Diagnostic> {
    if query.group_by.is_empty() && query.view.whole().is_none() {
        let fault = Diagnostic::new("there are no groups to choose from");
        return Some(fault.hint("HAVING wants GROUP BY; events are chosen by WHERE"));
    }
    if having.depth() > FILTER_DEPTH_MAX {
        return Some(Diagnostic::new(format!("the condition is nested more than {FILTER_DEPTH_MAX} deep")));
    }
    let sides = having.sides();
    too_many("comparisons", sides.len() / 2, COMPARISONS_MAX).or_else(|| {
        sides.into_iter().find_map(|side| {
            let mut terms = || side.leaves().into_iter().find_map(|found| term(query, found, regexes));
            arithmetic(side).or_else(&mut terms)
        })
    })
}

/// A figure that a formula or a condition is made of.
fn term(query: &Query, term: &Term, regexes: &mut Regexes) -> Option<Diagnostic> {
    if let Some(whole) = query.view.whole() {
        return match term {
            Term::Named(name) => ordered_fact(whole, name),
            Term::Calculated(calculation) => ordered_fact(whole, &calculation.text()),
        };
    }
    match term {
        Term::Named(name) => {
            let known = query.named_calculation(name).is_some() || query.formula(name).is_some();
            (!known).then(|| not_calculated(query, name, "known are"))
        }
        Term::Calculated(found) => calculation(found, regexes),
    }
}

fn derived(derived: &Derived, before: &[Derived]) -> Option<Diagnostic> {
    let name = derived.name.as_str();
    if name.starts_with("$limelight.") || name.starts_with("$baselime.") || name == "message" {
        let fault = Diagnostic::new(format!("{name} is a name of every event"));
        return Some(fault.hint("choose another name"));
    }
    if before.iter().any(|before| before.name == derived.name) {
        return Some(Diagnostic::new(format!("{name} is derived twice")));
    }
    let used = derived.arithmetic.leaves();
    if let Some(used) = used.iter().find(|used| before.iter().any(|before| before.name == ***used)) {
        let fault = Diagnostic::new(format!("{} is derived itself", used.as_str()));
        return Some(fault.hint("a derived key is made of the events' own keys; write its parts here"));
    }
    key(&derived.name).or_else(|| arithmetic(&derived.arithmetic)).or_else(|| used.into_iter().find_map(key))
}

fn arithmetic<L>(arithmetic: &Arithmetic<L>) -> Option<Diagnostic> {
    if arithmetic.depth() > ARITHMETIC_DEPTH_MAX {
        return Some(Diagnostic::new(format!(
            "the arithmetic is nested more than {ARITHMETIC_DEPTH_MAX} deep"
        )));
    }
    too_many("keys or figures in one piece of arithmetic", arithmetic.leaves().len(), LEAVES_MAX)
}

pub(super) fn order_by(query: &Query) -> Option<Diagnostic> {
    let wanted = &query.order_by.as_ref().filter(|_| query.heatmap.is_none())?.value;
    if let Some(whole) = query.view.whole() {
        return ordered_fact(whole, wanted);
    }
    if query.view == View::Events {
        let time = ["$limelight.timestamp", "$baselime.timestamp", "timestamp"].contains(&wanted.as_str());
        return (!time).then(|| {
            Diagnostic::new(format!("events are ordered by time, not by {wanted}"))
                .hint("ORDER BY $limelight.timestamp ASC has the oldest first; or add a calculation")
        });
    }
    if query.ordered_calculation(wanted).is_some() || query.formula(wanted).is_some() {
        return None;
    }
    Some(not_calculated(query, wanted, "order by one of"))
}

fn not_calculated(query: &Query, wanted: &str, known: &str) -> Diagnostic {
    let labels = query.calculations.iter().map(Calculation::label);
    let labels: Vec<String> =
        labels.chain(query.formulas.iter().map(|formula| formula.alias.clone())).collect();
    let fault = Diagnostic::new(format!("{wanted} is not calculated"));
    match closest(wanted, labels.iter().map(String::as_str)) {
        Some(near) => fault.hint(format!("did you mean {near}?")),
        None if labels.is_empty() => fault.hint("add a calculation, as COUNT"),
        None => fault.hint(format!("{known} {}", labels.join(", "))),
    }
}

impl Query {
    /// The calculation that `ORDER BY` names, by alias or by text: its place.
    pub(crate) fn ordered_calculation(&self, value: &str) -> Option<usize> {
        let by = |name: fn(&Calculation) -> String| self.calculations.iter().position(|c| name(c) == value);
        by(Calculation::label).or_else(|| by(Calculation::text))
    }

    /// The calculation of that alias: its place.
    pub(crate) fn named_calculation(&self, alias: &str) -> Option<usize> {
        self.calculations.iter().position(|calculation| calculation.alias.as_deref() == Some(alias))
    }

    /// The formula of that name: its place.
    pub(crate) fn formula(&self, alias: &str) -> Option<usize> {
        self.formulas.iter().position(|formula| formula.alias == alias)
    }

    /// Whether figures are asked for, and not events.
    pub fn has_figures(&self) -> bool {
        !self.calculations.is_empty() || !self.formulas.is_empty()
    }
}

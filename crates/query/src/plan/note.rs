//! What the reader of an answer should know beside the figures: keys that nobody has, texts that were meant as numbers,
//! calculations of what is no number; and the catalogue of keys.

use std::collections::BTreeSet;

use super::resolve::{Catalogue, Source, reserved};
use crate::answer::Field;
use crate::arithmetic::Arithmetic;
use crate::ast::{Condition, Filter, Key, Literal, Query, Test};
use crate::calculation::{Calculation, Operator};
use crate::column::ColumnKind;
use crate::diagnostic::closest;
use crate::envelope::Envelope;
use crate::formula::Term;

pub(super) fn notes(query: &Query, catalogues: &[Catalogue]) -> Vec<String> {
    let calculations = calculations(query);
    let of_some = calculations.iter().filter_map(|calculation| calculation.condition.as_ref());
    let conditions: Vec<&Condition> =
        std::iter::once(&query.filter).chain(of_some).flat_map(Filter::conditions).collect();
    let filtered = conditions.iter().map(|condition| &condition.key);
    let calculated = calculations.iter().filter_map(|calculation| calculation.key.as_ref());
    let derived = query.derived.iter().flat_map(|derived| derived.arithmetic.leaves());
    let grouped = query.group_by.iter().map(|group| &group.key);
    let drawn = query.heatmap.iter().map(|heatmap| &heatmap.key);
    let keys: BTreeSet<&Key> =
        filtered.chain(calculated).chain(derived).chain(grouped).chain(drawn).collect();
    let unknown = keys.into_iter().filter_map(|key| unknown_key(key, catalogues));
    let typed = conditions.iter().filter_map(|condition| text_against_numbers(condition, catalogues));
    let numbers = calculations.iter().filter_map(|calculation| without_numbers(calculation, catalogues));
    let mut notes: Vec<String> = Vec::new();
    // The same condition may stand in several calculations.
    for note in unknown.chain(typed).chain(numbers) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// The query's own, and those that only its formulas and its condition on groups name.
fn calculations(query: &Query) -> Vec<&Calculation> {
    let formulas = query.formulas.iter().map(|formula| &formula.arithmetic);
    let conditions = query.having.iter().flat_map(|having| having.sides());
    let hidden = formulas.chain(conditions).flat_map(Arithmetic::leaves).filter_map(|term| match term {
        Term::Calculated(calculation) => Some(calculation.as_ref()),
        Term::Named(_) => None,
    });
    query.calculations.iter().chain(hidden).collect()
}

fn sources(key: &Key, catalogues: &[Catalogue]) -> Vec<Source> {
    catalogues.iter().flat_map(|catalogue| catalogue.sources(key)).collect()
}

fn unknown_key(key: &Key, catalogues: &[Catalogue]) -> Option<String> {
    if catalogues.iter().any(|catalogue| !catalogue.presence(key).is_empty()) {
        return None;
    }
    let datasets: Vec<&str> = catalogues.iter().map(|catalogue| catalogue.dataset).collect();
    let note = format!("no event in {} has the key {}", datasets.join(", "), key.as_str());
    let near = match reserved(key) {
        Some(name) => {
            closest(name, Envelope::ALL.map(Envelope::key)).map(|near| format!("$limelight.{near}"))
        }
        None => near_keys(key.as_str(), catalogues),
    };
    Some(match near {
        Some(near) => format!("{note}; did you mean {near}?"),
        None => note,
    })
}

/// What the key was probably a slip of: the same without its prefix or in another case, inside an object, or nearly.
fn near_keys(key: &str, catalogues: &[Catalogue]) -> Option<String> {
    let bare = |key: &str| key.trim_start_matches('@').to_lowercase();
    let wanted = bare(key);
    let keys = || catalogues.iter().flat_map(Catalogue::keys);
    let mut inside: Vec<&str> = keys()
        .filter(|known| bare(known) == wanted || bare(known).rsplit('.').next() == Some(wanted.as_str()))
        .collect();
    inside.sort_unstable_by_key(|known| (known.len(), *known));
    inside.dedup();
    if !inside.is_empty() {
        inside.truncate(3);
        return Some(inside.join(" or "));
    }
    let mut all: Vec<&str> = keys().collect();
    all.sort_unstable();
    let field = Envelope::named(&wanted).map(|field| format!("$limelight.{}", field.key()));
    field.or_else(|| closest(key, all).map(str::to_owned))
}

/// `@status = 1.0` compares texts, and the key has numbers only.
fn text_against_numbers(condition: &Condition, catalogues: &[Catalogue]) -> Option<String> {
    let (Test::Equals(Literal::Text(text)) | Test::NotEquals(Literal::Text(text))) = &condition.test else {
        return None;
    };
    let sources = sources(&condition.key, catalogues);
    let numbers = !sources.is_empty()
        && sources.iter().all(|source| matches!(source.kind, ColumnKind::Int | ColumnKind::Float));
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && numbers)?;
    let key = condition.key.as_str();
    Some(format!("{key} has numbers only and \"{text}\" is text; write {number} without quotes"))
}

/// `AVG(@type)`, where no value is a number.
fn without_numbers(calculation: &Calculation, catalogues: &[Catalogue]) -> Option<String> {
    if calculation.operator == Operator::CountDistinct {
        return None;
    }
    let key = calculation.key.as_ref()?;
    let sources = sources(key, catalogues);
    let none = !sources.is_empty()
        && !sources.iter().any(|source| matches!(source.kind, ColumnKind::Int | ColumnKind::Float));
    none.then(|| format!("{} has nothing to work with: no {} is a number", calculation.text(), key.as_str()))
}

pub(super) fn fields(catalogues: &[Catalogue]) -> Vec<Field> {
    let envelope = Envelope::ALL.into_iter().filter(|field| *field != Envelope::Message);
    let envelope = envelope
        .map(|field| Field { name: format!("$limelight.{}", field.key()), r#type: field.kind().type_name() });
    let message = Field { name: "message".to_owned(), r#type: ColumnKind::Text.type_name() };
    let dynamic = catalogues.iter().flat_map(Catalogue::fields);
    let fields: BTreeSet<Field> = envelope.chain([message]).chain(dynamic).collect();
    fields.into_iter().collect()
}

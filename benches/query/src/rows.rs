//! Answers of all engines as rows of the same cells, and whether two are the same answer.

use anyhow::Context as _;
use serde_json::Value;

/// Rows, each its groups and then its figures; of whole events their ids.
pub(crate) type Rows = Vec<Vec<Value>>;

/// How far figures may be apart: ours are exact up to a stated number of values, then within half a percent, and so is
/// the exact one of others from another's.
const APART_MAX: f64 = 0.006;

/// Which part of our answer is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    /// Groups and figures over the whole time.
    Aggregates,
    /// Bucket, groups and figures.
    Series,
    /// Whole events.
    Events,
}

impl Part {
    /// That part's rows.
    pub(crate) fn of(self, answer: &Value) -> anyhow::Result<Rows> {
        let data = &answer["data"];
        let found = match self {
            Self::Aggregates => &data["calculations"]["aggregates"],
            Self::Series => &data["calculations"]["series"],
            Self::Events => &data["events"],
        };
        let found = found.as_array().with_context(|| format!("no {self:?}"))?;
        Ok(match self {
            Self::Aggregates => found.iter().map(|row| cells(&row["groups"], &row["values"])).collect(),
            Self::Series => found.iter().flat_map(bucket).collect(),
            Self::Events => found.iter().map(|event| vec![event["$limelight"]["id"].clone()]).collect(),
        })
    }
}

/// The rows of one bucket, its time first.
fn bucket(bucket: &Value) -> Rows {
    let row = |row: &Value| {
        let cells = cells(&row["groups"], &row["aggregates"]);
        [bucket["time"].clone()].into_iter().chain(cells).collect()
    };
    bucket["data"].as_array().into_iter().flatten().map(row).collect()
}

/// Of one group: its values and its figures, by name. The statements of others name theirs alike.
fn cells(groups: &Value, figures: &Value) -> Vec<Value> {
    let values = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let own = values(figures).into_iter().filter(|(label, _)| !label.starts_with('_'));
    values(groups).into_iter().chain(own).map(|(_, value)| value).collect()
}

/// Another engine's rows.
pub(crate) fn read(rows: &Value) -> anyhow::Result<Rows> {
    let rows = rows.as_array().context("no rows")?;
    rows.iter().map(|row| row.as_array().cloned().context("a row that is no list")).collect()
}

/// What differs between two answers, if anything does. Order is not compared: not every question asks for one.
pub(crate) fn difference(ours: &Rows, theirs: &Rows) -> Option<String> {
    if ours.len() != theirs.len() {
        return Some(format!("{} rows and {}", ours.len(), theirs.len()));
    }
    let sorted = |rows: &Rows| {
        let mut rows = rows.clone();
        rows.sort_by_key(|row| row.iter().map(key).collect::<Vec<_>>());
        rows
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    ours.iter().zip(&theirs).find_map(|(our, their)| {
        let same = our.len() == their.len() && our.iter().zip(their).all(|(our, their)| alike(our, their));
        (!same).then(|| format!("{} and {}", Value::from(our.clone()), Value::from(their.clone())))
    })
}

/// Rows are brought into one order by their texts and whole numbers, which are the same for all.
fn key(value: &Value) -> String {
    match number(value) {
        Some(number) if number.fract() != 0.0 => String::new(),
        Some(number) => format!("{number:020}"),
        None => value.as_str().unwrap_or_default().to_owned(),
    }
}

/// A number; some engines write 64-bit ones as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn alike(our: &Value, their: &Value) -> bool {
    match (number(our), number(their)) {
        (Some(our), Some(their)) if our.fract() == 0.0 && their.fract() == 0.0 => our == their,
        (Some(our), Some(their)) => (our - their).abs() <= APART_MAX * our.abs().max(their.abs()),
        _ => our == their,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(rows: &Value) -> Rows {
        read(rows).unwrap()
    }

    #[test]
    fn the_same_answer_in_another_order_and_spelling_is_the_same() {
        let ours = rows(&json!([["a", 7, 100.0], ["b", 2, 3.5]]));
        let theirs = rows(&json!([["b", "2", 3.51], ["a", "7", 100]]));
        assert_eq!(difference(&ours, &theirs), None);
    }

    #[test]
    fn a_count_that_is_one_off_is_told() {
        let ours = rows(&json!([["a", 1_000_000]]));
        assert!(difference(&ours, &rows(&json!([["a", 1_000_001]]))).is_some());
        assert!(difference(&ours, &rows(&json!([]))).is_some());
    }

    #[test]
    fn our_answers_are_read_in_all_their_parts() {
        let calculations = json!({
            "aggregates": [{"groups": {"service": "a"}, "values": {"n": 2, "_count": 2}}],
            "series": [{"time": 60_000, "data": [{"groups": {"service": "a"}, "aggregates": {"n": 2, "_count": 2}}]}],
        });
        let events = json!([{"$limelight": {"id": "x"}}]);
        let answer = json!({"data": {"calculations": calculations, "events": events}});
        assert_eq!(Part::Aggregates.of(&answer).unwrap(), rows(&json!([["a", 2]])));
        assert_eq!(Part::Series.of(&answer).unwrap(), rows(&json!([[60_000, "a", 2]])));
        assert_eq!(Part::Events.of(&answer).unwrap(), rows(&json!([["x"]])));
    }
}

//! The log's statistics of a file (Delta protocol, "Per-file statistics"), gathered batch by batch while it is written:
//! of the envelope columns that prune.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{max, max_string, min, min_string};
use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
use model::Timestamp;
use serde_json::{Map, Value, json};

use super::ID_COLUMNS;
use crate::schema::{ENVELOPE, EnvelopeKind, OVERFLOW};

/// Longer texts are left out of the log's statistics: a bound that is cut is not a bound, and the log is read whole.
const TEXT_BYTES_MAX: usize = 128;

/// What is known of the rows so far.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    rows: usize,
    columns: BTreeMap<&'static str, Column>,
}

#[derive(Debug, Default)]
struct Column {
    nulls: usize,
    bounds: Option<(Bound, Bound)>,
    /// Some value has no place in an order (NaN) or in JSON (infinities).
    boundless: bool,
}

/// A value of one column; all of a column are of one variant.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
enum Bound {
    Micros(i64),
    Float(f64),
    Text(String),
}

impl Gathered {
    /// Takes in the next rows of the file.
    pub(crate) fn observe(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows();
        for (name, kind) in ENVELOPE {
            if ID_COLUMNS.contains(&name) || name == "message" {
                continue;
            }
            let Some(array) = batch.column_by_name(name) else { continue };
            let column = self.columns.entry(name).or_default();
            column.nulls += array.null_count();
            match kind {
                _ if name == OVERFLOW => {}
                EnvelopeKind::Float if !all_finite(array) => column.boundless = true,
                _ => column.widen(bounds(kind, array)),
            }
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// As the log has it.
    pub(crate) fn json(&self) -> Value {
        let (mut least, mut greatest, mut nulls) = (Map::new(), Map::new(), Map::new());
        for (name, column) in &self.columns {
            nulls.insert((*name).to_owned(), column.nulls.into());
            let bounds = column.bounds.as_ref().filter(|_| !column.boundless);
            let bounds = bounds.and_then(|(from, to)| from.json().zip(to.json()));
            if let Some((from, to)) = bounds {
                least.insert((*name).to_owned(), from);
                greatest.insert((*name).to_owned(), to);
            }
        }
        json!({"numRecords": self.rows, "minValues": least, "maxValues": greatest, "nullCount": nulls})
    }
}

impl Column {
    fn widen(&mut self, more: Option<(Bound, Bound)>) {
        let Some((from, to)) = more else { return };
        self.bounds = Some(match self.bounds.take() {
            Some((least, greatest)) => {
                (if from < least { from } else { least }, if to > greatest { to } else { greatest })
            }
            None => (from, to),
        });
    }
}

impl Bound {
    /// None for what the log must not have.
    fn json(&self) -> Option<Value> {
        match self {
            Self::Micros(micros) => Some(Timestamp::from_micros(*micros).to_string().into()),
            Self::Float(number) => Some((*number).into()),
            Self::Text(text) => (text.len() <= TEXT_BYTES_MAX).then(|| text.as_str().into()),
        }
    }
}

fn bounds(kind: EnvelopeKind, array: &ArrayRef) -> Option<(Bound, Bound)> {
    match kind {
        EnvelopeKind::Time => {
            let times = array.as_primitive::<TimestampMicrosecondType>();
            Some((Bound::Micros(min(times)?), Bound::Micros(max(times)?)))
        }
        EnvelopeKind::Float => {
            let numbers = array.as_primitive::<Float64Type>();
            Some((Bound::Float(min(numbers)?), Bound::Float(max(numbers)?)))
        }
        EnvelopeKind::Text => {
            let texts = array.as_string::<i32>();
            Some((Bound::Text(min_string(texts)?.to_owned()), Bound::Text(max_string(texts)?.to_owned())))
        }
    }
}

fn all_finite(array: &ArrayRef) -> bool {
    array.as_primitive::<Float64Type>().iter().flatten().all(f64::is_finite)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};

    use super::*;

    fn batch(namespaces: Vec<&str>, durations: Vec<Option<f64>>) -> RecordBatch {
        let columns: [(&str, ArrayRef); 2] = [
            ("namespace", Arc::new(StringArray::from(namespaces))),
            ("duration_ms", Arc::new(Float64Array::from(durations))),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn bounds_are_those_of_all_batches_together() {
        let mut gathered = Gathered::default();
        gathered.observe(&batch(vec!["b", "c"], vec![Some(2.0), None]));
        gathered.observe(&batch(vec!["a"], vec![Some(-1.0)]));
        let json = gathered.json();
        assert_eq!(json["numRecords"], 3);
        assert_eq!(
            (&json["minValues"]["namespace"], &json["maxValues"]["namespace"]),
            (&"a".into(), &"c".into())
        );
        assert_eq!(
            (&json["minValues"]["duration_ms"], &json["nullCount"]["duration_ms"]),
            (&json!(-1.0), &json!(1))
        );
    }

    #[test]
    fn a_bound_that_cannot_be_told_whole_is_not_told() {
        let mut gathered = Gathered::default();
        gathered.observe(&batch(vec!["a"], vec![Some(f64::NAN)]));
        gathered.observe(&batch(vec![&"z".repeat(TEXT_BYTES_MAX + 1)], vec![Some(1.0)]));
        let json = gathered.json();
        assert_eq!(json["maxValues"], json!({}));
        assert_eq!(json["minValues"], json!({}));
    }
}

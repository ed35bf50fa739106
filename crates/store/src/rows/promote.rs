//! Keys that overflowed when they came and deserve a column of their own: which they are ([`Overflowing`]), and out of
//! the overflow's JSON with them ([`Promotion`]). Used when files are compacted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray, StringBuilder};
use arrow::compute::{is_not_null, kernels::zip::zip};
use arrow::error::ArrowError;
use model::{Map, Path, Value};
use query::Column;

use super::encode::Values;
use super::{json, leaf, read};
use crate::schema::{OVERFLOW, Schema, physical};

/// A key gets a column when more than one row in so many has it.
const ROWS_PER_VALUE: usize = 100;
/// Different keys that are counted. What so many rows have is among the first; beyond them are ids that somebody uses
/// as keys, and memory has an end.
const KEYS_COUNTED_MAX: usize = 50_000;

/// How often each path and type overflowed.
#[derive(Debug, Default)]
pub(crate) struct Overflowing {
    rows: usize,
    counts: HashMap<String, (Column, usize)>,
}

impl Overflowing {
    /// Counts the keys of some rows' overflow.
    pub(crate) fn count(&mut self, overflow: &StringArray) {
        self.rows += overflow.len();
        for object in overflow.iter().flatten().filter_map(object) {
            visit(&object, &mut Vec::new(), &mut |path, value| self.count_leaf(path, value));
        }
    }

    fn count_leaf(&mut self, path: &[&str], value: &Value) {
        let Some(column) = column(path, value) else { return };
        let room = self.counts.len() < KEYS_COUNTED_MAX;
        match self.counts.get_mut(&column.physical) {
            Some((_, count)) => *count += 1,
            None if room => drop(self.counts.insert(column.physical.clone(), (column, 1))),
            None => {}
        }
    }

    /// What moves: keys that have a column by now, and the most frequent others as long as there is room.
    pub(crate) fn promotion(self, known: &Schema, room: usize) -> Promotion {
        let frequent = |count: usize| count.saturating_mul(ROWS_PER_VALUE) > self.rows;
        let (has, mut lacks): (Vec<_>, Vec<_>) =
            self.counts.into_values().partition(|(column, _)| known.has(&column.physical));
        lacks.retain(|(_, count)| frequent(*count));
        lacks.sort_by(|(a, of_a), (b, of_b)| of_b.cmp(of_a).then_with(|| a.physical.cmp(&b.physical)));
        let moved = has.into_iter().chain(lacks.into_iter().take(room));
        Promotion { columns: moved.map(|(column, _)| (column.physical.clone(), column)).collect() }
    }
}

/// Paths and types that leave the overflow, by physical name.
#[derive(Debug, Default)]
pub(crate) struct Promotion {
    columns: BTreeMap<String, Column>,
}

impl Promotion {
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.values()
    }

    /// Moves the values of some rows. The batch has a column for each of [`Promotion::columns`].
    ///
    /// # Errors
    /// Never for batches whose columns are what their names say.
    pub(crate) fn apply(&self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let schema = batch.schema();
        let Ok(at) = schema.index_of(OVERFLOW) else { return Ok(batch) };
        let overflow = StringArray::from(batch.column(at).to_data());
        if self.columns.is_empty() || overflow.null_count() == overflow.len() {
            return Ok(batch);
        }
        let (rest, moved) = self.split(&overflow);
        let mut arrays = batch.columns().to_vec();
        arrays[at] = Arc::new(rest);
        for (name, values) in moved {
            let at = schema.index_of(&name)?;
            let values = values.finish(overflow.len());
            arrays[at] = zip(&is_not_null(&values)?, &values, &arrays[at])?;
        }
        RecordBatch::try_new(schema, arrays)
    }

    fn split(&self, overflow: &StringArray) -> (StringArray, BTreeMap<String, Values>) {
        let mut moved: BTreeMap<String, Values> = BTreeMap::new();
        let mut rest = StringBuilder::with_capacity(overflow.len(), 0);
        for (row, text) in overflow.iter().enumerate() {
            let Some((text, object)) = text.and_then(|text| Some((text, object(text)?))) else {
                rest.append_option(text);
                continue;
            };
            let mut kept = Map::new();
            let mut any = false;
            visit(&object, &mut Vec::new(), &mut |path, value| {
                let column = column(path, value).and_then(|column| self.columns.get(&column.physical));
                let Some(column) = column else { return leaf::insert(&mut kept, path, value.clone()) };
                any = true;
                let values = moved.entry(column.physical.clone()).or_insert_with(|| Values::new(column.kind));
                values.push(row, value);
            });
            match (any, kept.is_empty()) {
                (false, _) => rest.append_value(text),
                (true, true) => rest.append_null(),
                (true, false) => rest.append_value(json::text(&Value::Object(kept))),
            }
        }
        (rest.finish(), moved)
    }
}

fn object(text: &str) -> Option<Map> {
    match read::parse(text)? {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

/// The column that a value has if it has one.
fn column(path: &[&str], value: &Value) -> Option<Column> {
    let kind = leaf::kind_of(value)?;
    let physical = physical(path, kind)?;
    let path = Path::from_segments(path.iter().map(|key| (*key).to_owned()).collect())?;
    Some(Column { path, kind, physical })
}

/// Calls `leaf` for each value that a column could hold.
fn visit<'a>(map: &'a Map, path: &mut Vec<&'a str>, leaf: &mut impl FnMut(&[&str], &Value)) {
    for (key, value) in map {
        path.push(key);
        match value {
            Value::Object(inside) if !inside.is_empty() => visit(inside, path, leaf),
            value => leaf(path, value),
        }
        path.pop();
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray};
    use arrow::datatypes::{DataType, Field, Int64Type, Schema as ArrowSchema};

    use super::*;

    fn overflow(rows: usize, text: impl Fn(usize) -> Option<String>) -> StringArray {
        (0..rows).map(text).collect()
    }

    #[test]
    fn what_one_row_in_a_hundred_has_is_promoted_most_frequent_first() {
        let rows = overflow(1_000, |row| {
            let often = if row % 10 == 0 { r#","often":{"n":1}"# } else { "" };
            let seldom = if row % 50 == 0 { r#","seldom":"x""# } else { "" };
            let never = if row % 100 == 0 { r#","never":true"# } else { "" };
            Some(format!(r#"{{"id-{row}":1{often}{seldom}{never}}}"#))
        });
        let promoted = |room| {
            let mut overflowing = Overflowing::default();
            overflowing.count(&rows);
            let promotion = overflowing.promotion(&Schema::default(), room);
            promotion.columns().map(|column| column.physical.clone()).collect::<Vec<_>>()
        };
        assert_eq!(promoted(100), ["k_often__dn__i", "k_seldom"]);
        assert_eq!(promoted(1), ["k_often__dn__i"]);
        assert_eq!(promoted(0), [""; 0]);
    }

    #[test]
    fn a_key_that_has_a_column_by_now_moves_however_seldom_it_is() {
        let mut overflowing = Overflowing::default();
        overflowing.count(&overflow(1_000, |row| (row == 7).then(|| r#"{"late":1}"#.to_owned())));
        let promotion = overflowing.promotion(&Schema::of_names(["k_late__i"]), 0);
        assert_eq!(promotion.columns().count(), 1);
    }

    #[test]
    fn values_move_and_everything_else_stays_as_it_was() {
        let mut overflowing = Overflowing::default();
        let rows: StringArray =
            [Some(r#"{"a":{"n":1,"t":"x"}}"#), None, Some(r#"{"a":{"n":2}}"#), Some(r#"{"a":{"n":"text"}}"#)]
                .into_iter()
                .collect();
        overflowing.count(&rows);
        let mut promotion = overflowing.promotion(&Schema::default(), 100);
        promotion.columns.retain(|name, _| name == "k_a__dn__i");
        let fields =
            [Field::new(OVERFLOW, DataType::Utf8, true), Field::new("k_a__dn__i", DataType::Int64, true)];
        let before: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![None, Some(9), None, None]));
        let arrays: Vec<ArrayRef> = vec![Arc::new(rows), before];
        let batch = RecordBatch::try_new(Arc::new(ArrowSchema::new(fields.to_vec())), arrays).unwrap();
        let after = promotion.apply(batch).unwrap();
        let rest: Vec<Option<&str>> = after.column(0).as_string::<i32>().iter().collect();
        assert_eq!(rest, [Some(r#"{"a":{"t":"x"}}"#), None, None, Some(r#"{"a":{"n":"text"}}"#)]);
        let numbers: Vec<Option<i64>> = after.column(1).as_primitive::<Int64Type>().iter().collect();
        assert_eq!(numbers, [Some(1), Some(9), Some(2), None]);
    }
}

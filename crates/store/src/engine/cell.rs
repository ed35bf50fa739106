//! One value of a result, as JSON and as a group's value.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use model::Timestamp;
use query::{ColumnKind, GroupValue, RunError};
use serde_json::Value;

use super::failed;

/// A column of a result by name, in the layout that this type is read from.
pub(super) fn column(batch: &RecordBatch, name: &str, to: &DataType) -> Result<ArrayRef, RunError> {
    let missing = || RunError::Failed(format!("the result has no column {name}").into());
    let array = batch.column_by_name(name).ok_or_else(missing)?;
    if array.data_type() == to { Ok(array.clone()) } else { cast(array, to).map_err(failed) }
}

/// The layout in which values of a kind are read.
pub(super) fn layout(kind: ColumnKind) -> DataType {
    match kind {
        ColumnKind::Text | ColumnKind::Json => DataType::Utf8,
        ColumnKind::Int => DataType::Int64,
        ColumnKind::Float => DataType::Float64,
        ColumnKind::Bool => DataType::Boolean,
        ColumnKind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}

/// The value of a group key. `array` is in the kind's [`layout`].
pub(super) fn group_value(array: &dyn Array, kind: ColumnKind, row: usize) -> GroupValue {
    if array.is_null(row) {
        return GroupValue::Missing;
    }
    match kind {
        ColumnKind::Text | ColumnKind::Json => {
            GroupValue::Text(array.as_string::<i32>().value(row).to_owned())
        }
        ColumnKind::Int => GroupValue::Int(array.as_primitive::<Int64Type>().value(row)),
        ColumnKind::Float => GroupValue::Float(array.as_primitive::<Float64Type>().value(row)),
        ColumnKind::Bool => GroupValue::Bool(array.as_boolean().value(row)),
        ColumnKind::Timestamp => {
            GroupValue::Time(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
    }
}

/// A group's value as the answer shows it.
pub(super) fn group_json(value: &GroupValue) -> Value {
    match value {
        GroupValue::Missing => Value::Null,
        GroupValue::Text(text) => Value::from(text.as_str()),
        GroupValue::Int(number) => Value::from(*number),
        GroupValue::Float(number) => number_json(*number),
        GroupValue::Bool(flag) => Value::from(*flag),
        GroupValue::Time(micros) => Value::from(Timestamp::from_micros(*micros).to_string()),
    }
}

/// A number as JSON: whole where it is, null where JSON has no word for it.
pub(super) fn number_json(number: f64) -> Value {
    // Past 2^53 not every whole number is a float, and a float should not look exact.
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if number.fract() == 0.0 && number.abs() <= WHOLE_MAX {
        return Value::from(number as i64);
    }
    Value::from(number)
}

/// A figure of a row: a number, or null.
pub(super) fn figure_json(array: &ArrayRef, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Int64 => Value::from(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float64 => number_json(array.as_primitive::<Float64Type>().value(row)),
        _ => Value::Null,
    }
}

/// A whole number of a row; 0 where there is none.
pub(super) fn int(array: &ArrayRef, row: usize) -> i64 {
    let numbers = array.as_primitive_opt::<Int64Type>();
    numbers.filter(|numbers| numbers.is_valid(row)).map_or(0, |numbers| numbers.value(row))
}

//! Rows back into events.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType};
use model::{Event, EventId, Kind, Timestamp, Value};
use query::{Column, ColumnKind};

use super::{leaf, read};
use crate::error::StoreError;
use crate::schema::{self, EnvelopeKind, OVERFLOW};

/// Rows of a dataset back into events. `columns` are the snapshot's; dynamic columns that the batch lacks are absent
/// keys, envelope columns that it lacks are unknown (empty, none, the epoch).
///
/// # Errors
/// [`StoreError::Column`] when a column does not hold what its name says.
pub fn rebuild(dataset: &str, batch: &RecordBatch, columns: &[Column]) -> Result<Vec<Event>, StoreError> {
    let envelope = Envelope::of(dataset, batch)?;
    let dynamic = columns
        .iter()
        .filter_map(|column| Some((column, batch.column_by_name(&column.physical)?)))
        .map(|(column, array)| Ok((column, Values::of(dataset, column, array)?)))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let mut events = (0..batch.num_rows()).map(|row| envelope.event(row)).collect::<Result<Vec<_>, _>>()?;
    for (column, values) in &dynamic {
        let path = column.path.segments();
        for (row, event) in events.iter_mut().enumerate() {
            if let Some(value) = values.value(row).map_err(|why| wrong(dataset, &column.physical, why))? {
                leaf::insert(&mut event.attributes, path, value);
            }
        }
    }
    Ok(events)
}

fn wrong(dataset: &str, column: &str, why: impl Into<String>) -> StoreError {
    StoreError::Column { dataset: dataset.to_owned(), column: column.to_owned(), why: why.into() }
}

/// The array as the type that the column's name promises (engines read text in several layouts).
fn as_type(dataset: &str, column: &str, array: &ArrayRef, to: &DataType) -> Result<ArrayRef, StoreError> {
    if array.data_type() == to {
        return Ok(array.clone());
    }
    let text = |data_type: &DataType| {
        matches!(
            data_type,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _)
        )
    };
    let time = |data_type: &DataType| matches!(data_type, DataType::Timestamp(_, _));
    let from = array.data_type();
    if !(text(from) && text(to) || time(from) && time(to) || from == &DataType::Null) {
        return Err(wrong(dataset, column, format!("expected {to}, found {from}")));
    }
    cast(array, to).map_err(|error| wrong(dataset, column, error.to_string()))
}

/// One dynamic column.
enum Values {
    Text(StringArray),
    Int(Int64Array),
    Float(Float64Array),
    Bool(BooleanArray),
    Json(StringArray),
}

impl Values {
    fn of(dataset: &str, column: &Column, array: &ArrayRef) -> Result<Self, StoreError> {
        let array = as_type(dataset, &column.physical, array, &schema::arrow_type(column.kind))?;
        Ok(match column.kind {
            ColumnKind::Text => Self::Text(array.as_string().clone()),
            ColumnKind::Json => Self::Json(array.as_string().clone()),
            ColumnKind::Int => Self::Int(array.as_primitive::<Int64Type>().clone()),
            ColumnKind::Float => Self::Float(array.as_primitive::<Float64Type>().clone()),
            ColumnKind::Bool => Self::Bool(array.as_boolean().clone()),
            ColumnKind::Timestamp => {
                return Err(wrong(dataset, &column.physical, "no dynamic column holds timestamps"));
            }
        })
    }

    fn value(&self, row: usize) -> Result<Option<Value>, &'static str> {
        Ok(match self {
            Self::Text(texts) => texts.is_valid(row).then(|| texts.value(row).into()),
            Self::Int(numbers) => numbers.is_valid(row).then(|| numbers.value(row).into()),
            Self::Float(numbers) => numbers.is_valid(row).then(|| numbers.value(row).into()),
            Self::Bool(flags) => flags.is_valid(row).then(|| flags.value(row).into()),
            Self::Json(texts) if texts.is_valid(row) => {
                Some(read::parse(texts.value(row)).ok_or("a value is not JSON")?)
            }
            Self::Json(_) => None,
        })
    }
}

/// The envelope's columns; those that are not text by themselves.
struct Envelope<'a> {
    dataset: &'a str,
    timestamp: Option<TimestampMicrosecondArray>,
    duration_ms: Option<Float64Array>,
    texts: Vec<(&'static str, StringArray)>,
}

impl<'a> Envelope<'a> {
    fn of(dataset: &'a str, batch: &RecordBatch) -> Result<Self, StoreError> {
        let mut envelope = Self { dataset, timestamp: None, duration_ms: None, texts: Vec::new() };
        for (name, kind) in schema::ENVELOPE {
            let Some(array) = batch.column_by_name(name) else { continue };
            let array = as_type(dataset, name, array, &kind.arrow())?;
            match (name, kind) {
                (_, EnvelopeKind::Text) => envelope.texts.push((name, array.as_string().clone())),
                ("timestamp", _) => {
                    envelope.timestamp = Some(array.as_primitive::<TimestampMicrosecondType>().clone());
                }
                ("duration_ms", _) => {
                    envelope.duration_ms = Some(array.as_primitive::<Float64Type>().clone());
                }
                _ => {}
            }
        }
        Ok(envelope)
    }

    fn event(&self, row: usize) -> Result<Event, StoreError> {
        let timestamp = self.timestamp.as_ref().filter(|times| times.is_valid(row));
        let timestamp = timestamp.map_or(Timestamp::EPOCH, |times| Timestamp::from_micros(times.value(row)));
        let mut event = Event::new(self.dataset, timestamp, EventId::from(String::new()), Kind::Event);
        let durations = self.duration_ms.as_ref().filter(|durations| durations.is_valid(row));
        event.duration_ms = durations.map(|durations| durations.value(row));
        for (name, texts) in self.texts.iter().filter(|(_, texts)| texts.is_valid(row)) {
            set(&mut event, name, texts.value(row)).map_err(|why| wrong(self.dataset, name, why))?;
        }
        Ok(event)
    }
}

/// Sets the field that an envelope column of text stands for.
fn set(event: &mut Event, column: &str, text: &str) -> Result<(), String> {
    match column {
        "id" => event.id = EventId::from(text.to_owned()),
        "kind" => event.kind = kind(text).ok_or_else(|| format!("no kind of event is called {text:?}"))?,
        "namespace" => text.clone_into(&mut event.namespace),
        "service" => text.clone_into(&mut event.service),
        "account" => text.clone_into(&mut event.account),
        "region" => text.clone_into(&mut event.region),
        "level" => event.level = Some(text.parse().map_err(|_| format!("no level is called {text:?}"))?),
        "name" => event.name = Some(text.to_owned()),
        "message" => event.message = Some(text.to_owned()),
        "request_id" => event.request_id = Some(text.to_owned()),
        "trace_id" => event.trace_id = Some(text.parse().map_err(|error| format!("{error}"))?),
        "span_id" => event.span_id = Some(text.parse().map_err(|error| format!("{error}"))?),
        "parent_id" => event.parent_id = Some(text.parse().map_err(|error| format!("{error}"))?),
        "error" => event.error = Some(text.to_owned()),
        "status" => event.status = Some(text.to_owned()),
        OVERFLOW => match read::parse(text) {
            Some(Value::Object(map)) => leaf::merge(&mut event.attributes, map),
            _ => return Err("the overflow is no JSON object".to_owned()),
        },
        _ => {}
    }
    Ok(())
}

fn kind(text: &str) -> Option<Kind> {
    [Kind::Log, Kind::Span, Kind::Metric, Kind::Platform, Kind::Event]
        .into_iter()
        .find(|kind| kind.as_str() == text)
}

#[cfg(test)]
mod tests;

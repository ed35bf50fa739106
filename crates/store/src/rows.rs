//! Events into rows, rows back into events.

use arrow::array::RecordBatch;
use model::Event;
use query::Column;

use crate::error::StoreError;

/// Rows of a dataset back into events. `columns` are the snapshot's; dynamic columns that the batch lacks are absent
/// keys, envelope columns that it lacks are unknown (empty, zero).
///
/// # Errors
/// [`StoreError::Column`] when a column has another type than its name says.
pub fn rebuild(dataset: &str, batch: &RecordBatch, columns: &[Column]) -> Result<Vec<Event>, StoreError> {
    let _ = (dataset, batch, columns);
    todo!()
}

/// An event as people see it: `{"$limelight": {envelope}, "message": …, …attributes}`.
pub fn event_to_json(event: &Event) -> serde_json::Map<String, serde_json::Value> {
    let _ = event;
    todo!()
}

//! What a data file really holds: its bytes against their checksum, its rows against the log, and which batches its
//! events are of.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::{max, min};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use bytes::Bytes;
use model::{BatchId, Timestamp};
use parquet::arrow::ProjectionMask;

use super::Counts;
use crate::day::Day;
use crate::error::StoreError;
use crate::file;
use crate::files::DataFile;
use crate::table::Table;

/// What is read of each file: an event's identity, and what the delivery accounts are made of (`limelight` dataset).
const COLUMNS: [&str; 6] = ["id", "timestamp", "name", "k_sandbox", "k_sequence__i", "k_records__i"];
/// A sandbox's id, hex digits: what tells our batches' events from others'.
const SANDBOX_DIGITS: usize = 32;

/// What one or more files hold.
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(super) rows: u64,
    /// Events of each batch.
    pub(super) counts: Counts,
    /// Records of each batch, as its sandbox counted them.
    pub(super) accounts: HashMap<BatchId, u64>,
}

/// A file that was looked at.
pub(super) struct Found {
    pub(super) path: String,
    pub(super) bytes: u64,
    /// Or what is wrong with it.
    pub(super) content: Result<Content, String>,
}

pub(super) async fn look(table: &Table, file: Arc<DataFile>) -> Result<Found, StoreError> {
    let path = file.path.clone();
    let Some(bytes) = table.read(&file).await? else {
        return Ok(Found { path, bytes: 0, content: Err("is gone".to_owned()) });
    };
    let read = bytes.len() as u64;
    let content = tokio::task::spawn_blocking(move || Content::of(&file, bytes)).await;
    let content = content.unwrap_or_else(|died| Err(format!("cannot be read: {died}")));
    Ok(Found { path, bytes: read, content })
}

impl Content {
    fn of(file: &DataFile, bytes: Bytes) -> Result<Self, String> {
        if bytes.len() as u64 != file.bytes {
            return Err(format!("has {} bytes, the log says {}", bytes.len(), file.bytes));
        }
        if !file.is_whole(&bytes) {
            return Err("is damaged: its bytes are not those that were written".to_owned());
        }
        let unreadable = |error: &dyn std::error::Error| format!("cannot be read: {error}");
        let reader = file::reader(bytes).map_err(|error| unreadable(&error))?;
        let wanted = ProjectionMask::columns(reader.parquet_schema(), COLUMNS);
        let reader = reader.with_projection(wanted).build().map_err(|error| unreadable(&error))?;
        let mut content = Self::default();
        for batch in reader {
            content.take(file, &batch.map_err(|error| unreadable(&error))?)?;
        }
        match file.statistics.num_records {
            Some(rows) if rows != content.rows => {
                Err(format!("has {} rows, the log says {rows}", content.rows))
            }
            _ => Ok(content),
        }
    }

    fn take(&mut self, file: &DataFile, batch: &RecordBatch) -> Result<(), String> {
        self.rows += batch.num_rows() as u64;
        let times = batch.column_by_name("timestamp");
        let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let of_day = |micros| Day::of(Timestamp::from_micros(micros)).to_string() == file.date;
        let extremes = times.map_or([None, None], |times| [min(times), max(times)]);
        if extremes.into_iter().flatten().any(|micros| !of_day(micros)) {
            return Err(format!("has events of other days than {}", file.date));
        }
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let whole =
            |name: &str| batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        for id in text("id").into_iter().flatten().flatten().filter(|id| !id.is_empty()) {
            if let Some(batch) = batch_of(id) {
                *self.counts.entry(batch).or_default() += 1;
            }
        }
        let accounts = (text("name"), text("k_sandbox"), whole("k_sequence__i"), whole("k_records__i"));
        let (Some(names), Some(sandboxes), Some(sequences), Some(records)) = accounts else { return Ok(()) };
        for row in 0..batch.num_rows() {
            let told = names.is_valid(row)
                && names.value(row) == "delivery"
                && sandboxes.is_valid(row)
                && sequences.is_valid(row)
                && records.is_valid(row);
            let whole = |number| u64::try_from(number).unwrap_or(0);
            if told {
                let sandbox = sandboxes.value(row).to_owned();
                let batch = BatchId { sandbox, sequence: whole(sequences.value(row)) };
                self.accounts.insert(batch, whole(records.value(row)));
            }
        }
        Ok(())
    }

    /// Adds what others hold.
    pub(super) fn add(&mut self, more: Self) {
        self.rows += more.rows;
        for (batch, count) in more.counts {
            *self.counts.entry(batch).or_default() += count;
        }
        self.accounts.extend(more.accounts);
    }
}

/// The batch that an event's id says it is of (`<sandbox>-<batch>-<event>`); none for events of others.
fn batch_of(id: &str) -> Option<BatchId> {
    let (batch, _) = id.rsplit_once('-')?;
    let batch = BatchId::from_str(batch).ok()?;
    let ours =
        batch.sandbox.len() == SANDBOX_DIGITS && batch.sandbox.bytes().all(|byte| byte.is_ascii_hexdigit());
    ours.then_some(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_of_sandboxes_tell_their_batch() {
        let sandbox = "0123456789abcdef".repeat(2);
        assert_eq!(batch_of(&format!("{sandbox}-7-3")), Some(BatchId { sandbox, sequence: 7 }));
        for id in ["", "49590338271490256608559692538361571095921575989136588898-0", "a-b", "a-1-2"] {
            assert_eq!(batch_of(id), None, "{id}");
        }
    }
}

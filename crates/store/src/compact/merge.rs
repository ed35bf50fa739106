//! Sorted files of one day into one sorted file: a merge of cursors, in memory that depends on their number and not on
//! their length. Pure: bytes in, bytes out; runs on a blocking thread.

use std::collections::HashSet;

use arrow::array::AsArray;
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use query::Column;

use super::cursor::{Cursor, Key};
use super::shape::{Held, Shape};
use crate::file::{self, Writer};
use crate::rows::{Overflowing, Promotion};
use crate::schema::{OVERFLOW, Schema};

/// Rows of one written batch.
const ROWS_OUT: usize = 8_192;
/// Inputs that have no more bytes together are read whole, each in one batch: some fifty thousand rows, and no reader
/// stays open.
const WHOLE_BYTES_MAX: usize = 8 << 20;

/// A file to be merged.
pub(crate) struct Input {
    pub(crate) path: String,
    pub(crate) bytes: Bytes,
}

/// The merged file.
pub(crate) struct Merged {
    pub(crate) file: file::Written,
    /// Rows that stood twice and are left out.
    pub(super) duplicates: usize,
    /// All dynamic columns of the file.
    pub(super) columns: Vec<Column>,
}

/// What is wrong with an input: it is not read again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    #[error("{path} cannot be read")]
    Parquet { path: String, source: parquet::errors::ParquetError },
    #[error("{path} cannot be read")]
    Arrow { path: String, source: ArrowError },
    #[error("{path} was not written by us, or is damaged: {why}")]
    Foreign { path: String, why: String },
    #[error("the merged file cannot be written")]
    Write(#[from] parquet::errors::ParquetError),
    #[error("the merged rows do not fit")]
    Rows(#[from] ArrowError),
}

impl MergeError {
    /// The input that is at fault, if one is.
    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::Parquet { path, .. } | Self::Arrow { path, .. } | Self::Foreign { path, .. } => Some(path),
            Self::Write(_) | Self::Rows(_) => None,
        }
    }
}

/// Merges, and gives columns to keys of the overflow, as far as the promotion says.
pub(crate) fn merge(inputs: Vec<Input>, promotion: Promotion) -> Result<Merged, MergeError> {
    let bytes = inputs.iter().map(|input| input.bytes.len()).sum();
    let batch_rows = match bytes <= WHOLE_BYTES_MAX {
        true => ROWS_OUT,
        false => (8 * ROWS_OUT / inputs.len().max(1)).clamp(256, ROWS_OUT),
    };
    let mut cursors =
        inputs.into_iter().map(|input| Cursor::open(input, batch_rows)).collect::<Result<Vec<_>, _>>()?;
    let mut columns = Schema::default();
    columns.extend(cursors.iter().flat_map(|cursor| cursor.columns().to_vec()));
    columns.extend(promotion.columns().cloned());
    let shape = Shape::new(&columns);
    cursors.iter_mut().for_each(|cursor| cursor.fit(&shape));
    let rows = cursors.iter().map(Cursor::rows_in_all).sum();
    let writer = Writer::new(shape.schema(), rows, bytes)?;
    let mut out = Out { writer, shape, promotion, held: Vec::new(), run: 0, rows: Vec::new() };
    let duplicates = drain(&mut cursors, &mut out)?;
    out.flush()?;
    Ok(Merged { file: out.writer.finish()?, duplicates, columns: columns.dynamic().to_vec() })
}

/// What of the inputs' overflow gets columns. `room` is how many keys may get one beside those of `known`.
pub(super) fn promotion(inputs: &[Input], known: &Schema, room: usize) -> Result<Promotion, MergeError> {
    let mut overflowing = Overflowing::default();
    for input in inputs {
        let failed = |source| MergeError::Parquet { path: input.path.clone(), source };
        let reader = file::reader(input.bytes.clone()).map_err(failed)?;
        let only = ProjectionMask::columns(reader.parquet_schema(), [OVERFLOW]);
        for batch in reader.with_projection(only).build().map_err(failed)? {
            let batch = batch.map_err(|source| MergeError::Arrow { path: input.path.clone(), source })?;
            let column = batch.column_by_name(OVERFLOW).and_then(|column| column.as_string_opt::<i32>());
            overflowing.count(column.ok_or_else(|| MergeError::Foreign {
                path: input.path.clone(),
                why: format!("it has no text column {OVERFLOW}"),
            })?);
        }
    }
    Ok(overflowing.promotion(known, room))
}

/// Moves all rows, the least key first; how many stood twice.
fn drain(cursors: &mut [Cursor], out: &mut Out) -> Result<usize, MergeError> {
    let mut duplicates = 0;
    let mut seen = Seen::default();
    loop {
        let order = |a: &usize, b: &usize| cursors[*a].key().cmp(&cursors[*b].key()).then(a.cmp(b));
        let open = || (0..cursors.len()).filter(|cursor| cursors[*cursor].key().is_some());
        let Some(least) = open().min_by(order) else { return Ok(duplicates) };
        let bound = open().filter(|cursor| *cursor != least).min_by(order);
        // Another cursor's turn only comes when its key is passed: most runs are long, one function's lines of a
        // few seconds.
        let bound = bound.and_then(|cursor| cursors[cursor].key());
        let bound = bound.map(|Key { namespace, micros }| (namespace.to_owned(), micros));
        while let Some(key) = cursors[least].key() {
            if bound.as_ref().is_some_and(|(namespace, micros)| key > Key { namespace, micros: *micros }) {
                break;
            }
            if seen.is_new(key.namespace, key.micros, cursors[least].id()) {
                out.take(&mut cursors[least])?;
            } else {
                duplicates += 1;
            }
            cursors[least].advance()?;
        }
    }
}

/// The ids of the key that is being written. An id names one event for ever, so that a second row with it is a
/// producer's retry that came after the retry horizon.
#[derive(Default)]
struct Seen {
    namespace: String,
    micros: i64,
    ids: HashSet<String>,
}

impl Seen {
    fn is_new(&mut self, namespace: &str, micros: i64, id: &str) -> bool {
        if self.micros != micros || self.namespace != namespace {
            self.micros = micros;
            namespace.clone_into(&mut self.namespace);
            self.ids.clear();
        }
        id.is_empty() || self.ids.insert(id.to_owned())
    }
}

/// Rows that were chosen and not yet written.
struct Out {
    writer: Writer,
    shape: Shape,
    promotion: Promotion,
    /// Batches that chosen rows lie in.
    held: Vec<Held>,
    /// Which run of `held` this is: a cursor's place in an earlier one says nothing.
    run: u64,
    /// Batch and row.
    rows: Vec<(usize, usize)>,
}

impl Out {
    fn take(&mut self, cursor: &mut Cursor) -> Result<(), MergeError> {
        let (batch, row) = match cursor.place(self.run) {
            Some(place) => place,
            None => {
                self.held.push(cursor.hold(self.run, self.held.len()));
                (self.held.len() - 1, cursor.row())
            }
        };
        self.rows.push((batch, row));
        if self.rows.len() == ROWS_OUT { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), MergeError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let batch = self.shape.gather(&self.held, &self.rows)?;
        self.writer.write(&self.promotion.apply(batch)?)?;
        self.held.clear();
        self.run += 1;
        self.rows.clear();
        Ok(())
    }
}

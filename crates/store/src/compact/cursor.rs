//! One sorted file while it is merged: where it is, and a check that it is what it says.

use arrow::array::{AsArray, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use query::Column;

use super::merge::{Input, MergeError};
use super::shape::{Fit, Held, Shape};
use crate::file;
use crate::schema::Schema;

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key<'a> {
    pub(super) namespace: &'a str,
    pub(super) micros: i64,
}

/// A file and the row that comes next.
pub(super) struct Cursor {
    path: String,
    schema: SchemaRef,
    columns: Schema,
    fit: Fit,
    rows_in_all: usize,
    /// None once its last row was read: a reader holds a decompressor for each column, two hundred times a hundred
    /// kilobytes.
    reader: Option<ParquetRecordBatchReader>,
    rows_left: usize,
    /// None at the end.
    current: Option<Current>,
}

/// A batch with at least one row left.
struct Current {
    batch: RecordBatch,
    namespaces: StringArray,
    micros: TimestampMicrosecondArray,
    ids: StringArray,
    row: usize,
    /// In which run of the output's batches this one is held, and where.
    held: Option<(u64, usize)>,
}

impl Current {
    fn key(&self) -> Key<'_> {
        Key { namespace: self.namespaces.value(self.row), micros: self.micros.value(self.row) }
    }
}

impl Cursor {
    /// Reads the footer and the first rows.
    pub(super) fn open(input: Input, batch_rows: usize) -> Result<Self, MergeError> {
        let Input { path, bytes } = input;
        let failed = |source| MergeError::Parquet { path: path.clone(), source };
        let foreign = |why: &str| MergeError::Foreign { path: path.clone(), why: why.to_owned() };
        let builder = file::reader(bytes).map_err(failed)?;
        if !file::is_sorted(&builder) {
            return Err(foreign("it does not promise our order"));
        }
        let schema = builder.schema().clone();
        let columns = Schema::of_names(schema.fields().iter().map(|field| field.name().as_str()));
        // A column that is left out, or that holds something else than its name says, would be data lost.
        let ours = columns.file();
        let fits =
            |(name, data_type)| ours.field_with_name(name).is_ok_and(|our| our.data_type() == data_type);
        if let Some(field) = schema.fields().iter().find(|field| !fits((field.name(), field.data_type()))) {
            return Err(foreign(&format!("column {} is none of ours", field.name())));
        }
        let rows_in_all = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let reader = builder.with_batch_size(batch_rows).build().map_err(failed)?;
        let (fit, reader, rows_left) = (Fit::default(), Some(reader), rows_in_all);
        let mut cursor = Self { path, schema, columns, fit, rows_in_all, reader, rows_left, current: None };
        cursor.current = cursor.next_batch()?;
        Ok(cursor)
    }

    pub(super) fn columns(&self) -> &[Column] {
        self.columns.dynamic()
    }

    pub(super) fn rows_in_all(&self) -> usize {
        self.rows_in_all
    }

    /// Learns which of its columns are which of the shape's.
    pub(super) fn fit(&mut self, shape: &Shape) {
        self.fit = shape.fit(&self.schema);
    }

    /// None at the end.
    pub(super) fn key(&self) -> Option<Key<'_>> {
        self.current.as_ref().map(Current::key)
    }

    /// The event's id; empty at the end.
    pub(super) fn id(&self) -> &str {
        self.current.as_ref().map_or("", |current| current.ids.value(current.row))
    }

    pub(super) fn row(&self) -> usize {
        self.current.as_ref().map_or(0, |current| current.row)
    }

    /// Batch and row of the current row, if its batch is held in this run.
    pub(super) fn place(&self, run: u64) -> Option<(usize, usize)> {
        let current = self.current.as_ref()?;
        current.held.filter(|(in_run, _)| *in_run == run).map(|(_, at)| (at, current.row))
    }

    /// The current batch, to be held at a place of this run.
    pub(super) fn hold(&mut self, run: u64, at: usize) -> Held {
        let batch = match &mut self.current {
            Some(current) => {
                current.held = Some((run, at));
                current.batch.clone()
            }
            None => RecordBatch::new_empty(self.schema.clone()),
        };
        Held { fit: self.fit.clone(), batch }
    }

    /// Goes to the next row.
    pub(super) fn advance(&mut self) -> Result<(), MergeError> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let row = current.row;
        if row + 1 < current.batch.num_rows() {
            current.row += 1;
            let before = Key { namespace: current.namespaces.value(row), micros: current.micros.value(row) };
            let in_order = before <= current.key();
            return if in_order { Ok(()) } else { Err(self.disordered()) };
        }
        let next = self.next_batch()?;
        let in_order = next.as_ref().is_none_or(|next| self.key() <= Some(next.key()));
        self.current = next;
        if in_order { Ok(()) } else { Err(self.disordered()) }
    }

    fn disordered(&self) -> MergeError {
        MergeError::Foreign { path: self.path.clone(), why: "its rows do not stand in our order".to_owned() }
    }

    fn next_batch(&mut self) -> Result<Option<Current>, MergeError> {
        while let Some(batch) = self.reader.as_mut().and_then(Iterator::next) {
            let batch = batch.map_err(|source| MergeError::Arrow { path: self.path.clone(), source })?;
            self.rows_left = self.rows_left.saturating_sub(batch.num_rows());
            if self.rows_left == 0 {
                self.reader = None;
            }
            if batch.num_rows() == 0 {
                continue;
            }
            let missing =
                || MergeError::Foreign { path: self.path.clone(), why: "it lacks its key".to_owned() };
            let text = |name| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let times = batch.column_by_name("timestamp");
            let times = times.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
            return Ok(Some(Current {
                namespaces: text("namespace").ok_or_else(missing)?.clone(),
                ids: text("id").ok_or_else(missing)?.clone(),
                micros: times.ok_or_else(missing)?.clone(),
                batch,
                row: 0,
                held: None,
            }));
        }
        Ok(None)
    }
}

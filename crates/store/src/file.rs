//! Data files: sorted rows of one day into Parquet bytes, and the `add` action that makes them visible.

mod properties;
mod statistics;

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use deltalake_core::kernel::Add;
use model::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;

use crate::schema::DATE;
use statistics::Gathered;

/// Envelope columns by which people look for one thing among all.
const ID_COLUMNS: [&str; 5] = ["id", "request_id", "trace_id", "span_id", "parent_id"];
/// The tag of an `add` action that has the CRC-32 of the file's bytes, eight hex digits.
pub(crate) const CHECKSUM_TAG: &str = "limelight.crc32";

/// A whole file, not yet anywhere.
pub(crate) struct Written {
    pub(crate) bytes: Bytes,
    pub(crate) rows: usize,
    statistics: String,
    checksum: u32,
}

/// A file while it is written, into memory.
pub(crate) struct Writer {
    writer: ArrowWriter<Vec<u8>>,
    gathered: Gathered,
}

impl Writer {
    /// A file of about so many rows and bytes.
    ///
    /// # Errors
    /// When Parquet has no type for a column.
    pub(crate) fn new(schema: SchemaRef, rows: usize, bytes: usize) -> Result<Self, ParquetError> {
        let properties = properties::properties(&schema, rows)?;
        // The Arrow schema would be a copy of the Parquet schema in every footer.
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::with_capacity(bytes), schema, options)?;
        Ok(Self { writer, gathered: Gathered::default() })
    }

    /// Adds rows; they come by (namespace, timestamp).
    ///
    /// # Errors
    /// When the writer fails; memory is the only thing that it writes to.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), ParquetError> {
        self.gathered.observe(batch);
        self.writer.write(batch)
    }

    /// The whole file.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub(crate) fn finish(self) -> Result<Written, ParquetError> {
        let bytes = Bytes::from(self.writer.into_inner()?);
        let checksum = crc32fast::hash(&bytes);
        Ok(Written {
            bytes,
            rows: self.gathered.rows(),
            statistics: self.gathered.json().to_string(),
            checksum,
        })
    }
}

impl Written {
    /// The action that makes it visible under this path.
    pub(crate) fn add(&self, path: String, date: &str, now: Timestamp) -> Add {
        Add {
            path,
            partition_values: HashMap::from([(DATE.to_owned(), Some(date.to_owned()))]),
            size: i64::try_from(self.bytes.len()).unwrap_or(i64::MAX),
            modification_time: now.as_millis(),
            data_change: true,
            stats: Some(self.statistics.clone()),
            tags: Some(HashMap::from([(CHECKSUM_TAG.to_owned(), Some(format!("{:08x}", self.checksum)))])),
            ..Add::default()
        }
    }
}

/// A new file's path in the table.
pub(crate) fn path(date: &str) -> String {
    format!("{DATE}={date}/{}.parquet", uuid::Uuid::new_v4().simple())
}

/// Reads a file's bytes: its footer now, its rows when they are asked for.
///
/// # Errors
/// When the bytes are no Parquet file.
pub(crate) fn reader(bytes: Bytes) -> Result<ParquetRecordBatchReaderBuilder<Bytes>, ParquetError> {
    // Other writers may have put an Arrow schema in with types that are not the table's.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)
}

/// Whether a file says of itself that its rows stand in our order. Other programs' files need not.
pub(crate) fn is_sorted(reader: &ParquetRecordBatchReaderBuilder<Bytes>) -> bool {
    let ours = properties::sorting();
    reader.metadata().row_groups().iter().all(|group| group.sorting_columns() == Some(&ours))
}

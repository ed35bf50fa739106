//! The store: open, append, look.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use model::Timestamp;
use query::Column;

use crate::error::StoreError;
use crate::location::Location;
use crate::slice::{Appended, DeadLetter, ShardSlice};

/// What may be set when a store is opened.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// How many dynamic columns a dataset may have; what is over goes into one JSON column.
    pub columns_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { columns_max: 1_000 }
    }
}

/// All datasets of one place. Cheap to clone; clones share their caches.
#[derive(Clone)]
pub struct Store {
    _inner: Arc<()>,
}

/// A dataset at one version of its table: does not change while others write.
#[derive(Clone)]
pub struct Snapshot {
    /// The dataset's name.
    pub dataset: String,
    /// The table's version.
    pub version: i64,
    /// The dynamic columns (envelope columns are not among them).
    pub columns: Vec<Column>,
    /// Whether some events keep keys in the overflow column ([`Snapshot::OVERFLOW`]).
    pub overflows: bool,
    /// What DataFusion scans.
    pub provider: Arc<dyn TableProvider>,
    /// How many rows the table has.
    pub rows: u64,
    /// How many bytes its files have.
    pub bytes: u64,
    /// How many files it has.
    pub files: u64,
}

impl Snapshot {
    /// The column that holds, as a JSON object, what found no column of its own.
    pub const OVERFLOW: &'static str = "attributes_json";
}

/// What a dataset holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetInfo {
    /// Its name.
    pub name: String,
    /// How many events.
    pub rows: u64,
    /// Bytes of its data files.
    pub bytes: u64,
    /// How many data files.
    pub files: u64,
    /// The earliest event, if there is one and it is known.
    pub from: Option<Timestamp>,
    /// The latest event, if there is one and it is known.
    pub to: Option<Timestamp>,
    /// The table's version.
    pub version: i64,
}

impl Store {
    /// Opens the store at a place; a directory is made when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the place cannot be written or read.
    pub async fn open(location: &Location, options: Options) -> Result<Self, StoreError> {
        let _ = (location, options);
        todo!()
    }

    /// Writes a slice, each of its events exactly once whatever is retried: one commit per dataset holds data,
    /// watermark and batch identities.
    ///
    /// # Errors
    /// When a dataset's name is not allowed, or the object store fails. What was committed before the failure (other
    /// datasets of the slice) stays and is dropped from a retry.
    pub async fn append(&self, slice: ShardSlice) -> Result<Appended, StoreError> {
        let _ = slice;
        todo!()
    }

    /// The dataset as it is now; none if there is no such dataset.
    ///
    /// # Errors
    /// When the name is not allowed or the table's log cannot be read.
    pub async fn snapshot(&self, dataset: &str) -> Result<Option<Snapshot>, StoreError> {
        let _ = dataset;
        todo!()
    }

    /// What there is, by name.
    ///
    /// # Errors
    /// When the place cannot be listed or a table's log cannot be read.
    pub async fn datasets(&self) -> Result<Vec<DatasetInfo>, StoreError> {
        todo!()
    }

    /// Puts away what could not be read.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn dead_letter(&self, letter: DeadLetter) -> Result<(), StoreError> {
        let _ = letter;
        todo!()
    }
}

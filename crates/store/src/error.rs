//! What can go wrong in the store, by what the caller can do about it.

/// A failure of the store. Nothing of a failed append is visible to readers.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The text names no place for a store.
    #[error("a store must be a directory, file://, s3://bucket/prefix or memory:, got {text:?}: {why}")]
    Location {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// The place cannot be used: not there, no permission, no answer.
    #[error("the store at {place} cannot be used: {why}")]
    Unusable {
        /// The place, as text.
        place: String,
        /// What was tried and how it failed.
        why: String,
    },
    /// A dataset's name must be safe in a path and in a query.
    #[error(
        "a dataset's name must have 1 to 128 of the characters A-Z a-z 0-9 _ . - and not begin with a dot, got {0:?}"
    )]
    DatasetName(String),
    /// The object store failed (also: disk full).
    #[error("the object store failed while {doing}")]
    Storage {
        /// What was being done.
        doing: String,
        /// The failure.
        #[source]
        source: object_store::Error,
    },
    /// What was kept of a stream's progress is something else.
    #[error("{path} does not hold a stream's progress")]
    Progress {
        /// The object.
        path: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The table's log could not be read or written.
    #[error("the table {dataset} failed while {doing}")]
    Table {
        /// The dataset.
        dataset: String,
        /// What was being done.
        doing: &'static str,
        /// The failure.
        #[source]
        source: Box<deltalake_core::DeltaTableError>,
    },
    /// Other writers were always faster.
    #[error("the table {dataset} was changed by others {attempts} times while one commit was tried")]
    Contended {
        /// The dataset.
        dataset: String,
        /// How often the commit was tried.
        attempts: usize,
    },
    /// Rows could not be made into columns or back.
    #[error("rows of {what} do not fit the table")]
    Rows {
        /// Which.
        what: String,
        /// The failure.
        #[source]
        source: arrow::error::ArrowError,
    },
    /// A Parquet file could not be written.
    #[error("a data file could not be written")]
    File(#[from] parquet::errors::ParquetError),
    /// Files could not be merged.
    #[error("the files of {dataset} could not be compacted")]
    Compaction {
        /// The dataset.
        dataset: String,
        /// The failure.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A data file is not what was written.
    #[error("{path} of {dataset} is damaged: {why}")]
    Damaged {
        /// The dataset.
        dataset: String,
        /// Below the table's directory.
        path: String,
        /// What was found.
        why: String,
    },
    /// A column does not hold what its name says: not our table, or damaged.
    #[error("column {column} of {dataset} is not what it should be: {why}")]
    Column {
        /// The dataset.
        dataset: String,
        /// The physical name.
        column: String,
        /// What was found.
        why: String,
    },
}

impl StoreError {
    /// Whether what was to be written is at fault, and not the place: a retry fails in the same way.
    pub fn is_of_the_records(&self) -> bool {
        matches!(self, Self::DatasetName(_) | Self::Rows { .. } | Self::File(_) | Self::Column { .. })
    }
}

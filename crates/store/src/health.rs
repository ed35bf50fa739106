//! How a dataset's files are: what `limelight store stats` shows, and what tells whether compaction keeps up.

use std::collections::{BTreeSet, HashSet};

use crate::compact::Compaction;
use crate::error::StoreError;
use crate::store::Store;

/// A dataset's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Health {
    /// The table's version.
    pub version: u64,
    /// Events, as far as the log tells.
    pub rows: u64,
    /// UTC days that have files.
    pub days: u64,
    /// Data files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that are less than half as large as compaction makes them.
    pub small_files: u64,
    /// Files in which some event keeps keys in the overflow.
    pub overflowing_files: u64,
    /// Dynamic columns.
    pub columns: u64,
    /// Files on the disk that are not in the table: they left it, or a writer died before its commit.
    pub outside_files: u64,
    /// Their bytes.
    pub outside_bytes: u64,
}

impl Store {
    /// How a dataset's files are; none if there is no such dataset. Lists the dataset's place.
    ///
    /// # Errors
    /// When the name is not allowed, or the object store or the log fails.
    pub async fn health(&self, dataset: &str, rules: &Compaction) -> Result<Option<Health>, StoreError> {
        let table = self.table(dataset)?;
        let listed = table.data_files().await?;
        let Some(view) = table.view(self.since()).await? else { return Ok(None) };
        let here: HashSet<&str> = view.files.iter().map(|file| file.path.as_str()).collect();
        let outside = || listed.iter().filter(|object| !here.contains(object.location.as_ref()));
        let days: BTreeSet<&str> = view.files.iter().map(|file| file.date.as_str()).collect();
        let count = |count: usize| count as u64;
        Ok(Some(Health {
            version: view.version,
            rows: view.files.rows().unwrap_or(0),
            days: count(days.len()),
            files: count(view.files.len()),
            bytes: view.files.bytes(),
            small_files: count(view.files.iter().filter(|file| rules.is_small(file.bytes)).count()),
            overflowing_files: count(view.files.iter().filter(|file| file.overflows()).count()),
            columns: count(view.schema.dynamic().len()),
            outside_files: count(outside().count()),
            outside_bytes: outside().map(|object| object.size).sum(),
        }))
    }
}

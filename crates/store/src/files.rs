//! The data files of a table at one version, with what the log says of them.

use std::collections::HashMap;
use std::sync::Arc;

use deltalake_core::kernel::{Add, LogicalFileView};
use model::Timestamp;
use serde::Deserialize;

use crate::file::CHECKSUM_TAG;
use crate::schema::{DATE, OVERFLOW};

/// All files, and their sums.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    files: Vec<Arc<DataFile>>,
}

/// One Parquet file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataFile {
    /// Below the table's directory.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) modified_ms: i64,
    /// The UTC day of all its events, `2026-11-20`.
    pub(crate) date: String,
    pub(crate) statistics: Statistics,
    /// CRC-32 of its bytes; none if another program wrote it.
    pub(crate) checksum: Option<u32>,
}

/// Delta protocol, "Per-file statistics".
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Statistics {
    pub(crate) num_records: Option<u64>,
    pub(crate) min_values: HashMap<String, serde_json::Value>,
    pub(crate) max_values: HashMap<String, serde_json::Value>,
    pub(crate) null_count: HashMap<String, serde_json::Value>,
}

impl Files {
    pub(crate) fn add(&mut self, file: DataFile) {
        // The same path again replaces what the log said of it before.
        self.remove(&file.path.clone());
        self.files.push(Arc::new(file));
    }

    pub(crate) fn remove(&mut self, path: &str) {
        self.files.retain(|file| file.path != path);
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        // The newest stand last, and it is those that are asked for.
        self.files.iter().rev().any(|file| file.path == path)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<DataFile>> {
        self.files.iter()
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// None when the log does not say it for some file (another program wrote it).
    pub(crate) fn rows(&self) -> Option<u64> {
        self.files.iter().map(|file| file.statistics.num_records).sum()
    }

    /// The earliest event.
    pub(crate) fn from(&self) -> Option<Timestamp> {
        self.files.iter().filter_map(|file| file.span().0).min()
    }

    /// The latest event.
    pub(crate) fn to(&self) -> Option<Timestamp> {
        self.files.iter().filter_map(|file| file.span().1).max()
    }

    /// Whether some event keeps keys in the overflow column.
    pub(crate) fn overflow(&self) -> bool {
        self.files.iter().any(|file| file.overflows())
    }
}

impl FromIterator<DataFile> for Files {
    fn from_iter<I: IntoIterator<Item = DataFile>>(files: I) -> Self {
        Self { files: files.into_iter().map(Arc::new).collect() }
    }
}

impl Statistics {
    /// Unknown or unreadable statistics are none: they only make reading faster.
    fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    fn time(&self, values: &HashMap<String, serde_json::Value>) -> Option<Timestamp> {
        values.get("timestamp")?.as_str()?.parse().ok()
    }
}

impl DataFile {
    pub(crate) fn of_add(add: &Add) -> Self {
        Self {
            path: add.path.clone(),
            bytes: u64::try_from(add.size).unwrap_or(0),
            modified_ms: add.modification_time,
            date: add.partition_values.get(DATE).cloned().flatten().unwrap_or_default(),
            statistics: Statistics::parse(add.stats.as_deref()),
            checksum: checksum(add),
        }
    }

    pub(crate) fn of_view(view: &LogicalFileView) -> Self {
        #[expect(deprecated, reason = "the only way to a file's tags")]
        let add = view.add_action();
        Self::of_add(&add)
    }

    /// Whether some event of it keeps keys in the overflow column.
    pub(crate) fn overflows(&self) -> bool {
        let nulls = self.statistics.null_count.get(OVERFLOW).and_then(serde_json::Value::as_u64);
        nulls.is_none() || nulls != self.statistics.num_records
    }

    /// Whether these are its bytes as they were written.
    pub(crate) fn is_whole(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.bytes && self.checksum.is_none_or(|sum| crc32fast::hash(bytes) == sum)
    }

    /// When its earliest and its latest event happened, as far as the log says it.
    pub(crate) fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let Statistics { min_values, max_values, .. } = &self.statistics;
        (self.statistics.time(min_values), self.statistics.time(max_values))
    }
}

fn checksum(add: &Add) -> Option<u32> {
    let tag = add.tags.as_ref()?.get(CHECKSUM_TAG)?.as_deref()?;
    u32::from_str_radix(tag, 16).ok()
}

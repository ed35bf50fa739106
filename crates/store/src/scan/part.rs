//! A file as a scan reads it: one of the table's, or some small ones that are held in memory as one.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use datafusion::datasource::listing::PartitionedFile;
use object_store::path::Path;

use super::held::Held;
use crate::files::DataFile;

/// A file as it is read.
#[derive(Debug)]
pub(super) struct Part {
    /// Among the scan's; those that are held come after those of the table.
    pub(super) number: usize,
    pub(super) source: Source,
}

#[derive(Debug)]
pub(super) enum Source {
    Stored(Arc<DataFile>),
    Held(Arc<Held>),
}

impl Part {
    /// None if the log does not say it.
    pub(super) fn rows(&self) -> Option<usize> {
        match &self.source {
            Source::Stored(file) => file.statistics.num_records.and_then(|rows| usize::try_from(rows).ok()),
            Source::Held(held) => Some(held.rows()),
        }
    }

    /// The UTC day of all its events.
    pub(super) fn date(&self) -> &str {
        match &self.source {
            Source::Stored(file) => &file.date,
            Source::Held(held) => &held.date,
        }
    }

    /// As the Parquet source knows files; `below` is the table's directory.
    pub(super) fn partitioned(&self, below: &Path) -> PartitionedFile {
        match &self.source {
            Source::Stored(file) => {
                let path = Path::from(format!("{below}/{}", file.path));
                let mut partitioned = PartitionedFile::new(path.to_string(), file.bytes);
                partitioned.object_meta.last_modified = modified(file.modified_ms).into();
                partitioned
            }
            Source::Held(held) => {
                let path = format!("{below}/{}-files-in-memory-{}", held.members.len(), self.number);
                PartitionedFile::new(path, held.bytes.len() as u64).with_extension(held.clone())
            }
        }
    }
}

/// The data files that one of a plan's files stands for.
pub(crate) fn stored_files(file: &PartitionedFile) -> Vec<Path> {
    match file.extension::<Arc<Held>>() {
        Some(held) => held.members.clone(),
        None => vec![file.object_meta.location.clone()],
    }
}

fn modified(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

//! The store: open, append, look, put away.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use datafusion::catalog::TableProvider;
use model::Timestamp;
use object_store::{ObjectStore, ObjectStoreExt};
use query::Column;

use crate::append;
use crate::dataset_name::is_dataset_name;
use crate::engine::Engine;
use crate::error::StoreError;
use crate::files::Files;
use crate::location::{Location, Root};
use crate::scan::{HeldFiles, Scan};
use crate::schema::OVERFLOW;
use crate::slice::{Appended, ShardSlice};
use crate::table::{Shard, Table, View};

/// How many tables are looked at at once for [`Store::datasets`].
const TABLES_AT_ONCE: usize = 8;

/// What may be set when a store is opened.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// How many dynamic columns a dataset may have; what is over goes into one JSON column, slower but right. 8,000
    /// columns were seen to cost four times the storage and fifty times the writing.
    pub columns_max: usize,
    /// For so long after its commit a batch is known, and a producer's retry of it dropped.
    pub retry_horizon: Duration,
    /// Tells the time: for `ingested_at`, commits and the retry horizon.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            columns_max: 1_000,
            retry_horizon: Duration::from_mins(15),
            clock: Arc::new(|| SystemTime::now().into()),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("columns_max", &self.columns_max)
            .field("retry_horizon", &self.retry_horizon)
            .finish_non_exhaustive()
    }
}

impl Options {
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

/// All datasets of one place. Cheap to clone; clones share what they know of the tables.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    root: Root,
    options: Options,
    tables: Mutex<BTreeMap<String, Arc<Table>>>,
    engine: Engine,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &self.inner.root.url.as_str()).finish_non_exhaustive()
    }
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
    /// What DataFusion scans: envelope, [`Snapshot::OVERFLOW`], dynamic columns, and `date` last.
    pub provider: Arc<dyn TableProvider>,
    /// How many rows the table has; 0 if its log does not say.
    pub rows: u64,
    /// How many bytes its files have.
    pub bytes: u64,
    /// How many files it has.
    pub files: u64,
    pub(crate) scan: Arc<Scan>,
}

impl Snapshot {
    /// The text column that holds, as a JSON object, what found no column of its own.
    pub const OVERFLOW: &'static str = OVERFLOW;
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("dataset", &self.dataset)
            .field("version", &self.version)
            .field("rows", &self.rows)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

/// What a dataset holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetInfo {
    /// Its name.
    pub name: String,
    /// How many events; 0 if its log does not say.
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
    /// What answers queries over this store.
    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    /// How it works.
    pub(crate) fn options(&self) -> &Options {
        &self.inner.options
    }

    /// Where everything lies.
    pub(crate) fn root(&self) -> &Root {
        &self.inner.root
    }

    /// Opens the store at a place; a directory is made when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unusable`] when the place cannot be written (a directory) or listed (a bucket).
    pub async fn open(location: &Location, options: Options) -> Result<Self, StoreError> {
        let root = location.open().await?;
        Ok(Self { inner: Arc::new(Inner { root, options, tables: Mutex::default(), engine: Engine::new() }) })
    }

    /// Writes a slice, each of its events exactly once whatever is retried: one commit per dataset holds data,
    /// watermark and batch identities.
    ///
    /// # Errors
    /// When a dataset's name is not allowed (nothing is written then), or the object store fails. What was committed
    /// before the failure (other datasets of the slice) stays, and a retry drops it.
    pub async fn append(&self, slice: ShardSlice) -> Result<Appended, StoreError> {
        let shard = Shard::new(&slice.stream, &slice.shard);
        let mut portions = Vec::new();
        for (dataset, of_dataset) in append::by_dataset(slice) {
            portions.push((self.table(&dataset)?, of_dataset));
        }
        let writing = portions
            .iter()
            .map(|(table, of_dataset)| append::append(table, &shard, of_dataset, &self.inner.options));
        let mut appended = Appended::default();
        let (mut dropped, mut kept) = (HashSet::new(), HashSet::new());
        let results = futures::future::join_all(writing).await;
        for ((_, of_dataset), written) in portions.iter().zip(results) {
            let written = written?;
            appended.events += written.events;
            appended.commits += written.commits;
            appended.bytes += if written.commits == 0 { 0 } else { written.bytes };
            let here: HashSet<usize> = written.dropped.into_iter().collect();
            kept.extend(
                of_dataset.iter().map(|portion| portion.record).filter(|record| !here.contains(record)),
            );
            dropped.extend(here);
        }
        appended.duplicates = u64::try_from(dropped.difference(&kept).count()).unwrap_or(u64::MAX);
        Ok(appended)
    }

    /// The dataset as it is now; none if there is no such dataset.
    ///
    /// # Errors
    /// When the name is not allowed or the table's log cannot be read.
    pub async fn snapshot(&self, dataset: &str) -> Result<Option<Snapshot>, StoreError> {
        let table = self.table(dataset)?;
        let Some(view) = table.view(self.since()).await? else { return Ok(None) };
        Ok(Some(self.of_files(dataset, &view, &view.files, Some(self.inner.engine.held()))))
    }

    /// A dataset of which only these files are seen, with all their rows.
    pub(crate) fn part(&self, dataset: &str, view: &View, files: &Arc<Files>) -> Snapshot {
        self.of_files(dataset, view, files, None)
    }

    fn of_files(
        &self,
        dataset: &str,
        view: &View,
        files: &Arc<Files>,
        held: Option<Arc<HeldFiles>>,
    ) -> Snapshot {
        let scan = Arc::new(Scan::new(&self.inner.root, dataset, &view.schema, files.clone(), held));
        Snapshot {
            dataset: dataset.to_owned(),
            version: i64::try_from(view.version).unwrap_or(i64::MAX),
            columns: view.schema.dynamic().to_vec(),
            overflows: files.overflow(),
            provider: scan.clone(),
            rows: files.rows().unwrap_or(0),
            bytes: files.bytes(),
            files: files.len() as u64,
            scan,
        }
    }

    /// Whether the place answers: one request for one small object, whatever the store holds.
    ///
    /// # Errors
    /// When it does not, or not to us.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let path = self.inner.root.below(["datasets", ".ping"]);
        match self.inner.root.objects.head(&path).await {
            // Nobody ever made it: that it is not there is an answer, too.
            Ok(_) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::Storage { doing: "asking for a sign of life".to_owned(), source }),
        }
    }

    /// What there is, by name.
    ///
    /// # Errors
    /// When the place cannot be listed or a table's log cannot be read.
    pub async fn datasets(&self) -> Result<Vec<DatasetInfo>, StoreError> {
        use futures::{StreamExt, TryStreamExt};
        let below = self.inner.root.below(["datasets"]);
        let listed = self.inner.root.objects.list_with_delimiter(Some(&below)).await;
        let directories = match listed {
            Ok(listed) => listed.common_prefixes,
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            Err(source) => return Err(StoreError::Storage { doing: "listing datasets".to_owned(), source }),
        };
        let mut names: Vec<String> = directories
            .iter()
            .filter_map(|directory| Some(directory.filename()?.to_owned()))
            // Whatever else lies there is not ours.
            .filter(|name| is_dataset_name(name))
            .collect();
        names.sort();
        let infos = futures::stream::iter(names)
            .map(|name| async move {
                let view = self.table(&name)?.view(self.since()).await?;
                Ok::<_, StoreError>(view.map(|view| info(name, &view)))
            })
            .buffered(TABLES_AT_ONCE);
        infos.try_filter_map(|info| async move { Ok(info) }).try_collect().await
    }

    /// What was committed before is forgotten.
    pub(crate) fn since(&self) -> Timestamp {
        self.inner.options.now().minus(self.inner.options.retry_horizon)
    }

    /// The table of a dataset, whether it is there or not.
    pub(crate) fn table(&self, dataset: &str) -> Result<Arc<Table>, StoreError> {
        if !is_dataset_name(dataset) {
            return Err(StoreError::DatasetName(dataset.chars().take(160).collect()));
        }
        // The map is whole whatever a thread that panicked was doing: entries are only added.
        let mut tables = self.inner.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(dataset) {
            return Ok(table.clone());
        }
        let table = Arc::new(Table::new(dataset, &self.inner.root)?);
        tables.insert(dataset.to_owned(), table.clone());
        Ok(table)
    }
}

fn info(name: String, view: &View) -> DatasetInfo {
    DatasetInfo {
        name,
        rows: view.files.rows().unwrap_or(0),
        bytes: view.files.bytes(),
        files: view.files.len() as u64,
        from: view.files.from(),
        to: view.files.to(),
        version: i64::try_from(view.version).unwrap_or(i64::MAX),
    }
}

/// Characters of a file's name: file systems take 255 bytes, and suffixes come on top.
const FILE_NAME_MAX: usize = 200;

/// An identity as one file name: other characters than letters, digits, `-` and `.` become `_`. Of one that is too
/// long the end is kept, which is where identities differ (stream, shard, sequence number).
pub(crate) fn file_name(id: &str) -> String {
    let safe = |char: char| if char.is_ascii_alphanumeric() || "-.".contains(char) { char } else { '_' };
    let name: String = id.chars().map(safe).collect();
    name[name.len().saturating_sub(FILE_NAME_MAX)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_one_shard_have_files_of_their_own_however_long_the_streams_name_is() {
        let stream = format!("arn:aws:kinesis:eu-west-1:123456789012:stream/{}", "s".repeat(128));
        let file = |sequence: &str| file_name(&format!("{stream}/shardId-000000000000/{sequence}"));
        let (one, other) = (file(&"1".repeat(56)), file(&format!("{}2", "1".repeat(55))));
        assert_ne!(one, other);
        assert_eq!(one.len(), FILE_NAME_MAX);
        assert_eq!(file_name("a/ü:1.b"), "a___1.b");
    }
}

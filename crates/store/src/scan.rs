//! A dataset at one version as DataFusion scans it: the files that can hold what a query asks for, and nothing else.
//!
//! Files are skipped by day and by the log's statistics before anything is read; row groups and pages are skipped by
//! DataFusion's Parquet source, which gets the query's filters too. Small files are read as one where that is worth it
//! (`held`), and where the log says that all of a file is in the time asked for, nobody looks at single times (`bound`).
//! (`deltalake-core` has a provider of its own; it evaluates the log anew for each query and wraps the scan in an operator
//! that hides it from DataFusion's rules.)

mod statistics;
mod bound;
mod gather;
mod held;
mod reader;
mod pick;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow::datatypes::{DataType, Field, FieldRef, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, DataFusionError, Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use object_store::path::Path;
use parquet::arrow::RowNumber;

use crate::files::{DataFile, Files};
use crate::location::Root;
use crate::schema::{DATE, Schema};
use bound::{Bound, Fulfil};
use held::{Held, Place};
use reader::Readers;
use statistics::LogStatistics;

pub(crate) use held::HeldFiles;

/// Bytes read from a file's end at once: footers of 200 columns fit, so that a footer costs one read.
const FOOTER_BYTES_HINT: usize = 128 * 1024;

/// Where a row stands: columns of a scan that tells places. No column of a dataset begins like these.
pub(crate) const FILE: &str = "$file";
pub(crate) const ROW: &str = "$row";

/// What DataFusion scans.
#[derive(Debug)]
pub(crate) struct Scan {
    root: Root,
    /// Where the table's files are, below the object store's root.
    below: Path,
    files: Arc<Files>,
    columns: TableSchema,
    /// Whether it has the columns [`FILE`] and [`ROW`].
    places: bool,
    /// None: each file is read by itself.
    held: Option<Arc<HeldFiles>>,
    /// What statements read of it in memory; with and without places the same.
    reading: Arc<Mutex<Reading>>,
}

#[derive(Debug, Default)]
struct Reading {
    /// Their numbers come after those of the files.
    held: Vec<Arc<Held>>,
    fetched_bytes: u64,
}

/// A file as it is read.
#[derive(Debug)]
struct Part {
    number: usize,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Stored(Arc<DataFile>),
    Held(Arc<Held>),
}

impl Part {
    /// None if the log does not say it.
    fn rows(&self) -> Option<usize> {
        match &self.source {
            Source::Stored(file) => file.statistics.num_records.and_then(|rows| usize::try_from(rows).ok()),
            Source::Held(held) => Some(held.rows()),
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

impl Scan {
    pub(crate) fn new(
        root: &Root,
        dataset: &str,
        schema: &Schema,
        files: Arc<Files>,
        held: Option<Arc<HeldFiles>>,
    ) -> Self {
        let date: FieldRef = Arc::new(Field::new(DATE, DataType::Date32, true));
        let columns =
            TableSchema::builder(viewed(&schema.file())).with_table_partition_cols(vec![date]).build();
        let below = root.below(["datasets", dataset]);
        let (root, reading) = (root.clone(), Arc::default());
        Self { root, below, files, columns, places: false, held, reading }
    }

    /// The same with the columns [`FILE`] (a file's number among the scan's) and [`ROW`] (a row's number in its file):
    /// what [`Scan::pick`] takes.
    pub(crate) fn with_places(&self) -> Self {
        let file: FieldRef = Arc::new(Field::new(FILE, DataType::UInt64, false));
        let row: FieldRef = Arc::new(Field::new(ROW, DataType::Int64, false).with_extension_type(RowNumber));
        let partitions = self.columns.table_partition_cols().iter().cloned().chain([file]);
        let columns = TableSchema::builder(self.columns.file_schema().clone())
            .with_table_partition_cols(partitions.collect::<Vec<_>>())
            .with_virtual_columns(vec![row])
            .build();
        Self {
            root: self.root.clone(),
            below: self.below.clone(),
            files: self.files.clone(),
            columns,
            places: true,
            held: self.held.clone(),
            reading: self.reading.clone(),
        }
    }

    /// The bytes of the files that may have events of a time.
    pub(crate) fn bytes_of(&self, times: query::Timeframe) -> u64 {
        let day = |time: model::Timestamp| time.to_string().chars().take(10).collect::<String>();
        let (from, to) = (day(times.from), day(times.to));
        let may_have = |file: &&Arc<DataFile>| {
            // Most files are of other days, and a day is compared more quickly than times are read.
            (from.as_str()..=to.as_str()).contains(&file.date.as_str()) && {
                let (first, last) = file.span();
                first.is_none_or(|first| first < times.to) && last.is_none_or(|last| last >= times.from)
            }
        };
        self.files.iter().filter(may_have).map(|file| file.bytes).sum()
    }

    /// Whether a path of the object store is in the table's directory.
    pub(crate) fn has(&self, path: &str) -> bool {
        Path::parse(path).is_ok_and(|path| path.prefix_matches(&self.below))
    }

    /// Bytes that were fetched to be held.
    pub(crate) fn fetched_bytes(&self) -> u64 {
        self.reading().fetched_bytes
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Reading> {
        // Whole whatever a thread that panicked was doing: things are only added.
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What reads its files; footers are kept for the next who asks.
    fn readers(&self, runtime: &RuntimeEnv) -> Readers {
        Readers::new(self.root.objects.clone(), runtime.cache_manager.get_file_metadata_cache())
    }

    /// What the filters do not rule out: first that of which all events are in the time asked for, then the rest.
    async fn parts(&self, state: &dyn Session, filters: &[Expr]) -> Result<[Vec<Part>; 2]> {
        let files: Vec<Arc<DataFile>> = self.files.iter().cloned().collect();
        let bounds: Vec<Bound> = filters.iter().filter_map(Bound::of).collect();
        let keep = self.kept(state, filters, &files)?;
        let fulfil = |(number, file)| match keep.as_ref().is_none_or(|keep| keep[number]) {
            true => bound::all_hold_for(&bounds, file),
            false => Fulfil::None,
        };
        let fulfils: Vec<Fulfil> = files.iter().enumerate().map(fulfil).collect();
        let mut parts = [Vec::new(), Vec::new()];
        let mut add = |part: Part, inside: bool| parts[usize::from(!inside)].push(part);
        let held = self.held_runs(&files, &fulfils).await?;
        let mut is_held = vec![false; files.len()];
        for (run, part) in held {
            let inside =
                run.iter().all(|number| bound::all_hold_for(&bounds, &files[*number]) == Fulfil::All);
            run.iter().for_each(|number| is_held[*number] = true);
            add(part, inside);
        }
        for (number, file) in files.into_iter().enumerate().filter(|(number, _)| !is_held[*number]) {
            if fulfils[number] != Fulfil::None {
                add(Part { number, source: Source::Stored(file) }, fulfils[number] == Fulfil::All);
            }
        }
        Ok(parts)
    }

    /// The runs of small files that are read as one.
    async fn held_runs(
        &self,
        files: &[Arc<DataFile>],
        fulfils: &[Fulfil],
    ) -> Result<Vec<(Vec<usize>, Part)>> {
        let Some(held) = &self.held else { return Ok(Vec::new()) };
        let kept = |run: &Vec<usize>| run.iter().filter(|number| fulfils[**number] != Fulfil::None).count();
        let mut runs = gather::runs(files);
        runs.retain(|run| kept(run) > 0);
        // Of few of them nothing is merged, but what is merged already is taken.
        let of = |run: &Vec<usize>| {
            let of_run = run.iter().map(|number| files[*number].clone()).collect::<Vec<_>>();
            (of_run, kept(run) * 2 >= run.len())
        };
        let wanted: Vec<_> = runs.iter().map(of).collect();
        let place = Place { objects: &self.root.objects, below: &self.below };
        let found = held.of(place, &wanted).await;
        let (found, fetched) = found.map_err(|error| DataFusionError::ObjectStore(Box::new(error)))?;
        let mut reading = self.reading();
        reading.fetched_bytes += fetched;
        let part = |(run, held): (Vec<usize>, Option<Arc<Held>>)| {
            let held = held?;
            let known = reading.held.iter().position(|known| Arc::ptr_eq(known, &held));
            let at = known.unwrap_or_else(|| {
                reading.held.push(held.clone());
                reading.held.len() - 1
            });
            Some((run, Part { number: files.len() + at, source: Source::Held(held) }))
        };
        Ok(runs.into_iter().zip(found).filter_map(part).collect())
    }

    /// The part of a number.
    fn part(&self, number: usize) -> Option<Part> {
        let source = match number.checked_sub(self.files.len()) {
            None => Source::Stored(self.files.iter().nth(number)?.clone()),
            Some(at) => Source::Held(self.reading().held.get(at)?.clone()),
        };
        Some(Part { number, source })
    }

    /// Which of the files the filters do not rule out; none if the filters rule out nothing.
    fn kept(
        &self,
        state: &dyn Session,
        filters: &[Expr],
        files: &[Arc<DataFile>],
    ) -> Result<Option<Vec<bool>>> {
        let Some(predicate) = self.predicate(state, filters.iter().cloned())? else { return Ok(None) };
        let schema = self.columns.table_schema();
        let pruning = PruningPredicateBuilder::new().with_file_schema(schema.clone()).try_build(predicate);
        let Ok(pruning) = pruning else { return Ok(None) };
        pruning.prune(&LogStatistics { files, schema: schema.clone() }).map(Some)
    }

    fn predicate(
        &self,
        state: &dyn Session,
        filters: impl Iterator<Item = Expr>,
    ) -> Result<Option<Arc<dyn PhysicalExpr>>> {
        let Some(predicate) = conjunction(filters) else { return Ok(None) };
        let schema = DFSchema::try_from(self.columns.table_schema().clone())?;
        state.create_physical_expr(predicate, &schema).map(Some)
    }

    /// The part as the Parquet source reads it.
    fn partitioned(&self, part: &Part) -> PartitionedFile {
        let path = |name: &str| format!("{}/{name}", self.below);
        let (mut partitioned, date) = match &part.source {
            Source::Stored(file) => {
                let path = Path::from(path(&file.path));
                let mut partitioned = PartitionedFile::new(path.to_string(), file.bytes);
                partitioned.object_meta.last_modified = modified(file.modified_ms).into();
                (partitioned, &file.date)
            }
            Source::Held(held) => {
                let path = path(&format!("{}-files-in-memory-{}", held.members.len(), part.number));
                let partitioned = PartitionedFile::new(path, held.bytes.len() as u64);
                (partitioned.with_extension(held.clone()), &held.date)
            }
        };
        partitioned.partition_values = vec![ScalarValue::Date32(days(date))];
        if self.places {
            partitioned.partition_values.push(ScalarValue::UInt64(u64::try_from(part.number).ok()));
        }
        partitioned
    }

    /// What is known of some parts that are read whole: how many rows they have.
    fn known(&self, parts: &[Part]) -> Statistics {
        let rows: Option<usize> = parts.iter().map(Part::rows).sum();
        let mut known = Statistics::new_unknown(self.columns.table_schema());
        known.num_rows = rows.map_or(Precision::Absent, Precision::Exact);
        known
    }

    /// A plan that reads some parts; of rows that fulfil a condition, if there is one.
    fn read(
        &self,
        state: &dyn Session,
        parts: &[Part],
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
        condition: Option<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let runtime = state.runtime_env();
        runtime.register_object_store(&self.root.url, self.root.objects.clone());
        let mut source = ParquetSource::new(self.columns.clone())
            .with_table_parquet_options(state.table_options().parquet.clone())
            .with_metadata_size_hint(FOOTER_BYTES_HINT)
            .with_parquet_file_reader_factory(Arc::new(self.readers(runtime)));
        let mut statistics = self.known(parts);
        if let Some(condition) = condition {
            source = source.with_predicate(condition).with_pushdown_filters(true);
            statistics = statistics.to_inexact();
        }
        let host = self.root.url.host_str().unwrap_or_default();
        let url = ObjectStoreUrl::parse(format!("{}://{host}", self.root.url.scheme()))?;
        let group: FileGroup = parts.iter().map(|part| self.partitioned(part)).collect();
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(group.split_files(state.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

#[async_trait::async_trait]
impl TableProvider for Scan {
    fn schema(&self) -> SchemaRef {
        self.columns.table_schema().clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        // Of times the scan sees to it itself. By the rest the files are chosen and the Parquet source takes what it
        // can; DataFusion looks at what is left.
        let how = |filter: &&Expr| match Bound::of(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(how).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [inside, rest] = self.parts(state, filters).await?;
        let limit = limit.filter(|_| filters.is_empty());
        let mut plans = Vec::new();
        if !inside.is_empty() {
            plans.push(self.read(state, &inside, projection, limit, None)?);
        }
        if !rest.is_empty() {
            let times = filters.iter().filter(|filter| Bound::of(filter).is_some_and(Bound::is_of_time));
            let times = self.predicate(state, times.cloned())?;
            plans.push(self.read(state, &rest, projection, limit, times)?);
        }
        match plans.len() {
            0 => {
                let schema = datafusion::common::project_schema(self.columns.table_schema(), projection)?;
                Ok(Arc::new(EmptyExec::new(schema)))
            }
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }
}

/// Text as views: the layout in which DataFusion reads, filters and groups it without copying.
fn viewed(schema: &SchemaRef) -> SchemaRef {
    let viewed = |field: &FieldRef| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        _ => field.clone(),
    };
    Arc::new(ArrowSchema::new(schema.fields().iter().map(viewed).collect::<Vec<_>>()))
}

/// Days since the epoch of `2026-11-20`.
fn days(date: &str) -> Option<i32> {
    let date: jiff::civil::Date = date.parse().ok()?;
    date.since(jiff::civil::date(1970, 1, 1)).ok().map(|span| span.get_days())
}

fn modified(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

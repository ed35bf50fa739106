//! A dataset at one version as DataFusion scans it: the files that can hold what a query asks for, and nothing else.
//!
//! Files are skipped by day and by the log's statistics before anything is read; row groups and pages are skipped by
//! DataFusion's Parquet source, which gets the query's filters too. (`deltalake-core` has a provider of its own; it
//! evaluates the log anew for each query and wraps the scan in an operator that hides it from DataFusion's rules.)

mod reader;
mod pick;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use arrow::datatypes::{DataType, Field, FieldRef, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, DFSchema, Result, ScalarValue, Statistics};
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
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use model::Timestamp;
use object_store::path::Path;
use parquet::arrow::RowNumber;

use crate::files::{DataFile, Files};
use crate::location::Root;
use crate::schema::{DATE, Schema};
use reader::Readers;

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
}

impl Scan {
    pub(crate) fn new(root: &Root, dataset: &str, schema: &Schema, files: Arc<Files>) -> Self {
        let date: FieldRef = Arc::new(Field::new(DATE, DataType::Date32, true));
        let columns =
            TableSchema::builder(viewed(&schema.file())).with_table_partition_cols(vec![date]).build();
        Self { root: root.clone(), below: root.below(["datasets", dataset]), files, columns, places: false }
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
        let Self { root, below, files, .. } = self;
        Self { root: root.clone(), below: below.clone(), files: files.clone(), columns, places: true }
    }

    /// Whether a path of the object store is in the table's directory.
    pub(crate) fn has(&self, path: &str) -> bool {
        Path::parse(path).is_ok_and(|path| path.prefix_matches(&self.below))
    }

    /// What reads its files; footers are kept for the next who asks.
    fn readers(&self, runtime: &RuntimeEnv) -> Readers {
        Readers::new(self.root.objects.clone(), runtime.cache_manager.get_file_metadata_cache())
    }

    /// The files that the filters do not rule out, with their numbers.
    fn files_for(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<(usize, Arc<DataFile>)>> {
        let all: Vec<Arc<DataFile>> = self.files.iter().cloned().collect();
        let keep = self.kept(state, filters, &all)?.unwrap_or_else(|| vec![true; all.len()]);
        Ok(all.into_iter().enumerate().zip(keep).filter_map(|(file, keep)| keep.then_some(file)).collect())
    }

    /// Which of the files the filters do not rule out; none if the filters rule out nothing.
    fn kept(
        &self,
        state: &dyn Session,
        filters: &[Expr],
        files: &[Arc<DataFile>],
    ) -> Result<Option<Vec<bool>>> {
        let Some(predicate) = conjunction(filters.iter().cloned()) else { return Ok(None) };
        let schema = self.columns.table_schema();
        let predicate = state.create_physical_expr(predicate, &DFSchema::try_from(schema.clone())?)?;
        let pruning = PruningPredicateBuilder::new().with_file_schema(schema.clone()).try_build(predicate);
        let Ok(pruning) = pruning else { return Ok(None) };
        pruning.prune(&LogStatistics { files, schema: schema.clone() }).map(Some)
    }

    fn partitioned(&self, file: &DataFile) -> PartitionedFile {
        let path = Path::from(format!("{}/{}", self.below, file.path));
        let mut partitioned = PartitionedFile::new(path.to_string(), file.bytes);
        partitioned.object_meta.last_modified = modified(file.modified_ms).into();
        partitioned.partition_values = vec![ScalarValue::Date32(days(&file.date))];
        partitioned
    }

    /// The file as the scan reads it, with its number where that is told.
    fn numbered(&self, number: usize, file: &DataFile) -> PartitionedFile {
        let mut partitioned = self.partitioned(file);
        if self.places {
            partitioned.partition_values.push(ScalarValue::UInt64(u64::try_from(number).ok()));
        }
        partitioned
    }

    /// What is known of the whole scan: how many rows it has.
    fn known(&self, files: &[(usize, Arc<DataFile>)]) -> Statistics {
        let rows: Option<u64> = files.iter().map(|(_, file)| file.statistics.num_records).sum();
        let rows = rows.and_then(|rows| usize::try_from(rows).ok());
        let mut known = Statistics::new_unknown(self.columns.table_schema());
        known.num_rows = rows.map_or(Precision::Absent, Precision::Exact);
        known
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
        // The files are chosen by them and the Parquet source takes what it can; DataFusion looks at the rest.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.files_for(state, filters)?;
        if files.is_empty() {
            let schema = datafusion::common::project_schema(self.columns.table_schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let runtime = state.runtime_env();
        runtime.register_object_store(&self.root.url, self.root.objects.clone());
        let source = ParquetSource::new(self.columns.clone())
            .with_table_parquet_options(state.table_options().parquet.clone())
            .with_metadata_size_hint(FOOTER_BYTES_HINT)
            .with_parquet_file_reader_factory(Arc::new(self.readers(runtime)));
        let host = self.root.url.host_str().unwrap_or_default();
        let url = ObjectStoreUrl::parse(format!("{}://{host}", self.root.url.scheme()))?;
        let statistics = self.known(&files);
        let group: FileGroup = files.iter().map(|(number, file)| self.numbered(*number, file)).collect();
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(group.split_files(state.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit.filter(|_| filters.is_empty()))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// The log's statistics of some files, column by column.
struct LogStatistics<'a> {
    files: &'a [Arc<DataFile>],
    schema: SchemaRef,
}

impl LogStatistics<'_> {
    /// One bound per file, null where the log does not say; none when it says it of no file.
    fn bounds(&self, column: &Column, bound: impl Fn(&DataFile) -> Option<ScalarValue>) -> Option<ArrayRef> {
        let data_type = self.schema.field_with_name(&column.name).ok()?.data_type();
        let bounds: Vec<Option<ScalarValue>> = self.files.iter().map(|file| bound(file)).collect();
        if bounds.iter().all(Option::is_none) {
            return None;
        }
        let null = ScalarValue::try_from(data_type).ok()?;
        ScalarValue::iter_to_array(bounds.into_iter().map(|bound| bound.unwrap_or_else(|| null.clone()))).ok()
    }

    fn scalar(&self, column: &Column, value: &serde_json::Value) -> Option<ScalarValue> {
        match self.schema.field_with_name(&column.name).ok()?.data_type() {
            DataType::Utf8View => Some(ScalarValue::Utf8View(Some(value.as_str()?.to_owned()))),
            DataType::Float64 => Some(ScalarValue::Float64(Some(value.as_f64()?))),
            DataType::Timestamp(_, zone) => {
                let time: Timestamp = value.as_str()?.parse().ok()?;
                Some(ScalarValue::TimestampMicrosecond(Some(time.as_micros()), zone.clone()))
            }
            _ => None,
        }
    }
}

impl PruningStatistics for LogStatistics<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| match column.name.as_str() {
            DATE => Some(ScalarValue::Date32(days(&file.date))),
            name => self.scalar(column, file.statistics.min_values.get(name)?),
        })
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, |file| match column.name.as_str() {
            DATE => Some(ScalarValue::Date32(days(&file.date))),
            // Other writers cut times to milliseconds: the bound is then up to a millisecond too low.
            "timestamp" | "ingested_at" => {
                let time: Timestamp = file.statistics.max_values.get(&column.name)?.as_str()?.parse().ok()?;
                let micros = time.as_micros().saturating_add(999);
                Some(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
            }
            name => self.scalar(column, file.statistics.max_values.get(name)?),
        })
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let counts: UInt64Array =
            self.files.iter().map(|file| file.statistics.null_count.get(&column.name)?.as_u64()).collect();
        Some(Arc::new(counts))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let counts: UInt64Array = self.files.iter().map(|file| file.statistics.num_records).collect();
        Some(Arc::new(counts))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
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

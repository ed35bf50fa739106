//! A dataset at one version as DataFusion scans it: the files that can hold what a query asks for, and nothing else.
//!
//! Files are skipped by day and by the log's statistics before anything is read; row groups and pages are skipped by
//! DataFusion's Parquet source, which gets the query's filters too. Small files are read as one where they were asked for
//! before (`held`), and where the log says that all of a file is in the time asked for, nobody looks at single times (`bound`).
//! (`deltalake-core` has a provider of its own; it evaluates the log anew for each query and wraps the scan in an operator
//! that hides it from DataFusion's rules.)

mod statistics;
mod bound;
mod gather;
mod held;
mod part;
mod choose;
mod reader;
mod pick;

use std::sync::{Arc, Mutex};

use arrow::datatypes::{DataType, Field, FieldRef, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Result, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use object_store::path::Path;
use parquet::arrow::RowNumber;

use crate::files::{DataFile, Files};
use crate::location::Root;
use crate::schema::{DATE, Schema};
use bound::Bound;
use held::Held;
use part::Part;
use reader::Readers;

pub(crate) use held::HeldFiles;
pub(crate) use part::stored_files;

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
    /// The held files that statements read of it; with and without places the same. Their numbers come after those of
    /// the files.
    reading: Arc<Mutex<Vec<Arc<Held>>>>,
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

    /// What reads its files; footers are kept for the next who asks.
    fn readers(&self, runtime: &RuntimeEnv) -> Readers {
        Readers::new(self.root.objects.clone(), runtime.cache_manager.get_file_metadata_cache())
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

    /// The part as the Parquet source reads it, with the values of the columns that are not in the file.
    fn partitioned(&self, part: &Part) -> PartitionedFile {
        let mut partitioned = part.partitioned(&self.below);
        partitioned.partition_values = vec![ScalarValue::Date32(days(part.date()))];
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
        let [inside, rest] = self.parts(state, filters)?;
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

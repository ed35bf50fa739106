//! What reads a scan's files: the bytes as DataFusion does, footers from the cache that all queries share; and what is
//! held in memory from there.
//!
//! DataFusion's own reader makes a text of what failed when a footer is fetched; whoever asks then cannot tell a file that
//! is gone from a store that does not answer.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use super::held::Held;

/// Makes a reader for each file.
#[derive(Debug)]
pub(super) struct Readers {
    objects: Arc<dyn ObjectStore>,
    footers: Arc<FileMetadataCache>,
    bytes: CachedParquetFileReaderFactory,
}

impl Readers {
    pub(super) fn new(objects: Arc<dyn ObjectStore>, footers: Arc<FileMetadataCache>) -> Self {
        let bytes = CachedParquetFileReaderFactory::new(objects.clone(), footers.clone());
        Self { objects, footers, bytes }
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        footer_bytes_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        if let Some(held) = file.extension::<Arc<Held>>() {
            return Ok(Box::new(FromMemory(held.clone())));
        }
        let object = file.object_meta.clone();
        let bytes = self.bytes.create_reader(partition_index, file, footer_bytes_hint, metrics)?;
        let (objects, footers) = (self.objects.clone(), self.footers.clone());
        Ok(Box::new(Reader { objects, footers, object, footer_bytes_hint, bytes }))
    }
}

struct Reader {
    objects: Arc<dyn ObjectStore>,
    footers: Arc<FileMetadataCache>,
    object: ObjectMeta,
    footer_bytes_hint: Option<usize>,
    /// Counts what it reads.
    bytes: Box<dyn AsyncFileReader + Send>,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        self.bytes.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, parquet::errors::Result<Vec<Bytes>>> {
        self.bytes.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        let policy = options.map(ArrowReaderOptions::column_index_policy);
        async move {
            DFParquetMetadata::new(&self.objects, &self.object)
                .with_file_metadata_cache(Some(self.footers.clone()))
                .with_metadata_size_hint(self.footer_bytes_hint)
                .with_page_index_policy(policy)
                .fetch_metadata()
                .await
                .map_err(|error| ParquetError::External(Box::new(error)))
        }
        .boxed()
    }
}

/// A held file. Nothing is fetched for what it reads.
struct FromMemory(Arc<Held>);

impl AsyncFileReader for FromMemory {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, parquet::errors::Result<Bytes>> {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let range = place(range.start)..place(range.end);
        let all = &self.0.bytes;
        let bytes = match range.start <= range.end && range.end <= all.len() {
            true => Ok(all.slice(range)),
            false => Err(ParquetError::EOF(format!("{range:?} of {} bytes", all.len()))),
        };
        std::future::ready(bytes).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, parquet::errors::Result<Arc<ParquetMetaData>>> {
        std::future::ready(Ok(self.0.footer.clone())).boxed()
    }
}

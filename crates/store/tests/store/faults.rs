//! Failures of the object store at every step of an append: before a write, and after one whose answer is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::stream::BoxStream;
use model::BatchId;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use store::{Location, Options, SequencedRecord, Store, StoreError};

use crate::support::{event, ids, record, slice};

/// When a put fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing was written: disk full, no permission, no answer.
    Before,
    /// It was written, and the answer was lost.
    After,
    /// It was written, the answer was lost, and the client's own repetition found the name taken.
    Repeated,
}

/// An object store whose put number `at` fails.
#[derive(Debug)]
struct Faulty {
    inner: Arc<InMemory>,
    fault: Fault,
    at: usize,
    puts: AtomicUsize,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Faulty")
    }
}

fn disk_full() -> Error {
    Error::Generic { store: "test", source: "no space left on device".into() }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let fails = self.puts.fetch_add(1, Ordering::SeqCst) == self.at;
        if fails && self.fault == Fault::Before {
            return Err(disk_full());
        }
        let create = opts.mode == PutMode::Create;
        let written = self.inner.put_opts(location, payload, opts).await?;
        match (fails, self.fault) {
            (true, Fault::Repeated) if create => {
                Err(Error::AlreadyExists { path: location.to_string(), source: "412".into() })
            }
            (true, Fault::After) => Err(disk_full()),
            _ => Ok(written),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// Two slices that make two tables and let one grow.
fn slices() -> [Vec<SequencedRecord>; 2] {
    let batch = |sequence| Some(BatchId { sandbox: "sandbox".into(), sequence });
    let mut late = event("logs", 3, "fn");
    late.timestamp = "2026-11-21T00:00:00Z".parse().unwrap();
    late.attributes.insert("new".into(), true.into());
    [
        vec![
            record(1, batch(1), vec![event("logs", 1, "fn"), event("otel", 2, "fn")]),
            record(2, batch(2), vec![event("logs", 4, "fn")]),
        ],
        vec![record(3, batch(3), vec![late, event("otel", 5, "fn")])],
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_at_any_step_is_told_and_a_retry_makes_every_event_stand_once() {
    let mut failures = 0;
    for fault in [Fault::Before, Fault::After] {
        for at in 0..12 {
            let inner = Arc::new(InMemory::new());
            let faulty = Faulty { inner: inner.clone(), fault, at, puts: AtomicUsize::new(0) };
            let mut store =
                Store::open(&Location::objects(Arc::new(faulty)), Options::default()).await.unwrap();
            for records in slices() {
                let Err(error) = store.append(slice("s", "0", records.clone())).await else { continue };
                failures += 1;
                assert!(
                    matches!(error, StoreError::Storage { .. } | StoreError::Table { .. }),
                    "{fault:?} at {at}: {error:?}"
                );
                // The process dies; another reads whole tables only, and does it again.
                store = Store::open(&Location::objects(inner.clone()), Options::default()).await.unwrap();
                for dataset in store.datasets().await.unwrap() {
                    assert_eq!(ids(&store, &dataset.name).await.len() as u64, dataset.rows);
                }
                store.append(slice("s", "0", records)).await.unwrap();
            }
            assert_eq!(ids(&store, "logs").await, ["1", "3", "4"], "{fault:?} at {at}");
            assert_eq!(ids(&store, "otel").await, ["2", "5"], "{fault:?} at {at}");
        }
    }
    // Eight puts make two slices: four files of data and four log entries.
    assert_eq!(failures, 16);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_succeeded_without_an_answer_is_recognised() {
    for at in 0..8 {
        let inner = Arc::new(InMemory::new());
        let faulty = Faulty { inner: inner.clone(), fault: Fault::Repeated, at, puts: AtomicUsize::new(0) };
        let store = Store::open(&Location::objects(Arc::new(faulty)), Options::default()).await.unwrap();
        let (mut events, mut duplicates) = (0, 0);
        for records in slices() {
            let appended = store.append(slice("s", "0", records)).await.unwrap();
            events += appended.events;
            duplicates += appended.duplicates;
        }
        assert_eq!((events, duplicates), (5, 0), "at {at}");
        assert_eq!(ids(&store, "logs").await, ["1", "3", "4"], "at {at}");
        assert_eq!(ids(&store, "otel").await, ["2", "5"], "at {at}");
    }
}

//! Words for the store's tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::prelude::SessionContext;
use model::{BatchId, Event, EventId, Kind, Timestamp};
use store::{Location, Options, SequenceNumber, SequencedRecord, ShardSlice, Snapshot, Store};

/// A place for one test; what is there goes with it.
pub(crate) struct Place {
    pub(crate) location: Location,
    /// Removed with the place.
    _directory: Option<tempfile::TempDir>,
}

impl Place {
    pub(crate) fn memory() -> Self {
        Self { location: Location::memory(), _directory: None }
    }

    pub(crate) fn directory() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // A space, because URLs and paths disagree about it.
        let location = Location::parse(&format!("{}/a store", directory.path().display())).unwrap();
        Self { location, _directory: Some(directory) }
    }

    /// None where no S3 API is named.
    pub(crate) fn s3() -> Option<Self> {
        let base = std::env::var("LIMELIGHT_TEST_S3").ok()?;
        let location = Location::parse(&format!("{base}/{}", uuid::Uuid::new_v4())).unwrap();
        Some(Self { location, _directory: None })
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.location, Options::default()).await.unwrap()
    }
}

/// A clock that stands still.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn at(time: &str) -> Self {
        let clock = Self(Arc::default());
        clock.set(time);
        clock
    }

    pub(crate) fn set(&self, time: &str) {
        self.0.store(time.parse::<Timestamp>().unwrap().as_nanos(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn tell(&self) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
        let clock = self.clone();
        Arc::new(move || Timestamp::from_nanos(clock.0.load(Ordering::SeqCst)))
    }
}

/// An event that its number tells apart.
pub(crate) fn event(dataset: &str, number: u64, namespace: &str) -> Event {
    let start = "2026-11-20T10:00:00Z".parse::<Timestamp>().unwrap();
    let timestamp = Timestamp::from_micros(start.as_micros() + number as i64 * 1_001);
    let mut event = Event::new(dataset, timestamp, EventId::from(number.to_string()), Kind::Log);
    event.namespace = namespace.to_owned();
    event.message = Some(format!("line {number}"));
    event.request_id = Some(format!("request-{number}"));
    event.attributes.insert("number".into(), (number as i64).into());
    event
}

pub(crate) fn record(sequence: u64, batch: Option<BatchId>, events: Vec<Event>) -> SequencedRecord {
    SequencedRecord { sequence: SequenceNumber::from(sequence), batch, events }
}

pub(crate) fn slice(
    stream: &str,
    shard: &str,
    records: impl IntoIterator<Item = SequencedRecord>,
) -> ShardSlice {
    ShardSlice { stream: stream.into(), shard: shard.into(), records: records.into_iter().collect() }
}

/// All events of a dataset, by id.
pub(crate) async fn events(store: &Store, dataset: &str) -> Vec<Event> {
    match store.snapshot(dataset).await.unwrap() {
        Some(snapshot) => scan(&snapshot).await,
        None => Vec::new(),
    }
}

pub(crate) async fn ids(store: &Store, dataset: &str) -> Vec<String> {
    events(store, dataset).await.iter().map(|event| event.id.as_str().to_owned()).collect()
}

pub(crate) async fn scan(snapshot: &Snapshot) -> Vec<Event> {
    let context = SessionContext::new();
    let frame = context.read_table(snapshot.provider.clone()).unwrap();
    let mut events = Vec::new();
    for batch in frame.collect().await.unwrap() {
        events.extend(store::rebuild(&snapshot.dataset, &batch, &snapshot.columns).unwrap());
    }
    events.sort_by(|a, b| a.id.cmp(&b.id));
    events
}

/// The column `id` of a query's rows, as text.
pub(crate) async fn sql(store: &Store, dataset: &str, sql: &str) -> Vec<String> {
    let snapshot = store.snapshot(dataset).await.unwrap().unwrap();
    let context = SessionContext::new();
    context.register_table(dataset, snapshot.provider.clone()).unwrap();
    let mut texts = Vec::new();
    for batch in context.sql(sql).await.unwrap().collect().await.unwrap() {
        let column = cast(batch.column_by_name("id").unwrap(), &DataType::Utf8).unwrap();
        let column = column.as_string::<i32>();
        texts.extend((0..column.len()).map(|row| column.value(row).to_owned()));
    }
    texts
}

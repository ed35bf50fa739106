//! The tables of the suite, in a directory: each type at one key, random events over two appends with a compaction
//! between them, keys without columns, samples, and the requests of a function with their spans and reports.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::{Event, EventId, Kind, Level, SpanId, Timestamp, TraceId, Value};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::json;
use store::{Compaction, Location, Options, SequencedRecord, ShardSlice, Store, Vacuum};

use crate::drawn;

/// Random events in `logs`, and as many in `crowded`.
const DRAWN: usize = 300;
/// What stands at the key `k` of the events of `types`; the last has none.
const TYPES: [&str; 12] = [
    "\"x\"",
    "\"5\"",
    "\"\"",
    "5",
    "2.5",
    "true",
    "[1,\"x\"]",
    "null",
    "{\"in\":5}",
    "\"Größe K\u{212a} it's 5%\"",
    "9007199254740993",
    "missing",
];

/// The store and where it is; removed with this.
pub(crate) struct Tables {
    pub(crate) store: Store,
    folder: tempfile::TempDir,
}

/// When every question is asked.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T14:00:00Z".parse().unwrap()
}

impl Tables {
    pub(crate) async fn write() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::parse(&folder.path().display().to_string()).unwrap();
        let mut few_columns = Options::default();
        few_columns.columns_max = 2;
        let narrow = Store::open(&location, few_columns).await.unwrap();
        append(&narrow, 1, drawn("crowded")).await;
        let store = Store::open(&location, Options::default()).await.unwrap();
        let mut logs = drawn("logs");
        let late = logs.split_off(DRAWN * 2 / 3);
        let second = logs.split_off(DRAWN / 3);
        append(&store, 1, logs).await;
        append(&store, 2, second).await;
        let mut compactor = store.compactor("logs", Compaction::default());
        while compactor.step().await.unwrap().is_some() {}
        append(&store, 3, late).await;
        append(&store, 4, types().chain(samples()).chain(requests()).collect()).await;
        Self { store, folder }
    }

    /// The folder with a folder for each table.
    pub(crate) fn datasets(&self) -> PathBuf {
        self.folder.path().join("datasets")
    }
}

impl Tables {
    /// Takes off the disk what the compaction left behind, as if two days had passed.
    pub(crate) async fn vacuum(&self) {
        let mut later = Options::default();
        later.clock = Arc::new(|| Timestamp::from(SystemTime::now()).plus(Duration::from_hours(48)));
        let location = Location::parse(&self.folder.path().display().to_string()).unwrap();
        let store = Store::open(&location, later).await.unwrap();
        let vacuumed = store.vacuum("logs", &Vacuum::default()).await.unwrap();
        assert!(vacuumed.files > 0, "{vacuumed:?}");
    }
}

async fn append(store: &Store, sequence: u64, events: Vec<Event>) {
    let record = SequencedRecord { sequence: sequence.into(), batch: None, events };
    let slice = ShardSlice { stream: "s".to_owned(), shard: "0".to_owned(), records: vec![record] };
    store.append(slice).await.unwrap();
}

fn event(dataset: &str, number: usize, age_ms: i64, attributes: serde_json::Value) -> Event {
    let time = Timestamp::from_micros((now().as_millis() - age_ms) * 1_000 + number as i64 % 7);
    let mut event = Event::new(dataset, time, EventId::from(format!("{dataset}-{number:05}")), Kind::Log);
    event.namespace = ["checkout", "payment", ""][number % 3].to_owned();
    event.service = "shop".to_owned();
    event.level = [Some(Level::Info), Some(Level::Error), None][number % 3];
    let Value::Object(attributes) = Value::from(attributes) else { panic!("attributes are an object") };
    event.attributes = attributes;
    if let Some(Value::String(message)) = event.attributes.remove("message") {
        event.message = Some(message);
    }
    event
}

/// The same events in every run.
fn drawn(dataset: &str) -> Vec<Event> {
    let mut runner = TestRunner::deterministic();
    let each = |number: usize| {
        let attributes = drawn::attributes().new_tree(&mut runner).unwrap().current();
        // Two days, and most of them in the last two hours.
        let age_ms =
            if number.is_multiple_of(10) { 30 * 3_600_000 } else { 0 } + (number as i64 * 23_456) % 7_000_000;
        event(dataset, number, age_ms, attributes)
    };
    (0..DRAWN).map(each).collect()
}

fn types() -> impl Iterator<Item = Event> {
    TYPES.iter().enumerate().map(|(number, value)| {
        let attributes = match *value {
            "missing" => json!({}),
            value => json!({ "k": serde_json::from_str::<serde_json::Value>(value).unwrap(), "n": number }),
        };
        event("types", number, 10_000 - number as i64, attributes)
    })
}

fn samples() -> impl Iterator<Item = Event> {
    (0..40_usize).map(|number| {
        let attributes =
            json!({ "d": (number * 37) % 101, "r": number as f64 / 8.0, "fn": format!("f{}", number % 4) });
        let mut sample = event("samples", number, 1_000 + number as i64 * 60_000, attributes);
        if number % 3 != 0 {
            let every = Value::Float([10.0, 2.0][number % 2]);
            sample.attributes.insert("$limelight.samplingInterval".to_owned(), every);
        }
        sample
    })
}

/// Twenty requests: lines, the platform's span with a child, and the report.
fn requests() -> impl Iterator<Item = Event> {
    (0..20_usize).flat_map(|request| {
        let age_ms = 100_000 + request as i64 * 90_000;
        let (id, trace) = (format!("r-{request}"), format!("{:032x}", 0xa0 + request).parse::<TraceId>().unwrap());
        let span_id = |number: usize| SpanId::from_bytes([number as u8 + 1; 8]).unwrap();
        let duration = 50.5 + (request * 13 % 40) as f64;
        let of = |event: Event| Event { request_id: Some(id.clone()), trace_id: Some(trace), ..event };
        let line = |at: usize, text: &str| {
            event("lambda-logs", request * 10 + at, age_ms - at as i64, json!({ "message": format!("{text} {request}") }))
        };
        let failed = request % 5 == 0;
        let told = json!({ "aws.lambda.status": if failed { "failure" } else { "success" }, "faas.coldstart": request % 4 == 0 });
        let root = Event {
            kind: Kind::Span,
            name: Some("invoke".to_owned()),
            span_id: Some(span_id(request * 2)),
            duration_ms: Some(duration),
            status: Some(if failed { "error" } else { "ok" }.to_owned()),
            error: failed.then(|| "Declined".to_owned()),
            ..event("otel", request * 10, age_ms, told)
        };
        let child = Event {
            parent_id: root.span_id,
            span_id: Some(span_id(request * 2 + 1)),
            duration_ms: Some(duration / 2.0),
            service: "payment".to_owned(),
            ..Event { attributes: model::Map::new(), error: None, ..root.clone() }
        };
        let child = Event { id: EventId::from(format!("otel-{:05}", request * 10 + 1)), ..child };
        let report = json!({
            "@type": "REPORT", "@duration": duration - 1.0, "@billedDuration": duration.ceil() as i64, "@memorySize": 128,
            "@maxMemoryUsed": 60 + request, "@status": if failed { "error" } else { "success" },
        });
        let report = Event { kind: Kind::Platform, ..event("lambda-logs", request * 10 + 5, age_ms - 95, report) };
        [line(1, "order taken"), line(2, if failed { "card declined" } else { "paid" }), root, child, report].map(of)
    })
}

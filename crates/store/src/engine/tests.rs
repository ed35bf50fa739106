//! The engine against a naive evaluator over the same events in plain memory, on generated data and queries; and what
//! it says of cost, bounds and what is not there.

/// The language's own generator of filters.
#[path = "../../../query/tests/language/generate.rs"]
mod generate;
mod drawn;
mod reference;
mod agreement;
mod behaviour;
mod fresh;
mod figures;
mod sql;
mod wholes;
mod heatmap;
mod tail;
mod golden;

use model::{Event, EventId, Kind, Map, Timestamp, Value};
use query::{Answer, Query, RunError, Runner as _};

use crate::{Location, Options, SequencedRecord, ShardSlice, Store};

/// The moment at which every test asks.
fn now() -> Timestamp {
    "2026-11-20T14:00:00Z".parse().unwrap()
}

/// A log event so many milliseconds before now.
fn event(dataset: &str, number: usize, age_ms: i64, attributes: serde_json::Value) -> Event {
    let time = Timestamp::from_millis(now().as_millis() - age_ms);
    let mut event = Event::new(dataset, time, EventId::from(format!("id-{number:05}")), Kind::Log);
    event.namespace = "checkout".to_owned();
    event.service = "shop".to_owned();
    let Value::Object(attributes) = Value::from(attributes) else { panic!("attributes are an object") };
    event.attributes = attributes;
    if let Some(Value::String(message)) = event.attributes.remove("message") {
        event.message = Some(message);
    }
    event
}

/// A store in memory; each part of the events is one append, so one file per dataset and day.
async fn store(parts: &[Vec<Event>]) -> Store {
    store_of(parts, Options::default()).await
}

async fn store_of(parts: &[Vec<Event>], options: Options) -> Store {
    let store = Store::open(&Location::parse("memory:").unwrap(), options).await.unwrap();
    for (number, events) in parts.iter().enumerate() {
        let record = SequencedRecord {
            sequence: (number + 1).to_string().parse().unwrap(),
            batch: None,
            events: events.clone(),
        };
        let slice = ShardSlice { stream: "s".to_owned(), shard: "0".to_owned(), records: vec![record] };
        store.append(slice).await.unwrap();
    }
    store
}

fn read(text: &str) -> Query {
    query::parse_text(text, now()).unwrap_or_else(|faults| panic!("{faults}"))
}

async fn ask(store: &Store, text: &str) -> Answer {
    store.run(&read(text)).await.unwrap_or_else(|error| panic!("{text}: {error}"))
}

async fn refused(store: &Store, text: &str) -> RunError {
    store.run(&read(text)).await.unwrap_err()
}

/// The ids of an answer's events, in its order.
fn ids(answer: &Answer) -> Vec<String> {
    let id = |event: &serde_json::Map<String, serde_json::Value>| {
        event["$limelight"]["id"].as_str().unwrap().to_owned()
    };
    answer.events.iter().map(id).collect()
}

/// Runs a test's future on a runtime like the companion's.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(future)
}

/// Everything below an event's root, by what a query calls it.
fn leaves(map: &Map, prefix: &str, out: &mut Vec<(String, Value)>) {
    for (key, value) in map {
        let dotted = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(inside) if !inside.is_empty() => leaves(inside, &dotted, out),
            leaf => out.push((dotted, leaf.clone())),
        }
    }
}

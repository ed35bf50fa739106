//! Events per second from gzip'd batches to committed tables: what a companion with one core takes from a shard.
//!
//! The batches are what the extension ships: JSON log lines of a function with a nested body, one span and one report
//! per invocation. Generating and encoding them is not in the figure. Usage: `bench_ingest RESULTS.jsonl`.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use companion::{Companion, Settings, StreamRecord};
use figure::Figure;
use model::{BatchId, Level, LogRecord, Map, Resource, Timestamp};
use serde_json::json;

/// Invocations in one batch, and lines in one invocation: about what a busy function flushes each second.
const INVOCATIONS: usize = 25;
const LINES: usize = 20;
/// Batches that one call gets from the stream.
const BATCHES_PER_CALL: usize = 40;
const CALLS: usize = 8;
const TARGET_EVENTS_PER_SECOND: f64 = 120_000.0;

fn main() -> Result<(), Box<dyn Error>> {
    let results = std::env::args().nth(1).ok_or("usage: bench_ingest RESULTS.jsonl")?;
    let machine = figure::machine("before");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (events, seconds) = runtime.block_on(measure())?;
    let value = (events as f64 / seconds).round();
    let name = "ingest, one core, gzip'd batches to committed tables";
    let figure = Figure::at_least(name, value, "events/s", TARGET_EVENTS_PER_SECOND);
    Ok(figure::report(&[figure], &machine, Path::new(&results))?)
}

async fn measure() -> Result<(u64, f64), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let location = store::Location::parse(folder.path().to_str().ok_or("a path that is no text")?)?;
    let companion = Companion::open(Settings::new(location)).await?;
    let now = Timestamp::from(std::time::SystemTime::now());
    let calls: Vec<Vec<StreamRecord>> = (0..CALLS).map(|call| records(call, now)).collect();
    let began = Instant::now();
    let mut events = 0;
    for records in calls {
        let report = companion.ingest("bench", "shardId-000000000000", records).await;
        if let Some((sequence, why)) = report.first_failure {
            return Err(format!("record {sequence} was not taken: {why}").into());
        }
        events += report.events;
    }
    Ok((events, began.elapsed().as_secs_f64()))
}

fn records(call: usize, now: Timestamp) -> Vec<StreamRecord> {
    (0..BATCHES_PER_CALL)
        .map(|number| {
            let sequence = (call * BATCHES_PER_CALL + number) as u64;
            StreamRecord {
                sequence: (sequence + 1).to_string(),
                arrived_at: now,
                data: Bytes::from(wire::encode(&batch(sequence, now))),
            }
        })
        .collect()
}

fn batch(sequence: u64, now: Timestamp) -> wire::Batch {
    let resource = Resource {
        namespace: format!("function-{}", sequence % 7),
        service: "bench".into(),
        account: "000000000000".into(),
        region: "eu-west-1".into(),
        attributes: Map::from([("faas.version".into(), "$LATEST".into())]),
    };
    let logs = (0..INVOCATIONS * LINES).map(|number| log(sequence, number, now)).collect();
    wire::Batch {
        id: BatchId { sandbox: format!("{:032x}", sequence % 7), sequence: sequence / 7 },
        first_record: (sequence / 7) * (INVOCATIONS * LINES) as u64,
        resource,
        spans: Vec::new(),
        logs,
        metrics: Vec::new(),
        account: wire::Account::default(),
    }
}

/// A log line as a structured logger prints it: about 400 bytes, 15 keys, two levels deep.
fn log(sequence: u64, number: usize, now: Timestamp) -> LogRecord {
    let unique = sequence * 10_007 + number as u64;
    let failed = number.is_multiple_of(50);
    let line = json!({
        "level": if failed { "error" } else { "info" },
        "message": format!("order {unique} was charged after {} attempts", unique % 3 + 1),
        "order": { "id": format!("o-{unique:012}"), "amount": unique % 100_000, "currency": "EUR", "items": unique % 9 },
        "user": { "id": format!("u-{:06}", unique.wrapping_mul(2_654_435_761) % 200_000), "plan": "team", "new": unique.is_multiple_of(11) },
        "http": { "method": "POST", "route": "/orders/{id}", "status": if failed { 502 } else { 200 } },
        "duration": (unique % 1_000) as f64 / 3.0,
        "attempt": unique % 3 + 1,
    });
    LogRecord {
        time: Timestamp::from_nanos(now.as_nanos() - 1_000_000_000 + number as i64 * 1_000_000),
        level: Some(if failed { Level::Error } else { Level::Info }),
        request_id: Some(format!("{:08x}-0000-4000-8000-{:012x}", sequence, number / LINES)),
        trace_id: model::TraceId::from_bytes(u128::from(unique / LINES as u64 + 1).to_be_bytes()),
        span_id: model::SpanId::from_bytes((unique / LINES as u64 + 1).to_be_bytes()),
        line: Some(line.to_string()),
        ..LogRecord::default()
    }
}

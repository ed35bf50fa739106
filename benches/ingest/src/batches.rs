//! Batches as the extension ships them: JSON log lines of a function with a nested body, several invocations in each.

use bytes::Bytes;
use companion::StreamRecord;
use model::{BatchId, Level, LogRecord, Map, Resource, Timestamp};
use serde_json::json;

/// Lines of one invocation.
pub(crate) const LINES: usize = 20;

/// One record of a stream: `invocations` invocations of a sandbox, as the `sequence`th of its batches, which the stream
/// took as its record `number`.
pub(crate) fn record(
    sandbox: u64,
    sequence: u64,
    number: u64,
    invocations: usize,
    now: Timestamp,
) -> StreamRecord {
    StreamRecord {
        sequence: (number + 1).to_string(),
        arrived_at: now,
        data: Bytes::from(wire::encode(&batch(sandbox, sequence, invocations, now))),
    }
}

fn batch(sandbox: u64, sequence: u64, invocations: usize, now: Timestamp) -> wire::Batch {
    let resource = Resource {
        namespace: format!("function-{}", sandbox % 7),
        service: "bench".into(),
        account: "000000000000".into(),
        region: "eu-west-1".into(),
        attributes: Map::from([("faas.version".into(), "$LATEST".into())]),
    };
    let lines = invocations * LINES;
    let logs =
        (0..lines).map(|line| log(sandbox, sequence * lines as u64 + line as u64, line, now)).collect();
    wire::Batch {
        id: BatchId { sandbox: format!("{sandbox:032x}"), sequence },
        first_record: sequence * lines as u64,
        resource,
        spans: Vec::new(),
        logs,
        metrics: Vec::new(),
        account: wire::Account::default(),
    }
}

/// A log line as a structured logger prints it: about 400 bytes, 15 keys, two levels deep.
fn log(sandbox: u64, unique: u64, number: usize, now: Timestamp) -> LogRecord {
    let unique = sandbox * 1_000_003 + unique;
    let invocation = unique / LINES as u64 + 1;
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
        request_id: Some(format!("{sandbox:08x}-0000-4000-8000-{invocation:012x}")),
        trace_id: model::TraceId::from_bytes(u128::from(invocation).to_be_bytes()),
        span_id: model::SpanId::from_bytes(invocation.to_be_bytes()),
        line: Some(line.to_string()),
        ..LogRecord::default()
    }
}

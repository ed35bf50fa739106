//! A Kinesis event: records of one or more shards in, the ones that must come again out.
//!
//! Shape: "Using Lambda to process records from Amazon Kinesis Data Streams" in the Lambda developer guide; the
//! answer is its `ReportBatchItemFailures`: Lambda takes the lowest sequence number as its checkpoint.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::EventError;
use crate::companion::Companion;
use crate::ingest::StreamRecord;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    kinesis: Payload,
    /// `shardId-000000000006:4959…`
    #[serde(rename = "eventID", default)]
    event_id: String,
    #[serde(rename = "eventSourceARN", default)]
    event_source_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    sequence_number: String,
    data: String,
    /// Seconds since the epoch, with a fraction.
    #[serde(default)]
    approximate_arrival_timestamp: f64,
}

/// Records of one shard, in its order.
#[derive(Debug, PartialEq)]
struct Slice {
    stream: String,
    shard: String,
    records: Vec<StreamRecord>,
}

pub(super) fn is_event(event: &Value) -> bool {
    event.pointer("/Records/0/eventSource").and_then(Value::as_str) == Some("aws:kinesis")
}

pub(super) async fn handle(
    companion: &Companion,
    event: Value,
    time_max: Duration,
) -> Result<Value, EventError> {
    let event: Event =
        serde_json::from_value(event).map_err(|source| EventError::Malformed { kind: "Kinesis", source })?;
    let mut failures = Vec::new();
    let deadline = tokio::time::Instant::now() + time_max;
    for slice in slices(event) {
        let first = slice.records.first().map(|record| record.sequence.clone()).unwrap_or_default();
        let ingest = companion.ingest(&slice.stream, &slice.shard, slice.records);
        // A commit that is broken off is either whole or not there; the retry finds out which.
        match tokio::time::timeout_at(deadline, ingest).await {
            Ok(report) => failures.extend(report.first_failure.map(|(sequence, _)| sequence)),
            Err(_) => {
                tracing::error!(shard = slice.shard, "no time left; the records will come again");
                failures.push(first);
            }
        }
    }
    let failures: Vec<Value> = failures.into_iter().map(|id| json!({ "itemIdentifier": id })).collect();
    Ok(json!({ "batchItemFailures": failures }))
}

/// One run of records per stream and shard, in the order of the event.
fn slices(event: Event) -> Vec<Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    for record in event.records {
        let stream = stream_arn(&record.event_source_arn).to_owned();
        let shard = record.event_id.split(':').next().unwrap_or_default().to_owned();
        let record = stream_record(record.kinesis);
        match slices.iter_mut().find(|slice| slice.stream == stream && slice.shard == shard) {
            Some(slice) => slice.records.push(record),
            None => slices.push(Slice { stream, shard, records: vec![record] }),
        }
    }
    slices
}

/// With enhanced fan-out the source is a consumer, `<stream>/consumer/<name>:<time>`. Progress is the stream's, so
/// that it survives a change of the consumer.
fn stream_arn(source: &str) -> &str {
    source.split("/consumer/").next().unwrap_or(source)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; milliseconds are enough")]
fn stream_record(payload: Payload) -> StreamRecord {
    let arrived_at = Timestamp::from_millis((payload.approximate_arrival_timestamp * 1_000.0) as i64);
    let data = match STANDARD.decode(&payload.data) {
        Ok(data) => Bytes::from(data),
        // Lambda encodes it; if it is something else, decoding will say so and keep it as a dead letter.
        Err(_) => Bytes::from(payload.data),
    };
    StreamRecord { sequence: payload.sequence_number, arrived_at, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The developer guide's example event, two records of different shards and one more of the first.
    fn event() -> Value {
        let record = |shard: &str, sequence: &str, data: &str| {
            json!({
                "kinesis": {
                    "kinesisSchemaVersion": "1.0", "partitionKey": "1", "sequenceNumber": sequence,
                    "data": data, "approximateArrivalTimestamp": 1_545_084_650.987,
                },
                "eventSource": "aws:kinesis", "eventVersion": "1.0",
                "eventID": format!("{shard}:{sequence}"), "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::111122223333:role/lambda-role", "awsRegion": "us-east-2",
                "eventSourceARN": "arn:aws:kinesis:us-east-2:111122223333:stream/lambda-stream/consumer/c:1",
            })
        };
        json!({"Records": [
            record("shardId-000000000006", "49590338271490256608559692538361571095921575989136588898", "SGVsbG8="),
            record("shardId-000000000007", "49590338271490256608559692538361571095921575989136588899", "SGVsbG8="),
            record("shardId-000000000006", "49590338271490256608559692540925702759324208523137515618", "***"),
        ]})
    }

    #[test]
    fn records_are_grouped_by_shard_and_keep_their_order() {
        assert!(is_event(&event()));
        let slices = slices(serde_json::from_value(event()).unwrap());
        assert_eq!(slices.len(), 2);
        assert_eq!(slices[0].stream, "arn:aws:kinesis:us-east-2:111122223333:stream/lambda-stream");
        assert_eq!(slices[0].shard, "shardId-000000000006");
        assert_eq!(slices[0].records.len(), 2);
        assert_eq!(slices[0].records[0].data, "Hello");
        assert_eq!(slices[0].records[0].arrived_at, Timestamp::from_millis(1_545_084_650_987));
        assert_eq!(slices[0].records[1].data, "***", "kept as it is for the dead letters");
    }
}

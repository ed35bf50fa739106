//! Records of a shard → the event a function is given, exactly as Lambda shapes Kinesis events.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

/// A payload of a synchronous invocation is at most this long; a batch ends before it.
/// Source: "Invocation payload" in Lambda's quotas.
pub(super) const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

/// One record as read from a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Up to 56 decimal digits (128 at most by the API).
    pub(super) sequence: String,
    pub(super) partition_key: String,
    pub(super) data: Bytes,
    /// When the stream took it.
    pub(super) arrived_at: Timestamp,
}

/// What all events of one mapping share.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) stream_arn: String,
    pub(super) region: String,
    /// The role a function would run as; its name is made up, as nothing is signed here.
    pub(super) identity_arn: String,
}

/// Bytes around a record in the event, without its own texts: the field names and the quotes.
const RECORD_FRAME_BYTES: usize = 330;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    records: Vec<EventRecord<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventRecord<'a> {
    kinesis: Kinesis<'a>,
    event_source: &'static str,
    event_version: &'static str,
    #[serde(rename = "eventID")]
    event_id: String,
    event_name: &'static str,
    invoke_identity_arn: &'a str,
    aws_region: &'a str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Kinesis<'a> {
    kinesis_schema_version: &'static str,
    partition_key: &'a str,
    sequence_number: &'a str,
    data: String,
    approximate_arrival_timestamp: f64,
}

/// The event of one batch.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html>.
pub(super) fn event(records: &[Record], shard: &str, origin: &Origin) -> Result<Bytes, serde_json::Error> {
    let records = records.iter().map(|record| EventRecord {
        kinesis: Kinesis {
            kinesis_schema_version: "1.0",
            partition_key: &record.partition_key,
            sequence_number: &record.sequence,
            data: STANDARD.encode(&record.data),
            approximate_arrival_timestamp: seconds(record.arrived_at),
        },
        event_source: "aws:kinesis",
        event_version: "1.0",
        event_id: format!("{shard}:{}", record.sequence),
        event_name: "aws:kinesis:record",
        invoke_identity_arn: &origin.identity_arn,
        aws_region: &origin.region,
        event_source_arn: &origin.stream_arn,
    });
    serde_json::to_vec(&Event { records: records.collect() }).map(Bytes::from)
}

/// An upper bound of what one record adds to the event's bytes.
pub(super) fn event_bytes(record: &Record, shard: &str, origin: &Origin) -> usize {
    // A character of a partition key can become six (`\u0000`).
    RECORD_FRAME_BYTES
        + record.data.len().div_ceil(3) * 4
        + record.partition_key.len() * 6
        + record.sequence.len() * 2
        + shard.len()
        + origin.stream_arn.len()
        + origin.region.len()
        + origin.identity_arn.len()
}

/// Seconds with milliseconds, the precision Kinesis has.
#[allow(clippy::cast_precision_loss)] // milliseconds since 1970 fit into 53 bits
fn seconds(time: Timestamp) -> f64 {
    time.as_millisecond() as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn origin() -> Origin {
        Origin {
            stream_arn: "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream".into(),
            region: "us-east-2".into(),
            identity_arn: "arn:aws:iam::123456789012:role/lambda-role".into(),
        }
    }

    fn record(key: &str, data: &'static [u8]) -> Record {
        Record {
            sequence: "49590338271490256608559692538361571095921575989136588898".into(),
            partition_key: key.into(),
            data: Bytes::from_static(data),
            arrived_at: Timestamp::from_millisecond(1_545_084_650_987).unwrap(),
        }
    }

    #[test]
    fn the_event_is_as_documented() {
        let records = [record("1", b"Hello, this is a test.")];
        let event = event(&records, "shardId-000000000006", &origin()).unwrap();
        let expected = json!({"Records": [{
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "1",
                "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
                "data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
                "approximateArrivalTimestamp": 1_545_084_650.987
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
            "awsRegion": "us-east-2",
            "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"
        }]});
        assert_eq!(serde_json::from_slice::<Value>(&event).unwrap(), expected);
    }

    #[test]
    fn the_bound_holds_whatever_the_key() {
        let shard = "shardId-000000000006";
        for key in ["1", "\u{0}\u{1}\"\\", "ключ"] {
            let records = vec![record(key, b"\x00\x01\x02\x03"); 3];
            let bound: usize = records.iter().map(|record| event_bytes(record, shard, &origin())).sum();
            let real = event(&records, shard, &origin()).unwrap().len();
            assert!(real <= bound, "{real} > {bound}");
        }
    }
}

//! What a consumer asks: the stream's shape, where to read from, and the records. Enough for an event source mapping
//! and for tests; one shard, never split.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::write::read_body;
use super::{Endpoint, Fault, SHARD_ID};
use crate::stream::frame::Record;
use crate::stream::sequence::Sequence;

/// Records of one GetRecords, and the default.
const RECORDS_MAX: usize = 10_000;
/// Data of one GetRecords.
const RECORDS_BYTES_MAX: usize = 10 * 1024 * 1024;
/// The greatest hash key (2^128 - 1): the one shard takes all of them.
const HASH_KEY_MAX: &str = "340282366920938463463374607431768211455";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stream {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetShardIterator {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    shard_id: String,
    shard_iterator_type: String,
    starting_sequence_number: Option<String>,
    timestamp: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetRecords {
    shard_iterator: String,
    limit: Option<usize>,
}

impl Endpoint {
    pub(super) fn describe(&self, body: &[u8]) -> Result<Value, Fault> {
        let mut description = self.summary(body)?;
        description["HasMoreShards"] = false.into();
        description["Shards"] = json!([self.shard()]);
        Ok(json!({"StreamDescription": description}))
    }

    pub(super) fn summarise(&self, body: &[u8]) -> Result<Value, Fault> {
        let mut description = self.summary(body)?;
        description["OpenShardCount"] = 1.into();
        description["ConsumerCount"] = 0.into();
        Ok(json!({"StreamDescriptionSummary": description}))
    }

    pub(super) fn list_shards(&self, body: &[u8]) -> Result<Value, Fault> {
        let request: Stream = read_body(body)?;
        self.check_stream(request.stream_name.as_deref(), request.stream_arn.as_deref())?;
        Ok(json!({"Shards": [self.shard()]}))
    }

    pub(super) async fn shard_iterator(&self, body: &[u8]) -> Result<Value, Fault> {
        let request: GetShardIterator = read_body(body)?;
        self.check_stream(request.stream_name.as_deref(), request.stream_arn.as_deref())?;
        if request.shard_id != SHARD_ID {
            return Err(Fault::not_found(format!(
                "Shard {} in stream {} does not exist",
                request.shard_id, self.stream
            )));
        }
        let given = || {
            let text = request.starting_sequence_number.as_deref().unwrap_or_default();
            text.parse::<Sequence>().map_err(|error| Fault::invalid(error.to_string()))
        };
        let from = match request.shard_iterator_type.as_str() {
            "TRIM_HORIZON" => Sequence::from_number(0),
            "LATEST" => self.journal.state().next,
            "AT_SEQUENCE_NUMBER" => given()?,
            "AFTER_SEQUENCE_NUMBER" => given()?.next(),
            "AT_TIMESTAMP" => {
                let seconds =
                    request.timestamp.ok_or_else(|| Fault::invalid("AT_TIMESTAMP needs Timestamp"))?;
                self.journal.locate(from_seconds(seconds)).await
            }
            other => return Err(Fault::validation(format!("{other:?} is no ShardIteratorType"))),
        };
        Ok(json!({"ShardIterator": from.to_string()}))
    }

    pub(super) async fn get_records(&self, body: &[u8]) -> Result<Value, Fault> {
        let request: GetRecords = read_body(body)?;
        let from: Sequence = request
            .shard_iterator
            .parse()
            .map_err(|_| Fault::invalid(format!("Invalid ShardIterator {:?}", request.shard_iterator)))?;
        let limit = request.limit.unwrap_or(RECORDS_MAX);
        if limit == 0 || limit > RECORDS_MAX {
            return Err(Fault::validation(format!("Limit must be between 1 and {RECORDS_MAX}, got {limit}")));
        }
        let records = self
            .journal
            .read(from, limit, RECORDS_BYTES_MAX)
            .await
            .map_err(|error| Fault::internal(format!("The journal cannot be read: {error}")))?;
        let next = records.last().map_or(from, |record| record.sequence.next());
        let behind = self.journal.state().newest.is_some_and(|newest| newest >= next);
        let age_ms = records.last().map_or(0, |record| now().since(record.arrived_at).as_millis());
        Ok(json!({
            "Records": records.iter().map(shown).collect::<Vec<_>>(),
            "NextShardIterator": next.to_string(),
            "MillisBehindLatest": if behind { u64::try_from(age_ms).unwrap_or(u64::MAX) } else { 0 },
        }))
    }

    fn summary(&self, body: &[u8]) -> Result<Value, Fault> {
        let request: Stream = read_body(body)?;
        self.check_stream(request.stream_name.as_deref(), request.stream_arn.as_deref())?;
        Ok(json!({
            "StreamName": &*self.stream,
            "StreamARN": &*self.arn,
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {"StreamMode": "PROVISIONED"},
            "RetentionPeriodHours": 24,
            "StreamCreationTimestamp": seconds(self.created_at),
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": "NONE",
        }))
    }

    fn shard(&self) -> Value {
        let state = self.journal.state();
        json!({
            "ShardId": SHARD_ID,
            "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": HASH_KEY_MAX},
            "SequenceNumberRange": {"StartingSequenceNumber": state.oldest.unwrap_or(state.next).to_string()},
        })
    }
}

fn shown(record: &Record) -> Value {
    json!({
        "SequenceNumber": record.sequence.to_string(),
        "ApproximateArrivalTimestamp": seconds(record.arrived_at),
        "Data": STANDARD.encode(&record.data),
        "PartitionKey": record.partition_key,
        "EncryptionType": "NONE",
    })
}

fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

/// The JSON protocol's times: seconds with milliseconds as a fraction.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch have 41 bits")]
fn seconds(time: Timestamp) -> f64 {
    time.as_millis() as f64 / 1000.0
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, and a time so far away finds nothing")]
fn from_seconds(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

//! PutRecord and PutRecords: checks as AWS does them, then the journal.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Endpoint, Fault, SHARD_ID};
use crate::stream::journal::NewRecord;
use crate::stream::sequence::Sequence;

/// Records of one PutRecords.
const RECORDS_MAX: usize = 500;
/// Data of one record, as a stream has it by default (`MaxRecordSizeInKiB` = 1024).
const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// Data and partition keys of one PutRecords.
const REQUEST_BYTES_MAX: usize = 5 * 1024 * 1024;
/// Characters of a partition key.
const KEY_CHARS_MAX: usize = 256;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecord {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    data: String,
    partition_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRecords {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    records: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    data: String,
    partition_key: String,
}

impl Endpoint {
    pub(super) async fn put_record(&self, body: &[u8]) -> Result<Value, Fault> {
        let request: PutRecord = read_body(body)?;
        self.check_stream(request.stream_name.as_deref(), request.stream_arn.as_deref())?;
        let record = checked(Entry { data: request.data, partition_key: request.partition_key }, "data")?;
        let places = self.journal.append(vec![record]).await?;
        let sequence = places.first().ok_or_else(|| Fault::internal("the journal gave no place"))?;
        Ok(json!({"ShardId": SHARD_ID, "SequenceNumber": sequence.to_string(), "EncryptionType": "NONE"}))
    }

    /// All records are on disk or none is: a journal does not fail in part, so `FailedRecordCount` is 0 or all.
    pub(super) async fn put_records(&self, body: &[u8]) -> Result<Value, Fault> {
        let request: PutRecords = read_body(body)?;
        self.check_stream(request.stream_name.as_deref(), request.stream_arn.as_deref())?;
        let count = request.records.len();
        if count == 0 || count > RECORDS_MAX {
            let bound = if count == 0 { "greater than or equal to 1" } else { "less than or equal to 500" };
            return Err(constraint(&format!("{count} records"), "records", &format!("have length {bound}")));
        }
        let mut records = Vec::with_capacity(count);
        for (at, entry) in request.records.into_iter().enumerate() {
            records.push(checked(entry, &format!("records.{}.member.data", at + 1))?);
        }
        let total: usize = records.iter().map(|record| record.data.len() + record.partition_key.len()).sum();
        if total > REQUEST_BYTES_MAX {
            return Err(Fault::invalid(format!("Records size exceeds 5 MB limit: {total} bytes")));
        }
        let places = self.journal.append(records).await;
        match places {
            Ok(places) => Ok(json!({
                "FailedRecordCount": 0,
                "EncryptionType": "NONE",
                "Records": places.iter().map(placed).collect::<Vec<_>>(),
            })),
            Err(error) => Err(error.into()),
        }
    }
}

fn placed(sequence: &Sequence) -> Value {
    json!({"ShardId": SHARD_ID, "SequenceNumber": sequence.to_string()})
}

fn checked(entry: Entry, place: &str) -> Result<NewRecord, Fault> {
    let data = STANDARD
        .decode(&entry.data)
        .map_err(|error| Fault::serialization(format!("{place} is not base64: {error}")))?;
    if data.len() > RECORD_BYTES_MAX {
        let given = format!("{} bytes", data.len());
        return Err(constraint(&given, place, "have length less than or equal to 1048576"));
    }
    let characters = entry.partition_key.chars().count();
    if characters == 0 || characters > KEY_CHARS_MAX {
        return Err(constraint(
            &format!("{characters} characters"),
            &place.replace("data", "partitionKey"),
            "have length between 1 and 256",
        ));
    }
    Ok(NewRecord { partition_key: entry.partition_key, data: data.into() })
}

fn constraint(given: &str, place: &str, rule: &str) -> Fault {
    Fault::validation(format!(
        "1 validation error detected: Value '{given}' at '{place}' failed to satisfy constraint: Member must {rule}"
    ))
}

/// A request's JSON.
pub(super) fn read_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body)
        .map_err(|error| Fault::serialization(format!("The body cannot be read: {error}")))
}

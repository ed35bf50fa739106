//! Producers: one that speaks the Kinesis API itself, to know which records were acknowledged, and AWS's client.

use aws_sdk_kinesis::Client;
use aws_sdk_kinesis::primitives::Blob;
use aws_sdk_kinesis::types::PutRecordsRequestEntry;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Puts JSON events as one record each; how many were acknowledged. None when the endpoint did not answer.
pub async fn put_records(endpoint: &str, stream: &str, events: &[Value]) -> Option<Vec<bool>> {
    let records: Vec<Value> = events
        .iter()
        .enumerate()
        .map(|(number, event)| {
            json!({ "Data": STANDARD.encode(event.to_string()), "PartitionKey": number.to_string() })
        })
        .collect();
    let answer = reqwest::Client::new()
        .post(endpoint)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "Kinesis_20131202.PutRecords")
        .body(json!({ "StreamName": stream, "Records": records }).to_string())
        .send()
        .await
        .ok()?;
    let body: Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
    Some(body["Records"].as_array()?.iter().map(|record| record["SequenceNumber"].is_string()).collect())
}

/// Puts bytes as one record. The error is what the endpoint said.
pub async fn put_bytes(endpoint: &str, stream: &str, bytes: &[u8]) -> Result<(), String> {
    let body = json!({ "StreamName": stream, "Data": STANDARD.encode(bytes), "PartitionKey": "one" });
    let answer = reqwest::Client::new()
        .post(endpoint)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "Kinesis_20131202.PutRecord")
        .body(body.to_string())
        .send()
        .await
        .map_err(|error| error.to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
}

/// Puts one record for each mark through AWS's client, spread over the shards; all must be taken.
pub async fn put_marks(kinesis: &Client, stream: &str, marks: &[String]) {
    for chunk in marks.chunks(100) {
        let records = chunk.iter().map(|mark| {
            PutRecordsRequestEntry::builder()
                .data(Blob::new(json!({ "mark": mark }).to_string()))
                .partition_key(mark)
                .build()
                .unwrap()
        });
        let put = kinesis.put_records().stream_name(stream).set_records(Some(records.collect()));
        assert_eq!(put.send().await.unwrap().failed_record_count(), Some(0));
    }
}

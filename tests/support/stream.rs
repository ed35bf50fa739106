//! A producer that speaks the Kinesis API itself, to know which records were acknowledged.

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

/// Puts bytes as one record; whether it was acknowledged.
pub async fn put_bytes(endpoint: &str, stream: &str, bytes: &[u8]) -> bool {
    let body = json!({ "StreamName": stream, "Data": STANDARD.encode(bytes), "PartitionKey": "one" });
    let answer = reqwest::Client::new()
        .post(endpoint)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "Kinesis_20131202.PutRecord")
        .body(body.to_string())
        .send()
        .await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

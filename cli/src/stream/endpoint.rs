//! The local stream's face: Kinesis' JSON 1.1 API in front of the journal. A record is acknowledged when it is on
//! disk. Signatures are not checked: it listens on loopback only.
//! Source: Amazon Kinesis Data Streams API Reference (service `Kinesis_20131202`).

mod fault;
mod read;
mod write;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use model::Timestamp;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::journal::Journal;
pub use fault::Fault;

/// The only shard.
pub const SHARD_ID: &str = "shardId-000000000000";
/// A request of 5 MiB of data is 7 MB of base64, and its keys and braces come on top.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Requests with records that are held at once (16 × 16 MiB at the worst); the others wait for a place.
const WRITES_MAX: usize = 16;
/// How long a request waits for a place before it is told that it comes too fast.
const PLACE_WAIT: Duration = Duration::from_secs(5);

/// A stream as its API shows it.
#[derive(Clone)]
pub struct Endpoint {
    stream: Arc<str>,
    arn: Arc<str>,
    journal: Journal,
    created_at: Timestamp,
    writes: Arc<Semaphore>,
}

impl Endpoint {
    /// The stream `name` of an account and region, kept in `journal`.
    pub fn new(name: &str, account: &str, region: &str, journal: Journal, created_at: Timestamp) -> Self {
        Self {
            stream: name.into(),
            arn: format!("arn:aws:kinesis:{region}:{account}:stream/{name}").into(),
            journal,
            created_at,
            writes: Arc::new(Semaphore::new(WRITES_MAX)),
        }
    }

    /// The API; serve it on loopback.
    pub fn router(self) -> Router {
        Router::new().route("/", post(answer)).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(self)
    }

    /// Which stream a request means; there is one.
    fn check_stream(&self, name: Option<&str>, arn: Option<&str>) -> Result<(), Fault> {
        match (name, arn) {
            (Some(name), _) if *name == *self.stream => Ok(()),
            (None, Some(arn)) if *arn == *self.arn || arn.ends_with(&format!(":stream/{}", self.stream)) => {
                Ok(())
            }
            (None, None) => Err(Fault::invalid("Either StreamName or StreamARN must be given.")),
            (name, arn) => Err(Fault::not_found(format!(
                "Stream {} under this account not found: the local stream is called {}.",
                name.or(arn).unwrap_or_default(),
                self.stream
            ))),
        }
    }

    async fn call(&self, action: &str, body: &[u8]) -> Result<Value, Fault> {
        match action {
            "PutRecord" | "PutRecords" => {
                let place = tokio::time::timeout(PLACE_WAIT, self.writes.acquire()).await;
                let _place = place.map_err(|_| Fault::throttled("Too many requests wait for the disk."))?;
                if action == "PutRecord" { self.put_record(body).await } else { self.put_records(body).await }
            }
            "DescribeStream" => self.describe(body),
            "DescribeStreamSummary" => self.summarise(body),
            "ListStreams" => Ok(json!({
                "StreamNames": [&*self.stream],
                "StreamSummaries": [{"StreamName": &*self.stream, "StreamARN": &*self.arn, "StreamStatus": "ACTIVE"}],
                "HasMoreStreams": false,
            })),
            "ListShards" => self.list_shards(body),
            "GetShardIterator" => self.shard_iterator(body).await,
            "GetRecords" => self.get_records(body).await,
            other => Err(Fault::unknown_operation(other)),
        }
    }
}

async fn answer(State(endpoint): State<Endpoint>, headers: HeaderMap, body: Bytes) -> Response {
    let result = match action(&headers) {
        Ok(action) => endpoint.call(action, &body).await,
        Err(fault) => Err(fault),
    };
    let (status, body) = match result {
        Ok(body) => (StatusCode::OK, body),
        Err(fault) => (fault.status(), fault.body()),
    };
    let id = request_id();
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    let mut response = (status, [(header::CONTENT_TYPE, json)], body.to_string()).into_response();
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}

/// The operation that a request names, if it speaks our dialect.
fn action(headers: &HeaderMap) -> Result<&str, Fault> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if text("content-type").contains("cbor") {
        return Err(Fault::serialization(
            "The local stream speaks JSON, not CBOR: set AWS_CBOR_DISABLE=true (Java: aws.cborEnabled=false).",
        ));
    }
    text("x-amz-target")
        .strip_prefix("Kinesis_20131202.")
        .ok_or_else(|| Fault::unknown_operation(text("x-amz-target")))
}

/// Different for each answer of this process; people quote it, nothing reads it.
fn request_id() -> String {
    use std::sync::atomic::{AtomicU64, Ordering};
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("00000000-0000-4000-8000-{:012x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests;

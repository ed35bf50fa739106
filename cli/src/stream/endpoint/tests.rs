//! The endpoint through its router, with the bodies that SDKs send.

use axum::body::Body;
use axum::http::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;
use crate::stream::journal::Limits;

const NOW: Timestamp = Timestamp::from_millis(1_763_640_000_000);

struct Stream {
    router: Router,
    _directory: TempDir,
}

impl Stream {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let directory = TempDir::new().unwrap();
        let (journal, _) = Journal::open(directory.path(), limits, NOW).unwrap();
        let router = Endpoint::new("limelight", "123456789012", "eu-west-1", journal, NOW).router();
        Self { router, _directory: directory }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.router.clone().oneshot(request).await.unwrap();
        assert!(response.headers().contains_key("x-amzn-requestid"));
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    async fn call(&self, action: &str, mut body: Value) -> (StatusCode, Value) {
        if action != "GetRecords" && body.get("StreamName").is_none() && body.get("StreamARN").is_none() {
            body["StreamName"] = "limelight".into();
        }
        let request = Request::post("/")
            .header("x-amz-target", format!("Kinesis_20131202.{action}"))
            .header("content-type", "application/x-amz-json-1.1")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    async fn good(&self, action: &str, body: Value) -> Value {
        let (status, answer) = self.call(action, body).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    async fn refused(&self, action: &str, body: Value) -> (String, String) {
        let (status, answer) = self.call(action, body).await;
        assert!(!status.is_success(), "{answer}");
        (answer["__type"].as_str().unwrap().to_owned(), answer["message"].as_str().unwrap().to_owned())
    }
}

fn entry(data: &[u8]) -> Value {
    json!({"Data": STANDARD.encode(data), "PartitionKey": "sandbox"})
}

#[tokio::test]
async fn records_come_back_in_order_with_their_sequence_numbers() {
    let stream = Stream::new();
    let put = stream.good("PutRecords", json!({"Records": [entry(b"a"), entry(b"b")]})).await;
    assert_eq!(put["FailedRecordCount"], 0);
    let one = stream.good("PutRecord", entry(b"c")).await;
    assert_eq!(one["ShardId"], SHARD_ID);

    let start = json!({"ShardId": SHARD_ID, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = stream.good("GetShardIterator", start).await["ShardIterator"].clone();
    let page = stream.good("GetRecords", json!({"ShardIterator": iterator, "Limit": 2})).await;
    assert_eq!(page["Records"][0]["Data"], STANDARD.encode("a"));
    assert_eq!(page["Records"][1]["SequenceNumber"], put["Records"][1]["SequenceNumber"]);
    let rest = stream.good("GetRecords", json!({"ShardIterator": page["NextShardIterator"]})).await;
    assert_eq!(rest["Records"].as_array().unwrap().len(), 1);
    assert_eq!(rest["Records"][0]["SequenceNumber"], one["SequenceNumber"]);
    assert_eq!(rest["MillisBehindLatest"], 0);
}

#[tokio::test]
async fn a_reader_starts_where_it_says() {
    let stream = Stream::new();
    let put = stream.good("PutRecords", json!({"Records": [entry(b"a"), entry(b"b")]})).await;
    let first = &put["Records"][0]["SequenceNumber"];
    for (kind, number, expected) in [
        ("AT_SEQUENCE_NUMBER", first.clone(), 2),
        ("AFTER_SEQUENCE_NUMBER", first.clone(), 1),
        ("LATEST", Value::Null, 0),
    ] {
        let mut body = json!({"ShardId": SHARD_ID, "ShardIteratorType": kind});
        if number.is_string() {
            body["StartingSequenceNumber"] = number;
        }
        let iterator = stream.good("GetShardIterator", body).await["ShardIterator"].clone();
        let page = stream.good("GetRecords", json!({"ShardIterator": iterator})).await;
        assert_eq!(page["Records"].as_array().unwrap().len(), expected, "{kind}");
    }
    let body = json!({"ShardId": SHARD_ID, "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1.0});
    assert!(stream.good("GetShardIterator", body).await["ShardIterator"].is_string());
}

#[tokio::test]
async fn the_limits_of_aws_are_ours() {
    let stream = Stream::new();
    let many = vec![entry(b"x"); 501];
    let (kind, message) = stream.refused("PutRecords", json!({"Records": many})).await;
    assert_eq!(kind, "ValidationException");
    assert!(message.contains("less than or equal to 500"), "{message}");

    let big = vec![0; 1024 * 1024];
    stream.good("PutRecord", entry(&big)).await;
    let (kind, message) = stream.refused("PutRecord", entry(&[0; 1024 * 1024 + 1])).await;
    assert_eq!(kind, "ValidationException");
    assert!(message.contains("1048576"), "{message}");

    let five = vec![entry(&big); 5];
    let (kind, message) = stream.refused("PutRecords", json!({"Records": five})).await;
    assert_eq!(kind, "InvalidArgumentException", "the keys count too: {message}");

    for (body, expected) in [
        (json!({"Records": []}), "ValidationException"),
        (json!({"Records": [{"Data": "%%%", "PartitionKey": "k"}]}), "SerializationException"),
        (json!({"Records": [{"Data": "", "PartitionKey": ""}]}), "ValidationException"),
        (json!({"Records": "none"}), "SerializationException"),
        (json!({"Records": [entry(b"x")], "StreamName": "other"}), "ResourceNotFoundException"),
    ] {
        assert_eq!(stream.refused("PutRecords", body.clone()).await.0, expected, "{body}");
    }
}

#[tokio::test]
async fn the_stream_describes_itself_by_name_and_arn() {
    let stream = Stream::new();
    let summary = stream.good("DescribeStreamSummary", json!({})).await;
    let arn = &summary["StreamDescriptionSummary"]["StreamARN"];
    assert_eq!(arn, "arn:aws:kinesis:eu-west-1:123456789012:stream/limelight");
    let whole = stream.good("DescribeStream", json!({"StreamARN": arn})).await;
    assert_eq!(whole["StreamDescription"]["Shards"][0]["ShardId"], SHARD_ID);
    let shards = stream.good("ListShards", json!({})).await;
    assert_eq!(shards["Shards"].as_array().unwrap().len(), 1);
    assert_eq!(stream.good("ListStreams", json!({})).await["StreamNames"], json!(["limelight"]));
}

#[tokio::test]
async fn what_is_not_spoken_is_refused_with_a_way_out() {
    let stream = Stream::new();
    let request = Request::post("/")
        .header("x-amz-target", "Kinesis_20131202.PutRecords")
        .header("content-type", "application/x-amz-cbor-1.1")
        .body(Body::empty())
        .unwrap();
    let (status, answer) = stream.send(request).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["message"].as_str().unwrap().contains("AWS_CBOR_DISABLE=true"));
    let (kind, message) = stream.refused("MergeShards", json!({})).await;
    assert_eq!(kind, "UnknownOperationException");
    assert!(message.contains("PutRecords"), "{message}");
}

#[tokio::test]
async fn a_journal_that_is_full_throttles_as_kinesis_does() {
    let stream = Stream::with(Limits { segment_bytes: 100, held_bytes_max: 10 });
    // The first still fits: the limit is looked at before a write.
    while stream.call("PutRecord", entry(b"some data")).await.0 == StatusCode::OK {}
    let (kind, _) = stream.refused("PutRecord", entry(b"more")).await;
    assert_eq!(kind, "ProvisionedThroughputExceededException");
}

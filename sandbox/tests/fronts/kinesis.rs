//! A Kinesis API in memory with faults on demand: a double. The same mapping runs against real servers in the
//! workspace's end-to-end tests.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One stream named `orders`; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Kinesis(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    shards: Vec<Shard>,
    /// Errors that the next reads get, in order.
    faults: VecDeque<&'static str>,
    next_sequence: u64,
}

struct Shard {
    id: String,
    parent: Option<String>,
    is_open: bool,
    records: Vec<(u64, String)>,
}

impl Kinesis {
    /// Starts with one open shard, `0`.
    pub(crate) async fn start() -> (Self, SocketAddr) {
        let kinesis = Self::default();
        kinesis.state(|state| state.next_sequence = 1_000);
        kinesis.add_shard("0", None);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(kinesis.clone().serve(listener));
        (kinesis, address)
    }

    pub(crate) fn put(&self, shard: &str, texts: &[&str]) {
        self.state(|state| {
            for text in texts {
                state.next_sequence += 1;
                let record = (state.next_sequence, (*text).to_owned());
                state.shard(shard).records.push(record);
            }
        });
    }

    pub(crate) fn add_shard(&self, id: &str, parent: Option<&str>) {
        let shard =
            Shard { id: id.into(), parent: parent.map(str::to_owned), is_open: true, records: Vec::new() };
        self.state(|state| state.shards.push(shard));
    }

    pub(crate) fn close_shard(&self, id: &str) {
        self.state(|state| state.shard(id).is_open = false);
    }

    /// The next reads fail with these exceptions.
    pub(crate) fn fail_reads(&self, exceptions: &[&'static str]) {
        self.state(|state| state.faults.extend(exceptions));
    }

    pub(crate) fn is_out_of_faults(&self) -> bool {
        self.state(|state| state.faults.is_empty())
    }

    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    async fn serve(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let kinesis = self.clone();
            let service = service_fn(move |request| kinesis.clone().answer(request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    async fn answer(
        self,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<Full<Bytes>>, Infallible> {
        let target = request.headers()["x-amz-target"].to_str().unwrap().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let input: Value = serde_json::from_slice(&body).unwrap();
        let operation = target.rsplit('.').next().unwrap_or_default();
        let answered = self.state(|state| state.call(operation, &input));
        let (status, body) = match answered {
            Ok(body) => (200, body),
            Err(exception) => (400, json!({ "__type": exception, "message": "as asked" })),
        };
        let body = Full::new(Bytes::from(body.to_string()));
        let builder =
            http::Response::builder().status(status).header("content-type", "application/x-amz-json-1.1");
        Ok(builder.body(body).unwrap())
    }
}

impl State {
    fn call(&mut self, operation: &str, input: &Value) -> Result<Value, &'static str> {
        if input.get("StreamName").is_some_and(|name| name != "orders") {
            return Err("ResourceNotFoundException");
        }
        match operation {
            "DescribeStreamSummary" => Ok(self.summary()),
            "ListShards" => {
                Ok(json!({ "Shards": self.shards.iter().map(Shard::listed).collect::<Vec<_>>() }))
            }
            "GetShardIterator" => Ok(json!({ "ShardIterator": self.iterator(input) })),
            "GetRecords" => match self.faults.pop_front() {
                Some(exception) => Err(exception),
                None => Ok(self.records(input)),
            },
            _ => Err("UnknownOperationException"),
        }
    }

    fn shard(&mut self, id: &str) -> &mut Shard {
        self.shards.iter_mut().find(|shard| shard.id == id).unwrap()
    }

    fn summary(&self) -> Value {
        json!({ "StreamDescriptionSummary": {
            "StreamName": "orders",
            "StreamARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
            "StreamStatus": "ACTIVE",
            "RetentionPeriodHours": 24,
            "StreamCreationTimestamp": 1,
            "EnhancedMonitoring": [],
            "OpenShardCount": self.shards.iter().filter(|shard| shard.is_open).count(),
        }})
    }

    /// `shard/sequence`: the next record is the first after that sequence.
    fn iterator(&mut self, input: &Value) -> String {
        let id = input["ShardId"].as_str().unwrap().to_owned();
        let latest = self.shard(&id).records.last().map_or(0, |(sequence, _)| *sequence);
        let after = match input["ShardIteratorType"].as_str().unwrap() {
            "AFTER_SEQUENCE_NUMBER" => input["StartingSequenceNumber"].as_str().unwrap().parse().unwrap(),
            "LATEST" => latest,
            _ => 0,
        };
        format!("{id}/{after}")
    }

    fn records(&mut self, input: &Value) -> Value {
        let (id, after) = input["ShardIterator"].as_str().unwrap().split_once('/').unwrap();
        let after: u64 = after.parse().unwrap();
        let limit = usize::try_from(input["Limit"].as_u64().unwrap()).unwrap();
        let shard = self.shard(id);
        let page: Vec<_> =
            shard.records.iter().filter(|(sequence, _)| *sequence > after).take(limit).collect();
        let last = page.last().map_or(after, |(sequence, _)| *sequence);
        let is_end = shard.records.last().is_none_or(|(sequence, _)| *sequence <= last);
        let now = jiff::Timestamp::now().as_second();
        let records: Vec<Value> = page
            .iter()
            .map(|(sequence, text)| {
                json!({
                    "SequenceNumber": sequence.to_string(),
                    "Data": STANDARD.encode(text),
                    "PartitionKey": "key",
                    "ApproximateArrivalTimestamp": now,
                })
            })
            .collect();
        let next = (shard.is_open || !is_end).then(|| format!("{id}/{last}"));
        json!({ "Records": records, "NextShardIterator": next, "MillisBehindLatest": u8::from(!is_end) })
    }
}

impl Shard {
    fn listed(&self) -> Value {
        json!({
            "ShardId": self.id,
            "ParentShardId": self.parent,
            "HashKeyRange": { "StartingHashKey": "0", "EndingHashKey": "1" },
            "SequenceNumberRange": { "StartingSequenceNumber": "0" },
        })
    }
}

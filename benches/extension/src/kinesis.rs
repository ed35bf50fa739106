//! A double of the Kinesis API, this benchmark's own: it knows PutRecords alone, takes everything at once, and keeps
//! it; or it is down, as a part of the benchmark wants it. Nothing of a stream's limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the stream fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It takes everything at once.
    Takes,
    /// Nobody listens.
    Down,
    /// It never answers.
    Hangs,
    /// It breaks connections off.
    Resets,
    /// It is asked too often.
    Throttles,
}

/// The double; clones are one and the same. It serves until the program ends.
#[derive(Debug, Clone)]
pub(crate) struct Kinesis {
    address: SocketAddr,
    mood: watch::Sender<Mood>,
    taken: Arc<Mutex<Taken>>,
}

/// The connection breaks off without an answer.
#[derive(Debug)]
struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off on purpose")
    }
}

impl std::error::Error for BrokenOff {}

/// What came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken {
    /// PutRecords requests.
    pub(crate) requests: u64,
    /// Each record's data as its producer made it, before base64.
    pub(crate) records: Vec<Bytes>,
}

impl Kinesis {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let kinesis = Self {
            address: listener.local_addr()?,
            mood: watch::Sender::new(Mood::Takes),
            taken: Arc::default(),
        };
        tokio::spawn(kinesis.clone().listen(listener));
        Ok(kinesis)
    }

    /// It fares like this from now on.
    pub(crate) fn fare(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    async fn listen(self, mut listener: TcpListener) {
        let mut mood = self.mood.subscribe();
        loop {
            // They end with the listener.
            let mut connections = JoinSet::new();
            while *mood.borrow_and_update() != Mood::Down {
                tokio::select! {
                    Ok((stream, _)) = listener.accept() => {
                        connections.spawn(self.clone().serve(stream));
                    }
                    _ = mood.changed() => {}
                }
            }
            drop((listener, connections));
            let _ = mood.wait_for(|mood| *mood != Mood::Down).await;
            match TcpListener::bind(self.address).await {
                Ok(again) => listener = again,
                Err(_) => return,
            }
        }
    }

    /// For `AWS_ENDPOINT_URL_KINESIS`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What came so far; it begins anew.
    pub(crate) fn take(&self) -> Taken {
        std::mem::take(&mut self.taken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn serve(self, stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        // A connection that is dropped unanswered is reset, not closed in an orderly way.
        let _ = stream.set_zero_linger();
        let service = service_fn(|request| self.clone().react(request));
        let _ =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }

    async fn react(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, BrokenOff> {
        let mood = *self.mood.borrow();
        match mood {
            Mood::Takes => {
                Ok(self.answer(request).await.unwrap_or_else(|error| refusal("ValidationException", &error)))
            }
            Mood::Throttles => {
                let slow = anyhow::anyhow!("a fault on purpose");
                Ok(refusal("ProvisionedThroughputExceededException", &slow))
            }
            Mood::Hangs => std::future::pending().await,
            Mood::Resets | Mood::Down => Err(BrokenOff),
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
        let target = request.headers().get("x-amz-target").cloned();
        anyhow::ensure!(target.is_some_and(|target| target == "Kinesis_20131202.PutRecords"), "an operation");
        let body = request.into_body().collect().await?.to_bytes();
        let records = records(&serde_json::from_slice(&body)?)?;
        let answers: Vec<Value> = records
            .iter()
            .map(|_| json!({"SequenceNumber": "49", "ShardId": "shardId-000000000000"}))
            .collect();
        let answer = json!({"FailedRecordCount": 0, "Records": answers}).to_string();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.requests += 1;
        taken.records.extend(records);
        Ok(Response::builder()
            .header("content-type", "application/x-amz-json-1.1")
            .body(Full::from(answer))?)
    }
}

fn records(request: &Value) -> anyhow::Result<Vec<Bytes>> {
    let entries = request["Records"].as_array().into_iter().flatten();
    entries
        .map(|entry| Ok(BASE64_STANDARD.decode(entry["Data"].as_str().unwrap_or_default())?.into()))
        .collect()
}

fn refusal(kind: &str, error: &anyhow::Error) -> Response<Full<Bytes>> {
    let body = json!({"__type": kind, "message": error.to_string()}).to_string();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

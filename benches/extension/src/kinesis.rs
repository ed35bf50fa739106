//! A double of the Kinesis API, this benchmark's own: it knows PutRecords alone, takes everything at once, and keeps
//! it. A healthy stream, and nothing of a stream's limits.

use std::convert::Infallible;
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

/// The double; clones are one and the same. It serves until the program ends.
#[derive(Debug, Clone)]
pub(crate) struct Kinesis {
    address: SocketAddr,
    taken: Arc<Mutex<Taken>>,
}

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
        let kinesis = Self { address: listener.local_addr()?, taken: Arc::default() };
        let double = kinesis.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(double.clone().serve(stream));
            }
        });
        Ok(kinesis)
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
        let service = service_fn(|request| {
            let double = self.clone();
            async move { Ok::<_, Infallible>(double.answer(request).await.unwrap_or_else(refusal)) }
        });
        let _ =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
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

#[expect(clippy::needless_pass_by_value, reason = "it is the error's end")]
fn refusal(error: anyhow::Error) -> Response<Full<Bytes>> {
    let body = json!({"__type": "ValidationException", "message": error.to_string()}).to_string();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}

//! A **fault proxy of our own** in front of a Kinesis API: what the service does on its bad days (throttled entries,
//! errors, hangs, broken connections, answers that get lost) and no local server does at all. It understands
//! PutRecords and passes everything else on. What goes wrong is drawn from a seed ([`plan`]).

pub mod plan;
mod throttle;
mod way;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use plan::{Fault, Plan, Tally};
use way::Way;

/// A running proxy; ended when dropped.
pub struct FaultProxy {
    address: SocketAddr,
    way: Arc<Way>,
    accepting: AbortHandle,
}

/// The connection breaks off without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is to break off")]
struct BrokenOff;

impl FaultProxy {
    /// Listens on a free port of loopback.
    pub async fn start(upstream: &str, plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = Arc::new(Way::new(upstream, plan));
        let accepting = tokio::spawn(accept(listener, way.clone())).abort_handle();
        Self { address, way, accepting }
    }

    /// Its address, as `http://127.0.0.1:4567`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Passes requests on to another server from now on.
    pub fn forward_to(&self, upstream: &str) {
        upstream.clone_into(&mut self.way.upstream.lock().unwrap());
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.way.plan.lock().unwrap().heal();
    }

    /// What went wrong so far.
    pub fn tally(&self) -> Tally {
        self.way.plan.lock().unwrap().tally().clone()
    }

    /// The data of every entry that the server took, whether or not its sender came to know.
    pub fn taken(&self) -> Vec<Vec<u8>> {
        self.way.taken.lock().unwrap().clone()
    }

    /// The session tokens of the keys that signed the producers' requests, in order; none where there is no token.
    pub fn signed_with(&self) -> Vec<Option<String>> {
        self.way.signed_with.lock().unwrap().clone()
    }

    /// Waits until nothing travels any more.
    pub async fn settled(&self) {
        while Arc::strong_count(&self.way.travellers) > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, way: Arc<Way>) {
    // Connections end with the task.
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, way.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, way: Arc<Way>) {
    // A connection that is dropped unanswered is reset, not closed in an orderly way.
    stream.set_zero_linger().unwrap();
    let service = service_fn(move |request| answer(way.clone(), request));
    // What breaks here was meant to, or the client has gone.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    way: Arc<Way>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, BrokenOff> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| BrokenOff)?.to_bytes();
    let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let puts = target.ends_with(".PutRecords");
    let fault = puts.then(|| way.plan.lock().unwrap().draw()).flatten();
    if puts {
        let token = head.headers.get("x-amz-security-token").and_then(|value| value.to_str().ok());
        way.signed_with.lock().unwrap().push(token.map(str::to_owned));
    }
    if fault == Some(Fault::Hang) {
        std::future::pending::<()>().await;
    }
    // What has begun to travel arrives, whether or not its sender still waits.
    let (target, traveller) = (target.to_owned(), way.travellers.clone());
    let travel = tokio::spawn(async move {
        let answer = way.travel(fault, &target, body).await;
        drop(traveller);
        answer
    });
    let (status, body) = travel.await.map_err(|_| BrokenOff)??;
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = http::StatusCode::from_u16(status).map_err(|_| BrokenOff)?;
    response
        .headers_mut()
        .insert("content-type", http::HeaderValue::from_static("application/x-amz-json-1.1"));
    Ok(response)
}

//! The poller against the local stream's own endpoint: what it asks for shows where it began.

use std::future::IntoFuture;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use companion::Settings;
use model::Timestamp;
use serde_json::Value;
use store::Location;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::*;
use crate::stream::endpoint::Endpoint;
use crate::stream::journal::{Journal, Limits, NewRecord};

/// A stream on loopback that remembers with which kind of iterators it was read.
struct Served {
    journal: Journal,
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
    _directory: TempDir,
}

impl Served {
    async fn start() -> Self {
        let directory = TempDir::new().unwrap();
        let (journal, _) = Journal::open(directory.path(), Limits::default(), Timestamp::EPOCH).unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let endpoint = Endpoint::new("telemetry", "0", "us-east-1", journal.clone(), Timestamp::EPOCH);
        let router = endpoint.router().layer(middleware::from_fn_with_state(asked.clone(), remember));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { journal, url, asked, _directory: directory }
    }

    async fn put(&self, number: u64) {
        let data = format!("{{\"number\":{number}}}").into();
        self.journal.append(vec![NewRecord { partition_key: "k".to_owned(), data }]).await.unwrap();
    }

    /// Polls into a store until it has `count` events; the kinds of iterators that were asked for.
    async fn poll(&self, store: &Path, count: u64) -> Vec<String> {
        self.asked.lock().unwrap().clear();
        let location = Location::parse(store.to_str().unwrap()).unwrap();
        let companion = Companion::open(Settings::new(location)).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let source =
            Source { url: self.url.clone(), stream: "telemetry".to_owned(), region: "us-east-1".to_owned() };
        let poller = tokio::spawn(run(source, companion.clone(), stopped));
        while companion.store().snapshot("logs").await.unwrap().is_none_or(|logs| logs.rows < count) {
            sleep(Duration::from_millis(10)).await;
        }
        stop.send_replace(true);
        poller.await.unwrap().unwrap();
        assert_eq!(companion.store().snapshot("logs").await.unwrap().unwrap().rows, count);
        self.asked.lock().unwrap().clone()
    }
}

async fn remember(State(asked): State<Arc<Mutex<Vec<String>>>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    if let Ok(Value::Object(body)) = serde_json::from_slice(&bytes)
        && let Some(kind) = body.get("ShardIteratorType").and_then(Value::as_str)
    {
        asked.lock().unwrap().push(kind.to_owned());
    }
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was_and_a_new_store_begins_anew() {
    let stream = Served::start().await;
    let folder = TempDir::new().unwrap();
    let (store, other) = (folder.path().join("store"), folder.path().join("other"));
    stream.put(1).await;
    stream.put(2).await;
    assert_eq!(stream.poll(&store, 2).await, ["TRIM_HORIZON"]);
    stream.put(3).await;
    assert_eq!(stream.poll(&store, 3).await, ["AFTER_SEQUENCE_NUMBER"]);
    assert_eq!(stream.poll(&other, 3).await, ["TRIM_HORIZON"]);
}

#[tokio::test]
async fn a_stream_that_is_not_there_is_told_at_once() {
    let stream = Served::start().await;
    let companion = Companion::open(Settings::new(Location::memory())).await.unwrap();
    let (_stop, stopped) = watch::channel(false);
    let source =
        Source { url: stream.url.clone(), stream: "another".to_owned(), region: "us-east-1".to_owned() };
    let error = format!("{:#}", run(source, companion, stopped).await.unwrap_err());
    assert!(error.contains("the stream another at http://127.0.0.1"), "{error}");
    assert!(error.contains("not found"), "{error}");
}

//! The second destination: what it gets, and that its failures are its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in test functions; this is what test functions call"
)]

#[allow(dead_code, reason = "each test program uses its own part of the fakes")]
mod fakes;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fakes::extension::Extension;
use fakes::kinesis::Kinesis;
use fakes::platform::{Platform, line, runtime_done, start};
use http::Request;
use model::Timestamp;
use wire::export::{self, Encoding};
use wire::{Limits, Signal};

/// A vendor's endpoint: answers with the statuses it is given, then with 200, and keeps every request.
#[derive(Clone)]
struct Vendor {
    url: String,
    requests: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Vendor {
    async fn start(statuses: &[u16]) -> Self {
        let requests: Arc<Mutex<Vec<Request<Bytes>>>> = Arc::default();
        let statuses = Arc::new(Mutex::new(statuses.to_vec()));
        let kept = requests.clone();
        let served = fakes::serve(move |request| {
            kept.lock().unwrap().push(request);
            let mut statuses = statuses.lock().unwrap();
            let status = if statuses.is_empty() { 200 } else { statuses.remove(0) };
            async move { Some(fakes::answer(status, "")) }
        })
        .await;
        Self { url: format!("http://{}/otlp", served.address), requests }
    }

    /// The texts of all logs in it.
    fn texts(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let logs = requests.iter().filter(|request| request.uri().path() == "/otlp/v1/logs");
        logs.flat_map(|request| {
            let plain = wire::gunzip(request.body(), 10_000_000).unwrap();
            let limits = Limits::default();
            let export =
                export::read(&plain, Signal::Logs, Encoding::Protobuf, Timestamp::EPOCH, &limits).unwrap();
            export.parts.into_iter().flat_map(|part| part.logs)
        })
        .filter_map(|log| log.body.get("message")?.as_str().map(str::to_owned))
        .collect()
    }
}

/// One invocation with a copy to `endpoint`; how long the sandbox was held, and what the extension said at its end.
async fn invocation(endpoint: &str, kinesis: &Kinesis) -> (Duration, String) {
    let platform = Platform::start().await;
    let settings = [
        ("LIMELIGHT_OTLP_ENDPOINT", endpoint),
        ("LIMELIGHT_OTLP_HEADERS", "Authorization=Bearer%20s3cret"),
        ("LIMELIGHT_FLUSH_BUDGET_MS", "1000"),
    ];
    let mut extension = Extension::start(&platform, &kinesis.url(), &settings);
    platform.ready().await;
    platform.invoke("one").await;
    platform.deliver(&[start("one"), line("one", "hello vendor"), runtime_done("one")]).await;
    let done = Instant::now();
    platform.ready().await;
    let held = done.elapsed();
    platform.shutdown("spindown").await;
    (held, extension.ended_well().await)
}

#[tokio::test]
async fn it_gets_everything_with_its_headers_and_the_stream_as_well() {
    let (vendor, kinesis) = (Vendor::start(&[]).await, Kinesis::start().await);
    let (_, said) = invocation(&vendor.url, &kinesis).await;
    assert_eq!(said, "");
    assert!(vendor.texts().contains(&"hello vendor".to_owned()), "{:?}", vendor.texts());
    assert_eq!(kinesis.messages(), ["hello vendor"]);
    let requests = vendor.requests.lock().unwrap();
    assert!(requests.iter().any(|request| request.uri().path() == "/otlp/v1/traces"));
    for request in requests.iter() {
        assert_eq!(request.headers()["authorization"], "Bearer s3cret");
        assert_eq!(request.headers()["content-type"], "application/x-protobuf");
        assert_eq!(request.headers()["content-encoding"], "gzip");
    }
}

#[tokio::test]
async fn what_it_cannot_take_now_it_gets_again() {
    let (vendor, kinesis) = (Vendor::start(&[503]).await, Kinesis::start().await);
    let (_, said) = invocation(&vendor.url, &kinesis).await;
    assert_eq!(said.matches("does not take data: status 503").count(), 1, "{said}");
    assert!(!said.contains("s3cret"));
    assert_eq!(kinesis.messages(), ["hello vendor"]);
}

#[tokio::test]
async fn one_that_is_not_there_or_refuses_holds_back_neither_stream_nor_sandbox() {
    let refuses = Vendor::start(&[401; 20]).await;
    for endpoint in [refuses.url.as_str(), "http://127.0.0.1:9"] {
        let kinesis = Kinesis::start().await;
        let (held, said) = invocation(endpoint, &kinesis).await;
        assert_eq!(kinesis.messages(), ["hello vendor"]);
        assert!(held < Duration::from_millis(900), "{endpoint}: {held:?}");
        assert_eq!(
            said.matches("the second destination").count() - said.matches("did not get").count(),
            1,
            "{said}"
        );
    }
}

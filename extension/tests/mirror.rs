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
        Self::answering_after(Duration::ZERO, statuses).await
    }

    async fn answering_after(pause: Duration, statuses: &[u16]) -> Self {
        let requests: Arc<Mutex<Vec<Request<Bytes>>>> = Arc::default();
        let statuses = Arc::new(Mutex::new(statuses.to_vec()));
        let kept = requests.clone();
        let served = fakes::serve(move |request| {
            kept.lock().unwrap().push(request);
            let mut statuses = statuses.lock().unwrap();
            let status = if statuses.is_empty() { 200 } else { statuses.remove(0) };
            async move {
                tokio::time::sleep(pause).await;
                Some(fakes::answer(status, ""))
            }
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

/// An extension with a second destination, ready for its first invocation.
struct Stage {
    platform: Platform,
    extension: Extension,
}

impl Stage {
    async fn set(endpoint: &str, kinesis: &Kinesis, budget_ms: &str) -> Self {
        Self::set_with(endpoint, kinesis, budget_ms, "").await
    }

    async fn set_with(endpoint: &str, kinesis: &Kinesis, budget_ms: &str, fault: &str) -> Self {
        let platform = Platform::start().await;
        let settings = [
            ("LIMELIGHT_FAULT_AT", fault),
            ("LIMELIGHT_OTLP_ENDPOINT", endpoint),
            ("LIMELIGHT_OTLP_HEADERS", "Authorization=Bearer%20s3cret"),
            ("LIMELIGHT_FLUSH_BUDGET_MS", budget_ms),
            ("LIMELIGHT_FLUSH", "end"),
        ];
        let extension = Extension::start(&platform, &kinesis.url(), &settings);
        platform.ready().await;
        Self { platform, extension }
    }

    /// One invocation; how long the sandbox was held after the function was done.
    async fn invocation(&self, id: &str, text: &str) -> Duration {
        self.platform.invoke(id).await;
        self.platform.deliver(&[start(id), line(id, text), runtime_done(id)]).await;
        let done = Instant::now();
        self.platform.ready().await;
        done.elapsed()
    }

    /// How long the sandbox's end took, and what the extension said.
    async fn shutdown(mut self) -> (Duration, String) {
        let told = Instant::now();
        self.platform.shutdown("spindown").await;
        let said = self.extension.ended_well().await;
        (told.elapsed(), said)
    }
}

/// One invocation with a copy to `endpoint`; how long the sandbox was held, and what the extension said at its end.
async fn invocation(endpoint: &str, kinesis: &Kinesis) -> (Duration, String) {
    let stage = Stage::set(endpoint, kinesis, "1000").await;
    let held = stage.invocation("one", "hello vendor").await;
    (held, stage.shutdown().await.1)
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
        let is_counted = kinesis.last_account().counts.contains_key("copies_lost");
        assert_eq!(is_counted, endpoint == refuses.url, "{endpoint}: what is still tried is not lost");
        assert!(held < Duration::from_millis(900), "{endpoint}: {held:?}");
        assert_eq!(
            said.matches("the second destination").count() - said.matches("did not get").count(),
            1,
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_slow_one_holds_two_invocations_for_the_budget_and_then_none_and_the_end_for_a_moment() {
    let vendor = Vendor::answering_after(Duration::from_secs(3), &[]).await;
    let kinesis = Kinesis::start().await;
    let stage = Stage::set(&vendor.url, &kinesis, "600").await;
    let mut held = Vec::new();
    for number in 0..8 {
        held.push(stage.invocation(&number.to_string(), &format!("line {number}")).await);
        assert_eq!(kinesis.messages().len(), number + 1, "the stream has it before the next invocation");
    }
    let late = held.iter().filter(|held| **held > Duration::from_millis(400)).count();
    assert!(late <= 2 && held.iter().all(|held| *held < Duration::from_millis(1_000)), "{held:?}");
    let (took, said) = stage.shutdown().await;
    assert!(took < Duration::from_millis(1_300), "{took:?}");
    assert!(said.contains("did not get"), "{said}");
}

#[tokio::test]
async fn one_that_takes_its_time_gets_the_last_copies_too() {
    let vendor = Vendor::answering_after(Duration::from_millis(50), &[]).await;
    let kinesis = Kinesis::start().await;
    let stage = Stage::set(&vendor.url, &kinesis, "0").await;
    stage.invocation("one", "hello vendor").await;
    let (_, said) = stage.shutdown().await;
    assert_eq!(said, "");
    assert!(vendor.texts().contains(&"hello vendor".to_owned()), "{:?}", vendor.texts());
}

#[tokio::test]
async fn a_panic_in_it_is_its_own_and_one_that_always_panics_is_left_alone() {
    for (fault, faults) in [("mirror:1", 1), ("mirror:1-999", 8)] {
        let (vendor, kinesis) = (Vendor::start(&[]).await, Kinesis::start().await);
        let stage = Stage::set_with(&vendor.url, &kinesis, "1000", fault).await;
        for number in 0..6 {
            let held = stage.invocation(&number.to_string(), &format!("line {number}")).await;
            assert!(held < Duration::from_millis(900), "{fault}: {held:?}");
        }
        let (_, said) = stage.shutdown().await;
        assert_eq!(said.matches("a fault of the extension itself: ").count(), faults, "{fault}: {said}");
        assert!(said.contains("did not get"), "{fault}: {said}");
        assert_eq!(kinesis.messages().len(), 6, "{fault}");
        assert_eq!(kinesis.last_account().counts["panics"], faults as u64, "{fault}");
        if faults == 1 {
            assert!(vendor.texts().contains(&"line 5".to_owned()), "{:?}", vendor.texts());
        }
    }
}

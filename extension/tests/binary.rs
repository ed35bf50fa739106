//! The built binary between two fakes: of the platform's APIs and of the Kinesis API. What the real ones do is tested
//! end to end in the workspace's `tests/`; here is what they do only rarely.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in test functions; this is what test functions call"
)]

#[allow(dead_code, reason = "each test program uses its own part of the fakes")]
mod fakes;
mod platform;
mod cut_posts;
mod hold;
mod stream;
mod outage;
mod journal;
mod panics;
mod keys;
mod selection;
mod settings;
mod end;

use std::time::{Duration, Instant};

use fakes::extension::Extension;
use fakes::kinesis::Kinesis;
use fakes::platform::{Platform, line, runtime_done, start};

/// Both fakes and the extension, registered and waiting for its first event.
struct Stage {
    platform: Platform,
    kinesis: Kinesis,
    extension: Extension,
}

impl Stage {
    async fn set(platform: Platform, settings: &[(&str, &str)]) -> Self {
        Self::set_with(platform, Kinesis::start().await, settings).await
    }

    async fn set_with(platform: Platform, kinesis: Kinesis, settings: &[(&str, &str)]) -> Self {
        let extension = Extension::start(&platform, &kinesis.url(), settings);
        platform.ready().await;
        Self { platform, kinesis, extension }
    }

    /// One invocation that prints `text`; returns how long the sandbox was held after `runtimeDone`.
    async fn invocation(&mut self, id: &str, text: &str) -> Duration {
        self.platform.invoke(id).await;
        let status = self.platform.deliver(&[start(id), line(id, text), runtime_done(id)]).await;
        assert_eq!(status, 200);
        let done = Instant::now();
        self.platform.ready().await;
        done.elapsed()
    }

    /// Waits until the stream has a line with this message.
    async fn until_taken(&self, message: &str) {
        let asked = Instant::now();
        while !self.kinesis.messages().iter().any(|taken| taken == message) {
            assert!(asked.elapsed() < Duration::from_secs(10), "{message:?} never came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn shutdown(mut self) -> (Kinesis, String) {
        self.platform.shutdown("spindown").await;
        let said = self.extension.ended_well().await;
        (self.kinesis, said)
    }
}

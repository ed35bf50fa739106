//! The wall clock, which the platform's deadlines are told in. The core crates take its times as arguments.

use std::time::{Duration, SystemTime};

use model::Timestamp;

/// Now.
pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

/// From the platform's milliseconds since the epoch.
pub(crate) fn from_millis(millis: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

/// Returns at `time`, at once if that is past; never without a time. A freeze can make it late: ask the clock again.
pub(crate) async fn reach(time: Option<Timestamp>) {
    match time {
        Some(time) => tokio::time::sleep(time.since(now()).min(LONGEST)).await,
        None => std::future::pending().await,
    }
}

/// Whoever waits asks again anyway, and a deadline from a broken clock must not become an overflow.
const LONGEST: Duration = Duration::from_secs(3_600);

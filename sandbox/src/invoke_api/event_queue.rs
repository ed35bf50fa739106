//! Asynchronous invocations: accepted at once, run later, twice again after a function error, as Lambda does.
//!
//! The queue is memory: what was accepted and not finished when the environment ends is lost, and said so.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::error::ApiError;
use crate::{Invocation, InvokeError, Lambda};

/// Events waiting, running or between two tries; the next one is refused with 429. A load test's burst fits.
const EVENTS_MAX: usize = 1_000;

/// The payloads of those events together: sixty-four of the longest.
const PAYLOAD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The first wait after a throttle or a failure of the environment, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// At shutdown, how long running events may take.
const DRAIN: Duration = Duration::from_secs(10);

/// How asynchronous invocations are tried again.
#[derive(Debug, Clone)]
pub struct EventSettings {
    /// The wait before each retry after a function error, and so their number: AWS's one and two minutes.
    pub retry_waits: Vec<Duration>,
    /// Older events are dropped: six hours, as AWS.
    pub age_max: Duration,
}

impl Default for EventSettings {
    fn default() -> Self {
        Self {
            retry_waits: vec![Duration::from_secs(60), Duration::from_secs(120)],
            age_max: Duration::from_secs(6 * 60 * 60),
        }
    }
}

/// The accepted events, each a task.
pub(super) struct EventQueue {
    lambda: Lambda,
    settings: EventSettings,
    // Held for moments and never over an await.
    events: Mutex<JoinSet<()>>,
    /// One permit per byte of payload.
    room: Arc<Semaphore>,
    /// True once the environment ends: who waits for a retry need not wait on.
    closing: watch::Sender<bool>,
}

/// What follows a try.
#[derive(Debug, PartialEq, Eq)]
enum Then {
    Done,
    After(Duration),
    Drop(&'static str),
}

impl EventQueue {
    pub(super) fn new(lambda: Lambda, settings: EventSettings) -> Self {
        let room = Arc::new(Semaphore::new(PAYLOAD_BYTES_MAX));
        Self { lambda, settings, events: Mutex::default(), room, closing: watch::Sender::new(false) }
    }

    /// Accepts an event and gives it the identity that all its tries have, or refuses it when too many wait.
    pub(super) fn push(&self, mut invocation: Invocation) -> Result<String, ApiError> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        while events.try_join_next().is_some() {}
        if events.len() >= EVENTS_MAX {
            return Err(ApiError::throttled());
        }
        let bytes = u32::try_from(invocation.payload.len()).map_err(|_| ApiError::throttled())?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(bytes).map_err(|_| ApiError::throttled())?;
        let request_id = Uuid::new_v4().to_string();
        invocation.request_id = Some(request_id.clone());
        let closing = self.closing.subscribe();
        let delivery = deliver(self.lambda.clone(), self.settings.clone(), invocation, closing);
        events.spawn(async move {
            delivery.await;
            drop(room);
        });
        Ok(request_id)
    }

    /// Drops what waits for a retry, gives ten seconds to what runs, and reports what is dropped.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        let mut events = std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner));
        let drained = async { while events.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!(events = events.len(), "asynchronous events were dropped at shutdown");
        }
    }
}

/// Tries until the event is done, too old or given up.
async fn deliver(
    lambda: Lambda,
    settings: EventSettings,
    invocation: Invocation,
    mut closing: watch::Receiver<bool>,
) {
    let accepted_at = Instant::now();
    let (mut failures, mut refusals) = (0, 0);
    loop {
        let then = match lambda.invoke(invocation.clone()).await {
            Ok(outcome) if outcome.error.is_none() => Then::Done,
            Ok(_) => {
                failures += 1;
                after_function_error(failures, &settings)
            }
            Err(error) => {
                refusals += 1;
                after_refusal(&error, refusals)
            }
        };
        match then {
            Then::Done => return,
            Then::After(wait) if accepted_at.elapsed() + wait <= settings.age_max => {
                // An error means that the queue is gone: the same as closing.
                if tokio::time::timeout(wait, closing.wait_for(|closes| *closes)).await.is_ok() {
                    return dropped(&invocation.function, "the environment is shutting down");
                }
            }
            Then::After(_) => return dropped(&invocation.function, "it is too old"),
            Then::Drop(why) => return dropped(&invocation.function, why),
        }
    }
}

fn dropped(function: &str, why: &str) {
    tracing::warn!(function, why, "an asynchronous event was dropped");
}

fn after_function_error(failures: usize, settings: &EventSettings) -> Then {
    match settings.retry_waits.get(failures.saturating_sub(1)) {
        Some(wait) => Then::After(*wait),
        None => Then::Drop("the function failed at every try"),
    }
}

fn after_refusal(error: &InvokeError, refusals: u32) -> Then {
    match error {
        InvokeError::UnknownFunction(_) => Then::Drop("there is no such function"),
        InvokeError::PayloadTooLarge { .. } => Then::Drop("its payload is too large"),
        InvokeError::ShuttingDown => Then::Drop("the environment is shutting down"),
        _ => {
            let (first, longest) = BACKOFF;
            let factor = 1_u32 << refusals.saturating_sub(1).min(16);
            Then::After(first.saturating_mul(factor).min(longest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_error_is_tried_twice_again() {
        let settings = EventSettings::default();
        assert_eq!(after_function_error(1, &settings), Then::After(Duration::from_secs(60)));
        assert_eq!(after_function_error(2, &settings), Then::After(Duration::from_secs(120)));
        assert!(matches!(after_function_error(3, &settings), Then::Drop(_)));
    }

    #[test]
    fn a_throttle_is_tried_for_longer_and_longer() {
        let throttled = InvokeError::Throttled { function: "f".into(), concurrency_max: 1 };
        assert_eq!(after_refusal(&throttled, 1), Then::After(Duration::from_secs(1)));
        assert_eq!(after_refusal(&throttled, 3), Then::After(Duration::from_secs(4)));
        assert_eq!(after_refusal(&throttled, 100), Then::After(Duration::from_secs(300)));
        assert!(matches!(after_refusal(&InvokeError::UnknownFunction("f".into()), 1), Then::Drop(_)));
    }
}

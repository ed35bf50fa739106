//! The loop of the Extensions API, the only one: next → INVOKE | SHUTDOWN. What either means is its duty's to know.

use std::sync::Arc;
use std::time::Duration;

use lambda_api::extensions::{NextEvent, ShutdownReason};
use pipeline::CloseReason;
use tokio::sync::Notify;

use crate::collector::Collector;
use crate::lambda::{Lambda, LambdaError};
use crate::{clock, notice};

/// What to do between two events; chosen once, when the extension is built.
#[derive(Debug)]
pub enum Duty {
    /// Hold each invocation until its telemetry is on its way.
    Collect(Collector),
    /// Go straight on: nothing to ship, nothing to ship to, or not wanted. Notified at each invocation: no invocation
    /// begins before every extension has asked for it.
    Idle(Arc<Notify>),
}

/// `/next` fails only when the platform's side is gone, or says what nobody knows. An extension that ends takes the
/// function with it, so it tries for over a minute, in which a sandbox without a platform is long gone.
const FAILURES_MAX: u32 = 80;
/// After the first failure: a connection cut by a freeze.
const PAUSE_MIN: Duration = Duration::from_millis(20);
/// After many.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Runs to SHUTDOWN.
///
/// # Errors
/// When `/next` cannot be had any more: no event can reach the extension then, and no SHUTDOWN will come.
pub async fn run(lambda: &Lambda, duty: &Duty) -> Result<(), LambdaError> {
    let mut failures = 0;
    loop {
        match lambda.next().await {
            Ok(NextEvent::Invoke { deadline_ms, request_id, invoked_function_arn, .. }) => {
                failures = 0;
                match duty {
                    Duty::Collect(collector) => {
                        let deadline = clock::from_millis(deadline_ms);
                        collector.invocation(request_id, invoked_function_arn, deadline).await;
                    }
                    Duty::Idle(all_ready) => all_ready.notify_one(),
                }
            }
            Ok(NextEvent::Shutdown { shutdown_reason, deadline_ms }) => {
                if let Duty::Collect(collector) = duty {
                    let deadline = clock::from_millis(deadline_ms);
                    let remains = collector.shutdown(close_reason(&shutdown_reason), deadline).await;
                    if remains.batches > 0 {
                        let batches = remains.batches;
                        notice::say(format_args!("{batches} batches were not acknowledged before the end"));
                    }
                }
                return Ok(());
            }
            Err(error) => {
                failures += 1;
                if failures == FAILURES_MAX {
                    return Err(error);
                }
                tokio::time::sleep(pause(failures)).await;
            }
        }
    }
}

/// Twice as long each time.
fn pause(failures: u32) -> Duration {
    PAUSE_MIN.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(PAUSE_MAX)
}

fn close_reason(reason: &ShutdownReason) -> CloseReason {
    match reason {
        ShutdownReason::Timeout => CloseReason::Timeout,
        ShutdownReason::Failure => CloseReason::Failure,
        ShutdownReason::Spindown | ShutdownReason::Other(_) => CloseReason::Spindown,
    }
}

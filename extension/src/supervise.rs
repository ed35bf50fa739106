//! A panic in a task becomes a value: the task's owner goes on with its state, which is plain data, and counts it.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model::Timestamp;

/// The work panicked; the panic hook has said why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panicked;

/// A task that panics so often in a row is not worth going on with: it would only burn the function's CPU.
const PANICS_MAX: u32 = 8;
/// A panic after so long without one begins a new row: what caused the others is over.
const CALM: Duration = Duration::from_secs(60);

/// A task's panics, and whether it is worth going on with.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    in_a_row: u32,
    last: Option<Timestamp>,
}

impl Patience {
    /// It panicked at `now`; whether to go on.
    pub(crate) fn bears_another(&mut self, now: Timestamp) -> bool {
        let is_calm = self.last.replace(now).is_none_or(|last| now.since(last) >= CALM);
        self.in_a_row = if is_calm { 1 } else { self.in_a_row + 1 };
        self.in_a_row < PANICS_MAX
    }
}

/// In whatever task: the panic hook is the process's, and so is its count.
static PANICS: AtomicU64 = AtomicU64::new(0);

/// The panic hook counts here.
pub(crate) fn count_panic() {
    PANICS.fetch_add(1, Ordering::Relaxed);
}

/// How many there were in this process.
pub(crate) fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Runs `work` to its end or its panic. What it borrowed is whole again afterwards, as far as its own invariants go.
pub(crate) async fn guarded<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        // It is not polled again.
        Err(_) => std::task::Poll::Ready(Err(Panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_are_borne_unless_they_come_in_a_row() {
        let mut patience = Patience::default();
        let mut now = Timestamp::EPOCH;
        for _ in 0..100 {
            now = now.plus(CALM);
            assert!(patience.bears_another(now));
        }
        let borne = (0..100).take_while(|_| patience.bears_another(now)).count();
        assert_eq!(
            u32::try_from(borne).unwrap(),
            PANICS_MAX - 2,
            "the last one of the calm ones is the first"
        );
    }

    #[tokio::test]
    async fn a_panic_after_a_wait_leaves_the_owner_its_state() {
        let mut done = Vec::new();
        for number in 0..3 {
            let result = guarded(async {
                tokio::task::yield_now().await;
                done.push(number);
                assert!(number != 1, "a fault");
                number
            })
            .await;
            assert_eq!(result, if number == 1 { Err(Panicked) } else { Ok(number) });
        }
        assert_eq!(done, [0, 1, 2]);
    }
}

//! One invocation that the platform has announced, as far as the flush rules need to know it.

use std::time::Duration;

use model::Timestamp;

/// From INVOKE until the sandbox is released and the function is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    request_id: String,
    invoked_at: Timestamp,
    deadline: Timestamp,
    patience: Duration,
    bet: bool,
    let_go: bool,
    done_at: Option<Timestamp>,
}

impl Invocation {
    /// Announced by INVOKE with its deadline.
    pub fn new(request_id: String, invoked_at: Timestamp, deadline: Timestamp) -> Self {
        Self {
            request_id,
            invoked_at,
            deadline,
            patience: Duration::MAX,
            bet: false,
            let_go: false,
            done_at: None,
        }
    }

    /// Nobody waits longer than `patience` for its end ([`super::Rhythm::patience`]).
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The sandbox is not held for it: another one will follow closely.
    #[must_use]
    pub fn bet(self) -> Self {
        Self { bet: true, ..self }
    }

    /// A `platform.runtimeDone` or `platform.report` that says `at` was seen; true if it is this invocation's first.
    /// The platform's clock decides when the function was done, so that the time in which its record travelled is
    /// part of the budget; never before the invocation and never in the future.
    pub fn done(&mut self, request_id: &str, at: Timestamp, now: Timestamp) -> bool {
        let first = self.done_at.is_none() && self.request_id == request_id;
        if first {
            self.done_at = Some(at.max(self.invoked_at).min(now));
        }
        first
    }

    /// Whether the function has ended its work.
    pub fn is_done(&self) -> bool {
        self.done_at.is_some()
    }

    /// See [`Self::bet`].
    pub fn is_bet(&self) -> bool {
        self.bet
    }

    /// Nobody is held for it any longer.
    pub fn let_go(&mut self) {
        self.let_go = true;
    }

    /// Whether the sandbox may be held for it.
    pub fn is_waited_for(&self) -> bool {
        !self.bet && !self.let_go
    }

    pub(super) fn done_at(&self) -> Option<Timestamp> {
        self.done_at
    }

    pub(super) fn invoked_at(&self) -> Timestamp {
        self.invoked_at
    }

    /// After this nobody waits for it, whatever is missing.
    pub(super) fn last_moment(&self, margin: Duration) -> Timestamp {
        self.deadline.minus(margin).min(self.invoked_at.plus(self.patience))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn only_the_own_request_is_done_and_only_once() {
        let mut running = Invocation::new("r".to_owned(), at(0), at(60_000));
        assert!(!running.done("another", at(5), at(5)));
        assert!(running.done("r", at(10), at(30)));
        assert!(!running.done("r", at(20), at(30)));
        assert_eq!(running.done_at(), Some(at(10)));
    }

    #[test]
    fn it_is_never_done_before_it_began_or_in_the_future() {
        for (said, kept) in [(-500, 100), (150, 150), (900, 200)] {
            let mut running = Invocation::new("r".to_owned(), at(100), at(60_000));
            running.done("r", at(said), at(200));
            assert_eq!(running.done_at(), Some(at(kept)));
        }
    }
}

//! The request that is on its way, and how to see that the sandbox was frozen meanwhile.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use pipeline::batch::Sealed;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::kinesis::{Failure, Outcome};
use crate::clock;

/// While a request is out the exporter wakes up this often, if nothing else wakes it.
const BEAT: Duration = Duration::from_millis(100);
/// A beat that is this much too late was missed in a freeze, or by a sandbox that starved for as long.
const MISSED: Duration = Duration::from_millis(400);
/// After a thaw an answer may lie in the socket; if it does, it is read within this time.
const GRACE: Duration = Duration::from_millis(50);
/// A request that was out for this long when the next invocation began may not come back: what it carries is put on
/// the disk. Shorter ones are the usual case, and not worth a write.
const UNCERTAIN: Duration = Duration::from_millis(200);
/// How long a request may take when the sandbox ends: two tries fit into what is left. A repetition is harmless: the
/// reader knows the batch.
const HURRIED: Duration = Duration::from_millis(600);

/// The batches stay here, so that nothing that happens to the request's task loses them.
pub(super) struct Flight {
    batches: Arc<Vec<Sealed>>,
    since: Instant,
    task: JoinHandle<Outcome>,
    beat: Timestamp,
    frozen: bool,
    give_up_at: Option<Timestamp>,
}

impl Flight {
    /// `request` is the running task that sends `batches`.
    pub(super) fn new(batches: Arc<Vec<Sealed>>, task: JoinHandle<Outcome>) -> Self {
        Self { batches, since: Instant::now(), task, beat: clock::now(), frozen: false, give_up_at: None }
    }

    /// Its end. A panic in it is a failed attempt like any other. Cancel-safe.
    pub(super) async fn landing(&mut self) -> Outcome {
        match (&mut self.task).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(Failure::Unreachable(format!("the request's task ended: {error}"))),
        }
    }

    /// When to look at it again.
    pub(super) fn next_beat(&self) -> Timestamp {
        let beat = self.beat.plus(BEAT);
        self.give_up_at.map_or(beat, |time| time.min(beat))
    }

    /// Looks at the clock, at least as often as [`Self::next_beat`] says: a request from before a freeze will not be
    /// answered any more.
    pub(super) fn beat(&mut self, now: Timestamp) {
        if now < self.beat || now.since(self.beat) > BEAT + MISSED {
            self.frozen = true;
            self.give_up_at = Some(now.plus(GRACE));
        }
        self.beat = now;
    }

    /// The sandbox ends: there is no time for a full time limit.
    pub(super) fn hurry(&mut self, now: Timestamp) {
        let out = self.since.elapsed();
        let give_up_at = now.plus(HURRIED.saturating_sub(out));
        self.give_up_at = Some(self.give_up_at.map_or(give_up_at, |time| time.min(give_up_at)));
    }

    /// Whether to repeat it now.
    pub(super) fn is_overdue(&self, now: Timestamp) -> bool {
        self.give_up_at.is_some_and(|time| time <= now)
    }

    /// How long it has been out; none if the sandbox was frozen for some of it.
    pub(super) fn took(&self) -> Option<Duration> {
        (!self.frozen).then(|| self.since.elapsed())
    }

    /// Whether it may not come back: out for long, or since before a freeze.
    pub(super) fn is_uncertain(&self) -> bool {
        self.took().is_none_or(|took| took > UNCERTAIN)
    }

    /// What it carries.
    pub(super) fn batches(&self) -> &[Sealed] {
        &self.batches
    }

    /// The batches, and an end to the request if it has none yet.
    pub(super) fn into_batches(self) -> Vec<Sealed> {
        self.task.abort();
        // The task may not have let go yet: then this is a copy.
        Arc::try_unwrap(self.batches).unwrap_or_else(|shared| shared.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flight() -> Flight {
        Flight::new(Arc::default(), tokio::spawn(std::future::pending()))
    }

    #[tokio::test]
    async fn a_request_from_before_a_freeze_may_not_come_back() {
        let mut flight = flight();
        flight.beat(clock::now());
        assert!(!flight.is_uncertain(), "it has just left");
        flight.beat(clock::now().plus(Duration::from_secs(60)));
        assert!(flight.is_uncertain() && flight.took().is_none());
        flight.into_batches();
    }
}

//! SHUTDOWN: take the platform's last deliveries, close what is open, send, and wait for the stream's answers, in this
//! order and within the deadline; then the disk, and the last word about all of it; then, for a moment, the copies.

use std::time::Duration;

use model::Timestamp;
use pipeline::CloseReason;
use pipeline::flush::{Drain, Hold};
use tokio::sync::oneshot;

use super::Remains;
use super::task::Task;
use crate::{clock, notice, usage};

/// The platform gives 2 s in all and takes its part; nobody waits for us longer than this, whatever is left.
const LONGEST: Duration = Duration::from_millis(1_400);
/// How long before the platform's deadline the waiting ends.
const EXIT_MARGIN: Duration = Duration::from_millis(200);
/// What the last word waits for the answers to everything else: less than a hurried request is given, so that it goes with
/// the second try of what the stream has left unanswered. Each request of its own would be one more that can hang.
const BEFORE_THE_LAST_WORD: Duration = Duration::from_millis(500);
/// The second destination gets so much more than the stream needed, if it answers at all: a vendor's ingress does
/// within some 100 ms, and a batch is up to three requests.
const LAST_COPIES: Duration = Duration::from_millis(600);

/// The lifecycle's last command.
#[derive(Debug)]
pub(super) struct End {
    pub(super) reason: CloseReason,
    pub(super) deadline: Timestamp,
    pub(super) released: oneshot::Sender<Remains>,
}

impl End {
    /// After this nobody waits for anything.
    pub(super) fn last_moment(&self, started: Timestamp) -> Timestamp {
        self.deadline.minus(EXIT_MARGIN).min(started.plus(LONGEST))
    }

    /// Lets the sandbox go.
    pub(super) fn release(self, batches_missing: usize) {
        let _ = self.released.send(Remains { batches: batches_missing });
    }
}

impl Task {
    pub(super) async fn end(&mut self, end: End) {
        let started = clock::now();
        let last_moment = end.last_moment(started);
        self.export.prepare();
        self.drain(started, last_moment).await;
        self.invocation = None;
        self.inputs.deliveries.close();
        self.inputs.inbox.close();
        while let Ok(delivery) = self.inputs.deliveries.try_recv() {
            self.take(&delivery).await;
        }
        self.hear_all();
        if self.intake.wants_last_reading() {
            self.intake.read(usage::read(clock::now()));
        }
        self.intake.close(end.reason, clock::now());
        self.deliver(end.reason, last_moment).await;
        let batches = self.export.missing();
        self.settle_copies(last_moment).await;
        end.release(batches);
    }

    /// All that is pending, and then what is to be said of it.
    pub(super) async fn deliver(&mut self, reason: CloseReason, last_moment: Timestamp) {
        self.ship().await;
        self.export.hurry().await;
        self.settle(last_moment.min(clock::now().plus(BEFORE_THE_LAST_WORD))).await;
        self.say_the_last_word(reason, last_moment).await;
    }

    /// The account is sealed when the stream has answered all the others, or has been waited for: what it has, what is
    /// lost and why, and what is left behind. After a timeout or a crash the sandbox may live once more, and its disk
    /// with it.
    async fn say_the_last_word(&mut self, reason: CloseReason, patience: Timestamp) {
        self.export.put_away().await;
        self.follow();
        let Some(batch) = self.intake.seal_account(reason) else { return };
        self.export.send(batch).await;
        self.settle(patience).await;
        self.export.put_away().await;
    }

    /// Returns when the stream has answered all, at the latest at `patience`.
    async fn settle(&mut self, patience: Timestamp) {
        self.export.report().await;
        let answers = async {
            while self.export.is_behind() {
                self.export.changed().await;
            }
        };
        // By the clock that nobody sets: there is no later moment to notice.
        let _ = tokio::time::timeout(patience.since(clock::now()), answers).await;
    }

    async fn settle_copies(&mut self, last_moment: Timestamp) {
        let Some(mirror) = &mut self.mirror else { return };
        let answers = async {
            while mirror.unsettled() > 0 {
                mirror.changed().await;
            }
        };
        let _ = tokio::time::timeout(last_moment.since(clock::now()).min(LAST_COPIES), answers).await;
        let missing = mirror.missing();
        if missing > 0 {
            notice::say(format_args!("the second destination did not get {missing} events"));
        }
    }

    async fn drain(&mut self, started: Timestamp, last_moment: Timestamp) {
        let mut drain = Drain { started, delivered: None, report_missing: false, end_missing: false };
        loop {
            drain.report_missing = self.report_missing.is_some();
            drain.end_missing = self.invocation.as_ref().is_some_and(|invocation| !invocation.is_done());
            // Meanwhile the stream can have what is there already.
            self.ship().await;
            let now = clock::now();
            let until = match drain.hold(now) {
                Hold::Release => return,
                Hold::Until(time) => time.min(last_moment),
            };
            if until <= now {
                return;
            }
            tokio::select! {
                inbound = self.inputs.inbox.next() => self.hear(inbound),
                Some(delivery) = self.inputs.deliveries.recv() => {
                    self.take(&delivery).await;
                    drain.delivered = Some(clock::now());
                }
                () = self.export.changed() => {}
                () = clock::reach(Some(until)) => {}
            }
        }
    }
}

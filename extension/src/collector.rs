//! The pipeline's owner: deliveries in, sealed batches out to the exporter, and the word by which the lifecycle is
//! held or released. One task; everything it knows, nobody else does. The rules are `pipeline::flush`'s.

pub mod intake;

use std::collections::VecDeque;

use model::Timestamp;
use pipeline::CloseReason;
use pipeline::flush::{Drain, Flush, Hold, Invocation, Policy};
use tokio::sync::{mpsc, oneshot};

use crate::clock;
use crate::config::EXIT_MARGIN;
use crate::export::Export;
use crate::listener::Delivery;
use crate::usage;
use intake::{Intake, Milestone};

/// The lifecycle sends one and waits for its answer.
const COMMANDS_MAX: usize = 2;
/// Functions that take a few milliseconds are done before their INVOKE has reached us; there is one at a time.
const EARLY_MAX: usize = 8;

/// What the lifecycle tells.
#[derive(Debug)]
enum Command {
    Invoke { invocation: Invocation, arn: String, release: oneshot::Sender<()> },
    Shutdown { reason: CloseReason, deadline: Timestamp, released: oneshot::Sender<Remains> },
}

/// What could not be delivered before the sandbox ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remains {
    /// Batches without an acknowledgement.
    pub batches: usize,
}

/// The lifecycle's way to the collector.
#[derive(Debug, Clone)]
pub struct Collector {
    commands: mpsc::Sender<Command>,
}

impl Collector {
    /// Starts the task.
    pub fn start(
        intake: Intake,
        policy: Policy,
        deliveries: mpsc::Receiver<Delivery>,
        export: Export,
    ) -> Self {
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let task = Task {
            intake,
            policy,
            deliveries,
            commands,
            export,
            invocation: None,
            held: None,
            early: VecDeque::new(),
            report_missing: None,
        };
        tokio::spawn(task.run());
        Self { commands: sender }
    }

    /// Returns when the sandbox may go on: at the latest a margin before `deadline`, at once if the task is gone.
    pub async fn invocation(&self, request_id: String, arn: String, deadline: Timestamp) {
        let (release, released) = oneshot::channel();
        let invocation = Invocation::new(request_id, deadline);
        if self.commands.send(Command::Invoke { invocation, arn, release }).await.is_ok() {
            let _ = released.await;
        }
    }

    /// Delivers what there is, within `deadline`.
    pub async fn shutdown(&self, reason: CloseReason, deadline: Timestamp) -> Remains {
        let (release, released) = oneshot::channel();
        if self.commands.send(Command::Shutdown { reason, deadline, released: release }).await.is_err() {
            return Remains::default();
        }
        tokio::select! {
            remains = released => remains.unwrap_or_default(),
            // The task watches the deadline itself; this is for the case that it does not get to run.
            () = clock::reach(Some(deadline)) => Remains::default(),
        }
    }
}

struct Task {
    intake: Intake,
    policy: Policy,
    deliveries: mpsc::Receiver<Delivery>,
    commands: mpsc::Receiver<Command>,
    export: Export,
    /// Announced and not yet released, or released and not yet done.
    invocation: Option<Invocation>,
    held: Option<oneshot::Sender<()>>,
    /// Done without having been announced.
    early: VecDeque<String>,
    /// Done, and its `platform.report` has not come.
    report_missing: Option<String>,
}

/// SHUTDOWN.
struct End {
    reason: CloseReason,
    deadline: Timestamp,
    released: oneshot::Sender<Remains>,
}

impl Task {
    async fn run(mut self) {
        loop {
            let wake = self.advance(clock::now()).await;
            tokio::select! {
                Some(delivery) = self.deliveries.recv() => self.take(&delivery),
                command = self.commands.recv() => match command {
                    Some(Command::Invoke { invocation, arn, release }) => self.begin(invocation, &arn, release),
                    Some(Command::Shutdown { reason, deadline, released }) => {
                        return self.end(End { reason, deadline, released }).await;
                    }
                    None => return,
                },
                () = self.export.changed() => {}
                () = clock::reach(wake) => {}
            }
        }
    }

    /// Does what is due, and says when something will be.
    async fn advance(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.intake.release(now);
        let flush_at = loop {
            match self.policy.flush(now, self.intake.pending(), self.invocation.as_ref()) {
                Flush::Now => self.ship().await,
                Flush::At(time) => break Some(time),
                Flush::Hold => break None,
            }
        };
        let release_at = self.release(now);
        flush_at.into_iter().chain(release_at).chain(self.intake.due()).min()
    }

    /// Everything that is pending, in as many batches as it takes.
    async fn ship(&mut self) {
        while let Some(batch) = self.intake.seal(&self.export.delivery()) {
            self.export.send(batch).await;
        }
    }

    fn release(&mut self, now: Timestamp) -> Option<Timestamp> {
        let invocation = self.invocation.as_ref()?;
        if self.held.is_some()
            && let Hold::Until(time) = self.policy.hold(now, invocation, self.export.outbound())
        {
            return Some(time);
        }
        if let Some(release) = self.held.take() {
            let _ = release.send(());
        }
        // What comes after a released invocation's end belongs to nobody's: it waits for the next invocation or for
        // its age, because a request that a freeze cuts in two is worse than none.
        self.invocation.take_if(|invocation| invocation.is_done());
        None
    }

    fn begin(&mut self, mut invocation: Invocation, arn: &str, release: oneshot::Sender<()>) {
        let now = clock::now();
        self.intake.learn_arn(arn);
        // The handler begins its work, and nobody waits for us.
        if self.intake.wants_reading(now) {
            self.intake.read(usage::read(now));
        }
        for request_id in self.early.drain(..) {
            invocation.done(&request_id, now);
        }
        self.invocation = Some(invocation);
        self.held = Some(release);
        self.export.prepare();
    }

    fn take(&mut self, delivery: &Delivery) {
        let now = clock::now();
        for milestone in self.intake.take(delivery, now) {
            match milestone {
                Milestone::Done(request_id) => self.done(request_id, now),
                Milestone::Reported(request_id) => {
                    if self.report_missing.as_ref() == Some(&request_id) {
                        self.report_missing = None;
                    }
                    // A lost "done" would hold the sandbox to its deadline; the report comes later, but says it too.
                    if let Some(invocation) = &mut self.invocation {
                        invocation.done(&request_id, now);
                    }
                }
            }
        }
    }

    fn done(&mut self, request_id: String, now: Timestamp) {
        self.report_missing = Some(request_id.clone());
        let announced = self.invocation.as_mut().is_some_and(|invocation| invocation.done(&request_id, now));
        if !announced {
            if self.early.len() == EARLY_MAX {
                self.early.pop_front();
            }
            self.early.push_back(request_id);
        }
    }

    /// Stop the intake when the platform has delivered its last; close; send; wait for the answers.
    async fn end(mut self, end: End) {
        let last_moment = end.deadline.minus(EXIT_MARGIN);
        self.invocation = None;
        self.drain(last_moment).await;
        self.deliveries.close();
        while let Ok(delivery) = self.deliveries.try_recv() {
            self.take(&delivery);
        }
        if self.intake.wants_last_reading() {
            self.intake.read(usage::read(clock::now()));
        }
        self.intake.close(end.reason, clock::now());
        self.ship().await;
        if let Some(batch) = self.intake.seal_account(&self.export.delivery()) {
            self.export.send(batch).await;
        }
        self.export.hurry().await;
        while self.export.outbound().unacknowledged > 0 && clock::now() < last_moment {
            tokio::select! {
                () = self.export.changed() => {}
                () = clock::reach(Some(last_moment)) => {}
            }
        }
        let _ = end.released.send(Remains { batches: self.export.outbound().unacknowledged });
    }

    async fn drain(&mut self, last_moment: Timestamp) {
        let started = clock::now();
        let mut drain = Drain { started, delivered: None, report_missing: self.report_missing.is_some() };
        loop {
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
                Some(delivery) = self.deliveries.recv() => {
                    self.take(&delivery);
                    drain.delivered = Some(clock::now());
                    drain.report_missing = self.report_missing.is_some();
                }
                () = self.export.changed() => {}
                () = clock::reach(Some(until)) => {}
            }
        }
    }
}

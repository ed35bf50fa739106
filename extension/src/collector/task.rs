//! The collector's task while the sandbox lives: what comes in, when it goes out, and whom it holds.

use std::collections::VecDeque;

use model::Timestamp;
use pipeline::account;
use pipeline::flush::{Flush, Hold, Invocation, Outbound, Policy, Rhythm};
use tokio::sync::{mpsc, oneshot};

use super::intake::{Intake, Milestone};
use super::{Announced, Command, Inputs, Outputs};
use crate::export::Export;
use crate::fault::{self, Place};
use crate::inbound::Inbound;
use crate::listener::Delivery;
use crate::mirror::{self, Mirror};
use crate::supervise::{Patience, guarded};
use crate::{clock, notice, usage};

/// Functions that take a few milliseconds are done before their INVOKE has reached us; there is one at a time.
const EARLY_MAX: usize = 8;

pub(super) struct Task {
    pub(super) intake: Intake,
    pub(super) export: Export,
    pub(super) mirror: Option<Mirror>,
    pub(super) inputs: Inputs,
    pub(super) commands: mpsc::Receiver<Command>,
    policy: Policy,
    rhythm: Rhythm,
    /// Announced and not yet released, or released and not yet done.
    pub(super) invocation: Option<Invocation>,
    held: Option<oneshot::Sender<()>>,
    /// Done without having been announced, and when.
    early: VecDeque<(String, Timestamp)>,
    /// A panic may have cost the word that the next invocation to be announced is done.
    missed: bool,
    /// Done, and its `platform.report` has not come.
    pub(super) report_missing: Option<String>,
}

impl Task {
    pub(super) fn new(
        intake: Intake,
        policy: Policy,
        inputs: Inputs,
        commands: mpsc::Receiver<Command>,
        outputs: Outputs,
    ) -> Self {
        Self {
            intake,
            export: outputs.export,
            mirror: outputs.mirror,
            inputs,
            commands,
            rhythm: Rhythm::new(policy.pause_max()),
            policy,
            invocation: None,
            held: None,
            early: VecDeque::new(),
            missed: false,
            report_missing: None,
        }
    }

    /// To the sandbox's end. A panic costs what it interrupted, and nobody is held for that.
    pub(super) async fn run(mut self) {
        let mut patience = Patience::default();
        while guarded(self.work()).await.is_err() {
            // Something is gone, one at the least.
            self.intake.forgotten(1);
            (self.invocation, self.held, self.missed) = (None, None, true);
            if !patience.bears_another(clock::now()) {
                notice::say(format_args!(
                    "going on without telemetry: too many faults of the extension itself"
                ));
                return self.forget().await;
            }
        }
    }

    async fn work(&mut self) {
        loop {
            let wake = self.advance(clock::now()).await;
            tokio::select! {
                Some(delivery) = self.inputs.deliveries.recv() => self.take(&delivery).await,
                inbound = self.inputs.inbox.next() => self.hear(inbound),
                command = self.commands.recv() => match command {
                    Some(Command::Invoke(announced)) => self.begin(announced),
                    Some(Command::Shutdown(end)) => return self.end(end).await,
                    None => return,
                },
                () = self.export.changed() => {}
                () = mirror::changed(&mut self.mirror) => {}
                () = clock::reach(wake) => {}
            }
        }
    }

    /// Does what is due, and says when something will be.
    async fn advance(&mut self, now: Timestamp) -> Option<Timestamp> {
        if let Some(milestone) = self.intake.release(now) {
            self.heed(milestone, now).await;
        }
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
    pub(super) async fn ship(&mut self) {
        self.follow();
        while let Some(batch) = self.intake.seal() {
            if let Some(mirror) = &mut self.mirror {
                mirror.send(&batch);
            }
            self.export.send(batch).await;
        }
    }

    /// What the sandbox is held for: batches that are out, exports that are only half in, copies that a prompt second
    /// destination has not taken.
    pub(super) fn outbound(&self) -> Outbound {
        let outbound = self.export.outbound();
        let mirrored = self.mirror.as_ref().map_or(0, Mirror::outstanding);
        let unacknowledged = outbound.unacknowledged + self.inputs.inbox.speaking() + mirrored;
        Outbound { unacknowledged, ..outbound }
    }

    pub(super) fn follow(&mut self) {
        let copies_lost = self.mirror.as_ref().map_or(0, Mirror::lost);
        let delivery = account::Delivery { copies_lost, ..self.export.delivery() };
        self.intake.follow(self.export.room_bytes(), delivery);
        self.intake.missed(self.inputs.inbox.missed());
    }

    fn release(&mut self, now: Timestamp) -> Option<Timestamp> {
        let invocation = self.invocation.as_ref()?;
        if let Some(release) = self.held.take() {
            if let Hold::Until(time) = self.policy.hold(now, invocation, self.outbound()) {
                self.held = Some(release);
                return Some(time);
            }
            let outbound = self.export.outbound();
            if invocation.is_waited_for() && !invocation.is_done() && outbound.prompt {
                self.rhythm.waited_in_vain();
            }
            if invocation.is_done() && invocation.is_waited_for() && outbound.prompt {
                if outbound.unacknowledged > 0 {
                    self.export.overran();
                }
                if let Some(mirror) = self.mirror.as_ref().filter(|mirror| mirror.outstanding() > 0) {
                    mirror.overran();
                }
            }
            let _ = release.send(());
        }
        // What comes after a released invocation's end belongs to nobody's: it waits for the next invocation or for
        // its age, because a request that a freeze cuts in two is worse than none.
        self.invocation.take_if(|invocation| invocation.is_done());
        None
    }

    fn begin(&mut self, announced: Announced) {
        let now = clock::now();
        // No invocation begins before every extension has asked for it.
        self.inputs.all_ready.notify_one();
        self.intake.learn_arn(&announced.arn);
        self.intake.invoked(now);
        self.intake.announce(&announced.request_id);
        self.rhythm.invoked(now);
        // The handler begins its work, and nobody waits for us.
        if self.intake.wants_reading(now) {
            self.intake.read(usage::read(now));
        }
        let mut invocation = Invocation::new(announced.request_id, now, announced.deadline)
            .with_patience(self.rhythm.patience());
        if self.policy.bets(&self.rhythm) {
            invocation = invocation.bet();
        }
        if std::mem::take(&mut self.missed) || !self.rhythm.tells_ends() {
            invocation.let_go();
        }
        for (request_id, at) in self.early.drain(..) {
            invocation.done(&request_id, at, now);
        }
        self.invocation = Some(invocation);
        self.held = Some(announced.release);
        self.export.prepare();
    }

    pub(super) fn hear(&mut self, inbound: Option<Inbound>) {
        if let Some(inbound) = inbound {
            self.follow();
            self.intake.hear(inbound.message, clock::now());
        }
    }

    pub(super) fn hear_all(&mut self) {
        while let Some(inbound) = self.inputs.inbox.take() {
            self.hear(Some(inbound));
        }
    }

    pub(super) async fn take(&mut self, delivery: &Delivery) {
        let now = clock::now();
        fault::pass(Place::Collector);
        // What the function exported was answered before the platform could say that it is done: it comes first.
        self.hear_all();
        self.follow();
        let mut milestones = self.intake.take(delivery, now);
        // Something is missing, but what has come may hold the end all the same.
        milestones.sort_by_key(|milestone| *milestone == Milestone::Missed);
        for milestone in milestones {
            self.heed(milestone, now).await;
        }
        // The function prints faster than we are told: its end would come late, and holding it makes nothing better.
        if self.policy.is_too_late(self.intake.lag(now)) {
            self.let_go();
        }
        if self.intake.wants_reading_between(now) {
            self.intake.read(usage::read(now));
        }
    }

    async fn heed(&mut self, milestone: Milestone, now: Timestamp) {
        match milestone {
            Milestone::Ready => self.inputs.all_ready.notify_one(),
            Milestone::Done { request_id, at } => self.done(request_id, at, now),
            Milestone::Reported(request_id) => {
                self.report_missing.take_if(|missing| *missing == request_id);
                // A lost "done" would hold the sandbox to its patience; the report comes later, but says it too.
                if let Some(invocation) = &mut self.invocation {
                    invocation.done(&request_id, now, now);
                }
            }
            Milestone::Missed => self.let_go(),
            Milestone::Restored => self.export.renew(self.intake.sandbox().to_owned()).await,
        }
    }

    /// Nobody is held for an end that may not come, or comes late.
    fn let_go(&mut self) {
        if let Some(invocation) = self.invocation.as_mut().filter(|invocation| !invocation.is_done()) {
            invocation.let_go();
        }
    }

    fn done(&mut self, request_id: String, at: Timestamp, now: Timestamp) {
        self.rhythm.done(at);
        self.report_missing = Some(request_id.clone());
        let announced =
            self.invocation.as_mut().is_some_and(|invocation| invocation.done(&request_id, at, now));
        if !announced {
            if self.early.len() == EARLY_MAX {
                self.early.pop_front();
            }
            self.early.push_back((request_id, at));
        }
    }
}

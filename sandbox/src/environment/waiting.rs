//! Waiting is always the same: handle messages until a condition holds, something fails, or a deadline passes.

use std::time::{Duration, Instant};

use lambda_api::telemetry::kind;

use super::{Environment, Failure};
use crate::fault::word;
use crate::message::{Message, Refusal};

/// Readers answer a barrier within microseconds unless the machine is overloaded; lines that miss it arrive later.
const DRAIN_WAIT: Duration = Duration::from_millis(500);

/// How waiting ended.
#[derive(Debug)]
pub(crate) enum Wait {
    Done,
    Deadline,
    Failed(Failure),
}

impl Environment {
    /// Handles messages until `done`, the deadline, or the first failure.
    pub(crate) async fn until(&mut self, deadline: Instant, done: impl Fn(&Self) -> bool) -> Wait {
        loop {
            if let Some(failure) = self.failure.take() {
                return Wait::Failed(failure);
            }
            if done(self) {
                return Wait::Done;
            }
            if Instant::now() >= deadline {
                return Wait::Deadline;
            }
            self.step(deadline).await;
        }
    }

    /// As [`Self::until`], for when a failure is known already: further ones are forgotten.
    pub(crate) async fn regardless(&mut self, deadline: Instant, done: impl Fn(&Self) -> bool) {
        while !done(self) && Instant::now() < deadline {
            self.step(deadline).await;
        }
        self.failure = None;
    }

    /// Handles one message, or wakes for a watch or the deadline.
    pub(crate) async fn step(&mut self, deadline: Instant) {
        let wake = self.watch(Instant::now()).map_or(deadline, |watch| watch.min(deadline));
        tokio::select! {
            Some(message) = self.messages.recv() => self.handle(message),
            () = tokio::time::sleep_until(wake.into()) => {}
        }
    }

    /// Handles messages for ever; dropped when something else happens.
    pub(crate) async fn attend(&mut self) -> Failure {
        loop {
            if let Some(failure) = self.failure.take() {
                return failure;
            }
            if let Some(message) = self.messages.recv().await {
                self.handle(message);
            }
        }
    }

    fn handle(&mut self, message: Message) {
        if let Some(dropped) = self.telemetry.take_shed() {
            self.emit(kind::LOGS_DROPPED, &dropped);
        }
        match message {
            Message::RuntimeNext(reply) => self.runtime_next(reply),
            Message::RuntimeAnswer { request_id, answer, reply } => {
                self.runtime_answer(&request_id, answer, reply)
            }
            Message::RuntimeStreams { request_id, content_type, reply } => {
                let _ = reply.send(Ok(self.runtime_streams(&request_id, content_type)));
            }
            Message::RuntimeInitError { error_type, body, reply } => {
                self.runtime_init_error(error_type, body, reply);
            }
            Message::RestoreNext(reply) => self.restore_next(reply),
            Message::RestoreError { error_type, body, reply } => {
                self.restore_error(error_type, body, reply);
            }
            Message::Credentials { authorization, reply } => {
                let issued = self.credentials.get(&authorization, self.now());
                let _ = reply.send(issued.ok_or_else(Refusal::not_found));
            }
            Message::Register { name, events, account, reply } => self.around(|env| {
                let _ = reply.send(env.register(&name, events, account));
            }),
            Message::ExtensionNext { identifier, reply } => self.extension_next(&identifier, reply),
            Message::ExtensionError { identifier, stage, error_type, reply } => {
                let _ = reply.send(self.extension_error(&identifier, stage, error_type));
            }
            Message::Subscribe { identifier, subscription, port, path, reply } => self.around(|env| {
                let _ = reply.send(env.subscribe(&identifier, &subscription, port, path));
            }),
            Message::Line { source, text, at } => self.line(source, text, at),
            Message::Drained { pid, barrier } => {
                if barrier == self.barrier && self.owns(pid) {
                    self.undrained = self.undrained.saturating_sub(1);
                }
            }
            Message::Exited { source, pid, exit } => self.exited(&source, pid, exit),
            Message::Dropped(dropped) => self.emit(kind::LOGS_DROPPED, &dropped),
            Message::Stop { length, stopped } => {
                self.stop(length, word::STOP);
                // A relay that has gone needs no answer.
                let _ = stopped.send(());
            }
        }
    }

    /// Waits until everything that the processes have printed by now has become records.
    pub(crate) async fn drain(&mut self) {
        self.barrier += 1;
        let barrier = self.barrier;
        self.undrained = self.processes().map(|process| process.drain(barrier)).sum();
        let patience = Instant::now() + DRAIN_WAIT;
        while self.undrained > 0 && Instant::now() < patience {
            self.step(patience).await;
        }
    }
}

//! The collector after too many faults of its own: what comes is taken, forgotten and counted. Whoever is turned away
//! comes again, and costs the function more: the platform buffers in its memory, SDKs try until their time is up.

use super::Command;
use super::ending::End;
use super::task::Task;
use crate::clock;
use crate::supervise::guarded;

impl Task {
    /// To the sandbox's end. Nobody is held.
    pub(super) async fn forget(&mut self) {
        loop {
            tokio::select! {
                // Nobody reads how many records there are in it.
                Some(_) = self.inputs.deliveries.recv() => self.intake.forgotten(1),
                inbound = self.inputs.inbox.next() => {
                    self.intake.forgotten(inbound.map_or(0, |inbound| inbound.message.records()));
                }
                command = self.commands.recv() => match command {
                    Some(Command::Invoke(announced)) => {
                        self.inputs.all_ready.notify_one();
                        let _ = announced.release.send(());
                    }
                    Some(Command::Shutdown(end)) => return self.end_at_once(end).await,
                    None => return,
                },
            }
        }
    }

    /// What was collected before may still go, and the account, if that is not what the faults are about.
    async fn end_at_once(&mut self, end: End) {
        let last_moment = end.last_moment(clock::now());
        let _ = guarded(self.deliver(end.reason, last_moment)).await;
        end.release(self.export.missing());
    }
}

//! The pipeline's owner: deliveries in, sealed batches out to the exporter, and the word by which the lifecycle is
//! held or released. One task; everything it knows, nobody else does. The rules are `pipeline::flush`'s.

pub mod intake;
mod task;
mod forgetting;
mod ending;

use std::sync::Arc;

use model::Timestamp;
use pipeline::CloseReason;
use pipeline::flush::Policy;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::clock;
use crate::export::Export;
use crate::inbound::Inbox;
use crate::listener::Delivery;
use crate::mirror::Mirror;
use ending::End;
use intake::Intake;
use task::Task;

/// The lifecycle sends one and waits for its answer.
const COMMANDS_MAX: usize = 2;

/// What the lifecycle tells.
#[derive(Debug)]
enum Command {
    Invoke(Announced),
    Shutdown(End),
}

/// INVOKE.
#[derive(Debug)]
struct Announced {
    request_id: String,
    arn: String,
    deadline: Timestamp,
    release: oneshot::Sender<()>,
}

/// Where telemetry comes from.
#[derive(Debug)]
pub struct Inputs {
    /// The platform.
    pub deliveries: mpsc::Receiver<Delivery>,
    /// The function's own process.
    pub inbox: Inbox,
    /// To be told once every extension of the sandbox is ready.
    pub all_ready: Arc<Notify>,
}

/// Where telemetry goes.
#[derive(Debug)]
pub struct Outputs {
    /// The stream.
    pub export: Export,
    /// A copy.
    pub mirror: Option<Mirror>,
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
    pub fn start(intake: Intake, policy: Policy, inputs: Inputs, outputs: Outputs) -> Self {
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        tokio::spawn(Task::new(intake, policy, inputs, commands, outputs).run());
        Self { commands: sender }
    }

    /// Returns when the sandbox may go on: at the latest a margin before `deadline`, at once if the task is gone, and
    /// at the deadline itself if the task does not get to run.
    pub async fn invocation(&self, request_id: String, arn: String, deadline: Timestamp) {
        let (release, released) = oneshot::channel();
        let announced = Announced { request_id, arn, deadline, release };
        if self.commands.send(Command::Invoke(announced)).await.is_ok() {
            tokio::select! {
                _ = released => {}
                () = clock::reach(Some(deadline)) => {}
            }
        }
    }

    /// Delivers what there is, within `deadline`.
    pub async fn shutdown(&self, reason: CloseReason, deadline: Timestamp) -> Remains {
        let (released, remains) = oneshot::channel();
        let end = End { reason, deadline, released };
        if self.commands.send(Command::Shutdown(end)).await.is_err() {
            return Remains::default();
        }
        tokio::select! {
            remains = remains => remains.unwrap_or_default(),
            // The task watches the deadline itself; this is for the case that it does not get to run.
            () = clock::reach(Some(deadline)) => Remains::default(),
        }
    }
}

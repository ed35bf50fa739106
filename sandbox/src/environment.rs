//! One execution environment: a runtime, its extensions, their telemetry, and everything that is known of them.
//!
//! One task owns it and drives it through its phases (`phase`); all else talks to it in [`Message`]s, which it handles
//! while it waits (`waiting`).

pub(crate) mod agent;
mod answers;
mod credentials;
pub(crate) mod registration;
pub(crate) mod records;
mod wall_clock;
mod waiting;
mod watchman;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lambda_api::extensions::ShutdownReason;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::apis::{Inbox, Server};
use crate::fault::Dice;
use crate::function::FunctionConfig;
use crate::initialization::Initialization;
use crate::message::{INBOX_MESSAGES_MAX, Message, Reply, Work};
use crate::phase::{Current, Serving};
use crate::process::Process;
use crate::process::variables::Surroundings;
use crate::telemetry::{Telemetry, Tempo};
use agent::Agent;
use credentials::Credentials;
pub(crate) use waiting::Wait;
pub(crate) use wall_clock::WallClock;
use watchman::Watchman;

/// A function whose programs have been found on this machine.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) config: FunctionConfig,
    /// The first word of the command, resolved.
    pub(crate) executable: PathBuf,
    /// The directory, absolute.
    pub(crate) working_dir: PathBuf,
    /// Names and executables.
    pub(crate) extensions: Vec<(String, PathBuf)>,
}

/// The first thing that went wrong for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// `Runtime.ExitError`, `Extension.Crash`, …
    pub(crate) error_type: String,
    /// For people, without the request id.
    pub(crate) message: String,
    /// What the runtime itself said, if it did: the caller gets it as it is.
    pub(crate) body: Option<Bytes>,
}

impl Failure {
    pub(crate) fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self { error_type: error_type.into(), message: message.into(), body: None }
    }
}

/// The environment is on its way out.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) reason: ShutdownReason,
    pub(crate) deadline_ms: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) function: Arc<Installed>,
    pub(crate) initialization: Initialization,
    /// `instanceId` of init records.
    pub(crate) instance: String,
    /// The CloudWatch log stream it would write to.
    pub(crate) stream: String,
    messages: mpsc::Receiver<Message>,
    pub(crate) inbox: Inbox,
    pub(crate) server: Server,
    pub(crate) runtime: Option<Process>,
    /// Each `next` of the runtime that waits for work: one, or on managed instances one of each worker.
    pub(crate) runtime_next: VecDeque<Reply<Work>>,
    /// Work whose `next` broke off before it got it, or that no worker has asked for yet.
    pub(crate) pending_work: VecDeque<Work>,
    /// The runtime's `restore/next`, answered when the snapshot is restored.
    pub(crate) restore_next: Option<Reply<()>>,
    /// Init has ended as a snapshot that has not been restored yet.
    pub(crate) is_snapshot: bool,
    pub(crate) agents: Vec<Agent>,
    pub(crate) telemetry: Telemetry,
    pub(crate) current: Option<Current>,
    /// On managed instances, the invocations that run now, instead of `current`.
    pub(crate) serving: Vec<Serving>,
    /// On managed instances, requests that timed out and have not been answered yet.
    pub(crate) late: VecDeque<String>,
    credentials: Credentials,
    pub(crate) clock: WallClock,
    pub(crate) failure: Option<Failure>,
    pub(crate) ending: Option<Ending>,
    pub(crate) watchman: Watchman,
    pub(crate) dice: Option<Dice>,
    pub(crate) frozen: bool,
    pub(crate) initialized: bool,
    /// How long a successful init took; the first report takes it.
    pub(crate) init_duration: Option<Duration>,
    /// How long the restore took; the first report takes it.
    pub(crate) restore_duration: Option<Duration>,
    barrier: u64,
    undrained: usize,
}

impl Environment {
    /// Opens the APIs; starts no process yet. `ordinal` counts the function's environments.
    pub(crate) async fn open(
        function: Arc<Installed>,
        initialization: Initialization,
        ordinal: u64,
    ) -> io::Result<Self> {
        let (inbox, messages) = mpsc::channel(INBOX_MESSAGES_MAX);
        let server = Server::start(inbox.clone()).await?;
        let instance = Uuid::new_v4().simple().to_string();
        let day = jiff::Timestamp::now().strftime("%Y/%m/%d").to_string();
        let stream = format!("{day}/[{}]{instance}", function.config.version);
        let dice = function.config.faults.as_ref().map(|plan| {
            tracing::info!(function = function.config.name, seed = plan.seed, ordinal, "faults are on");
            Dice::new(plan, ordinal, function.config.strikes.clone())
        });
        Ok(Self {
            watchman: Watchman::new(function.config.memory_mb),
            telemetry: Telemetry::new(inbox.clone()),
            clock: WallClock::new(function.config.clock.clone(), &instance)?,
            credentials: Credentials::new(function.config.credentials_lifetime),
            function,
            initialization,
            instance,
            stream,
            messages,
            inbox,
            server,
            runtime: None,
            runtime_next: VecDeque::new(),
            pending_work: VecDeque::new(),
            restore_next: None,
            is_snapshot: false,
            agents: Vec::new(),
            current: None,
            serving: Vec::new(),
            late: VecDeque::new(),
            failure: None,
            ending: None,
            dice,
            frozen: false,
            initialized: false,
            init_duration: None,
            restore_duration: None,
            barrier: 0,
            undrained: 0,
        })
    }

    /// The wall clock, as this environment has it.
    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// What its processes are told of it.
    pub(crate) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            api: self.server.address,
            stream: &self.stream,
            initialization: self.initialization,
            authorization: &self.credentials.authorization,
            clock: &self.clock,
        }
    }

    pub(crate) fn processes(&self) -> impl Iterator<Item = &Process> {
        self.runtime.iter().chain(self.agents.iter().filter_map(|agent| agent.process.as_ref()))
    }

    fn owns(&self, pid: u32) -> bool {
        self.processes().any(|process| process.pid() == pid)
    }

    /// The first failure counts; at the end nothing is one.
    pub(crate) fn fail(&mut self, failure: Failure) {
        if self.ending.is_none() {
            tracing::debug!(function = self.function.config.name, ?failure, "an environment fails");
            self.failure.get_or_insert(failure);
        }
    }

    /// Between two invocations: frozen, unless the function's environments never are.
    pub(crate) fn rest(&mut self) {
        let was_stopped = self.watchman.calm();
        if self.function.config.freeze && !self.initialization.is_managed() {
            // Also what was started during the stop.
            self.frozen &= !was_stopped;
            self.freeze();
        } else if was_stopped {
            self.thaw(Tempo::Normal);
        }
    }

    /// Stops every process and with them the deliveries.
    pub(crate) fn freeze(&mut self) {
        if !self.frozen {
            self.telemetry.set_tempo(Tempo::Frozen);
            self.processes().for_each(Process::freeze);
            self.frozen = true;
        }
    }

    /// Lets everything go on.
    pub(crate) fn thaw(&mut self, tempo: Tempo) {
        self.processes().for_each(Process::thaw);
        self.frozen = false;
        self.telemetry.set_tempo(tempo);
    }
}

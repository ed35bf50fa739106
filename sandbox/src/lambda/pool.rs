//! The environments of one function: the one used last first, a new one if all are busy, fewer when there is no work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use uuid::Uuid;

use super::life::{self, Life};
use crate::environment::{Environment, Installed};
use crate::function::{FunctionConfig, WhenFull};
use crate::initialization::Initialization;
use crate::invocation::{Invocation, InvokeError, Outcome};
use crate::phase::{Caller, Job};
use crate::streamed::{Answered, Streamed};

/// After the last invocation's time is up: what its environment may need to end.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    function: Arc<Installed>,
    /// One permit per invocation that may run.
    permits: Arc<Semaphore>,
    /// Used last is last.
    idle: Mutex<Vec<Idle>>,
    /// Held while a managed instance is made, so that two invocations do not make two.
    making: tokio::sync::Mutex<()>,
    ordinals: AtomicU64,
    stop: watch::Sender<bool>,
    /// Every environment's task holds a receiver for as long as it lives.
    alive: watch::Sender<()>,
}

/// Room for one invocation in an environment.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) ordinal: u64,
    /// Environments are not shared between tenants.
    pub(super) tenant_id: Option<String>,
    pub(super) jobs: mpsc::Sender<Job>,
}

impl Pool {
    pub(crate) fn new(function: Installed) -> Self {
        let config = &function.config;
        let capacity = config.initialization.capacity(config.concurrency_max);
        Self {
            permits: Arc::new(Semaphore::new(capacity.min(Semaphore::MAX_PERMITS))),
            function: Arc::new(function),
            idle: Mutex::default(),
            making: tokio::sync::Mutex::default(),
            ordinals: AtomicU64::new(0),
            stop: watch::Sender::new(false),
            alive: watch::Sender::new(()),
        }
    }

    pub(crate) fn config(&self) -> &FunctionConfig {
        &self.function.config
    }

    pub(crate) fn environments(&self) -> usize {
        self.alive.receiver_count()
    }

    pub(crate) fn dry_run(&self) -> Outcome {
        Outcome {
            request_id: Uuid::new_v4().to_string(),
            payload: Bytes::new(),
            error: None,
            executed_version: self.config().version.clone(),
            log_tail: None,
        }
    }

    /// Makes the environments that have their init before any invocation, and waits for it.
    pub(crate) async fn prepare(self: &Arc<Self>) {
        let initialization = self.config().initialization;
        let mut ready = Vec::new();
        for _ in 0..initialization.ahead() {
            let (up, is_up) = oneshot::channel();
            match self.life(initialization).await {
                Ok(life) if initialization.is_managed() => {
                    self.idle().extend(life.slots());
                    tokio::spawn(life::serve(life, Some(up)));
                }
                Ok(life) => drop(tokio::spawn(life::work(life, None, Some(up)))),
                Err(error) => {
                    tracing::warn!(function = self.config().name, %error, "no environment could be made ahead");
                    continue;
                }
            }
            ready.push(is_up);
        }
        for is_up in ready {
            // Without an answer its init has failed, and the log says so.
            let _ = is_up.await;
        }
    }

    pub(crate) async fn invoke(self: Arc<Self>, invocation: Invocation) -> Result<Outcome, InvokeError> {
        let (outcome, awaited) = oneshot::channel();
        self.place(invocation, Caller { outcome, begun: None }).await?;
        awaited.await.map_err(|_| InvokeError::ShuttingDown)
    }

    /// As soon as the function begins to answer.
    pub(crate) async fn invoke_streaming(
        self: Arc<Self>,
        invocation: Invocation,
    ) -> Result<Answered, InvokeError> {
        let (outcome, mut awaited) = oneshot::channel();
        let (begun, begins) = oneshot::channel();
        self.place(invocation, Caller { outcome, begun: Some(begun) }).await?;
        tokio::select! {
            biased;
            Ok(begun) = begins => Ok(Answered::Streamed(Streamed::new(begun, awaited))),
            outcome = &mut awaited => outcome.map(Answered::Whole).map_err(|_| InvokeError::ShuttingDown),
        }
    }

    /// Finds an environment for it, or makes one.
    async fn place(self: &Arc<Self>, invocation: Invocation, caller: Caller) -> Result<(), InvokeError> {
        let permit = self.permit().await?;
        let request_id = invocation.request_id.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
        let mut job = Job { request_id, invocation, caller, permit };
        while let Some(idle) = self.pop_idle(job.invocation.tenant_id.as_ref()) {
            // An environment may have died while it was idle; the job comes back.
            match idle.jobs.send(job).await {
                Ok(()) => return Ok(()),
                Err(back) => job = back.0,
            }
        }
        if self.config().initialization.is_managed() {
            self.start_managed(job).await
        } else {
            self.start_environment(job).await
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        let config = self.config();
        let throttled = || InvokeError::Throttled {
            function: config.name.clone(),
            concurrency_max: config.concurrency_max,
        };
        let wait = match config.when_full {
            WhenFull::Wait(wait) => wait,
            WhenFull::Throttle => Duration::ZERO,
        };
        match tokio::time::timeout(wait, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(InvokeError::ShuttingDown),
            Err(_) => Err(throttled()),
        }
    }

    async fn start_environment(self: &Arc<Self>, job: Job) -> Result<(), InvokeError> {
        let mut life = self.life(self.config().initialization.when_waited_for()).await?;
        life.tenant_id.clone_from(&job.invocation.tenant_id);
        tokio::spawn(life::work(life, Some(job), None));
        Ok(())
    }

    /// In the place of a managed instance that has died. There are permits for no more than there may be.
    async fn start_managed(self: &Arc<Self>, job: Job) -> Result<(), InvokeError> {
        let _making = self.making.lock().await;
        let jobs = match self.pop_idle(None) {
            Some(idle) => idle.jobs,
            None => {
                let life = self.life(self.config().initialization).await?;
                self.idle().extend(life.slots().skip(1));
                let jobs = life.jobs.clone();
                tokio::spawn(life::serve(life, None));
                jobs
            }
        };
        jobs.send(job).await.map_err(|_| InvokeError::ShuttingDown)
    }

    async fn life(self: &Arc<Self>, initialization: Initialization) -> Result<Life, InvokeError> {
        let ordinal = self.ordinals.fetch_add(1, Ordering::Relaxed);
        let environment = Environment::open(self.function.clone(), initialization, ordinal).await?;
        let (jobs, queue) = mpsc::channel(initialization.slots());
        Ok(Life {
            environment,
            ordinal,
            tenant_id: None,
            queue,
            jobs,
            pool: Arc::downgrade(self),
            stop: self.stop.subscribe(),
            _alive: self.alive.subscribe(),
        })
    }

    pub(super) fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop_idle(&self, tenant_id: Option<&String>) -> Option<Idle> {
        let mut idle = self.idle();
        let index = idle.iter().rposition(|idle| idle.tenant_id.as_ref() == tenant_id)?;
        Some(idle.remove(index))
    }

    /// Whether all of its room was still idle, and is no longer offered; if not, a job is on its way to it.
    pub(super) fn retire(&self, ordinal: u64, slots: usize) -> bool {
        let mut idle = self.idle();
        let all = idle.iter().filter(|other| other.ordinal == ordinal).count() >= slots;
        if all {
            idle.retain(|other| other.ordinal != ordinal);
        }
        all
    }

    /// Offers nothing of an environment that has failed.
    pub(super) fn forget(&self, ordinal: u64) {
        self.idle().retain(|other| other.ordinal != ordinal);
    }

    /// Takes no more invocations; environments end when they are idle.
    pub(crate) fn stop(&self) {
        self.permits.close();
        self.stop.send_replace(true);
    }

    /// Waits for all environments to end, but not longer than their last invocation may take.
    pub(crate) async fn ended(&self) {
        let config = self.config();
        let patience = config.timeout + config.init_timeout + SHUTDOWN_MARGIN;
        let deadline = Instant::now() + patience;
        if tokio::time::timeout_at(deadline.into(), self.alive.closed()).await.is_err() {
            tracing::warn!(function = config.name, "environments were left behind at shutdown");
        }
    }
}

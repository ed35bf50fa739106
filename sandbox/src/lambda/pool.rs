//! The environments of one function: the one used last first, a new one if all are busy, fewer when there is no work.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_api::extensions::ShutdownReason;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use uuid::Uuid;

use crate::environment::{Environment, Installed};
use crate::function::{FunctionConfig, WhenFull};
use crate::invocation::{Invocation, InvokeError, Outcome};
use crate::phase::{After, InitPhase, Job};

/// After the last invocation's time is up: what its environment may need to end.
const SHUTDOWN_MARGIN: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    function: Arc<Installed>,
    /// One permit per environment that may be busy.
    permits: Arc<Semaphore>,
    /// Used last is last.
    idle: Mutex<Vec<Idle>>,
    ordinals: AtomicU64,
    stop: watch::Sender<bool>,
    /// Every environment's task holds a receiver for as long as it lives.
    alive: watch::Sender<()>,
}

/// An environment that waits for work.
#[derive(Debug)]
struct Idle {
    ordinal: u64,
    jobs: mpsc::Sender<Job>,
}

impl Pool {
    pub(crate) fn new(function: Installed) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(function.config.concurrency_max.min(Semaphore::MAX_PERMITS))),
            function: Arc::new(function),
            idle: Mutex::default(),
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

    pub(crate) async fn invoke(self: Arc<Self>, invocation: Invocation) -> Result<Outcome, InvokeError> {
        let permit = self.permit().await?;
        let (caller, outcome) = oneshot::channel();
        let request_id = Uuid::new_v4().to_string();
        let mut job = Job { request_id, invocation, caller, permit };
        while let Some(idle) = self.pop_idle() {
            // An environment may have died while it was idle; the job comes back.
            match idle.jobs.send(job).await {
                Ok(()) => return outcome.await.map_err(|_| InvokeError::ShuttingDown),
                Err(back) => job = back.0,
            }
        }
        self.start_environment(job).await?;
        outcome.await.map_err(|_| InvokeError::ShuttingDown)
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
        let ordinal = self.ordinals.fetch_add(1, Ordering::Relaxed);
        let environment = Environment::open(self.function.clone(), ordinal).await?;
        let (jobs, queue) = mpsc::channel(1);
        let life = Life {
            environment,
            ordinal,
            queue,
            jobs: jobs.clone(),
            pool: Arc::downgrade(self),
            stop: self.stop.subscribe(),
            _alive: self.alive.subscribe(),
        };
        tokio::spawn(life.run(job));
        Ok(())
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop_idle(&self) -> Option<Idle> {
        self.idle().pop()
    }

    /// Whether it was still idle; if not, a job is on its way to it.
    fn retire(&self, ordinal: u64) -> bool {
        let mut idle = self.idle();
        let before = idle.len();
        idle.retain(|other| other.ordinal != ordinal);
        idle.len() < before
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
        if tokio::time::timeout(patience, self.alive.closed()).await.is_err() {
            tracing::warn!(function = config.name, "environments were left behind at shutdown");
        }
    }
}

/// One environment's task, from its first job to its end.
struct Life {
    environment: Environment,
    ordinal: u64,
    queue: mpsc::Receiver<Job>,
    jobs: mpsc::Sender<Job>,
    pool: Weak<Pool>,
    stop: watch::Receiver<bool>,
    _alive: watch::Receiver<()>,
}

/// What an idle environment gets.
enum Next {
    Job(Box<Job>),
    End(ShutdownReason),
}

impl Life {
    async fn run(mut self, first: Job) {
        let deadline = Instant::now() + self.environment.function.config.init_timeout;
        if let Err(failure) = self.environment.initialize(InitPhase::Init, deadline).await {
            tracing::warn!(
                function = self.environment.function.config.name,
                error_type = failure.error_type,
                error = failure.message,
                "init failed and is repeated in the invocation"
            );
        }
        let mut job = first;
        loop {
            let (after, permit) = self.environment.invoke(job).await;
            if after == After::Dead {
                return;
            }
            self.offer(permit);
            match self.wait().await {
                Next::Job(next) => job = *next,
                Next::End(reason) => return self.environment.end(reason).await,
            }
        }
    }

    /// Idle first, then the permit: who gets it finds this environment.
    fn offer(&self, permit: OwnedSemaphorePermit) {
        if let Some(pool) = self.pool.upgrade() {
            pool.idle().push(Idle { ordinal: self.ordinal, jobs: self.jobs.clone() });
        }
        drop(permit);
    }

    async fn wait(&mut self) -> Next {
        let end = Instant::now() + self.environment.function.config.idle_timeout;
        loop {
            let reason = tokio::select! {
                Some(job) = self.queue.recv() => return Next::Job(Box::new(job)),
                _ = self.stop.wait_for(|stop| *stop) => ShutdownReason::Spindown,
                () = tokio::time::sleep_until(end.into()) => ShutdownReason::Spindown,
                failure = self.environment.attend() => {
                    tracing::warn!(error = failure.message, "an idle environment failed");
                    ShutdownReason::Failure
                }
            };
            if self.pool.upgrade().is_none_or(|pool| pool.retire(self.ordinal)) {
                return Next::End(reason);
            }
            // A job is on its way: it was taken from the idle list in this moment.
            if let Some(job) = self.queue.recv().await {
                return Next::Job(Box::new(job));
            }
        }
    }
}

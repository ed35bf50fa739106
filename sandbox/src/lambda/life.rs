//! One environment's task, from its init to its end: `work` takes one invocation after the other, `serve` several at
//! once.

mod serve;
mod work;

use std::sync::Weak;
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use super::pool::{Idle, Pool};
use crate::environment::{Environment, Failure};
use crate::phase::{InitPhase, Job};

pub(super) use serve::serve;
pub(super) use work::work;

/// What an environment's task owns.
pub(super) struct Life {
    pub(super) environment: Environment,
    pub(super) ordinal: u64,
    /// Whose environment it is: that of its first invocation's tenant.
    pub(super) tenant_id: Option<String>,
    pub(super) queue: mpsc::Receiver<Job>,
    pub(super) jobs: mpsc::Sender<Job>,
    pub(super) pool: Weak<Pool>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) _alive: watch::Receiver<()>,
}

impl Life {
    /// Room for as many invocations as the environment takes at once.
    pub(super) fn slots(&self) -> impl Iterator<Item = Idle> + use<> {
        let (ordinal, tenant_id, jobs) = (self.ordinal, self.tenant_id.clone(), self.jobs.clone());
        let slots = self.environment.initialization.slots();
        (0..slots).map(move |_| Idle { ordinal, tenant_id: tenant_id.clone(), jobs: jobs.clone() })
    }

    async fn initialize(&mut self) -> Result<(), Failure> {
        let config = &self.environment.function.config;
        let limit = self.environment.initialization.init_limit(config.init_timeout);
        let outcome = self.environment.initialize(InitPhase::Init, Instant::now() + limit).await;
        if let Err(failure) = &outcome {
            tracing::warn!(
                function = self.environment.function.config.name,
                error_type = failure.error_type,
                error = failure.message,
                "init failed"
            );
        }
        outcome
    }

    /// Idle first, then the permit: who gets it finds this environment.
    fn offer(&self, permit: Option<OwnedSemaphorePermit>) {
        if let Some(pool) = self.pool.upgrade() {
            pool.idle().extend(self.slots().take(1));
        }
        drop(permit);
    }

    /// Whether nothing is on its way to it, and nothing will be.
    fn retire(&self) -> bool {
        let slots = self.environment.initialization.slots();
        self.pool.upgrade().is_none_or(|pool| pool.retire(self.ordinal, slots))
    }
}

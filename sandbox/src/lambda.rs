//! All functions of the local environment: checks them, finds an environment for each invocation, makes new ones.

mod install;
mod life;
mod pool;

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::function::FunctionConfig;
use crate::invocation::{Invocation, InvocationType, InvokeError, Outcome};
use crate::streamed::Answered;
use pool::Pool;

pub use install::SandboxError;

/// Lambda's limit on a request's payload.
const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

/// A handle on the local environment; clones share it. Its processes end with the last clone, at the latest.
#[derive(Debug, Clone)]
pub struct Lambda {
    pools: Arc<Vec<Arc<Pool>>>,
}

impl Lambda {
    /// Checks all functions and finds their programs. Processes start with the first invocation, or now where the
    /// function's [`Initialization`](crate::Initialization) has environments ahead of it; their init is waited for.
    ///
    /// # Errors
    /// When a program, a directory or an extension is not there, or two functions have one name.
    pub async fn start(functions: Vec<FunctionConfig>) -> Result<Self, SandboxError> {
        let pools: Vec<_> =
            install::check(functions)?.into_iter().map(|function| Arc::new(Pool::new(function))).collect();
        let mut preparing = JoinSet::new();
        for pool in &pools {
            let pool = pool.clone();
            preparing.spawn(async move { pool.prepare().await });
        }
        preparing.join_all().await;
        Ok(Self { pools: Arc::new(pools) })
    }

    /// Runs a function and waits for its answer; `Event` too (the Invoke API's front has the queue and the retries).
    ///
    /// # Errors
    /// When the function did not run at all. A function that failed is an outcome.
    pub async fn invoke(&self, invocation: Invocation) -> Result<Outcome, InvokeError> {
        let pool = self.pool_for(&invocation)?;
        if invocation.kind == InvocationType::DryRun {
            return Ok(pool.dry_run());
        }
        pool.clone().invoke(invocation).await
    }

    /// Runs a function and waits until it begins to answer: in chunks if it streams, else as [`Self::invoke`].
    ///
    /// # Errors
    /// When the function did not run at all. A function that failed is an outcome.
    pub async fn invoke_streaming(&self, invocation: Invocation) -> Result<Answered, InvokeError> {
        let pool = self.pool_for(&invocation)?;
        if invocation.kind == InvocationType::DryRun {
            return Ok(Answered::Whole(pool.dry_run()));
        }
        pool.clone().invoke_streaming(invocation).await
    }

    fn pool_for(&self, invocation: &Invocation) -> Result<&Arc<Pool>, InvokeError> {
        let pool = self.pool(&invocation.function);
        let pool = pool.ok_or_else(|| InvokeError::UnknownFunction(invocation.function.clone()))?;
        let bytes = invocation.payload.len();
        if bytes > PAYLOAD_BYTES_MAX {
            return Err(InvokeError::PayloadTooLarge { bytes, bytes_max: PAYLOAD_BYTES_MAX });
        }
        Ok(pool)
    }

    /// All functions, in the order they were given.
    pub fn functions(&self) -> Vec<&FunctionConfig> {
        self.pools.iter().map(|pool| pool.config()).collect()
    }

    /// One function.
    pub fn function(&self, name: &str) -> Option<&FunctionConfig> {
        self.pool(name).map(|pool| pool.config())
    }

    /// How many environments of a function live now.
    pub fn environments(&self, function: &str) -> usize {
        self.pool(function).map_or(0, |pool| pool.environments())
    }

    /// Takes no more invocations, lets running ones finish within their time, and ends all environments with
    /// SHUTDOWN.
    pub async fn shutdown(&self) {
        for pool in self.pools.iter() {
            pool.stop();
        }
        for pool in self.pools.iter() {
            pool.ended().await;
        }
    }

    fn pool(&self, name: &str) -> Option<&Arc<Pool>> {
        self.pools.iter().find(|pool| pool.config().name == name)
    }
}

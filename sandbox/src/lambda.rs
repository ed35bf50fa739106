//! All functions of the local environment: checks them, finds an environment for each invocation, makes new ones.

mod install;
mod pool;

use std::sync::Arc;

use crate::function::FunctionConfig;
use crate::invocation::{Invocation, InvocationType, InvokeError, Outcome};
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
    /// Checks all functions and finds their programs; the first invocation of each starts processes.
    ///
    /// # Errors
    /// When a program, a directory or an extension is not there, or two functions have one name.
    #[allow(clippy::unused_async, reason = "there is a runtime to start tasks on")]
    pub async fn start(functions: Vec<FunctionConfig>) -> Result<Self, SandboxError> {
        let pools =
            install::check(functions)?.into_iter().map(|function| Arc::new(Pool::new(function))).collect();
        Ok(Self { pools: Arc::new(pools) })
    }

    /// Runs a function and waits for its answer; `Event` too (the Invoke API's front has the queue and the retries).
    ///
    /// # Errors
    /// When the function did not run at all. A function that failed is an outcome.
    pub async fn invoke(&self, invocation: Invocation) -> Result<Outcome, InvokeError> {
        let pool = self.pool(&invocation.function);
        let pool = pool.ok_or_else(|| InvokeError::UnknownFunction(invocation.function.clone()))?;
        let bytes = invocation.payload.len();
        if bytes > PAYLOAD_BYTES_MAX {
            return Err(InvokeError::PayloadTooLarge { bytes, bytes_max: PAYLOAD_BYTES_MAX });
        }
        if invocation.kind == InvocationType::DryRun {
            return Ok(pool.dry_run());
        }
        pool.clone().invoke(invocation).await
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

//! All functions of the local environment: finds a sandbox for each invocation, makes new ones, ends idle ones.

use crate::function::FunctionConfig;
use crate::invocation::{Invocation, InvokeError, Outcome};

/// Why the environment cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// A function's settings contradict themselves or the machine.
    #[error("function {function:?}: {why}")]
    Function {
        /// The function's name.
        function: String,
        /// What is wrong with it.
        why: String,
    },
}

/// A handle on the environment; clones share it. Processes end when the last is gone.
#[derive(Debug, Clone)]
pub struct Lambda {}

impl Lambda {
    /// Checks all functions; starts no process yet.
    ///
    /// # Errors
    /// When a program or an extension is not there, or two functions have one name.
    #[allow(clippy::unused_async, reason = "the seam")]
    pub async fn start(functions: Vec<FunctionConfig>) -> Result<Self, SandboxError> {
        let _ = functions;
        Ok(Self {})
    }

    /// Runs a function and waits for its answer.
    ///
    /// # Errors
    /// When the function did not run at all.
    #[allow(clippy::unused_async, reason = "the seam")]
    pub async fn invoke(&self, invocation: Invocation) -> Result<Outcome, InvokeError> {
        Err(InvokeError::UnknownFunction(invocation.function))
    }

    /// All functions, in the order they were given.
    pub fn functions(&self) -> Vec<&FunctionConfig> {
        Vec::new()
    }

    /// One function.
    pub fn function(&self, name: &str) -> Option<&FunctionConfig> {
        self.functions().into_iter().find(|function| function.name == name)
    }

    /// Ends all sandboxes with SHUTDOWN and waits for them.
    #[allow(clippy::unused_async, reason = "the seam")]
    pub async fn shutdown(&self) {}
}

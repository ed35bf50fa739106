//! What goes into a function and what comes out: the words that the fronts share with the pool.

use bytes::Bytes;

/// One request to run a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The function's name.
    pub function: String,
    /// The invocation's identity, where it is known before; an asynchronous event keeps its own over all tries.
    pub request_id: Option<String>,
    /// JSON.
    pub payload: Bytes,
    /// Whether the caller waits.
    pub kind: InvocationType,
    /// JSON about the client, as the Invoke API decodes it from base64.
    pub client_context: Option<String>,
    /// `Root=…;Parent=…;Sampled=…`; one is made without it.
    pub trace_header: Option<String>,
    /// Whose it is, for a function with tenant isolation: environments are not shared between tenants.
    pub tenant_id: Option<String>,
    /// Whether the outcome carries the log's last 4 KB.
    pub log_tail: bool,
}

impl Invocation {
    /// A request whose caller waits for the answer.
    pub fn new(function: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            function: function.into(),
            request_id: None,
            payload: payload.into(),
            kind: InvocationType::RequestResponse,
            client_context: None,
            trace_header: None,
            tenant_id: None,
            log_tail: false,
        }
    }
}

/// The Invoke API's `X-Amz-Invocation-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InvocationType {
    /// The caller waits for the function's answer.
    #[default]
    RequestResponse,
    /// The caller is answered at once; the function runs later, three times at most.
    Event,
    /// Only checks that the function is there.
    DryRun,
}

/// What an invocation came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The invocation's identity.
    pub request_id: String,
    /// The function's answer, or its error as JSON; empty for `Event` and `DryRun`.
    pub payload: Bytes,
    /// Set if the function failed.
    pub error: Option<FunctionError>,
    /// `$LATEST` or a number.
    pub executed_version: String,
    /// The last 4 KB of the log, if asked for.
    pub log_tail: Option<Vec<u8>>,
}

/// The Invoke API's `X-Amz-Function-Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionError {
    /// The function reported it itself.
    Handled,
    /// The runtime reported it, or the platform did: crash, timeout, memory.
    Unhandled,
}

impl FunctionError {
    /// As in the header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handled => "Handled",
            Self::Unhandled => "Unhandled",
        }
    }
}

/// Why an invocation did not run at all. A function that ran and failed is an [`Outcome`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// No function of this name.
    #[error("there is no function {0:?}")]
    UnknownFunction(String),
    /// The payload is larger than AWS takes.
    #[error("a payload of {bytes} bytes is over the limit of {bytes_max}")]
    PayloadTooLarge {
        /// What came.
        bytes: usize,
        /// What is allowed.
        bytes_max: usize,
    },
    /// All sandboxes stayed busy.
    #[error("all {concurrency_max} sandboxes of {function:?} are busy")]
    Throttled {
        /// The function's name.
        function: String,
        /// Its limit.
        concurrency_max: usize,
    },
    /// The environment is going down.
    #[error("the local environment is shutting down")]
    ShuttingDown,
    /// A sandbox could not be made: no socket, no process.
    #[error("a sandbox could not be started")]
    Sandbox(#[from] std::io::Error),
}

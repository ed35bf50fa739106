//! What the three APIs and the processes tell the task that owns an environment, and what it answers.
//!
//! Only the owner changes the environment's state; handlers send one of these and wait for the reply.

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::StatusCode;
use lambda_api::extensions::{EventKind, NextEvent, RegisterResponse};
use lambda_api::telemetry::{LogsDropped, Subscription};
use tokio::sync::{mpsc, oneshot};

use crate::output::Source;

/// Messages that may wait for the owner. It only ever waits for these, so that a full inbox is a burst of log
/// lines: the printing process then blocks on its pipe, as it would on a slow terminal.
pub(crate) const INBOX_MESSAGES_MAX: usize = 1_024;

/// How a handler gets its answer.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Refusal>>;

/// A request that the platform refuses, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error_type: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn forbidden(error_type: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::FORBIDDEN, error_type, message: message.into() }
    }

    pub(crate) fn bad_request(error_type: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error_type, message: message.into() }
    }

    /// A path that this environment does not have.
    pub(crate) fn not_found() -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            error_type: "NotFound",
            message: "404 page not found".to_owned(),
        }
    }

    /// Also what a handler answers when the owner is gone.
    pub(crate) fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error_type: "InternalServerError",
            message: "Internal Server Error".to_owned(),
        }
    }
}

/// What a runtime gets from `next`.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) request_id: String,
    pub(crate) deadline_ms: u64,
    pub(crate) function_arn: String,
    pub(crate) trace: String,
    pub(crate) client_context: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) payload: Bytes,
}

/// What a runtime sends back for one invocation.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) body: Bytes,
    /// Set if the function failed: `Runtime.UserCodeError`, `Unhandled`, …
    pub(crate) error_type: Option<String>,
    /// When the request's first byte and its last one were there.
    pub(crate) first_byte: Instant,
    pub(crate) complete: Instant,
}

/// What an extension gets from registration.
#[derive(Debug, Clone)]
pub(crate) struct Registered {
    pub(crate) identifier: String,
    pub(crate) body: RegisterResponse,
}

/// Keys that a process fetches, and when it must fetch new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: String,
    pub(crate) expires: SystemTime,
}

/// Which of an extension's two error calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorStage {
    Init,
    Exit,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exit {
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
}

impl Exit {
    /// As Go, and with it AWS, puts it: `exit status 1`, `signal: killed`.
    pub(crate) fn describe(self) -> String {
        match (self.code, self.signal) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(9)) => "signal: killed".to_owned(),
            (None, Some(15)) => "signal: terminated".to_owned(),
            (None, Some(11)) => "signal: segmentation fault".to_owned(),
            (None, Some(6)) => "signal: aborted".to_owned(),
            (None, Some(signal)) => format!("signal: {signal}"),
            (None, None) => "unknown".to_owned(),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) enum Message {
    RuntimeNext(Reply<Work>),
    RuntimeAnswer {
        request_id: String,
        answer: Result<Answer, Refusal>,
        reply: Reply<()>,
    },
    /// The runtime begins to stream its answer: where do chunks go besides, if anywhere?
    RuntimeStreams {
        request_id: String,
        content_type: String,
        reply: Reply<Option<mpsc::Sender<Bytes>>>,
    },
    RuntimeInitError {
        error_type: String,
        body: Bytes,
        reply: Reply<()>,
    },
    /// The runtime is ready to be frozen as a snapshot, and waits to be restored.
    RestoreNext(Reply<()>),
    RestoreError {
        error_type: String,
        body: Bytes,
        reply: Reply<()>,
    },
    Credentials {
        authorization: String,
        reply: Reply<Issued>,
    },
    Register {
        name: String,
        events: Vec<EventKind>,
        account: bool,
        reply: Reply<Registered>,
    },
    ExtensionNext {
        identifier: String,
        reply: Reply<NextEvent>,
    },
    ExtensionError {
        identifier: String,
        stage: ErrorStage,
        error_type: String,
        reply: Reply<()>,
    },
    Subscribe {
        identifier: String,
        subscription: Box<Subscription>,
        port: u16,
        path: String,
        reply: Reply<()>,
    },
    Line {
        source: Source,
        text: String,
        /// When it was written, if the process said so; now, otherwise.
        at: Option<SystemTime>,
    },
    /// All that was printed before barrier `0` was asked of process `pid` has been sent.
    Drained {
        pid: u32,
        barrier: u64,
    },
    Exited {
        source: Source,
        pid: u32,
        exit: Exit,
    },
    Dropped(LogsDropped),
    /// A fault around a telemetry POST: everything stops for so long, from the answer on.
    Stop {
        length: Duration,
        stopped: oneshot::Sender<()>,
    },
}

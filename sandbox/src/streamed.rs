//! An answer that comes in chunks: what a caller of `invoke_streaming` gets while the function still writes.

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::invocation::{InvokeError, Outcome};

/// Chunks that may wait for a slow caller; then the function waits, as on AWS. One is what a socket gave at once, some
/// hundred kilobytes at most.
pub(crate) const CHUNKS_MAX: usize = 16;

/// How a function answers a caller that takes chunks.
#[derive(Debug)]
pub enum Answered {
    /// All at once.
    Whole(Outcome),
    /// Bit by bit.
    Streamed(Streamed),
}

/// What the runtime has begun to send.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) request_id: String,
    pub(crate) executed_version: String,
    pub(crate) content_type: String,
    pub(crate) chunks: mpsc::Receiver<Bytes>,
}

/// See the module. Dropping it leaves the function running, as hanging up does.
#[derive(Debug)]
pub struct Streamed {
    begun: Begun,
    outcome: oneshot::Receiver<Outcome>,
}

impl Streamed {
    pub(crate) fn new(begun: Begun, outcome: oneshot::Receiver<Outcome>) -> Self {
        Self { begun, outcome }
    }

    /// The invocation's identity.
    pub fn request_id(&self) -> &str {
        &self.begun.request_id
    }

    /// `$LATEST` or a number.
    pub fn executed_version(&self) -> &str {
        &self.begun.executed_version
    }

    /// What the function says it sends.
    pub fn content_type(&self) -> &str {
        &self.begun.content_type
    }

    /// The next chunk; none after the last one.
    pub async fn chunk(&mut self) -> Option<Bytes> {
        self.begun.chunks.recv().await
    }

    /// What it came to in the end, with the whole payload; asked for after the last chunk.
    ///
    /// # Errors
    /// When the environment went down before the end.
    pub async fn outcome(self) -> Result<Outcome, InvokeError> {
        self.outcome.await.map_err(|_| InvokeError::ShuttingDown)
    }
}

//! Platform records become spans, logs and metric points, one trace per invocation. Called by the extension for each
//! record in the order of arrival; knows no clock.

use lambda_api::telemetry::Record;
use model::{Resource, Timestamp};

use crate::{FunctionContext, Signals};

/// A line of an `extension` record that begins with this is our own: it is folded, so that nothing feeds on itself.
pub const OWN_LINE_MARKER: &str = "[limelight]";

/// Why a sandbox ends, from SHUTDOWN's `shutdownReason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// `spindown`: not needed any longer.
    Spindown,
    /// `timeout`: the invocation (or init) took too long.
    Timeout,
    /// `failure`: the runtime or an extension died.
    Failure,
}

/// The state of one sandbox.
#[derive(Debug)]
pub struct Assembler {
    function: FunctionContext,
}

impl Assembler {
    /// For the sandbox of `function`, before any record.
    pub fn new(function: FunctionContext) -> Self {
        Self { function }
    }

    /// Takes one record. `arrived_at` stands in where the record's own time cannot be read.
    pub fn accept(&mut self, _record: Record, _arrived_at: Timestamp) -> Signals {
        Signals::default()
    }

    /// The emitter of everything that `accept` gives, as far as it is known by now.
    pub fn resource(&self) -> Resource {
        self.function.resource()
    }

    /// Takes what the function's ARN tells (INVOKE's `invokedFunctionArn`).
    pub fn learn_arn(&mut self, arn: &str) {
        self.function.learn_arn(arn);
    }

    /// What is still open when the sandbox ends. The assembler can go on if it does not.
    pub fn close(&mut self, _reason: CloseReason, _now: Timestamp) -> Signals {
        Signals::default()
    }
}

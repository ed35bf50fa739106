//! What the runtime says, and how processes end.

use bytes::Bytes;

use super::{Environment, Failure};
use crate::environment::agent::State;
use crate::function::Source;
use crate::message::{Answer, Exit, Refusal, Reply, Work};

const INVALID_STATE: &str = "InvalidStateTransition";

impl Environment {
    pub(super) fn runtime_next(&mut self, reply: Reply<Work>) {
        if self.current.as_ref().is_some_and(|current| !current.is_answered()) && self.pending_work.is_none()
        {
            let why = "State transition from Running to Ready failed for runtime. Error: State transition is not allowed";
            let _ = reply.send(Err(Refusal::forbidden(INVALID_STATE, why)));
            return;
        }
        self.runtime_next = Some(reply);
        if let Some(work) = self.pending_work.take() {
            self.hand_work(work);
        }
    }

    /// Gives the runtime its work, now or when it asks.
    pub(crate) fn hand_work(&mut self, work: Work) {
        let taken = self.runtime_next.take().is_some_and(|next| next.send(Ok(work.clone())).is_ok());
        if !taken {
            // It has not asked yet, or its request broke off; it will come again.
            self.pending_work = Some(work);
        }
    }

    pub(super) fn runtime_answer(
        &mut self,
        request_id: &str,
        answer: Result<Answer, Refusal>,
        reply: Reply<()>,
    ) {
        let verdict = match &mut self.current {
            Some(current) if current.request_id == request_id && !current.is_answered() => {
                let refusal = answer.as_ref().err().cloned();
                current.answer(answer);
                refusal.map_or(Ok(()), Err)
            }
            Some(current) if current.request_id == request_id => Err(Refusal::forbidden(
                INVALID_STATE,
                "State transition from InvocationResponse to InvocationResponse failed for runtime. \
                 Error: State transition is not allowed",
            )),
            _ => Err(Refusal::bad_request("InvalidRequestID", "Invalid request ID")),
        };
        let _ = reply.send(verdict);
    }

    pub(super) fn runtime_init_error(&mut self, error_type: String, body: Bytes, reply: Reply<()>) {
        if self.initialized {
            let why = "State transition from Ready to InitError failed for runtime. Error: State transition is not allowed";
            let _ = reply.send(Err(Refusal::forbidden(INVALID_STATE, why)));
            return;
        }
        let _ = reply.send(Ok(()));
        let message = "the runtime could not start";
        self.fail(Failure { error_type, message: message.to_owned(), body: Some(body) });
    }

    pub(super) fn exited(&mut self, source: &Source, pid: u32, exit: Exit) {
        if self.runtime.as_ref().is_some_and(|runtime| runtime.pid() == pid) {
            self.runtime = None;
            self.runtime_next = None;
            let message = match exit.code {
                Some(0) => "Runtime exited without providing a reason".to_owned(),
                _ => format!("Runtime exited with error: {}", exit.describe()),
            };
            self.fail(Failure::new("Runtime.ExitError", message));
            return;
        }
        let agent = self
            .agents
            .iter_mut()
            .find(|agent| agent.process.as_ref().is_some_and(|process| process.pid() == pid));
        let Some(agent) = agent else { return };
        agent.process = None;
        agent.state = State::Gone;
        if self.ending.is_none() {
            tracing::warn!(?source, exit = exit.describe(), "an extension ended");
        }
        self.fail(Failure::new("Extension.Crash", exit.describe()));
    }
}

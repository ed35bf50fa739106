//! What the runtime says, and how processes end.

use bytes::Bytes;
use http::StatusCode;
use tokio::sync::mpsc;

use super::{Environment, Failure};
use crate::environment::agent::State;
use crate::initialization::Initialization;
use crate::message::{Answer, Exit, Refusal, Reply, Work};
use crate::output::Source;
use crate::phase::Current;

const INVALID_STATE: &str = "InvalidStateTransition";

impl Environment {
    /// Whether the runtime waits for work.
    pub(crate) fn runtime_asks(&self) -> bool {
        !self.runtime_next.is_empty()
    }

    /// Whether the runtime's part of init is done.
    pub(crate) fn runtime_is_up(&self) -> bool {
        self.runtime_asks() || self.restore_next.is_some()
    }

    pub(super) fn runtime_next(&mut self, reply: Reply<Work>) {
        if let Some(refusal) = self.refusal_of_next() {
            let _ = reply.send(Err(refusal));
            return;
        }
        self.runtime_next.push_back(reply);
        if let Some(work) = self.pending_work.pop_front() {
            self.hand_work(work);
        }
    }

    fn refusal_of_next(&mut self) -> Option<Refusal> {
        if self.initialization.is_managed() {
            self.runtime_next.retain(|next| !next.is_closed());
            return (self.runtime_next.len() >= self.initialization.slots()).then(Refusal::internal);
        }
        // There is one worker: if it asks again, it has given its first request up.
        self.runtime_next.clear();
        let busy = self.current.as_ref().is_some_and(|current| !current.is_answered());
        let why = "State transition from Running to Ready failed for runtime. Error: State transition is not allowed";
        (busy && self.pending_work.is_empty()).then(|| Refusal::forbidden(INVALID_STATE, why))
    }

    /// Gives the runtime its work, now or when it asks.
    pub(crate) fn hand_work(&mut self, work: Work) {
        while let Some(next) = self.runtime_next.pop_front() {
            if next.send(Ok(work.clone())).is_ok() {
                return;
            }
        }
        // It has not asked yet, or its request broke off; it will come again.
        self.pending_work.push_back(work);
    }

    pub(super) fn restore_next(&mut self, reply: Reply<()>) {
        if self.initialization != Initialization::SnapStart {
            let _ = reply.send(Err(Refusal::not_found()));
        } else if self.initialized {
            let why = "State transition from Ready to RestoreReady failed for runtime. Error: State transition is not allowed";
            let _ = reply.send(Err(Refusal::forbidden(INVALID_STATE, why)));
        } else {
            self.restore_next = Some(reply);
        }
    }

    pub(super) fn restore_error(&mut self, error_type: String, body: Bytes, reply: Reply<()>) {
        if self.initialization != Initialization::SnapStart {
            let _ = reply.send(Err(Refusal::not_found()));
            return;
        }
        let _ = reply.send(Ok(()));
        let message = "the runtime could not be restored";
        self.fail(Failure { error_type, message: message.to_owned(), body: Some(body) });
    }

    pub(super) fn runtime_answer(
        &mut self,
        request_id: &str,
        answer: Result<Answer, Refusal>,
        reply: Reply<()>,
    ) {
        let managed = self.initialization.is_managed();
        let verdict = match self.invocation(request_id) {
            Some(current) if !current.is_answered() => {
                let refusal = answer.as_ref().err().cloned();
                current.answer(answer);
                refusal.map_or(Ok(()), Err)
            }
            Some(_) if !managed => Err(Refusal::forbidden(
                INVALID_STATE,
                "State transition from InvocationResponse to InvocationResponse failed for runtime. \
                 Error: State transition is not allowed",
            )),
            _ => Err(self.refusal_of_answer(request_id)),
        };
        let _ = reply.send(verdict);
    }

    /// Where its chunks go besides, if its caller takes any.
    pub(super) fn runtime_streams(
        &mut self,
        request_id: &str,
        content_type: String,
    ) -> Option<mpsc::Sender<Bytes>> {
        self.invocation(request_id)?.begin(content_type)
    }

    fn invocation(&mut self, request_id: &str) -> Option<&mut Current> {
        let serving = self.serving.iter_mut().map(|one| &mut one.current);
        self.current.iter_mut().chain(serving).find(|current| current.request_id == request_id)
    }

    /// An answer that comes too late is told so, once.
    fn refusal_of_answer(&mut self, request_id: &str) -> Refusal {
        match self.late.iter().position(|late| late == request_id) {
            Some(index) => {
                self.late.remove(index);
                Refusal {
                    status: StatusCode::GONE,
                    error_type: "InvokeTimeout",
                    message: "Invoke timeout".to_owned(),
                }
            }
            None => Refusal::bad_request("InvalidRequestID", "Invalid request ID"),
        }
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
            self.runtime_next.clear();
            self.restore_next = None;
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

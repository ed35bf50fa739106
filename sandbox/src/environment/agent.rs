//! One extension of an environment: where it stands between its start and its end.

use lambda_api::extensions::{EventKind, NextEvent};

use crate::message::Reply;
use crate::process::Process;

/// Where an extension stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Its process runs.
    Started,
    /// It has its identifier.
    Registered,
    /// It has asked for the next event and has none.
    Ready,
    /// It has an event and has not asked for the next one.
    Running,
    /// It reported an error, or its process has ended.
    Gone,
}

impl State {
    /// As AWS's refusals name it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "Started",
            Self::Registered => "Registered",
            Self::Ready => "Ready",
            Self::Running => "Running",
            Self::Gone => "Exited",
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) identifier: String,
    pub(crate) events: Vec<EventKind>,
    pub(crate) state: State,
    /// None for an internal extension, which lives in the runtime's process.
    pub(crate) process: Option<Process>,
    next: Option<Reply<NextEvent>>,
    pending: Option<NextEvent>,
    /// SHUTDOWN is said once; whoever asks again after it waits until its end, as on AWS.
    knows_its_end: bool,
}

impl Agent {
    pub(crate) fn external(name: String, process: Process) -> Self {
        Self { process: Some(process), ..Self::internal(name) }
    }

    pub(crate) fn internal(name: String) -> Self {
        Self {
            name,
            identifier: String::new(),
            events: Vec::new(),
            state: State::Started,
            process: None,
            next: None,
            pending: None,
            knows_its_end: false,
        }
    }

    pub(crate) fn listens(&self, event: EventKind) -> bool {
        self.events.contains(&event)
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.state != State::Started
    }

    /// It asks for the next event and gets what is there.
    pub(crate) fn ask(&mut self, reply: Reply<NextEvent>) {
        self.state = State::Ready;
        self.next = Some(reply);
        if let Some(event) = self.pending.take() {
            self.tell(event);
        }
    }

    /// Hands it an event, now or when it asks.
    pub(crate) fn tell(&mut self, event: NextEvent) {
        let is_end = matches!(event, NextEvent::Shutdown { .. });
        if is_end && self.knows_its_end {
            return;
        }
        if let Some(next) = self.next.take() {
            match next.send(Ok(event)) {
                Ok(()) => {
                    self.knows_its_end |= is_end;
                    self.state = State::Running;
                    return;
                }
                // Its request broke off; it will come again.
                Err(Ok(event)) => self.pending = Some(event),
                Err(Err(_)) => {}
            }
        } else {
            self.pending = Some(event);
        }
        if self.state == State::Ready {
            self.state = State::Running;
        }
    }
}

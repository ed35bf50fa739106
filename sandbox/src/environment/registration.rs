//! What extensions say: registration, the next event, errors, subscriptions.
//!
//! Refusals as in AWS's own emulator, whose code is shared with the service.

use lambda_api::extensions::{EventKind, NextEvent, RegisterResponse};
use lambda_api::telemetry::{Category, Extension, SchemaVersion, Subscription, TelemetrySubscription, kind};
use uuid::Uuid;

use super::agent::{Agent, State};
use super::{Environment, Failure};
use crate::fault::Dice;
use crate::message::{ErrorStage, Refusal, Registered, Reply};
use crate::telemetry::relay::Target;

/// Lambda's limit, internal and external together.
const EXTENSIONS_MAX: usize = 10;

const INVALID_STATE: &str = "Extension.InvalidExtensionState";

impl Environment {
    pub(super) fn register(
        &mut self,
        name: &str,
        events: Vec<EventKind>,
        account: bool,
    ) -> Result<Registered, Refusal> {
        if self.initialization.is_managed() && events.contains(&EventKind::Invoke) {
            let why = "INVOKE: ErrorInvalidEventType";
            return Err(Refusal::forbidden("Extension.InvalidEventType", why));
        }
        let known = self.agents.iter().position(|agent| agent.name == name);
        let index = match known {
            Some(index) => index,
            None => self.admit_internal(name, &events)?,
        };
        let Some(agent) = self.agents.get_mut(index) else { return Err(Refusal::internal()) };
        if agent.state != State::Started {
            let from = agent.state.as_str();
            return Err(Refusal::forbidden(
                INVALID_STATE,
                format!(
                    "State transition from {from} to Registered failed for extension {name}. Error: State transition is not allowed"
                ),
            ));
        }
        agent.identifier = Uuid::new_v4().to_string();
        agent.events = events;
        agent.state = State::Registered;
        let identifier = agent.identifier.clone();
        let config = &self.function.config;
        Ok(Registered {
            identifier,
            body: RegisterResponse {
                function_name: config.name.clone(),
                function_version: config.version.clone(),
                handler: config.handler.clone(),
                account_id: account.then(|| config.account.clone()),
            },
        })
    }

    /// A name that no executable has is an extension inside the runtime's process.
    fn admit_internal(&mut self, name: &str, events: &[EventKind]) -> Result<usize, Refusal> {
        if self.initialized || self.runtime.is_none() {
            let external: Vec<_> = self.function.extensions.iter().map(|(name, _)| name).collect();
            tracing::warn!(name, ?external, "an extension registers by a name that is not its file's name");
            return Err(Refusal::forbidden(
                "Extension.RegistrationClosed",
                "Extension registration closed already",
            ));
        }
        if events.contains(&EventKind::Shutdown) {
            let why = "SHUTDOWN: ErrorInvalidEventType: internal extensions are not told of it";
            return Err(Refusal::forbidden("Extension.InvalidEventType", why));
        }
        if self.agents.len() >= EXTENSIONS_MAX {
            let why = format!("Extension limit ({EXTENSIONS_MAX}) reached");
            return Err(Refusal::forbidden("Extension.TooManyExtensions", why));
        }
        self.agents.push(Agent::internal(name.to_owned()));
        Ok(self.agents.len() - 1)
    }

    fn agent(&mut self, identifier: &str) -> Result<&mut Agent, Refusal> {
        self.agents
            .iter_mut()
            .find(|agent| agent.is_registered() && agent.identifier == identifier)
            .ok_or_else(|| {
                Refusal::forbidden(
                    "Extension.UnknownExtensionIdentifier",
                    format!("Unknown extension {identifier}"),
                )
            })
    }

    pub(super) fn extension_next(&mut self, identifier: &str, reply: Reply<NextEvent>) {
        let shutdown = self.shutdown_event();
        match self.agent(identifier) {
            Ok(agent) => {
                agent.ask(reply);
                if let Some(event) = shutdown
                    && agent.listens(EventKind::Shutdown)
                {
                    agent.tell(event);
                }
            }
            Err(refusal) => {
                let _ = reply.send(Err(refusal));
            }
        }
    }

    /// What every extension is told from now on, if the environment is ending.
    pub(crate) fn shutdown_event(&self) -> Option<NextEvent> {
        self.ending.as_ref().map(|ending| NextEvent::Shutdown {
            shutdown_reason: ending.reason.clone(),
            deadline_ms: ending.deadline_ms,
        })
    }

    pub(super) fn extension_error(
        &mut self,
        identifier: &str,
        stage: ErrorStage,
        error_type: String,
    ) -> Result<(), Refusal> {
        let initialized = self.initialized;
        let agent = self.agent(identifier)?;
        let (state, fatal) = match stage {
            ErrorStage::Init => ("InitError", "Extension.InitError"),
            ErrorStage::Exit => ("ExitError", "Extension.ExitError"),
        };
        if stage == ErrorStage::Init && (initialized || agent.state != State::Registered) {
            let from = agent.state.as_str();
            return Err(Refusal::forbidden(
                INVALID_STATE,
                format!(
                    "State transition from {from} to InitError failed for extension {identifier}. Error: State transition is not allowed"
                ),
            ));
        }
        agent.state = State::Gone;
        let record = extension_record(agent, state, Some(error_type.clone()));
        self.emit(kind::PLATFORM_EXTENSION, &record);
        self.fail(Failure::new(fatal, error_type));
        Ok(())
    }

    pub(super) fn subscribe(
        &mut self,
        identifier: &str,
        subscription: &Subscription,
        port: u16,
        path: String,
    ) -> Result<(), Refusal> {
        let name = self.agent(identifier)?.name.clone();
        if !self.telemetry.is_open() {
            return Err(Refusal::forbidden(
                "Telemetry.SubscriptionClosed",
                "Telemetry API subscription is closed",
            ));
        }
        if self.telemetry.knows(&name) {
            return Err(Refusal::internal());
        }
        if !self.knows_schema(subscription.schema_version) {
            let version = subscription.schema_version.as_str();
            return Err(Refusal::bad_request(
                "ValidationError",
                format!("schemaVersion {version} is not supported"),
            ));
        }
        let host = subscription.destination.uri.trim_start_matches("http://");
        let host = host.split([':', '/']).next().unwrap_or_default().to_owned();
        let dice = self.dice.as_mut().map(Dice::split);
        let backlog = self.function.config.telemetry_backlog;
        self.telemetry.subscribe(&name, subscription, Target { host, port, path }, dice, backlog);
        let types = subscription.types.iter().map(|category| category_name(*category).to_owned()).collect();
        let record = TelemetrySubscription { name, state: "Subscribed".to_owned(), types };
        self.emit(kind::TELEMETRY_SUBSCRIPTION, &record);
        Ok(())
    }
}

impl Environment {
    /// What the function's "region" knows; managed instances know the newest alone.
    fn knows_schema(&self, version: SchemaVersion) -> bool {
        let newest_only = self.initialization.is_managed();
        self.function.config.telemetry_schemas.contains(&version)
            && (!newest_only || version == SchemaVersion::January2025)
    }
}

/// `platform.extension` of one extension.
pub(crate) fn extension_record(agent: &Agent, state: &str, error_type: Option<String>) -> Extension {
    let events = agent.events.iter().map(|event| match event {
        EventKind::Invoke => "INVOKE".to_owned(),
        EventKind::Shutdown => "SHUTDOWN".to_owned(),
    });
    Extension { name: agent.name.clone(), state: state.to_owned(), events: events.collect(), error_type }
}

const fn category_name(category: Category) -> &'static str {
    match category {
        Category::Platform => "platform",
        Category::Function => "function",
        Category::Extension => "extension",
    }
}

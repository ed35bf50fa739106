//! Puts the parts together, sink first: each stage gets only its successor. Whatever cannot be had costs its function
//! and never the sandbox's: one line, and `/next` is answered all the same.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use lambda_api::extensions::RegisterResponse;
use lambda_api::telemetry::SchemaVersion;
use pipeline::payload::Payloads;
use tokio::task::JoinHandle;

use crate::collector::intake::Intake;
use crate::collector::{Collector, Inputs, Outputs};
use crate::config::{self, Config, EXTENSION_NAME, Shipping};
use crate::export::{self, Export};
use crate::inbound::{self, Entrance, Inbox};
use crate::lambda::{Lambda, LambdaError, Subscribed};
use crate::lifecycle::{self, Duty};
use crate::listener::Listener;
use crate::mirror::Mirror;
use crate::otlp::{Ports, Receiver};
use crate::proxy::{Copies, Proxy};
use crate::supervise::{Panicked, guarded};
use crate::{identity, notice};

/// A registered extension, ready for its first `/next`.
#[derive(Debug)]
pub struct App {
    lambda: Lambda,
    duty: Duty,
    listener: Option<JoinHandle<()>>,
    receiver: Option<Receiver>,
    _proxy: Option<Proxy>,
}

impl App {
    /// Registers and, if there is anything to ship, listens and subscribes.
    ///
    /// # Errors
    /// When registration fails: then there is no way to answer `/next`.
    pub async fn build(config: Config) -> anyhow::Result<Self> {
        let (entrance, inbox) = inbound::queue(config.inbound_bytes_max());
        // As soon as every extension has registered, the platform starts the runtime, and that looks for the proxy.
        let copies = config.payloads().map(Copies::from);
        let proxy = copies.and_then(|copies| Proxy::start(&config.runtime_api, copies, entrance.clone()));
        let (lambda, function) = register(&config).await?;
        let idle = Arc::default();
        let mut app = Self {
            lambda,
            duty: Duty::Idle(Arc::clone(&idle)),
            listener: None,
            receiver: None,
            _proxy: proxy,
        };
        if let config::Duty::Ship(mut shipping) = config.duty {
            let known = &mut shipping.function;
            known.account = function.account_id.unwrap_or_default();
            for (known, told) in
                [(&mut known.name, function.function_name), (&mut known.version, function.function_version)]
            {
                if known.is_empty() {
                    *known = told;
                }
            }
            match guarded(app.collect(*shipping, config.otlp, entrance, inbox)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => notice::say(format_args!("going on without telemetry: {error:#}")),
                Err(Panicked) => notice::say(format_args!("going on without telemetry")),
            }
        }
        if matches!(app.duty, Duty::Idle(_)) {
            app.receiver = Some(Receiver::start_deaf(config.otlp, idle));
        }
        Ok(app)
    }

    /// Until SHUTDOWN has been dealt with.
    ///
    /// # Errors
    /// When the platform cannot be reached any more.
    pub async fn run(self) -> anyhow::Result<()> {
        let ended = match guarded(lifecycle::run(&self.lambda, &self.duty)).await {
            Ok(ended) => ended,
            // The function lives as long as `/next` is asked for.
            Err(Panicked) => lifecycle::run(&self.lambda, &Duty::Idle(Arc::default())).await,
        };
        if let Some(listener) = self.listener {
            listener.abort();
        }
        ended.context("lost the platform")
    }

    async fn collect(
        &mut self,
        shipping: Shipping,
        otlp: Ports,
        entrance: Entrance,
        inbox: Inbox,
    ) -> anyhow::Result<()> {
        let sandbox = identity::sandbox().context("cannot choose an identity")?;
        let listener = Listener::bind(shipping.port).await.context("cannot listen")?;
        let port = listener.port();
        // The socket is bound, so deliveries wait in it; the platform checks nothing before the first one.
        match self.lambda.subscribe(port).await? {
            Subscribed::Yes(SchemaVersion::January2025) => {}
            Subscribed::Yes(older) => {
                notice::say(format_args!(
                    "the platform's telemetry comes in its older form {}",
                    older.as_str()
                ));
            }
            Subscribed::NotSupported => anyhow::bail!("this platform has no Telemetry API"),
        }
        let export = Export::start(export::Settings {
            sandbox: sandbox.clone(),
            destination: shipping.destination,
            budget: shipping.policy.budget,
            backlog_bytes_max: shipping.memory.backlog_bytes_max,
            request_bytes_max: shipping.memory.request_bytes_max,
            journal: shipping.journal,
        });
        let (deliveries, accepting) = listener.start(shipping.memory.queue_bytes_max);
        let payloads =
            shipping.payloads.map(|payloads| Payloads::new(payloads.keep, shipping.memory.inbound_bytes_max));
        let intake =
            Intake::new(sandbox, shipping.function, shipping.limits, shipping.selection).with(payloads);
        let inbound_bytes_max = shipping.memory.inbound_bytes_max;
        let inputs = Inputs { deliveries, inbox, all_ready: Arc::default() };
        self.receiver = Some(Receiver::start(otlp, inbound_bytes_max, entrance, inputs.all_ready.clone()));
        let (mirror_bytes_max, budget) = (shipping.memory.mirror_bytes_max, shipping.policy.budget);
        let mirror = shipping.mirrored.map(|target| Mirror::start(target, mirror_bytes_max, budget));
        let outputs = Outputs { export, mirror };
        self.duty = Duty::Collect(Collector::start(intake, shipping.policy, inputs, outputs));
        self.listener = Some(accepting);
        Ok(())
    }
}

/// The platform is there before its extensions, but nothing comes back from a failure here.
const REGISTRATIONS_MAX: u32 = 3;
/// Between two of them.
const REGISTRATION_PAUSE: Duration = Duration::from_millis(100);

async fn register(config: &Config) -> anyhow::Result<(Lambda, RegisterResponse)> {
    let mut tries = 0;
    loop {
        tries += 1;
        match Lambda::register(&config.runtime_api, EXTENSION_NAME, &config.initialization_type).await {
            Err(LambdaError::Call { .. }) if tries < REGISTRATIONS_MAX => {
                tokio::time::sleep(REGISTRATION_PAUSE).await;
            }
            answered => {
                return answered.with_context(|| {
                    format!("cannot register with the platform at {:?}", config.runtime_api)
                });
            }
        }
    }
}

//! Records on their way to subscribers: kept for late ones until init is over, shaped to each one's schema, handed
//! to one relay per subscription.
//!
//! Owned by the environment; it never waits for a subscriber.

pub(crate) mod buffer;
pub(crate) mod cut;
mod disturbance;
pub(crate) mod line;
pub(crate) mod relay;
pub(crate) mod schema;

use std::sync::Arc;

use lambda_api::telemetry::{Category, LogsDropped, Record, Subscription};
use tokio::sync::watch;

use crate::apis::Inbox;
use crate::fault::Dice;
use relay::{Relay, Target};

/// Records kept for late subscribers; init prints some ten. What is over it is not replayed.
const REPLAYED_RECORDS_MAX: usize = 10_000;

/// What a relay must know of the environment's phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tempo {
    /// Deliver when the subscriber's limits say so.
    Normal,
    /// Everything is stopped: a POST now would reach nobody.
    Frozen,
    /// The environment ends: deliver at once.
    Closing,
}

/// All subscriptions of one environment.
#[derive(Debug)]
pub(crate) struct Telemetry {
    inbox: Inbox,
    replay: Vec<Arc<Record>>,
    open: bool,
    relays: Vec<Relay>,
    tempo: watch::Sender<Tempo>,
}

impl Telemetry {
    pub(crate) fn new(inbox: Inbox) -> Self {
        Self {
            inbox,
            replay: Vec::new(),
            open: true,
            relays: Vec::new(),
            tempo: watch::Sender::new(Tempo::Normal),
        }
    }

    /// Whether init is still going on.
    pub(crate) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether this extension has subscribed before.
    pub(crate) fn knows(&self, extension: &str) -> bool {
        self.relays.iter().any(|relay| relay.extension == extension)
    }

    /// Adds a subscriber and hands it all records so far.
    pub(crate) fn subscribe(
        &mut self,
        extension: &str,
        subscription: &Subscription,
        target: Target,
        dice: Option<Dice>,
        backlog_max: usize,
    ) {
        let mut relay = Relay::start(
            extension.to_owned(),
            subscription,
            target,
            self.tempo.subscribe(),
            self.inbox.clone(),
            dice,
            backlog_max,
        );
        for record in &self.replay {
            relay.offer(record);
        }
        self.relays.push(relay);
    }

    /// Offers a record to every subscriber of its category.
    pub(crate) fn publish(&mut self, record: Record) {
        let record = Arc::new(record);
        for relay in &mut self.relays {
            relay.offer(&record);
        }
        if self.open && self.replay.len() < REPLAYED_RECORDS_MAX {
            self.replay.push(record);
        }
    }

    /// What relays had no room for, to be published as records.
    pub(crate) fn take_shed(&mut self) -> Option<LogsDropped> {
        self.relays.iter_mut().find_map(Relay::take_shed)
    }

    /// Init is over: nobody can subscribe any more.
    pub(crate) fn close_subscription(&mut self) {
        self.open = false;
        self.replay = Vec::new();
    }

    pub(crate) fn set_tempo(&self, tempo: Tempo) {
        self.tempo.send_replace(tempo);
    }

    /// Whether all that was offered has been answered by its subscriber.
    pub(crate) fn is_delivered(&self) -> bool {
        self.relays.iter().all(Relay::is_idle)
    }
}

/// Whether a subscription asks for this record.
pub(crate) fn wants(types: &[Category], record: &Record) -> bool {
    types.contains(&Category::of(&record.kind))
}

//! The companion: one store, and what is done with it. Cheap to clone; clones are the same companion.

use std::sync::Arc;

use store::{Store, StoreError};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::engines::Engines;
use crate::ingest::Turns;
use crate::route;
use crate::runs::Runs;
use crate::settings::Settings;

/// Live tails at once. Each looks twice a second for what came, in its turn among the queries.
const TAILS_MAX: usize = 32;

/// Ingests records of streams and answers requests.
#[derive(Clone)]
pub struct Companion {
    store: Store,
    settings: Arc<Settings>,
    turns: Arc<Turns>,
    runs: Arc<Runs>,
    engines: Engines,
    tails: Arc<Semaphore>,
    /// Held while files are looked after; when the last vacuum of this process was.
    vacuumed_at: Arc<Mutex<Option<Instant>>>,
}

impl Companion {
    /// Opens the store.
    ///
    /// # Errors
    /// When the store cannot be used, with its place and why.
    pub async fn open(settings: Settings) -> Result<Self, StoreError> {
        let store = Store::open(&settings.store, settings.options.clone()).await?;
        let engines = Engines::new(&settings.engines, settings.request_timeout).await;
        let (runs, tails) = (Runs::new(settings.admissions), Semaphore::new(TAILS_MAX));
        Ok(Self {
            store,
            settings: Arc::new(settings),
            turns: Arc::default(),
            runs: Arc::new(runs),
            engines,
            tails: Arc::new(tails),
            vacuumed_at: Arc::default(),
        })
    }

    /// The datasets.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How it works.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whose turn it is to deliver.
    pub(crate) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// What answers queries.
    pub(crate) fn runs(&self) -> &Runs {
        &self.runs
    }

    /// Who answers them.
    pub(crate) fn engines(&self) -> &Engines {
        &self.engines
    }

    /// A place for one more live tail, as long as it is held; none if there is none.
    pub(crate) fn tail_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.tails).try_acquire_owned().ok()
    }

    pub(crate) fn vacuumed_at(&self) -> &Mutex<Option<Instant>> {
        &self.vacuumed_at
    }

    /// The HTTP API. It checks neither who asks nor under which host name: a front on loopback puts its check of the
    /// `Host` header around it, a front in AWS its authorizer.
    pub fn router(&self) -> axum::Router {
        route::router(self.clone())
    }
}

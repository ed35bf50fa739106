//! The companion: one store, and what is done with it. Cheap to clone; clones are the same companion.

use std::sync::Arc;

use store::{Store, StoreError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::ingest::Turns;
use crate::route;
use crate::settings::Settings;

/// Ingests records of streams and answers requests.
#[derive(Clone)]
pub struct Companion {
    store: Store,
    settings: Arc<Settings>,
    turns: Arc<Turns>,
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
        Ok(Self { store, settings: Arc::new(settings), turns: Arc::default(), vacuumed_at: Arc::default() })
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

    pub(crate) fn vacuumed_at(&self) -> &Mutex<Option<Instant>> {
        &self.vacuumed_at
    }

    /// The HTTP API. It checks neither who asks nor under which host name: a front on loopback puts its check of the
    /// `Host` header around it, a front in AWS its authorizer.
    pub fn router(&self) -> axum::Router {
        route::router(self.clone())
    }
}

//! The companion: one store, and what is done with it. Cheap to clone; clones are the same companion.

use std::sync::Arc;

use anyhow::Context as _;
use store::Store;

use crate::route;
use crate::settings::Settings;

/// Ingests records of streams and answers requests.
#[derive(Clone)]
pub struct Companion {
    store: Store,
    settings: Arc<Settings>,
}

impl Companion {
    /// Opens the store.
    ///
    /// # Errors
    /// When the store cannot be used, with its place and why.
    pub async fn open(settings: Settings) -> anyhow::Result<Self> {
        let store = Store::open(&settings.store, settings.options.clone())
            .await
            .with_context(|| format!("cannot open the store {}", settings.store))?;
        Ok(Self { store, settings: Arc::new(settings) })
    }

    /// The datasets.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// How it works.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The HTTP API. It checks neither who asks nor under which host name: a front on loopback puts its check of the
    /// `Host` header around it, a front in AWS its authorizer.
    pub fn router(&self) -> axum::Router {
        route::router(self.clone())
    }
}

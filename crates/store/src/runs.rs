//! Answers of queries that were kept, and wishes that a query be stopped, below the store's root:
//! `query-runs/<id>.json` and `query-runs/<id>.cancelled`. Bytes in, bytes out; what they mean is the companion's.

use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use model::Timestamp;
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStoreExt, PutMode, PutPayload};

use crate::error::StoreError;
use crate::store::{Store, file_name};

/// The folder, below the store's root.
const FOLDER: &str = "query-runs";

/// The answer of a query run, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRun {
    /// The run's id.
    pub id: String,
    /// Since when.
    pub at: Timestamp,
    /// How long the answer is.
    pub bytes: u64,
}

impl Store {
    /// Keeps the answer of a query run; false if one is kept of that id already, which then stays as it is.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn keep_run(&self, id: &str, answer: Bytes) -> Result<bool, StoreError> {
        let path = self.run_path(id, "json");
        match self.root().objects.put_opts(&path, answer.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(source) => Err(StoreError::Storage { doing: format!("writing {path}"), source }),
        }
    }

    /// The answer that was kept of a query run; none if there is none.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn kept_run(&self, id: &str) -> Result<Option<Bytes>, StoreError> {
        let path = self.run_path(id, "json");
        let failed = |source| StoreError::Storage { doing: format!("reading {path}"), source };
        match self.root().objects.get(&path).await {
            Ok(found) => Ok(Some(found.bytes().await.map_err(failed)?)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(failed(source)),
        }
    }

    /// The answers that are kept, in no order.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn kept_runs(&self) -> Result<Vec<KeptRun>, StoreError> {
        let kept = |object: &ObjectMeta| {
            let id = object.location.filename()?.strip_suffix(".json")?;
            let at = Timestamp::from_millis(object.last_modified.timestamp_millis());
            Some(KeptRun { id: id.to_owned(), at, bytes: object.size })
        };
        Ok(self.run_objects().await?.iter().filter_map(kept).collect())
    }

    /// Lets go of the answer of a query run; false if there was none.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn forget_run(&self, id: &str) -> Result<bool, StoreError> {
        let path = self.run_path(id, "json");
        let known = self.has_run(&path).await?;
        if known {
            self.delete_run(&path).await?;
        }
        Ok(known)
    }

    /// Asks whichever process runs a query to stop it.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn cancel_run(&self, id: &str) -> Result<(), StoreError> {
        let path = self.run_path(id, "cancelled");
        let failed = |source| StoreError::Storage { doing: format!("writing {path}"), source };
        self.root().objects.put(&path, PutPayload::new()).await.map(drop).map_err(failed)
    }

    /// Whether somebody asked since then, by the object store's clock, that a query be stopped. An older wish was meant
    /// for an earlier run of that id.
    ///
    /// # Errors
    /// When the object store fails.
    pub async fn is_run_cancelled(&self, id: &str, since: Timestamp) -> Result<bool, StoreError> {
        let path = self.run_path(id, "cancelled");
        match self.root().objects.head(&path).await {
            Ok(mark) => Ok(mark.last_modified.timestamp_millis() >= since.as_millis()),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(StoreError::Storage { doing: format!("looking for {path}"), source }),
        }
    }

    /// Lets go of all that was kept longer ago: how many objects went.
    ///
    /// # Errors
    /// When the object store fails; what went before stays gone.
    pub async fn forget_runs(&self, kept_for: Duration) -> Result<u64, StoreError> {
        let since = self.options().now().minus(kept_for).as_millis();
        let found = self.run_objects().await?;
        let mut gone = 0;
        for old in found.iter().filter(|object| object.last_modified.timestamp_millis() < since) {
            self.delete_run(&old.location).await?;
            gone += 1;
        }
        Ok(gone)
    }

    async fn run_objects(&self) -> Result<Vec<ObjectMeta>, StoreError> {
        let folder = self.root().below([FOLDER]);
        match self.root().objects.list(Some(&folder)).try_collect().await {
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            found => {
                found.map_err(|source| StoreError::Storage { doing: format!("listing {folder}"), source })
            }
        }
    }

    async fn has_run(&self, path: &Path) -> Result<bool, StoreError> {
        match self.root().objects.head(path).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(StoreError::Storage { doing: format!("looking for {path}"), source }),
        }
    }

    async fn delete_run(&self, path: &Path) -> Result<(), StoreError> {
        match self.root().objects.delete(path).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::Storage { doing: format!("deleting {path}"), source }),
        }
    }

    fn run_path(&self, id: &str, suffix: &str) -> Path {
        self.root().below([FOLDER, &format!("{}.{suffix}", file_name(id))])
    }
}

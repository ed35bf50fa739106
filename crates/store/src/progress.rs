//! How far a reader has come in a stream that keeps no checkpoints itself, as one object beside the data: whoever
//! deletes the store reads the stream anew, and two readers of one store may overwrite each other with what is true
//! either way. The tables' watermarks cannot say it: each dataset has its own, and a dead letter leaves none.

use std::collections::BTreeMap;

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::store::{Store, file_name};

/// How far one shard has been read into the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Progress {
    /// The record with this sequence number (decimal) and all before it are committed, or are dead letters.
    After(String),
    /// So are all its records: it was closed and read to its end.
    Closed,
}

/// The object.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// The object's name does not tell all streams apart.
    stream: String,
    shards: BTreeMap<String, Progress>,
}

impl Store {
    /// What was kept of a stream's shards; nothing if it was never read into this store.
    ///
    /// # Errors
    /// When the object store fails, or the object is not what [`Store::keep_progress`] writes.
    pub async fn progress(&self, stream: &str) -> Result<BTreeMap<String, Progress>, StoreError> {
        let path = self.progress_path(stream);
        let failed = |source| StoreError::Storage { doing: format!("reading {path}"), source };
        let found = match self.root().objects.get(&path).await {
            Ok(found) => found.bytes().await.map_err(failed)?,
            Err(Error::NotFound { .. }) => return Ok(BTreeMap::new()),
            Err(source) => return Err(failed(source)),
        };
        let kept: Kept = serde_json::from_slice(&found)
            .map_err(|source| StoreError::Progress { path: path.to_string(), source })?;
        Ok(if kept.stream == stream { kept.shards } else { BTreeMap::new() })
    }

    /// Keeps how far each shard of a stream was read, in place of what was kept before. Whoever reads on from older
    /// progress than this loses nothing: the store drops what it has.
    ///
    /// # Errors
    /// When the object store fails; what was kept before stays.
    pub async fn keep_progress(
        &self,
        stream: &str,
        shards: &BTreeMap<String, Progress>,
    ) -> Result<(), StoreError> {
        let path = self.progress_path(stream);
        let kept = Kept { stream: stream.to_owned(), shards: shards.clone() };
        let json = serde_json::to_vec_pretty(&kept)
            .map_err(|source| StoreError::Progress { path: path.to_string(), source })?;
        let failed = |source| StoreError::Storage { doing: format!("writing {path}"), source };
        self.root().objects.put(&path, json.into()).await.map_err(failed)?;
        Ok(())
    }

    fn progress_path(&self, stream: &str) -> Path {
        self.root().below(["progress", &format!("{}.json", file_name(stream))])
    }
}

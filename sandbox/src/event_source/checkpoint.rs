//! How far each shard was read: in memory, or in a file that a later run goes on from.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

/// Progress in one shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Checkpoint {
    /// Nothing was read yet; reading began at this time.
    Since(#[serde(with = "millis")] Timestamp),
    /// The record with this sequence number is done, and all before it.
    After(String),
    /// Read to its end.
    Closed,
}

/// The checkpoint file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system said no.
    #[error("the checkpoints in {path} cannot be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is something else.
    #[error("{path} holds no checkpoints")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Where progress is kept; clones share it.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    state: Arc<Mutex<State>>,
    /// `None`: memory only.
    path: Option<PathBuf>,
}

/// Stream ARN → shard → progress.
type Streams = BTreeMap<String, BTreeMap<String, Checkpoint>>;

#[derive(Debug, Default)]
struct State {
    streams: Streams,
    is_loaded: bool,
}

impl Checkpoints {
    /// Gone with the process.
    pub fn memory() -> Self {
        Self { state: Arc::default(), path: None }
    }

    /// In a JSON file, replaced as a whole after each batch; one mapping at a time may use it.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { state: Arc::default(), path: Some(path.into()) }
    }

    /// What is kept of a stream.
    pub(super) async fn load(&self, stream: &str) -> Result<BTreeMap<String, Checkpoint>, CheckpointError> {
        let mut state = self.state.lock().await;
        if let (Some(path), false) = (&self.path, state.is_loaded) {
            state.streams = read(path).await?;
        }
        state.is_loaded = true;
        Ok(state.streams.get(stream).cloned().unwrap_or_default())
    }

    /// Keeps one shard's progress. A file that cannot be written is reported and tried again with the next
    /// batch: at worst a later run repeats records, which every consumer of a stream must bear.
    pub(super) async fn save(&self, stream: &str, shard: &str, checkpoint: Checkpoint) {
        let mut state = self.state.lock().await;
        state.streams.entry(stream.to_owned()).or_default().insert(shard.to_owned(), checkpoint);
        if let Some(path) = &self.path
            && let Err(error) = write(path, &state.streams).await
        {
            tracing::error!(path = %path.display(), %error, "a checkpoint could not be kept");
        }
    }
}

/// A time as milliseconds since 1970.
mod millis {
    use jiff::Timestamp;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(time.as_millisecond())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::from_millisecond(i64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

async fn read(path: &Path) -> Result<Streams, CheckpointError> {
    let bytes = match tokio::fs::read(path).await {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Streams::new()),
        Err(source) => return Err(CheckpointError::Io { path: path.to_owned(), source }),
    };
    serde_json::from_slice(&bytes)
        .map_err(|source| CheckpointError::Malformed { path: path.to_owned(), source })
}

/// Beside, synced, then renamed: a crash leaves the old file or the new one.
async fn write(path: &Path, streams: &Streams) -> io::Result<()> {
    let beside = path.with_extension("tmp");
    let mut file = tokio::fs::File::create(&beside).await?;
    file.write_all(&serde_json::to_vec_pretty(streams)?).await?;
    file.sync_data().await?;
    drop(file);
    tokio::fs::rename(&beside, path).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_read_by_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.json");
        let first = Checkpoints::file(&path);
        assert!(first.load("stream").await.unwrap().is_empty());
        let since = Checkpoint::Since(Timestamp::constant(1_795_184_400, 0));
        first.save("stream", "0", Checkpoint::After("7".into())).await;
        first.save("stream", "1", Checkpoint::Closed).await;
        first.save("stream", "2", since.clone()).await;

        let kept = Checkpoints::file(&path).load("stream").await.unwrap();
        let expected = [("0", Checkpoint::After("7".into())), ("1", Checkpoint::Closed), ("2", since)];
        assert_eq!(kept, expected.map(|(shard, checkpoint)| (shard.to_owned(), checkpoint)).into());
        assert!(Checkpoints::file(&path).load("another").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_of_something_else_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.json");
        std::fs::write(&path, "[1]").unwrap();
        let error = Checkpoints::file(&path).load("stream").await.unwrap_err();
        assert!(matches!(error, CheckpointError::Malformed { .. }));
    }
}

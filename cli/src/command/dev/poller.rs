//! `--stream-endpoint`: the consumer of another Kinesis API. Every shard is handed to the companion in order, and so
//! are new shards (of a reshard) as they appear. How far each was read is kept in the store, so that a restart goes on
//! there; what is read twice all the same the store drops.

mod shard;
mod stream;

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use companion::Companion;
use store::Progress;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use shard::Shard;
pub(super) use stream::Source;
use stream::Stream;

/// Between two looks for new shards; a shard's end is a reason to look at once.
const SHARDS: Duration = Duration::from_secs(10);
/// Between two keepings of progress: a restart reads at most so much again, and a bucket takes no put for each read.
const KEEP: Duration = Duration::from_secs(5);
/// News that wait for the conductor, which only writes them down; a reader waits when there are more.
const NEWS_MAX: usize = 64;

/// A shard's id and how far it is in the store.
type News = (String, Progress);

/// Reads the stream until `stop`, and then until every shard is empty.
///
/// # Errors
/// When at the start the stream is not found or the store cannot be read (later, both may come back), or a reader
/// panicked.
pub(super) async fn run(
    source: Source,
    companion: Companion,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let stream = Stream::find(&source).await?;
    let progress =
        companion.store().progress(stream.identity()).await.context("how far the stream was read")?;
    tracing::info!(stream = stream.identity(), shards = progress.len(), "reading on");
    let (news, heard) = mpsc::channel(NEWS_MAX);
    let conductor = Conductor {
        stream,
        companion,
        news,
        readers: JoinSet::new(),
        started: BTreeSet::new(),
        progress,
        keep_at: None,
        stop,
    };
    conductor.run(heard).await
}

/// Owns what is known of the shards; their readers tell it news.
struct Conductor {
    stream: Stream,
    companion: Companion,
    news: mpsc::Sender<News>,
    readers: JoinSet<()>,
    started: BTreeSet<String>,
    progress: BTreeMap<String, Progress>,
    /// When progress that was not kept yet shall be.
    keep_at: Option<Instant>,
    stop: watch::Receiver<bool>,
}

impl Conductor {
    async fn run(mut self, mut heard: mpsc::Receiver<News>) -> anyhow::Result<()> {
        let mut stop = self.stop.clone();
        let mut stopped = pin!(async move {
            // A switch that is gone is a switch that was thrown.
            let _ = stop.wait_for(|stop| *stop).await;
        });
        let mut look_at = Instant::now();
        loop {
            tokio::select! {
                Some(news) = heard.recv() => {
                    if news.1 == Progress::Closed {
                        look_at = Instant::now();
                    }
                    self.learn(news);
                }
                Some(ended) = self.readers.join_next() => ended.context("a shard's reader")?,
                () = sleep_until(look_at) => {
                    self.look_for_shards().await;
                    look_at = Instant::now() + SHARDS;
                }
                () = sleep_until(self.keep_at.unwrap_or(look_at)), if self.keep_at.is_some() => self.keep().await,
                () = &mut stopped => break,
            }
        }
        self.end(heard).await
    }

    /// Starts a reader for each shard that has none and is not read to its end.
    async fn look_for_shards(&mut self) {
        let listed = match self.stream.shards().await {
            Ok(listed) => listed,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "cannot look for new shards");
                return;
            }
        };
        // What the stream has forgotten nobody will read again.
        self.progress.retain(|shard, _| listed.contains(shard));
        for id in listed {
            let after = match self.progress.get(&id) {
                Some(Progress::Closed) => continue,
                Some(Progress::After(sequence)) => Some(sequence.clone()),
                None => None,
            };
            if self.started.insert(id.clone()) {
                let shard =
                    Shard::new(self.stream.clone(), self.companion.clone(), self.news.clone(), id, after);
                self.readers.spawn(shard.read(self.stop.clone()));
            }
        }
    }

    fn learn(&mut self, (shard, progress): News) {
        self.progress.insert(shard, progress);
        self.keep_at.get_or_insert_with(|| Instant::now() + KEEP);
    }

    async fn keep(&mut self) {
        let kept = self.companion.store().keep_progress(self.stream.identity(), &self.progress).await;
        self.keep_at = kept.err().map(|error| {
            let error = anyhow::Error::new(error);
            tracing::warn!(error = format!("{error:#}"), "how far the stream was read cannot be kept");
            Instant::now() + KEEP
        });
    }

    /// Waits until the readers have what is left, and keeps how far they came.
    async fn end(mut self, mut heard: mpsc::Receiver<News>) -> anyhow::Result<()> {
        // Only the readers hold the other end now.
        self.news = mpsc::channel(1).0;
        while let Some(news) = heard.recv().await {
            self.learn(news);
        }
        if self.keep_at.is_some() {
            self.keep().await;
        }
        while let Some(ended) = self.readers.join_next().await {
            ended.context("a shard's reader")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

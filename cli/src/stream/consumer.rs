//! From the journal into the store: waits a moment for more, hands over a run of records, and trims what the store
//! has committed. After a restart it begins with the oldest record that is left; the store drops what it has.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::frame::Record;
use super::journal::Journal;
use super::sequence::Sequence;

/// How long records are gathered before they are handed over: the price is freshness, the gain fewer and larger
/// files. Half of what a person notices.
pub const WINDOW: Duration = Duration::from_millis(300);
/// Records and bytes of one hand-over: about 200,000 events, which bounds memory and the time a commit takes.
const RECORDS_MAX: usize = 2_000;
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Between attempts when the store refuses: from first to last.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(5);

/// What became of a run of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// All of them are in the store (or put aside as unreadable).
    All,
    /// Those before this one are; it failed, for this reason.
    Until(Sequence, String),
}

/// How far the consumer is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The newest record that the store has committed in this process' life.
    pub committed: Option<Sequence>,
    /// Why the store refuses at the moment.
    pub failing: Option<String>,
}

/// Feeds `ingest` until `shutdown` turns true, then hands over what the journal still holds and ends. While the
/// store refuses it tries again for ever: whoever cannot wait drops the future, and nothing is lost.
pub async fn run<I, F>(
    journal: Journal,
    ingest: I,
    progress: watch::Sender<Progress>,
    mut shutdown: watch::Receiver<bool>,
) where
    I: Fn(Vec<Record>) -> F,
    F: Future<Output = Handed>,
{
    let mut changes = journal.watch();
    let mut from = Sequence::from_number(0);
    let mut retry = RETRY_FIRST;
    loop {
        let caught_up = changes.borrow_and_update().newest.is_none_or(|newest| newest < from);
        if caught_up {
            if *shutdown.borrow() {
                return;
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                _ = shutdown.wait_for(|stop| *stop) => {}
            }
            continue;
        }
        gather(&journal, &mut shutdown).await;
        match step(&journal, from, &ingest).await {
            Ok(Some(next)) => {
                from = next;
                retry = RETRY_FIRST;
                progress.send_replace(Progress {
                    committed: Some(Sequence::from_number(next.number() - 1)),
                    failing: None,
                });
            }
            Ok(None) => from = journal.state().next,
            Err((next, why)) => {
                tracing::warn!(%why, retry_in = ?retry, "the store does not take records; they wait in the journal");
                from = next.unwrap_or(from);
                progress.send_modify(|progress| progress.failing = Some(why));
                sleep(retry).await;
                retry = (retry * 2).min(RETRY_LAST);
            }
        }
    }
}

/// Waits until the window is over, a run is full, or shutdown has begun.
async fn gather(journal: &Journal, shutdown: &mut watch::Receiver<bool>) {
    let end = Instant::now() + WINDOW;
    let mut changes = journal.watch();
    let full = async {
        let held_before = journal.state().held_bytes;
        let enough =
            changes.wait_for(|state| state.held_bytes.saturating_sub(held_before) >= BYTES_MAX as u64);
        if enough.await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = sleep_until(end) => {}
        () = full => {}
        _ = shutdown.wait_for(|stop| *stop) => {}
    }
}

/// Hands over one run. Gives where to go on; on failure where, if some of the run was taken, and why.
async fn step<I, F>(
    journal: &Journal,
    from: Sequence,
    ingest: &I,
) -> Result<Option<Sequence>, (Option<Sequence>, String)>
where
    I: Fn(Vec<Record>) -> F,
    F: Future<Output = Handed>,
{
    let records = journal
        .read(from, RECORDS_MAX, BYTES_MAX)
        .await
        .map_err(|error| (None, format!("the journal cannot be read: {error}")))?;
    let Some(last) = records.last().map(|record| record.sequence) else { return Ok(None) };
    match ingest(records).await {
        Handed::All => {
            journal.trim(last).await;
            Ok(Some(last.next()))
        }
        Handed::Until(failed, why) => {
            if failed > from {
                journal.trim(Sequence::from_number(failed.number() - 1)).await;
            }
            Err((Some(failed.max(from)), why))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use model::Timestamp;
    use tempfile::TempDir;

    use super::*;
    use crate::stream::journal::{Limits, NewRecord};

    /// A store that takes records into a list, drops what it has (as the real one does) and refuses on demand.
    #[derive(Clone, Default)]
    struct Store {
        taken: Arc<Mutex<Vec<(Sequence, String)>>>,
        refuse: Arc<Mutex<Vec<&'static str>>>,
    }

    impl Store {
        async fn ingest(self, records: Vec<Record>) -> Handed {
            let mut taken = self.taken.lock().unwrap();
            for record in records {
                let text = String::from_utf8_lossy(&record.data).into_owned();
                let mut refuse = self.refuse.lock().unwrap();
                if let Some(at) = refuse.iter().position(|refused| *refused == text) {
                    refuse.remove(at);
                    return Handed::Until(record.sequence, "disk full".to_owned());
                }
                if taken.last().is_none_or(|(last, _)| *last < record.sequence) {
                    taken.push((record.sequence, text));
                }
            }
            Handed::All
        }

        fn texts(&self) -> Vec<String> {
            self.taken.lock().unwrap().iter().map(|(_, text)| text.clone()).collect()
        }
    }

    fn open(directory: &TempDir) -> Journal {
        Journal::open(directory.path(), Limits::default(), Timestamp::EPOCH).unwrap().0
    }

    async fn put(journal: &Journal, texts: &[&'static str]) {
        for text in texts {
            let record = NewRecord { partition_key: "k".to_owned(), data: (*text).into() };
            journal.append(vec![record]).await.unwrap();
        }
    }

    /// Runs a consumer until it has drained the journal.
    async fn drain(journal: &Journal, store: &Store) -> Progress {
        let (progress, watched) = watch::channel(Progress::default());
        let (_stop, stopped) = watch::channel(true);
        let store = store.clone();
        run(journal.clone(), move |records| store.clone().ingest(records), progress, stopped).await;
        watched.borrow().clone()
    }

    #[tokio::test]
    async fn at_shutdown_everything_that_was_acknowledged_is_handed_over() {
        let directory = TempDir::new().unwrap();
        let (journal, store) = (open(&directory), Store::default());
        put(&journal, &["a", "b", "c"]).await;
        let progress = drain(&journal, &store).await;
        assert_eq!(store.texts(), ["a", "b", "c"]);
        assert_eq!(progress.committed, journal.state().newest);
    }

    #[tokio::test]
    async fn a_record_that_the_store_refuses_is_tried_again_and_order_is_kept() {
        let directory = TempDir::new().unwrap();
        let (journal, store) = (open(&directory), Store::default());
        store.refuse.lock().unwrap().extend(["b", "b", "c"]);
        put(&journal, &["a", "b", "c"]).await;
        let progress = drain(&journal, &store).await;
        assert_eq!(store.texts(), ["a", "b", "c"]);
        assert_eq!(progress.failing, None);
    }

    #[tokio::test]
    async fn a_new_consumer_replays_and_the_store_has_everything_once() {
        let directory = TempDir::new().unwrap();
        let (journal, store) = (open(&directory), Store::default());
        put(&journal, &["a", "b"]).await;
        drain(&journal, &store).await;
        put(&journal, &["c"]).await;
        drain(&journal, &store).await;
        assert_eq!(store.texts(), ["a", "b", "c"]);
    }

    #[tokio::test]
    async fn records_arrive_while_it_runs() {
        let directory = TempDir::new().unwrap();
        let (journal, store) = (open(&directory), Store::default());
        let (progress, mut watched) = watch::channel(Progress::default());
        let (stop, stopped) = watch::channel(false);
        let sink = store.clone();
        let consumer = tokio::spawn(run(
            journal.clone(),
            move |records| sink.clone().ingest(records),
            progress,
            stopped,
        ));
        put(&journal, &["a", "b"]).await;
        let newest = journal.state().newest;
        watched.wait_for(|progress| progress.committed == newest).await.unwrap();
        stop.send(true).unwrap();
        consumer.await.unwrap();
        assert_eq!(store.texts(), ["a", "b"]);
    }
}

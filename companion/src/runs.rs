//! Queries that run: each has an id under which it is stopped, its turn, and threads that are not those of ingest, so
//! that a store under the heaviest questions still takes what comes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use model::Timestamp;
use query::{Answer, Diagnostics, Query, RunError};
use store::Store;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use crate::admission::{Admission, Admissions, Busy};
use crate::companion::Companion;
use crate::engines::Choice;
use crate::question::Question;

/// Between two looks whether somebody asked in another process that a query be stopped. Each is one request to the
/// store.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How much older than a run the wish to stop it may seem: the clocks of two processes and of a store differ by less. A
/// wish that was meant for an earlier run of the same id is older.
const CLOCKS_APART: Duration = Duration::from_secs(5);
/// Looks of live tails, which are short and many: so many at once, beside the queries and never in their places.
const LOOKS: Admissions = Admissions { at_once: 2, waiting_max: 64, wait_max: Duration::from_secs(10) };

/// The queries of a companion.
pub(crate) struct Runs {
    admission: Admission,
    looks: Admission,
    /// By id; a run whose sender is gone is being stopped.
    running: Mutex<HashMap<String, Option<oneshot::Sender<()>>>>,
    threads: Threads,
}

/// Why a run has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stopped {
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("a query run with the id {0:?} runs already")]
    SameId(String),
    #[error("the query was cancelled")]
    Cancelled,
    #[error(transparent)]
    Faults(#[from] Diagnostics),
    #[error(transparent)]
    Failed(#[from] RunError),
}

impl Runs {
    pub(crate) fn new(bounds: Admissions) -> Self {
        Self {
            admission: Admission::new(bounds),
            looks: Admission::new(LOOKS),
            running: Mutex::default(),
            threads: Threads::new(bounds.at_once),
        }
    }

    /// Reads and answers a question in its turn; `now` is when it was asked, `engine` who shall answer if that is said. Whoever no longer waits for the answer
    /// stops it, too.
    pub(crate) async fn run(
        &self,
        id: &str,
        companion: &Companion,
        question: Question,
        engine: Option<Choice>,
        now: Timestamp,
    ) -> Result<(Query, Answer), Stopped> {
        let (registered, cancelled) = self.register(id)?;
        let (store, engines) = (companion.store().clone(), companion.engines().clone());
        let owned = store.clone();
        let work = async move {
            let query = question.read(now)?;
            let answer = engines.answer(&owned, &query, engine).await?;
            Ok((query, answer))
        };
        tokio::select! {
            biased;
            // Its sender goes only when it sends, or with the registration.
            _ = cancelled => Err(Stopped::Cancelled),
            () = asked_elsewhere(id, &store, now.minus(CLOCKS_APART)) => Err(Stopped::Cancelled),
            answer = self.in_turn(work) => {
                drop(registered);
                answer?
            }
        }
    }

    /// Stops a query of this process; false if none of that id runs.
    pub(crate) fn cancel(&self, id: &str) -> bool {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = running.get_mut(id).and_then(Option::take);
        sender.is_some_and(|sender| sender.send(()).is_ok())
    }

    /// Whether a query of that id runs in this process.
    pub(crate) fn is_running(&self, id: &str) -> bool {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).contains_key(id)
    }

    /// Does some work on the threads of queries, in its turn; whoever no longer waits for it stops it.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Stopped> {
        let _turn = self.admission.enter().await?;
        self.spawned(work).await
    }

    /// The same for a look of a tail, which takes no query's place.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Stopped> {
        let _turn = self.looks.enter().await?;
        self.spawned(work).await
    }

    async fn spawned<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Stopped> {
        let ended = Work(self.threads.handle().spawn(work)).await;
        ended.map_err(|panicked| Stopped::Failed(RunError::Failed(Box::new(panicked))))
    }

    fn register(&self, id: &str) -> Result<(Registered<'_>, oneshot::Receiver<()>), Stopped> {
        let (sender, receiver) = oneshot::channel();
        // The map is whole whatever a thread that panicked was doing: entries are put in and taken out.
        match self.running.lock().unwrap_or_else(PoisonError::into_inner).entry(id.to_owned()) {
            Entry::Occupied(_) => Err(Stopped::SameId(id.to_owned())),
            Entry::Vacant(free) => {
                free.insert(Some(sender));
                Ok((Registered { runs: self, id: id.to_owned() }, receiver))
            }
        }
    }
}

/// A query in the list of those that run.
struct Registered<'r> {
    runs: &'r Runs,
    id: String,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.runs.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

/// Ends when somebody asked for it in another process since then.
async fn asked_elsewhere(id: &str, store: &Store, since: Timestamp) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // That a look fails says nothing of what was asked; the query itself will say that the store is gone.
        if store.is_run_cancelled(id, since).await.unwrap_or(false) {
            return;
        }
    }
}

/// Work that is dropped is stopped: the engine gives its threads back between two batches.
struct Work<T>(JoinHandle<T>);

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Future for Work<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

/// The threads that queries run on. The operating system shares the cores out between them and those of ingest.
struct Threads(Option<Runtime>);

impl Threads {
    fn new(at_once: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(at_once)
            .thread_name("query")
            .enable_all()
            .build();
        Self(runtime.inspect_err(|error| tracing::warn!(%error, "queries share the threads of ingest")).ok())
    }

    fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Waiting for them is not allowed where futures run.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

//! An environment that takes one invocation after the other, and rests in between.

use std::time::Instant;

use lambda_api::extensions::ShutdownReason;
use tokio::sync::oneshot;

use super::Life;
use crate::initialization::Initialization;
use crate::phase::{After, Job};

/// What an idle environment gets.
enum Next {
    Job(Box<Job>),
    End(ShutdownReason),
}

/// Lives until there is nothing to do. Without a first job its init runs ahead of any, and `up` is told of it.
pub(in crate::lambda) async fn work(mut life: Life, first: Option<Job>, up: Option<oneshot::Sender<()>>) {
    let initialized = life.initialize().await.is_ok();
    if first.is_none() && !initialized {
        // The next invocation has an environment made for it.
        return;
    }
    if first.is_none() || life.environment.initialization == Initialization::SnapStart {
        life.environment.rest();
    }
    let mut next = first;
    if next.is_none() {
        life.offer(None);
    }
    if let Some(up) = up {
        let _ = up.send(());
    }
    loop {
        let job = match next.take() {
            Some(job) => job,
            None => match life.wait().await {
                Next::Job(job) => *job,
                Next::End(reason) => return life.environment.end(reason).await,
            },
        };
        let (after, permit) = life.environment.invoke(job).await;
        if after == After::Dead {
            return;
        }
        life.offer(Some(permit));
    }
}

impl Life {
    async fn wait(&mut self) -> Next {
        let end = self.environment.initialization.ends_idle();
        let end = end.then(|| Instant::now() + self.environment.function.config.idle_timeout);
        loop {
            let reason = tokio::select! {
                Some(job) = self.queue.recv() => return Next::Job(Box::new(job)),
                _ = self.stop.wait_for(|stop| *stop) => ShutdownReason::Spindown,
                () = until(end) => ShutdownReason::Spindown,
                failure = self.environment.attend() => {
                    tracing::warn!(error = failure.message, "an idle environment failed");
                    ShutdownReason::Failure
                }
            };
            if self.retire() {
                return Next::End(reason);
            }
            // A job is on its way: it was taken from the idle list in this moment.
            if let Some(job) = self.queue.recv().await {
                return Next::Job(Box::new(job));
            }
        }
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end.into()).await,
        None => std::future::pending().await,
    }
}

//! A managed instance: takes invocations whenever it has room, and ends only when all do, or when something fails.

use lambda_api::extensions::ShutdownReason;
use tokio::sync::{oneshot, watch};

use super::Life;
use crate::environment::Failure;
use crate::phase::Served;

/// Lives until the function's environments are stopped. Jobs may come while its init still runs; they wait.
pub(in crate::lambda) async fn serve(mut life: Life, up: Option<oneshot::Sender<()>>) {
    if let Err(failure) = life.initialize().await {
        return life.refuse_all(&failure).await;
    }
    if let Some(up) = up {
        let _ = up.send(());
    }
    let mut stopping = false;
    loop {
        tokio::select! {
            Some(job) = life.queue.recv() => life.environment.admit(job),
            () = stopped(&mut life.stop), if !stopping => stopping = true,
            served = life.environment.serve() => match served {
                Served::Over(permits) => permits.into_iter().for_each(|permit| life.offer(Some(permit))),
                Served::Failed(failure) => {
                    tracing::warn!(error = failure.message, "a managed instance failed");
                    life.forget();
                    life.environment.drain().await;
                    life.environment.fail_serving(&failure);
                    life.environment.end(ShutdownReason::Failure).await;
                    return life.refuse_all(&failure).await;
                }
            },
        }
        if stopping && life.retire() {
            return life.environment.end(ShutdownReason::Spindown).await;
        }
    }
}

/// An error means that the pool is gone: the same.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

impl Life {
    /// From now on invocations go elsewhere.
    fn forget(&self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.forget(self.ordinal);
        }
    }

    /// What had been sent to it has an answer too, though it never ran.
    async fn refuse_all(&mut self, failure: &Failure) {
        self.forget();
        self.queue.close();
        while let Some(job) = self.queue.recv().await {
            self.environment.admit(job);
        }
        self.environment.fail_serving(failure);
    }
}

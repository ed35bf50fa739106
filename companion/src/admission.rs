//! Who may query now: so many at once, so many behind them in the order in which they came, and the rest is told to
//! come again. Knows nothing of queries.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many queries run and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admissions {
    /// How many run at once. More than there are cores only share them, each with its memory.
    pub at_once: usize,
    /// How many wait for their turn.
    pub waiting_max: usize,
    /// How long one waits. With the time of a query it must fit into the time of a request.
    pub wait_max: Duration,
}

impl Default for Admissions {
    /// As many at once as there are cores, at least two so that a long query does not stand in the way of a short one.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { at_once: cores.max(2), waiting_max: 32, wait_max: Duration::from_secs(10) }
    }
}

/// There is no room now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{running} queries run and {waiting} wait already")]
pub struct Busy {
    /// How many run.
    pub running: usize,
    /// How many wait.
    pub waiting: usize,
}

/// The door.
#[derive(Debug)]
pub(crate) struct Admission {
    bounds: Admissions,
    running: Semaphore,
    waiting: Semaphore,
}

impl Admission {
    pub(crate) fn new(bounds: Admissions) -> Self {
        Self { bounds, running: Semaphore::new(bounds.at_once), waiting: Semaphore::new(bounds.waiting_max) }
    }

    /// Waits for a turn; it ends when what is given back is dropped.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>, Busy> {
        if let Ok(turn) = self.running.try_acquire() {
            return Ok(turn);
        }
        let place = self.waiting.try_acquire().map_err(|_| self.busy())?;
        // The semaphore is fair: whoever waits longest is next.
        let turn = tokio::time::timeout(self.bounds.wait_max, self.running.acquire()).await;
        drop(place);
        match turn {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(self.busy()),
        }
    }

    fn busy(&self) -> Busy {
        let running = self.bounds.at_once.saturating_sub(self.running.available_permits());
        let waiting = self.bounds.waiting_max.saturating_sub(self.waiting.available_permits());
        Busy { running, waiting }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door(wait_max: Duration) -> Admission {
        Admission::new(Admissions { at_once: 1, waiting_max: 1, wait_max })
    }

    #[tokio::test]
    async fn one_runs_one_waits_and_the_third_is_sent_away() {
        let door = door(Duration::from_secs(10));
        let first = door.enter().await.unwrap();
        let second = async { door.enter().await.map(drop) };
        let third = async { door.enter().await.map(drop) };
        let ends = async { drop(first) };
        let (second, third, ()) = tokio::join!(second, third, ends);
        assert_eq!((second, third), (Ok(()), Err(Busy { running: 1, waiting: 1 })));
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let door = door(Duration::ZERO);
        let _first = door.enter().await.unwrap();
        assert_eq!(door.enter().await.map(drop), Err(Busy { running: 1, waiting: 0 }));
        // Its place is free again.
        assert!(door.waiting.try_acquire().is_ok());
    }
}

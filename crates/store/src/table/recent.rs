//! The batches that were committed lately: what a producer's retry is compared with.
//!
//! Each commit names its batches ([`super::told`]), so that any process knows them after reading the log's tail.

use std::collections::HashMap;

use deltalake_core::kernel::CommitInfo;
use model::{BatchId, Timestamp};

use super::told;

/// Batches and when they were committed.
#[derive(Debug, Default)]
pub(super) struct Recent {
    committed: HashMap<BatchId, Timestamp>,
    /// The latest time that any commit told.
    newest: Timestamp,
}

impl Recent {
    pub(super) fn holds(&self, batch: &BatchId) -> bool {
        self.committed.contains_key(batch)
    }

    /// Takes over what a commit says. Commits come in the log's order, so none is older than the one before it, even
    /// if its writer's clock is behind: its batches would else be forgotten before their time.
    pub(super) fn learn(&mut self, info: &CommitInfo) {
        self.newest = self.newest.max(committed_at(info));
        let at = self.newest;
        self.committed.extend(told::read(info).batches.into_iter().map(|batch| (batch, at)));
    }

    /// Takes over what was committed before anything that is known here.
    pub(super) fn precede(&mut self, earlier: Self) {
        let newest = earlier.newest;
        self.newest = self.newest.max(newest);
        self.committed.values_mut().for_each(|at| *at = newest.max(*at));
        for (batch, at) in earlier.committed {
            self.committed.entry(batch).or_insert(at);
        }
    }

    /// Forgets what was committed before `since`.
    pub(super) fn forget(&mut self, since: Timestamp) {
        self.committed.retain(|_, at| *at >= since);
    }
}

/// When the commit was made, by its writer's clock.
pub(super) fn committed_at(info: &CommitInfo) -> Timestamp {
    Timestamp::from_millis(info.timestamp.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn commit(at_ms: i64, sequence: u64) -> CommitInfo {
        let told = json!({"batches": {"a-b": [sequence]}});
        CommitInfo {
            timestamp: Some(at_ms),
            info: HashMap::from([("limelight".to_owned(), told)]),
            ..CommitInfo::default()
        }
    }

    fn batch(sequence: u64) -> BatchId {
        BatchId { sandbox: "a-b".to_owned(), sequence }
    }

    #[test]
    fn batches_are_known_until_they_are_too_old() {
        let mut recent = Recent::default();
        recent.learn(&commit(1_000, 7));
        assert!(recent.holds(&batch(7)) && !recent.holds(&batch(1)));
        recent.forget(Timestamp::from_millis(1_000));
        assert!(recent.holds(&batch(7)));
        recent.forget(Timestamp::from_millis(1_001));
        assert!(!recent.holds(&batch(7)));
    }

    #[test]
    fn a_writer_whose_clock_is_behind_is_not_forgotten_before_its_time() {
        let mut recent = Recent::default();
        recent.learn(&commit(10_000, 1));
        recent.learn(&commit(2_000, 2));
        recent.forget(Timestamp::from_millis(9_000));
        assert!(recent.holds(&batch(2)));
    }
}

//! The batches that were committed lately: what a producer's retry is compared with.
//!
//! Each commit names its batches in `commitInfo`, so that any process knows them after reading the log's tail.

use std::collections::{BTreeMap, HashMap};

use deltalake_core::kernel::CommitInfo;
use model::{BatchId, Timestamp};
use serde_json::{Value, json};

/// The key in `commitInfo` under which a commit tells what is ours.
const KEY: &str = "limelight";

/// Batches and when they were committed.
#[derive(Debug, Default)]
pub(super) struct Recent {
    committed: HashMap<BatchId, Timestamp>,
}

impl Recent {
    pub(super) fn holds(&self, batch: &BatchId) -> bool {
        self.committed.contains_key(batch)
    }

    /// Takes over what a commit says.
    pub(super) fn learn(&mut self, info: &CommitInfo) {
        let at = committed_at(info);
        self.committed.extend(batches(info).into_iter().map(|batch| (batch, at)));
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

/// What a commit tells: sequence numbers by sandbox, which is a third of the batch ids' length.
pub(super) fn told<'a>(batches: impl IntoIterator<Item = &'a BatchId>, records: usize) -> (String, Value) {
    let mut by_sandbox: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for batch in batches {
        by_sandbox.entry(&batch.sandbox).or_default().push(batch.sequence);
    }
    (KEY.to_owned(), json!({"batches": by_sandbox, "records": records}))
}

fn batches(info: &CommitInfo) -> Vec<BatchId> {
    let Some(by_sandbox) = info.info.get(KEY).and_then(|told| told.get("batches")?.as_object()) else {
        return Vec::new();
    };
    by_sandbox
        .iter()
        .flat_map(|(sandbox, sequences)| {
            let sequences = sequences.as_array().map(Vec::as_slice).unwrap_or_default();
            sequences
                .iter()
                .filter_map(Value::as_u64)
                .map(|sequence| BatchId { sandbox: sandbox.clone(), sequence })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(sandbox: &str, sequence: u64) -> BatchId {
        BatchId { sandbox: sandbox.to_owned(), sequence }
    }

    #[test]
    fn batches_are_known_until_they_are_too_old() {
        let ours = [batch("a-b", 0), batch("a-b", 7), batch("c", u64::MAX)];
        let info = CommitInfo {
            timestamp: Some(1_000),
            info: HashMap::from([told(&ours, 3)]),
            ..CommitInfo::default()
        };
        let mut recent = Recent::default();
        recent.learn(&info);
        assert!(ours.iter().all(|batch| recent.holds(batch)));
        assert!(!recent.holds(&batch("a-b", 1)));
        recent.forget(Timestamp::from_millis(1_000));
        assert!(recent.holds(&ours[0]));
        recent.forget(Timestamp::from_millis(1_001));
        assert!(!recent.holds(&ours[0]));
    }

    #[test]
    fn commits_of_others_tell_nothing_and_harm_nothing() {
        for foreign in [json!(null), json!(1), json!({"batches": 1}), json!({"batches": {"a": [-1, "x"]}})] {
            let info =
                CommitInfo { info: HashMap::from([(KEY.to_owned(), foreign)]), ..CommitInfo::default() };
            assert_eq!(batches(&info), []);
        }
    }
}

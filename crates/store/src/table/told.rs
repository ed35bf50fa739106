//! What a commit of ours tells of itself in `commitInfo`, beside what every Delta log says: which batches it brought,
//! and how many rows there should be. Readers drop retries by it, and `verify` proves the files by it.

use std::collections::BTreeMap;

use deltalake_core::kernel::CommitInfo;
use model::BatchId;
use serde_json::{Value, json};

use super::commit::{Cause, Change};

/// The key in `commitInfo`.
const KEY: &str = "limelight";

/// What was read of one commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) batches: Vec<BatchId>,
    /// Rows that an append brought, counted from its events and not from its files.
    pub(crate) rows: Option<u64>,
    /// Rows that a compaction left out because they stood twice.
    pub(crate) duplicates: Option<u64>,
}

/// The entry for `commitInfo`.
pub(super) fn of(change: &Change<'_>) -> (String, Value) {
    let told = match &change.cause {
        Cause::Append { batches, records, rows, .. } => {
            json!({"batches": by_sandbox(batches), "records": records, "rows": rows})
        }
        Cause::Compact { duplicates } => json!({"duplicates": duplicates}),
        Cause::Retain => json!({}),
    };
    (KEY.to_owned(), told)
}

/// Sequence numbers by sandbox, which is a third of the batch ids' length.
fn by_sandbox<'a>(batches: &[&'a BatchId]) -> BTreeMap<&'a str, Vec<u64>> {
    let mut by_sandbox: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for batch in batches {
        by_sandbox.entry(&batch.sandbox).or_default().push(batch.sequence);
    }
    by_sandbox
}

/// What a commit tells; of others' commits nothing.
pub(crate) fn read(info: &CommitInfo) -> Told {
    let Some(told) = info.info.get(KEY) else { return Told::default() };
    let count = |key: &str| told.get(key).and_then(Value::as_u64);
    let batches = told.get("batches").and_then(Value::as_object).map(|by_sandbox| {
        let of_sandbox = |(sandbox, sequences): (&String, &Value)| {
            let sequences = sequences.as_array().cloned().unwrap_or_default();
            let batch =
                |sequence: &Value| Some(BatchId { sandbox: sandbox.clone(), sequence: sequence.as_u64()? });
            sequences.iter().filter_map(batch).collect::<Vec<_>>()
        };
        by_sandbox.iter().flat_map(of_sandbox).collect()
    });
    Told { batches: batches.unwrap_or_default(), rows: count("rows"), duplicates: count("duplicates") }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use model::Timestamp;

    use super::*;
    use crate::sequence::SequenceNumber;
    use crate::table::Shard;

    fn info(told: (String, Value)) -> CommitInfo {
        CommitInfo { info: HashMap::from([told]), ..CommitInfo::default() }
    }

    #[test]
    fn what_a_commit_tells_is_read_back() {
        let batch = |sandbox: &str, sequence| BatchId { sandbox: sandbox.to_owned(), sequence };
        let ours = [batch("a-b", 0), batch("a-b", 7), batch("c", u64::MAX)];
        let shard = Shard::new("s", "0");
        let watermark = SequenceNumber::from(9);
        let cause =
            Cause::Append { shard: &shard, watermark, batches: ours.iter().collect(), records: 3, rows: 12 };
        let change = |cause| Change {
            adds: Vec::new(),
            removes: Vec::new(),
            columns: Vec::new(),
            cause,
            now: Timestamp::EPOCH,
        };
        let told = read(&info(of(&change(cause))));
        assert_eq!(told, Told { batches: ours.to_vec(), rows: Some(12), duplicates: None });
        let told = read(&info(of(&change(Cause::Compact { duplicates: 2 }))));
        assert_eq!(told, Told { duplicates: Some(2), ..Told::default() });
    }

    #[test]
    fn commits_of_others_tell_nothing_and_harm_nothing() {
        for foreign in [json!(null), json!(1), json!({"batches": 1}), json!({"batches": {"a": [-1, "x"]}})] {
            assert_eq!(read(&info((KEY.to_owned(), foreign))), Told::default());
        }
    }
}

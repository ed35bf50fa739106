//! The sandboxes' accounts against the events that are here: a batch has the events that its sandbox counted and its
//! account, in whatever datasets they lie, and a sandbox's batches have no holes.

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use super::content::Content;

/// What contradicts the accounts. Where events went (retention, a log that was cleaned), those that are missing prove
/// nothing; too many always do.
pub(super) fn check(content: &Content, events_went: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut batches: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    let mut accounts: Vec<_> = content.accounts.iter().collect();
    accounts.sort();
    for (batch, records) in accounts {
        batches.entry(&batch.sandbox).or_default().insert(batch.sequence);
        // The account itself is an event of its batch.
        let expected = records + 1;
        let found = content.counts.get(batch).copied().unwrap_or(0);
        if found > expected || found < expected && !events_went {
            faults.push(Fault::Events { batch: batch.to_string(), expected, found });
        }
    }
    for (sandbox, sequences) in batches {
        let first = if events_went { sequences.first().copied().unwrap_or(0) } else { 0 };
        faults.extend(gaps(&sequences, first).map(|(from, to)| Fault::Gap {
            sandbox: sandbox.to_owned(),
            from,
            to,
        }));
    }
    faults
}

/// What is missing between `first` and the last.
fn gaps(sequences: &BTreeSet<u64>, first: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut next = first;
    sequences.iter().filter_map(move |sequence| {
        let from = std::mem::replace(&mut next, sequence.saturating_add(1));
        (*sequence > from).then(|| (from, sequence - 1))
    })
}

#[cfg(test)]
mod tests {
    use model::BatchId;

    use super::*;

    fn content(batches: &[(u64, u64, u64)]) -> Content {
        let mut content = Content::default();
        for (sequence, records, found) in batches {
            let batch = BatchId { sandbox: "s".to_owned(), sequence: *sequence };
            content.accounts.insert(batch.clone(), *records);
            content.counts.insert(batch, *found);
        }
        content
    }

    fn told(batches: &[(u64, u64, u64)], events_went: bool) -> Vec<String> {
        check(&content(batches), events_went).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_batch_has_its_records_and_its_account() {
        assert_eq!(told(&[(0, 2, 3), (1, 0, 1)], false), [""; 0]);
        assert_eq!(told(&[(0, 2, 2)], false), ["batch s-0 should have 3 events, 2 are there"]);
        assert_eq!(told(&[(0, 2, 2)], true), [""; 0]);
        assert_eq!(told(&[(0, 2, 6)], true), ["batch s-0 should have 3 events, 6 are there"]);
    }

    #[test]
    fn a_hole_among_batches_is_a_loss() {
        assert_eq!(
            told(&[(2, 0, 1), (5, 0, 1)], false),
            ["sandbox s: batches 0 to 1 never arrived", "sandbox s: batches 3 to 4 never arrived"]
        );
        assert_eq!(told(&[(2, 0, 1), (3, 0, 1)], true), [""; 0]);
    }
}

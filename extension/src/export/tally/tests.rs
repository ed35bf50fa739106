use super::*;

fn batch(sandbox: &str, worth: Worth) -> Sealed {
    numbered(sandbox, worth, 0)
}

fn numbered(sandbox: &str, worth: Worth, sequence: u64) -> Sealed {
    let id = BatchId { sandbox: sandbox.to_owned(), sequence };
    Sealed { id, events: 10, worth, data: Vec::new() }
}

#[test]
fn every_fate_settles_a_batch_and_has_its_own_count() {
    let mut tally = Tally::new("a".to_owned());
    for worth in [Worth::Debug, Worth::Info, Worth::Warn, Worth::Mixed, Worth::Vital] {
        tally.taken(&batch("a", worth));
        tally.dropped(&batch("a", worth));
    }
    tally.refused(&batch("a", Worth::Mixed));
    tally.acknowledged(&batch("a", Worth::Mixed));
    let Delivery { shed_debug, shed_info, shed_warn, lost_backlog, lost_refused, acknowledged, .. } =
        tally.delivery;
    assert_eq!([shed_debug, shed_info, shed_warn, lost_backlog], [10, 10, 10, 20]);
    assert_eq!((lost_refused, acknowledged, tally.settled), (10, 10, 7));
}

#[test]
fn a_former_lifes_batch_is_only_replayed() {
    let mut tally = Tally::new("a".to_owned());
    tally.taken_back(&batch("b", Worth::Mixed));
    tally.acknowledged(&batch("b", Worth::Mixed));
    tally.dropped(&batch("b", Worth::Mixed));
    tally.put_away(&batch("b", Worth::Mixed));
    tally.refused(&batch("b", Worth::Mixed));
    assert_eq!((tally.settled, tally.put_away), (0, 0));
    assert_eq!((tally.delivery.replayed, tally.delivery.given_up()), (10, 0));
}

#[test]
fn nobody_waits_for_a_batch_that_is_put_away_and_it_is_counted_once() {
    let mut tally = Tally::new("a".to_owned());
    let batches = [0, 1, 2].map(|sequence| numbered("a", Worth::Debug, sequence));
    for batch in &batches {
        tally.taken(batch);
        tally.put_away(batch);
    }
    assert_eq!((tally.settled, tally.put_away), (3, 3));
    tally.taken_back(&batches[0]);
    tally.acknowledged(&batches[0]);
    tally.taken_back(&batches[1]);
    tally.put_away(&batches[1]);
    tally.dropped_from_disk(&batches[2]);
    assert_eq!((tally.settled, tally.put_away), (3, 1));
    assert_eq!((tally.delivery.acknowledged, tally.delivery.shed_debug), (10, 10));
    tally.remaining(std::iter::empty());
    assert_eq!((tally.settled, tally.delivery.lost_panic), (3, 0), "what is on the disk is not lost");
}

#[test]
fn a_sandbox_that_was_renamed_delivers_its_old_batches_and_begins_a_new_account() {
    let mut tally = Tally::new("a".to_owned());
    tally.taken(&batch("a", Worth::Mixed));
    tally.taken(&batch("a", Worth::Mixed));
    tally.dropped(&batch("a", Worth::Mixed));
    tally.renamed("b".to_owned());
    tally.taken(&batch("b", Worth::Mixed));
    assert_eq!(tally.delivery, Delivery::default(), "what the snapshot lost is not each clone's loss");
    tally.acknowledged(&batch("a", Worth::Mixed));
    tally.acknowledged(&batch("b", Worth::Mixed));
    assert_eq!((tally.settled, tally.delivery.acknowledged), (3, 10));
    tally.remaining(std::iter::empty());
    assert_eq!(tally.delivery.lost_panic, 0);
}

#[test]
fn what_a_panic_made_away_with_is_counted() {
    let mut tally = Tally::new("a".to_owned());
    let batches = [0, 1, 2, 3].map(|sequence| numbered("a", Worth::Mixed, sequence));
    batches.iter().for_each(|batch| tally.taken(batch));
    tally.acknowledged(&batches[0]);
    tally.remaining(batches[1..3].iter().chain([&batch("b", Worth::Mixed)]));
    assert_eq!((tally.settled, tally.delivery.lost_panic), (2, 10));
}

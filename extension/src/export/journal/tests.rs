use super::shelf::HEIRLOOMS_MAX;
use super::*;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const BYTES_MAX: usize = 1_000;
/// Of a batch's letter beside its data: here, with these names.
const AROUND: usize = 48;

fn batch(sandbox: &str, sequence: u64, bytes: usize) -> Sealed {
    of_worth(Worth::Mixed, sandbox, sequence, bytes)
}

fn of_worth(worth: Worth, sandbox: &str, sequence: u64, bytes: usize) -> Sealed {
    let id = BatchId { sandbox: sandbox.to_owned(), sequence };
    Sealed { id, events: 2, worth, data: vec![7; bytes] }
}

fn journal(base: &Path, sandbox: &str) -> Journal {
    let place = Place { directory: base.join("limelight"), bytes_max: BYTES_MAX };
    Journal::new(place, sandbox.to_owned(), "telemetry".to_owned())
}

/// A successor in the same sandbox.
fn heir(base: &Path, sandbox: &str) -> Journal {
    let mut journal = journal(base, sandbox);
    journal.inherit();
    journal
}

fn keep(journal: &mut Journal, batch: &Sealed) -> Kept {
    journal.keep(batch, Timestamp::EPOCH)
}

fn park(journal: &mut Journal, batch: &Sealed) -> Parked {
    journal.park(batch, Timestamp::EPOCH)
}

fn sequences(batches: &[Sealed]) -> Vec<u64> {
    batches.iter().map(|batch| batch.id.sequence).collect()
}

fn files(base: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(base.join("limelight")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn bytes_in(base: &Path) -> u64 {
    files(base).iter().map(|path| std::fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn what_a_killed_extension_has_left_comes_back_as_it_was_until_it_is_settled() {
    let base = tempfile::tempdir().unwrap();
    let mut killed = journal(base.path(), "a");
    let batches = [batch("a", 0, 100), batch("a", 1, 100)];
    for batch in &batches {
        assert_eq!(keep(&mut killed, batch), Kept::Written);
        assert_eq!(keep(&mut killed, batch), Kept::Known, "once is enough");
    }
    drop(killed);
    let mut heir = heir(base.path(), "b");
    assert_eq!(heir.fetch(usize::MAX).batches, batches);
    assert_eq!(keep(&mut heir, &batches[0]), Kept::Known, "it is on the disk already");
    assert!(!heir.has_more() && !heir.is_done());
    heir.settle(&batches[0].id);
    heir.settle(&batches[1].id);
    assert!(heir.is_done());
    assert_eq!(files(base.path()), [] as [PathBuf; 0]);
}

#[test]
fn an_inheritance_is_read_as_there_is_room_for_it() {
    let base = tempfile::tempdir().unwrap();
    let mut killed = journal(base.path(), "a");
    for sequence in 0..4 {
        assert_eq!(keep(&mut killed, &batch("a", sequence, 150)), Kept::Written);
    }
    drop(killed);
    let mut heir = heir(base.path(), "b");
    assert_eq!(sequences(&heir.fetch(1).batches), [0], "one at the least");
    assert_eq!(sequences(&heir.fetch(200).batches), [1, 2]);
    assert!(heir.has_more());
    // Memory needed its room for something else.
    assert_eq!(park(&mut heir, &batch("a", 1, 150)).kept, Kept::Known);
    let rest = heir.fetch(usize::MAX).batches;
    let mut rest = sequences(&rest);
    rest.sort_unstable();
    assert_eq!(rest, [1, 3]);
    assert!(!heir.has_more());
}

#[test]
fn all_lives_together_have_the_room_of_one() {
    let base = tempfile::tempdir().unwrap();
    let mut written = 0;
    for life in 0..30 {
        let name = format!("life-{life}");
        let mut journal = heir(base.path(), &name);
        for sequence in 0..3 {
            written += u32::from(keep(&mut journal, &batch(&name, sequence, 100)) == Kept::Written);
        }
    }
    assert!((4..=6).contains(&written), "{written}");
    assert!(bytes_in(base.path()) <= BYTES_MAX as u64, "{}", bytes_in(base.path()));
    assert_eq!(heir(base.path(), "last").fetch(usize::MAX).batches.len(), written as usize);
}

#[test]
fn more_files_than_are_read_at_a_time_are_read_one_after_the_other() {
    let base = tempfile::tempdir().unwrap();
    for life in 0..HEIRLOOMS_MAX + 1 {
        let place = Place { directory: base.path().join("limelight"), bytes_max: 100_000 };
        let mut journal = Journal::new(place, format!("{life:02}"), "telemetry".to_owned());
        keep(&mut journal, &batch(&format!("{life:02}"), 0, 1));
    }
    let mut heir = heir(base.path(), "heir");
    let mut read = 0;
    while heir.has_more() {
        for batch in heir.fetch(usize::MAX).batches {
            read += 1;
            heir.settle(&batch.id);
        }
    }
    assert_eq!((read, files(base.path()).len()), (HEIRLOOMS_MAX + 1, 0));
}

#[test]
fn the_journal_of_a_sandbox_that_lives_is_left_alone() {
    let base = tempfile::tempdir().unwrap();
    let mut alive = journal(base.path(), "a");
    keep(&mut alive, &batch("a", 0, 100));
    assert!(!heir(base.path(), "b").has_more());
    drop(alive);
    assert!(heir(base.path(), "b").has_more());
}

#[test]
fn another_streams_batches_are_not_sent_to_this_one() {
    let base = tempfile::tempdir().unwrap();
    keep(&mut journal(base.path(), "a"), &batch("a", 0, 100));
    let place = Place { directory: base.path().join("limelight"), bytes_max: BYTES_MAX };
    let mut other = Journal::new(place, "b".to_owned(), "another".to_owned());
    other.inherit();
    assert!(!other.has_more());
    assert_eq!(files(base.path()).len(), 1);
    assert_eq!(other.shelf.bytes(), bytes_in(base.path()), "they take their room");
}

#[test]
fn it_is_bounded_makes_room_of_what_is_settled_and_is_full_then() {
    let base = tempfile::tempdir().unwrap();
    let mut full = journal(base.path(), "a");
    assert_eq!([0, 1, 2].map(|sequence| keep(&mut full, &batch("a", sequence, 220))), [Kept::Written; 3]);
    assert_eq!(keep(&mut full, &batch("a", 3, 220)), Kept::Failed);
    full.settle(&batch("a", 1, 0).id);
    assert_eq!(keep(&mut full, &batch("a", 3, 220)), Kept::Written);
    drop(full);
    assert_eq!(sequences(&heir(base.path(), "b").fetch(usize::MAX).batches), [0, 2, 3]);
}

#[test]
fn a_full_one_has_room_for_the_last_word() {
    let base = tempfile::tempdir().unwrap();
    let mut full = journal(base.path(), "a");
    keep(&mut full, &batch("a", 0, BYTES_MAX - 2 * AROUND - 60));
    assert_eq!(keep(&mut full, &batch("a", 1, 1)), Kept::Failed);
    let account = Sealed { events: 0, ..batch("a", 2, 1) };
    assert_eq!(keep(&mut full, &account), Kept::Written);
}

#[test]
fn where_memory_and_disk_are_full_what_is_missed_least_goes_first() {
    let base = tempfile::tempdir().unwrap();
    let mut full = journal(base.path(), "a");
    for (sequence, worth) in [(0, Worth::Vital), (1, Worth::Debug), (2, Worth::Info)] {
        assert_eq!(park(&mut full, &of_worth(worth, "a", sequence, 220)).kept, Kept::Written);
    }
    let debug = park(&mut full, &of_worth(Worth::Debug, "a", 3, 220));
    assert_eq!((debug.kept, sequences(&debug.given_up)), (Kept::Written, vec![1]), "the older of two");
    let warn = park(&mut full, &of_worth(Worth::Warn, "a", 4, 220));
    assert_eq!((warn.kept, sequences(&warn.given_up)), (Kept::Written, vec![3]));
    let info = park(&mut full, &of_worth(Worth::Debug, "a", 5, 220));
    assert_eq!((info.kept, sequences(&info.given_up)), (Kept::Failed, vec![]), "all others are worth more");
    let fetched: Vec<_> =
        full.fetch(usize::MAX).batches.iter().map(|batch| (batch.id.sequence, batch.worth)).collect();
    assert_eq!(fetched, [(0, Worth::Vital), (2, Worth::Info), (4, Worth::Warn)]);
}

#[test]
fn what_a_fault_made_away_with_in_memory_is_read_again() {
    let base = tempfile::tempdir().unwrap();
    let mut own = journal(base.path(), "a");
    keep(&mut own, &batch("a", 0, 10));
    keep(&mut own, &batch("a", 1, 10));
    assert!(!own.has_more());
    assert_eq!(sequences(&own.recall(|id| id.sequence == 0)), [1]);
    assert_eq!(sequences(&own.fetch(usize::MAX).batches), [1]);
}

#[test]
fn when_all_is_settled_the_file_is_empty_and_goes_with_the_sandbox() {
    let base = tempfile::tempdir().unwrap();
    let mut journal = journal(base.path(), "a");
    keep(&mut journal, &batch("a", 0, 800));
    journal.settle(&batch("a", 0, 0).id);
    assert_eq!(keep(&mut journal, &batch("a", 1, 800)), Kept::Written, "there is room again");
    journal.settle(&batch("a", 1, 0).id);
    assert_eq!(files(base.path()).len(), 1);
    journal.close();
    assert_eq!(files(base.path()).len(), 0);
}

#[test]
fn only_the_function_itself_can_read_it() {
    let base = tempfile::tempdir().unwrap();
    let mut journal = journal(base.path(), "a");
    keep(&mut journal, &batch("a", 0, 10));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&base.path().join("limelight")), 0o700);
    assert_eq!(files(base.path()).iter().map(|path| mode(path)).collect::<Vec<_>>(), [0o600]);
}

#[test]
fn a_disk_that_cannot_be_written_is_a_failure_and_then_left_alone() {
    let base = tempfile::tempdir().unwrap();
    std::fs::write(base.path().join("limelight"), "a file where the directory should be").unwrap();
    let mut journal = heir(base.path(), "a");
    for _ in 0..FAILURES_MAX {
        assert_eq!(keep(&mut journal, &batch("a", 0, 10)), Kept::Failed);
    }
    assert_eq!(keep(&mut journal, &batch("a", 0, 10)), Kept::Nowhere);
}

#[test]
fn a_file_that_cannot_be_begun_is_taken_away() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("a.letters");
    std::fs::write(&path, "").unwrap();
    let unwritable = std::fs::File::open(&path).unwrap();
    assert!(Segment::begin(unwritable, path.clone(), Worth::Mixed).is_err());
    assert!(!path.exists());
}

#[test]
fn a_link_in_place_of_the_directory_is_not_followed() {
    let base = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), base.path().join("limelight")).unwrap();
    let mut journal = journal(base.path(), "a");
    assert_eq!(keep(&mut journal, &batch("a", 0, 10)), Kept::Failed);
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn a_torn_tail_costs_what_was_being_written_and_a_damaged_letter_itself() {
    for (at, left) in [(BYTES_MAX, vec![0, 1]), (AROUND, vec![1, 2])] {
        let base = tempfile::tempdir().unwrap();
        let place = Place { directory: base.path().join("limelight"), bytes_max: 100_000 };
        let mut killed = Journal::new(place, "a".to_owned(), "telemetry".to_owned());
        for sequence in 0..3 {
            keep(&mut killed, &batch("a", sequence, 100));
        }
        drop(killed);
        let path = &files(base.path())[0];
        let mut bytes = std::fs::read(path).unwrap();
        match bytes.get_mut(at) {
            Some(byte) => *byte ^= 1,
            None => bytes.truncate(bytes.len() - 10),
        }
        std::fs::write(path, &bytes).unwrap();
        let mut heir = heir(base.path(), "b");
        assert_eq!(sequences(&heir.fetch(usize::MAX).batches), left);
        left.iter().for_each(|sequence| heir.settle(&batch("a", *sequence, 0).id));
        assert_eq!(files(base.path()).len(), 0, "what cannot be read is no reason to keep it");
    }
}

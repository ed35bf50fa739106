//! The journal against a naive model: a list of records that were acknowledged.

use std::fs::OpenOptions;
use std::io::Write;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_763_640_000_000);
const SMALL: Limits = Limits { segment_bytes: 200, held_bytes_max: u64::MAX };

fn new(text: &str) -> NewRecord {
    NewRecord { partition_key: "key".to_owned(), data: text.to_owned().into() }
}

fn open(directory: &TempDir) -> (Journal, Opened) {
    Journal::open(directory.path(), SMALL, NOW).unwrap()
}

/// Everything the journal holds, read page by page as the consumer does.
async fn all(journal: &Journal) -> Vec<(Sequence, String)> {
    let mut found = Vec::new();
    let mut from = Sequence::from_number(0);
    loop {
        let page = journal.read(from, 3, 1000).await.unwrap();
        let Some(last) = page.last() else { return found };
        from = last.sequence.next();
        found.extend(
            page.into_iter().map(|record| (record.sequence, String::from_utf8_lossy(&record.data).into())),
        );
    }
}

/// Drops the journal and waits until its thread has let go of the files.
async fn close(journal: Journal) {
    let mut state = journal.watch();
    drop(journal);
    while state.changed().await.is_ok() {}
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart_in_order() {
    let directory = TempDir::new().unwrap();
    let (journal, opened) = open(&directory);
    assert_eq!(opened, Opened::default());
    let first = journal.append(vec![new("a"), new("b")]).await.unwrap();
    let second = journal.append(vec![new("c")]).await.unwrap();
    assert!(first[0] < first[1] && first[1] < second[0]);
    close(journal).await;

    let (journal, opened) = open(&directory);
    assert_eq!(opened.records, 3);
    let texts: Vec<_> = all(&journal).await.into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_write_cut_by_a_kill_costs_only_itself() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = open(&directory);
    journal.append(vec![new("kept")]).await.unwrap();
    close(journal).await;
    let (_, path) = Segment::list(directory.path()).unwrap().pop().unwrap();
    OpenOptions::new().append(true).open(&path).unwrap().write_all(&[40, 0, 0, 0, 1, 2, 3]).unwrap();

    let (journal, opened) = open(&directory);
    assert_eq!((opened.records, opened.cut_bytes), (1, 7));
    assert_eq!(fs::read(path.with_extension("torn")).unwrap(), [40, 0, 0, 0, 1, 2, 3]);
    journal.append(vec![new("after")]).await.unwrap();
    close(journal).await;
    let (journal, opened) = open(&directory);
    assert_eq!((opened.records, opened.cut_bytes), (2, 0));
    assert_eq!(all(&journal).await.len(), 2);
}

#[tokio::test]
async fn a_segment_whose_creation_was_cut_is_made_whole() {
    for begun in [&b""[..], b"LLJ", b"something else entirely"] {
        let directory = TempDir::new().unwrap();
        fs::write(directory.path().join("00000000000000000007.journal"), begun).unwrap();
        let (journal, opened) = open(&directory);
        assert_eq!(opened.records, 0);
        journal.append(vec![new("a")]).await.unwrap();
        close(journal).await;
        assert_eq!(all(&open(&directory).0).await.len(), 1);
    }
}

#[tokio::test]
async fn only_segments_that_the_store_has_whole_are_trimmed() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = open(&directory);
    let mut places = Vec::new();
    for number in 0..20 {
        places.extend(journal.append(vec![new(&format!("record {number}"))]).await.unwrap());
    }
    assert!(Segment::list(directory.path()).unwrap().len() > 2);
    journal.trim(places[9]).await;
    let oldest = all(&journal).await[0].0;
    assert!(places[0] < oldest && oldest <= places[10]);
    journal.trim(places[19]).await;
    assert_eq!(Segment::list(directory.path()).unwrap().len(), 1);
    let next = journal.append(vec![new("more")]).await.unwrap();
    assert!(next[0] > places[19]);
}

#[tokio::test]
async fn a_sequence_is_never_given_twice_even_without_the_files() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = open(&directory);
    let before = journal.append(vec![new("a")]).await.unwrap();
    close(journal).await;
    fs::remove_dir_all(directory.path()).unwrap();
    let later = NOW.plus(std::time::Duration::from_secs(1));
    let (journal, _) = Journal::open(directory.path(), SMALL, later).unwrap();
    assert!(journal.append(vec![new("b")]).await.unwrap()[0] > before[0]);
    close(journal).await;
    // And a clock that stepped back does not take the numbers back.
    let (journal, _) = Journal::open(directory.path(), SMALL, Timestamp::EPOCH).unwrap();
    assert_eq!(all(&journal).await.len(), 1);
    let newest = journal.state().newest.unwrap();
    assert!(journal.append(vec![new("c")]).await.unwrap()[0] > newest);
}

#[tokio::test]
async fn what_the_store_does_not_take_fills_up_to_a_limit_and_is_then_refused() {
    let directory = TempDir::new().unwrap();
    let limits = Limits { segment_bytes: 200, held_bytes_max: 300 };
    let (journal, _) = Journal::open(directory.path(), limits, NOW).unwrap();
    let mut last = Sequence::from_number(0);
    let refused = loop {
        match journal.append(vec![new("some text in a record")]).await {
            Ok(places) => last = places[0],
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, JournalError::Full { .. }), "{refused}");
    journal.trim(last).await;
    journal.append(vec![new("again")]).await.unwrap();
}

#[tokio::test]
async fn a_record_is_found_by_its_arrival() {
    let directory = TempDir::new().unwrap();
    let (journal, _) = open(&directory);
    let places = journal.append(vec![new("a")]).await.unwrap();
    assert_eq!(journal.locate(Timestamp::EPOCH).await, places[0]);
    let tomorrow = Timestamp::from(std::time::SystemTime::now()).plus(std::time::Duration::from_secs(86_400));
    assert_eq!(journal.locate(tomorrow).await, places[0].next());
}

/// What can happen to a journal.
#[derive(Debug, Clone)]
enum Op {
    Append(Vec<String>),
    /// Cut this share of the newest segment's bytes behind what was acknowledged last.
    Garbage(Vec<u8>),
    Restart,
    TrimTo(prop::sample::Index),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => prop::collection::vec(".{0,40}", 1..4).prop_map(Op::Append),
        1 => prop::collection::vec(any::<u8>(), 1..40).prop_map(Op::Garbage),
        2 => Just(Op::Restart),
        1 => any::<prop::sample::Index>().prop_map(Op::TrimTo),
    ];
    prop::collection::vec(op, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn holds_exactly_what_was_acknowledged_and_not_trimmed(ops in ops()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let directory = TempDir::new().unwrap();
            let (mut journal, _) = open(&directory);
            let mut acknowledged: Vec<(Sequence, String)> = Vec::new();
            let mut committed = None;
            for op in ops {
                match op {
                    Op::Append(texts) => {
                        let news = texts.iter().map(|text| new(text)).collect();
                        let places = journal.append(news).await.unwrap();
                        acknowledged.extend(places.into_iter().zip(texts));
                    }
                    Op::Garbage(bytes) => {
                        close(journal).await;
                        let (_, path) = Segment::list(directory.path()).unwrap().pop().unwrap();
                        OpenOptions::new().append(true).open(path).unwrap().write_all(&bytes).unwrap();
                        journal = open(&directory).0;
                    }
                    Op::Restart => {
                        close(journal).await;
                        journal = open(&directory).0;
                    }
                    Op::TrimTo(index) if !acknowledged.is_empty() => {
                        let to = acknowledged[index.index(acknowledged.len())].0;
                        journal.trim(to).await;
                        committed = committed.max(Some(to));
                    }
                    Op::TrimTo(_) => {}
                }
                let held = all(&journal).await;
                let kept = &acknowledged[acknowledged.len() - held.len()..];
                assert_eq!(held, kept, "a suffix of what was acknowledged");
                let gone = &acknowledged[..acknowledged.len() - held.len()];
                assert!(gone.iter().all(|(sequence, _)| Some(*sequence) <= committed), "only committed records go");
            }
        });
    }
}

//! What stays on the sandbox's disk, and who finds it.

use std::time::Duration;

use crate::Stage;
use crate::fakes::kinesis::Answer;
use crate::fakes::platform::Platform;

#[tokio::test]
async fn what_a_killed_extension_had_not_delivered_its_successor_delivers() {
    let journal = tempfile::tempdir().unwrap();
    let directory = journal.path().join("limelight");
    let settings =
        [("LIMELIGHT_JOURNAL_DIR", directory.to_str().unwrap()), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    stage.kinesis.otherwise(Some(Answer::Status(500)));
    for number in 0..6 {
        stage.invocation(&number.to_string(), &format!("line {number}")).await;
    }
    // The last ones are sealed by their age, because nobody waits for them.
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    stage.extension.kill();
    let kinesis = stage.kinesis;
    kinesis.otherwise(None);
    let mut heir = Stage::set_with(Platform::start().await, kinesis, &settings).await;
    heir.invocation("heir", "line 6").await;
    heir.until_taken("line 5").await;
    let (kinesis, _) = heir.shutdown().await;
    let mut messages = kinesis.messages();
    messages.sort();
    assert_eq!(messages, (0..7).map(|number| format!("line {number}")).collect::<Vec<_>>());
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0, "nothing stays on the disk");
    let account = kinesis.last_account();
    assert!(account.counts["replayed"] >= 6, "{account:?}");
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_counted_and_said_once_and_fails_nothing() {
    let settings = [("LIMELIGHT_JOURNAL_DIR", "/proc/limelight"), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    stage.kinesis.answer_next(&[Answer::Status(500); 4]);
    for number in 0..4 {
        stage.invocation(&number.to_string(), "still heard").await;
    }
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!(kinesis.messages().len(), 4);
    assert!(kinesis.last_account().counts["journal_failed"] > 0);
    let about: Vec<_> = said.lines().filter(|line| line.contains("cannot write the journal")).collect();
    assert!(about.len() == 1 && about[0].contains("/proc/limelight: No such file"), "{said}");
}

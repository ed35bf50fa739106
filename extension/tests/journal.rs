//! What stays on the sandbox's disk, and who finds it.

use std::fs::DirBuilder;
use std::ops::Range;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Stage;
use crate::fakes::kinesis::Answer;
use crate::fakes::noise;
use crate::fakes::platform::{Platform, line, runtime_done, start};

/// A journal that outlives its extension, and nobody held for long.
fn journal_in(directory: &Path) -> [(&'static str, &str); 2] {
    [("LIMELIGHT_JOURNAL_DIR", directory.to_str().unwrap()), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")]
}

#[tokio::test]
async fn what_a_killed_extension_had_not_delivered_its_successor_delivers() {
    let journal = tempfile::tempdir().unwrap();
    let directory = journal.path().join("limelight");
    let settings = journal_in(&directory);
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

/// One invocation, while the stream is down, that prints lines of 100 kB which gzip cannot shrink much.
async fn print_noise_into_an_outage(stage: &Stage, lines: Range<u64>) {
    stage.kinesis.otherwise(Some(Answer::Status(500)));
    stage.platform.invoke("one").await;
    stage.platform.deliver(&[start("one")]).await;
    for seed in lines {
        stage.platform.deliver(&[line("one", &noise(100_000, seed))]).await;
    }
    stage.platform.deliver(&[runtime_done("one")]).await;
    stage.platform.ready().await;
}

#[tokio::test]
async fn what_memory_has_no_room_for_waits_on_the_disk() {
    let settings = [("LIMELIGHT_MEMORY_MIB", "8"), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    print_noise_into_an_outage(&stage, 0..40).await;
    stage.kinesis.otherwise(None);
    stage.invocation("two", "after the outage").await;
    // Reading what was taken keeps the fakes from their work.
    let asked = Instant::now();
    while stage.kinesis.messages().len() < 41 {
        assert!(asked.elapsed() < Duration::from_secs(30), "{} of 41", stage.kinesis.messages().len());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (kinesis, said) = stage.shutdown().await;
    let account = kinesis.last_account();
    assert_eq!(
        (account.lost.len(), account.shed.len(), account.closed.as_str()),
        (0, 0, "spindown"),
        "{account:?}"
    );
    assert_eq!(account.received, account.shipped);
    assert_eq!(kinesis.messages().len(), 41, "each once");
    assert!(!said.contains("not acknowledged"), "{said}");
}

/// The account is the last word about all the others: also about those that had to go for what came last.
#[tokio::test]
async fn what_the_end_itself_makes_go_is_in_the_last_word() {
    let settings = [("LIMELIGHT_MEMORY_MIB", "8"), ("LIMELIGHT_JOURNAL_MIB", "0")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    print_noise_into_an_outage(&stage, 0..16).await;
    stage.platform.shutdown("spindown").await;
    let last: Vec<_> = (100..106).map(|seed| line("one", &noise(100_000, seed))).collect();
    stage.platform.deliver(&last).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.kinesis.otherwise(None);
    stage.extension.ended_well().await;
    let account = stage.kinesis.last_account();
    assert_eq!(account.closed, "spindown");
    let given_up: u64 = account.shed.values().chain(account.lost.values()).sum();
    let left = account.counts.get("left").copied().unwrap_or_default();
    let found =
        stage.kinesis.events().iter().filter(|event| event.name.as_deref() != Some("delivery")).count();
    assert_eq!(account.received, account.shipped + given_up, "{account:?}");
    assert_eq!(account.shipped, found as u64 + left, "{account:?}");
    assert!(given_up > 0, "{account:?}");
}

#[tokio::test]
async fn what_stays_behind_on_the_disk_is_told_in_the_last_word() {
    let journal = tempfile::tempdir().unwrap();
    let directory = journal.path().join("limelight");
    let settings = journal_in(&directory);
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    stage.invocation("one", "found").await;
    stage.until_taken("found").await;
    stage.kinesis.otherwise(Some(Answer::Status(500)));
    stage.invocation("two", "left behind").await;
    let (kinesis, said) = stage.shutdown().await;
    assert!(said.contains("not acknowledged"), "{said}");
    assert_eq!(kinesis.messages(), ["found"]);
    // Nobody has heard the sandbox's last word; its successor sends it with the rest.
    kinesis.otherwise(None);
    let mut heir = Stage::set_with(Platform::start().await, kinesis, &settings).await;
    heir.invocation("three", "the heir's").await;
    heir.until_taken("left behind").await;
    let (kinesis, _) = heir.shutdown().await;
    let former = kinesis.accounts().into_iter().find(|account| account.counts.contains_key("left"));
    let former = former.expect("a last word that tells what is left");
    assert_eq!(former.closed, "spindown");
    assert_eq!(former.received, former.shipped, "{former:?}");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0, "nothing stays on the disk");
}

/// A sandbox whose extension is killed for want of memory, again and again while the stream is down, must not be given
/// less of it by what it inherits.
#[tokio::test]
async fn an_inheritance_takes_no_memory_that_is_not_there() {
    let journal = tempfile::tempdir().unwrap();
    let directory = journal.path().join("limelight");
    DirBuilder::new().mode(0o700).create(&directory).unwrap();
    let letter = |sequence| wire::letter::Letter {
        at: model::Timestamp::EPOCH,
        id: model::BatchId { sandbox: "a former life".to_owned(), sequence },
        events: 1,
        stream: "telemetry".to_owned(),
        reason: String::new(),
        data: noise(20_000, sequence).into_bytes(),
    };
    for life in 0..3 {
        let frames = (0..250).flat_map(|number| wire::letter::frame(&letter(life * 250 + number)));
        let file: Vec<u8> = wire::letter::HEAD.iter().copied().chain(frames).collect();
        std::fs::write(directory.join(format!("{life}.letters")), file).unwrap();
    }
    let mut resident_max_kib = Vec::new();
    for place in [journal.path().join("nothing"), directory] {
        let settings =
            [("LIMELIGHT_JOURNAL_DIR", place.to_str().unwrap()), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
        let mut stage = Stage::set(Platform::start().await, &settings).await;
        stage.kinesis.otherwise(Some(Answer::Status(500)));
        for number in 0..5 {
            stage.invocation(&number.to_string(), "a line").await;
        }
        assert!(!stage.kinesis.requests().is_empty());
        resident_max_kib.push(stage.extension.resident_max_kib());
    }
    assert!(resident_max_kib[1] < resident_max_kib[0] + 4 * 1_024, "{resident_max_kib:?} KiB");
}

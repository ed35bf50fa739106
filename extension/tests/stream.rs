//! What the stream takes, and what becomes of the rest.

use std::time::{Duration, Instant};

use crate::Stage;
use crate::fakes::kinesis::Answer;
use crate::fakes::noise;
use crate::fakes::platform::{Platform, line, line_at, runtime_done, start};

#[tokio::test]
async fn exactly_the_failed_entries_are_repeated_with_their_bytes_and_keys() {
    // Small records, so that one flush is several entries.
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_RECORD_KIB", "64")]).await;
    stage.kinesis.answer_next(&[Answer::FailEntries(&[1]), Answer::FailEntries(&[0])]);
    stage.platform.invoke("one").await;
    let texts: Vec<String> = (0..6).map(|seed| noise(60_000, seed)).collect();
    let mut records = vec![start("one")];
    records.extend(texts.iter().map(|text| line("one", text)));
    records.push(runtime_done("one"));
    stage.platform.deliver(&records).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    let requests = kinesis.requests();
    assert!(requests[0].len() > 1, "{} entries", requests[0].len());
    assert_eq!(requests[1][0], requests[0][1], "the failed entry, byte for byte");
    assert_eq!(requests[2][0], requests[0][1], "and once more");
    let mut messages = kinesis.messages();
    messages.sort();
    let mut expected = texts;
    expected.sort();
    assert_eq!(messages, expected, "each line once");
}

#[tokio::test]
async fn an_event_that_is_larger_than_a_record_is_cut_and_says_so() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_RECORD_KIB", "64")]).await;
    stage.platform.invoke("one").await;
    stage.platform.deliver(&[start("one"), line("one", &noise(400_000, 1)), runtime_done("one")]).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    assert!(kinesis.requests().concat().iter().all(|(key, data)| key.len() + data.len() <= 64 * 1024));
    let messages = kinesis.messages();
    assert!(messages.len() == 1 && messages[0].len() > 10_000, "{}", messages.len());
    assert!(kinesis.last_account().lost.is_empty());
}

#[tokio::test]
async fn an_answer_that_got_lost_makes_a_copy_with_the_same_bytes_and_key() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.kinesis.answer_next(&[Answer::Lost]);
    stage.invocation("one", "heard twice").await;
    let (kinesis, _) = stage.shutdown().await;
    let requests = kinesis.requests();
    assert_eq!(requests[0], requests[1]);
    assert_eq!(kinesis.messages(), ["heard twice"]);
}

#[tokio::test]
async fn the_connection_is_opened_while_the_function_runs_and_kept() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    assert_eq!(stage.kinesis.connections(), 0, "nothing is connected before it is needed");
    stage.platform.invoke("one").await;
    let invoked = Instant::now();
    while stage.kinesis.connections() == 0 {
        assert!(invoked.elapsed() < Duration::from_secs(10), "it waits for something to send");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.platform.deliver(&[start("one"), line("one", "1"), runtime_done("one")]).await;
    stage.platform.ready().await;
    for number in 2..6 {
        stage.invocation(&number.to_string(), &number.to_string()).await;
    }
    assert_eq!((stage.kinesis.messages().len(), stage.kinesis.connections()), (5, 1));
    stage.shutdown().await;
}

#[tokio::test]
async fn a_request_that_a_freeze_cut_is_repeated_at_the_next_invocation() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "100")]).await;
    stage.kinesis.answer_next(&[Answer::Hang]);
    stage.invocation("one", "before the freeze").await;
    stage.extension.freeze();
    tokio::time::sleep(Duration::from_millis(600)).await;
    stage.extension.thaw();
    stage.platform.invoke("two").await;
    let thawed = Instant::now();
    while stage.kinesis.messages().is_empty() {
        assert!(thawed.elapsed() < Duration::from_secs(2), "the data waits for the request's time limit");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.platform.deliver(&[runtime_done("two")]).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["before the freeze"]);
}

#[tokio::test]
async fn when_room_is_short_debug_goes_first_and_errors_stay() {
    let settings = [("LIMELIGHT_MEMORY_MIB", "8"), ("LIMELIGHT_JOURNAL_MIB", "0")];
    let stage = Stage::set(Platform::start().await, &settings).await;
    stage.kinesis.otherwise(Some(Answer::Refused("ResourceNotFoundException")));
    stage.platform.invoke("one").await;
    stage.platform.deliver(&[start("one"), line_at("ERROR", "one", "the first error")]).await;
    for seed in 0..40 {
        let level = if seed % 2 == 0 { "DEBUG" } else { "INFO" };
        stage.platform.deliver(&[line_at(level, "one", &noise(100_000, seed))]).await;
    }
    stage.platform.deliver(&[line_at("ERROR", "one", "the last error"), runtime_done("one")]).await;
    stage.platform.ready().await;
    stage.kinesis.otherwise(None);
    let (kinesis, _) = stage.shutdown().await;
    let messages = kinesis.messages();
    assert!(["the first error", "the last error"].iter().all(|error| messages.iter().any(|m| m == error)));
    let account = kinesis.last_account();
    assert!(account.shed["pressure_debug"] > 0, "{:?}", account.shed);
    assert!(!account.lost.contains_key("backlog"), "{:?}", account.lost);
    let given_up: u64 = account.shed.values().chain(account.lost.values()).sum();
    assert_eq!(account.received, account.shipped + given_up, "{account:?}");
}

/// A wrong name of the stream, say: it is not the batches.
#[tokio::test]
async fn a_stream_that_refuses_one_batch_after_the_other_costs_a_few_and_is_said_once() {
    let settings = [("LIMELIGHT_FRESHNESS_MS", "50"), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    stage.kinesis.otherwise(Some(Answer::Refused("InvalidArgumentException")));
    for number in 0..12 {
        stage.invocation(&number.to_string(), &format!("line {number:02}")).await;
    }
    let asked = stage.kinesis.requests().len();
    assert!(asked < 9, "{asked} requests for twelve batches, nothing of which is taken");
    stage.kinesis.otherwise(None);
    let (kinesis, said) = stage.shutdown().await;
    let account = kinesis.last_account();
    let lost = account.lost["refused"];
    assert_eq!(account.received, account.shipped + lost, "{account:?}");
    assert!(kinesis.messages().contains(&"line 11".to_owned()) && kinesis.messages().len() >= 8);
    assert_eq!(said.matches("refused a batch").count(), 1, "{said}");
    assert_eq!(said.matches("cannot send to").count(), 1, "{said}");
}

//! Whom the extension holds, and for how long.

use std::time::{Duration, Instant};

use crate::Stage;
use crate::fakes::platform::{Platform, line, logs_dropped, runtime_done, start};

#[tokio::test]
async fn what_an_invocation_printed_is_on_the_stream_before_the_next_one() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.invocation("one", "hello from the function").await;
    assert_eq!(stage.kinesis.messages(), ["hello from the function"]);
    let (_, said) = stage.shutdown().await;
    assert_eq!(said, "", "a good run is silent");
}

#[tokio::test]
async fn a_lost_runtime_done_holds_the_sandbox_to_its_deadline_and_no_longer() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    stage.platform.invoke_with_timeout("one", Duration::from_millis(700)).await;
    let invoked = Instant::now();
    stage.platform.deliver(&[start("one"), line("one", "the last anybody heard")]).await;
    stage.platform.ready().await;
    assert!(invoked.elapsed() < Duration::from_millis(700), "{:?}", invoked.elapsed());
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["the last anybody heard"]);
}

/// What was lost may have been the end of the invocation.
#[tokio::test]
async fn nobody_is_held_for_an_end_once_the_platform_has_lost_something() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    for (id, lost) in [("one", true), ("two", false)] {
        stage.platform.invoke(id).await;
        stage.platform.deliver(&[start(id), line(id, "before the loss")]).await;
        if lost {
            stage.platform.deliver(&[logs_dropped(3)]).await;
        } else {
            stage.platform.deliver_bytes(b"[{\"type\":]".to_vec()).await;
        }
        let told = Instant::now();
        stage.platform.ready().await;
        assert!(told.elapsed() < Duration::from_secs(2), "{id}: {:?}", told.elapsed());
    }
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["before the loss"; 2]);
    assert_eq!(kinesis.last_account().lost["platform"], 3);
}

#[tokio::test]
async fn an_end_that_was_not_told_is_waited_for_once() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    for (id, is_held) in [("one", true), ("two", false)] {
        stage.platform.invoke_with_timeout(id, Duration::from_millis(1_000)).await;
        let invoked = Instant::now();
        stage.platform.deliver(&[start(id), line(id, id)]).await;
        stage.platform.ready().await;
        assert_eq!(invoked.elapsed() > Duration::from_millis(700), is_held, "{id}: {:?}", invoked.elapsed());
    }
    // It is told late, and the next ones are believed again.
    stage.platform.deliver(&[runtime_done("two")]).await;
    stage.platform.deliver(&[runtime_done("three")]).await;
    stage.invocation("four", "four").await;
    assert!(stage.kinesis.messages().contains(&"four".to_owned()));
    stage.shutdown().await;
}

#[tokio::test]
async fn nobody_is_held_for_telemetry_that_comes_much_too_late() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "50")]).await;
    stage.platform.invoke("one").await;
    // The platform tells now what was printed a while ago; the end of the invocation is still behind that.
    let printed = line("one", "printed a while ago");
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.platform.deliver(&[printed]).await;
    stage.platform.ready().await;
    stage.platform.deliver(&[runtime_done("one")]).await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["printed a while ago"]);
}

/// Runs short invocations until the extension has learned that they follow each other closely.
pub(crate) async fn keep_busy(stage: &mut Stage) {
    for number in 0..10 {
        stage.invocation(&format!("busy-{number}"), &format!("busy {number}")).await;
    }
}

#[tokio::test]
async fn a_busy_sandbox_is_not_held_at_all_and_its_lines_come_with_the_next_invocation() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FRESHNESS_MS", "1000")]).await;
    keep_busy(&mut stage).await;
    stage.platform.invoke("bet").await;
    // Nothing has been delivered, not even that it began.
    stage.platform.ready().await;
    stage.platform.invoke("next").await;
    stage.platform.deliver(&[start("bet"), line("bet", "told late"), runtime_done("bet")]).await;
    stage.platform.ready().await;
    stage.until_taken("told late").await;
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!(kinesis.messages().len(), 11);
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_busy_sandbox_that_never_bets_is_held_for_each_invocation() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH", "end")]).await;
    for number in 0..12 {
        stage.invocation(&number.to_string(), &format!("line {number}")).await;
        assert_eq!(stage.kinesis.messages().len(), number + 1);
    }
    stage.shutdown().await;
}

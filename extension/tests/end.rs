//! SHUTDOWN: what is taken and sent before the end, and how long that takes.

use std::time::{Duration, Instant};

use crate::Stage;
use crate::fakes::kinesis::Answer;
use crate::fakes::platform::{Platform, line, report, runtime_done, start};
use crate::hold::keep_busy;

#[tokio::test]
async fn shutdown_takes_what_is_delivered_late_and_what_is_still_open() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.invocation("one", "in time").await;
    stage.platform.shutdown("timeout").await;
    stage.platform.deliver(&[report("one"), line("one", "at the last moment")]).await;
    stage.extension.ended_well().await;
    let mut messages = stage.kinesis.messages();
    messages.sort();
    assert_eq!(messages, ["at the last moment", "in time"]);
}

#[tokio::test]
async fn the_end_is_quick_and_marked_when_nothing_is_pending() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.invocation("one", "hello").await;
    stage.platform.deliver(&[report("one")]).await;
    let asked = Instant::now();
    stage.platform.shutdown("spindown").await;
    stage.extension.ended_well().await;
    // 100 ms on a machine that is not testing something else meanwhile; `make bench-extension` measures it.
    assert!(asked.elapsed() < Duration::from_millis(400), "{:?}", asked.elapsed());
    let account = stage.kinesis.last_account();
    assert_eq!(account.closed, "spindown");
    assert_eq!(account.received, account.shipped, "{account:?}");
}

#[tokio::test]
async fn the_end_comes_in_time_whatever_the_stream_does() {
    for answer in [Answer::Hang, Answer::Reset, Answer::Status(500)] {
        let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "50")]).await;
        stage.kinesis.otherwise(Some(answer));
        stage.invocation("one", "unheard").await;
        let asked = Instant::now();
        stage.platform.shutdown("spindown").await;
        let said = stage.extension.ended_well().await;
        assert!(asked.elapsed() <= Duration::from_millis(1_500), "{answer:?}: {:?}", asked.elapsed());
        assert!(said.contains("not acknowledged"), "{answer:?}: {said}");
    }
}

#[tokio::test]
async fn what_a_bet_has_left_on_its_way_is_waited_for_at_the_end() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FRESHNESS_MS", "1000")]).await;
    keep_busy(&mut stage).await;
    stage.platform.invoke("bet").await;
    // The sandbox is let go and frozen before anything of the invocation has been delivered.
    stage.platform.ready().await;
    stage.platform.shutdown("spindown").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    stage.platform.deliver(&[start("bet"), line("bet", "the last words"), runtime_done("bet")]).await;
    stage.extension.ended_well().await;
    assert!(
        stage.kinesis.messages().contains(&"the last words".to_owned()),
        "{:?}",
        stage.kinesis.messages()
    );
}

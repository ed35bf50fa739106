//! A stream that cannot be had: the function feels nothing, and nothing is lost.

use std::time::{Duration, Instant};

use crate::Stage;
use crate::fakes::kinesis::Answer;
use crate::fakes::platform::{Platform, line, runtime_done, start};

#[tokio::test]
async fn a_stream_that_is_down_fails_no_function_and_loses_nothing() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "300")]).await;
    stage.kinesis.answer_next(&[Answer::Status(500); 4]);
    for number in 0..5 {
        let held = stage.invocation(&number.to_string(), &format!("line {number}")).await;
        assert!(held < Duration::from_secs(2), "invocation {number} was held for {held:?}");
    }
    let (kinesis, said) = stage.shutdown().await;
    let mut messages = kinesis.messages();
    messages.sort();
    assert_eq!(messages, ["line 0", "line 1", "line 2", "line 3", "line 4"]);
    assert_eq!(said.matches("cannot send").count(), 1, "{said}");
}

#[tokio::test]
async fn a_stream_that_never_answers_holds_nobody_over_its_budget() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "100")]).await;
    stage.kinesis.answer_next(&[Answer::Hang]);
    let held = stage.invocation("one", "into the void").await;
    assert!(held < Duration::from_millis(1_000), "{held:?}");
    // The end takes the hanging request for dead and sends the same bytes again.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (kinesis, _) = stage.shutdown().await;
    let requests = kinesis.requests();
    assert_eq!(requests[0][0], requests[1][0]);
}

#[tokio::test]
async fn a_stream_that_hangs_resets_or_is_slow_soon_costs_nothing() {
    for answer in [Answer::Hang, Answer::Reset, Answer::Late(400), Answer::Status(503)] {
        let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "100")]).await;
        stage.kinesis.otherwise(Some(answer));
        let mut late = 0;
        for number in 0..12 {
            // Invocations that are far from each other as far as the extension can tell: it never bets.
            let id = number.to_string();
            stage.platform.invoke(&id).await;
            stage.platform.deliver(&[start(&id), line(&id, &id), runtime_done(&id)]).await;
            let done = Instant::now();
            stage.platform.ready().await;
            let held = done.elapsed();
            assert!(held < Duration::from_millis(600), "{answer:?}, invocation {number}: {held:?}");
            late += u32::from(held > Duration::from_millis(40));
        }
        assert!(late <= 5, "{answer:?}: {late} invocations were held");
        stage.kinesis.otherwise(None);
        let (kinesis, _) = stage.shutdown().await;
        let mut messages: Vec<u32> = kinesis.messages().iter().map(|text| text.parse().unwrap()).collect();
        messages.sort_unstable();
        assert_eq!(messages, (0..12).collect::<Vec<_>>(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_missing_stream_or_permission_is_one_line_and_every_next_is_answered() {
    for why in ["ResourceNotFoundException", "AccessDeniedException"] {
        let mut stage = Stage::set(Platform::start().await, &[]).await;
        stage.kinesis.otherwise(Some(Answer::Refused(why)));
        for number in 0..3 {
            stage.invocation(&number.to_string(), "unheard").await;
        }
        let (_, said) = stage.shutdown().await;
        assert_eq!(said.matches(why).count(), 1, "{said}");
        assert!(said.contains("not acknowledged"), "{said}");
    }
}

/// Nobody grants a permission within seconds: the pauses grow, also over what is delivered meanwhile. When somebody
/// has, everything arrives.
#[tokio::test]
async fn a_denied_permission_is_asked_for_ever_less_often() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FRESHNESS_MS", "50")]).await;
    stage.kinesis.otherwise(Some(Answer::Refused("AccessDeniedException")));
    stage.platform.invoke("one").await;
    stage.platform.deliver(&[start("one")]).await;
    let began = Instant::now();
    let mut lines = 0;
    while began.elapsed() < Duration::from_secs(2) {
        stage.platform.deliver(&[line("one", &format!("line {lines:02}"))]).await;
        lines += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Half of 80, 160, 320, 640 and 1,280 ms at the least, before the seventh.
    let asked = stage.kinesis.requests();
    assert!((2..=7).contains(&asked.len()), "{} requests in two seconds", asked.len());
    assert!(
        asked.iter().all(|entries| entries.len() == 1),
        "while nothing is taken, one batch is enough to ask with"
    );
    stage.kinesis.otherwise(None);
    stage.platform.deliver(&[runtime_done("one")]).await;
    stage.platform.ready().await;
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!(kinesis.messages().len(), lines);
    assert_eq!(said.matches("AccessDeniedException").count(), 1, "{said}");
}

#[tokio::test]
async fn a_stream_whose_name_nobody_knows_fails_nothing() {
    let settings =
        [("AWS_ENDPOINT_URL_KINESIS", "http://stream.invalid:4567"), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    for number in 0..6 {
        let held = stage.invocation(&number.to_string(), "unheard").await;
        assert!(held < Duration::from_millis(500), "{held:?}");
    }
    let (_, said) = stage.shutdown().await;
    assert!(said.contains("not acknowledged"), "{said}");
}

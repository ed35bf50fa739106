//! Drawn faults strike real processes.

use std::time::{Duration, Instant};

use sandbox::{FaultPlan, Odds};
use serde_json::{Value, json};

use crate::scene::{Scene, answer, run};
use crate::telemetry::{lines, stitched};

#[tokio::test(flavor = "multi_thread")]
async fn drawn_faults_redeliver_and_cut_but_lose_nothing() {
    let odds = Odds { redeliver: 0.5, cut: 0.5, freeze: 0.3, ..Odds::default() };
    let scene = Scene::recorded(json!({})).with(|f| f.concurrency_max(1).faults(FaultPlan { seed: 7, odds }));
    let lambda = scene.start().await;
    for n in 0..15 {
        run(&lambda, json!([{"print": format!("line {n}")}])).await.unwrap();
    }
    lambda.shutdown().await;
    let mut sequences = std::collections::HashSet::new();
    let notes = scene.journal().into_iter().filter(|note| note.get("post").is_some());
    let (first, again): (Vec<_>, Vec<_>) =
        notes.partition(|note| sequences.insert(note["sequence"].as_str().unwrap().to_owned()));
    assert!(!again.is_empty());
    let posts: Vec<_> = first.iter().map(|note| note["post"].as_str().unwrap().to_owned()).collect();
    assert!(posts.iter().any(|post| serde_json::from_str::<Value>(post).is_err()));
    assert_eq!(lines(&stitched(&posts)), (0..15).map(|n| json!(format!("line {n}"))).collect::<Vec<_>>());
}

/// Six invocations with a line each, from the first process to the last; how long that took, and the lines.
async fn six_invocations(odds: Odds) -> (Duration, Vec<Value>) {
    let scene =
        Scene::recorded(json!({})).with(|f| f.concurrency_max(1).faults(FaultPlan { seed: 11, odds }));
    let began = Instant::now();
    let lambda = scene.start().await;
    for n in 0..6 {
        run(&lambda, json!([{"print": format!("line {n}")}])).await.unwrap();
    }
    lambda.shutdown().await;
    let journal = scene.journal();
    assert!(journal.iter().any(|note| note["bye"] == true), "SHUTDOWN was heard");
    let posts = journal.iter().filter_map(|note| Some(note.get("post")?.as_str().unwrap().to_owned()));
    (began.elapsed(), lines(&stitched(&posts.collect::<Vec<_>>())))
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_stops_around_messages_and_each_of_them_arrives() {
    let (_, expected) = six_invocations(Odds::default()).await;
    let (took, seen) = six_invocations(Odds { freeze_message: 1.0, ..Odds::default() }).await;
    assert_eq!(seen, expected);
    assert_eq!(seen, (0..6).map(|n| json!(format!("line {n}"))).collect::<Vec<_>>());
    // A stop is 200 ms long in the middle, and there are four or more in each invocation; no machine is faster.
    assert!(took > Duration::from_secs(2), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_function_is_a_crash() {
    let odds = Odds { kill_function: 1.0, ..Odds::default() };
    let scene = Scene::recorded(json!({})).with(|f| f.faults(FaultPlan { seed: 1, odds }));
    let lambda = scene.start().await;
    let outcome = run(&lambda, json!([{"sleep": 1}])).await.unwrap();
    assert!(answer(&outcome)["errorMessage"].as_str().unwrap().contains("signal: killed"));
    lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_extension_is_a_crash_and_a_new_environment_follows() {
    // Of this seed's environments the first is hit in its first invocation, and not all that follow are.
    let odds = Odds { kill_extension: 0.5, ..Odds::default() };
    let scene = Scene::recorded(json!({"work": 0})).with(|f| f.faults(FaultPlan { seed: 3, odds }));
    let lambda = scene.start().await;
    let mut outcomes = Vec::new();
    for _ in 0..6 {
        outcomes.push(run(&lambda, json!([{"sleep": 0.4}, {"pid": 1}])).await.unwrap());
    }
    lambda.shutdown().await;
    let (hit, spared): (Vec<_>, Vec<_>) = outcomes.iter().partition(|outcome| outcome.error.is_some());
    assert!(!hit.is_empty() && !spared.is_empty(), "{} hit, {} spared", hit.len(), spared.len());
    for outcome in &hit {
        assert_eq!(answer(outcome)["errorType"], "Extension.Crash");
        assert!(answer(outcome)["errorMessage"].as_str().unwrap().ends_with("signal: killed"));
    }
    let journal = scene.journal();
    let started = journal.iter().filter(|note| note.get("environ").is_some()).count();
    let ended = journal.iter().filter(|note| note["bye"] == true).count();
    assert_eq!(started - ended, hit.len(), "exactly the killed ones never said goodbye");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_jump_on_the_machines_clock_is_a_long_stop() {
    let odds = Odds { clock_jump: 1.0, ..Odds::default() };
    // One environment: a second one would take the second invocation while the first still ends.
    let scene = Scene::recorded(json!({})).with(|f| f.concurrency_max(1).faults(FaultPlan { seed: 5, odds }));
    let lambda = scene.start().await;
    run(&lambda, json!([])).await.unwrap();
    let began = Instant::now();
    run(&lambda, json!([])).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
    lambda.shutdown().await;
}

/// What the function saw: its wall clock and its monotonic clock, seconds.
fn clocks(answer: &Value) -> (f64, f64) {
    let number = |index: usize| answer[index].as_f64().unwrap_or_else(|| panic!("{answer}"));
    (number(0), number(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_moves_every_process_and_every_record_at_the_next_thaw() {
    let mut scene = Scene::recorded(json!({})).with(|f| f.concurrency_max(1));
    let clock = scene.clock();
    let lambda = scene.start().await;
    let before = clocks(&answer(&run(&lambda, json!([{"clocks": 1}])).await.unwrap()));
    clock.jump(6 * 60 * 60 * 1_000);
    let after = clocks(&answer(&run(&lambda, json!([{"clocks": 1}])).await.unwrap()));
    clock.jump(-7 * 60 * 60 * 1_000);
    let back = clocks(&answer(&run(&lambda, json!([{"clocks": 1}])).await.unwrap()));
    lambda.shutdown().await;
    let hours = |from: (f64, f64), to: (f64, f64)| ((to.0 - from.0) / 3_600.0).round();
    assert!((hours(before, after) - 6.0).abs() < 0.1 && (hours(before, back) + 1.0).abs() < 0.1);
    assert!(back.1 - before.1 < 60.0, "the monotonic clock stays the machine's");

    let invoked: Vec<_> = scene
        .journal()
        .into_iter()
        .filter(|note| note["event"]["eventType"] == "INVOKE")
        .map(|note| (note["at"].as_f64().unwrap(), note["event"]["deadlineMs"].as_f64().unwrap() / 1_000.0))
        .collect();
    assert!(((invoked[1].0 - invoked[0].0) / 3_600.0 - 6.0).abs() < 0.1, "{invoked:?}");
    // The deadline is told by the same clock.
    assert!(invoked.iter().all(|(at, deadline)| (0.0..=10.5).contains(&(deadline - at))), "{invoked:?}");
    let started: Vec<_> = scene
        .records()
        .into_iter()
        .filter(|record| record.kind == "platform.start")
        .map(|record| record.time)
        .collect();
    assert!(started[2] < started[0] && started[0] < started[1], "{started:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawn_clock_jump_moves_a_faked_clock_by_minutes_or_hours() {
    let odds = Odds { clock_jump: 1.0, ..Odds::default() };
    let mut scene =
        Scene::recorded(json!({})).with(|f| f.concurrency_max(1).faults(FaultPlan { seed: 5, odds }));
    scene.clock();
    let lambda = scene.start().await;
    let before = clocks(&answer(&run(&lambda, json!([{"clocks": 1}])).await.unwrap()));
    let after = clocks(&answer(&run(&lambda, json!([{"clocks": 1}])).await.unwrap()));
    lambda.shutdown().await;
    let (wall, monotonic) = (after.0 - before.0, after.1 - before.1);
    assert!((wall - monotonic).abs() > 1.0, "wall {wall}, monotonic {monotonic}");
}

//! The fault matrix: for each thing that goes wrong, lines printed = lines found by query + records counted as lost
//! with a reason, nothing twice, and the function does not feel it. Real function, extension as it ships, the stream
//! and the store of `limelight dev`; what goes wrong is drawn from a seed.
//!
//! `LIMELIGHT_FAULT_SEED` chooses the (first) seed, `LIMELIGHT_FAULT_SCENARIO` the rows by a part of their names;
//! for `make soak`, `LIMELIGHT_FAULT_SEEDS` how many seeds and `LIMELIGHT_FAULT_SCALE` how many times the invocations;
//! `LIMELIGHT_FAULT_RESULTS` names a file to which the sums are appended as figures.

mod scenario;
mod stalls;
mod name_server;
mod run;
mod books;
mod verdict;
mod summary;
mod figures;

use std::env;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::dev::Dev;
use crate::support::namespace;
use crate::support::seed;
use run::{Seen, Stage};
use scenario::{Scenario, matrix};
use stalls::Stalls;
use summary::Summary;

/// Scenarios that run beside each other: they mostly wait, but a start-up takes a core for half a second.
const AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_found_or_counted_and_the_function_does_not_feel_it() {
    play(seed::of_run(1), 1, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "minutes to hours: make soak"]
async fn soak() {
    let first = seed::of_run(1_000);
    let seeds = seed::setting("LIMELIGHT_FAULT_SEEDS", 20);
    play(first, seeds, seed::setting("LIMELIGHT_FAULT_SCALE", 3)).await;
}

/// All rows with so many seeds from the first one on.
async fn play(first: u64, seeds: u64, scale: u64) {
    let (rows, mut summary, mut broken) = (rows(scale), Summary::default(), Vec::new());
    for seed in first..first + seeds {
        play_seed(seed, &rows, &mut summary, &mut broken).await;
    }
    println!("\n{}\n{}", summary.table(), summary.how_latency_was_judged());
    broken.extend(summary.complaints());
    if let Some(results) = env::var_os("LIMELIGHT_FAULT_RESULTS") {
        figures::append(&summary, first..first + seeds, results.as_ref());
    }
    assert!(broken.is_empty(), "{} complaints:\n{}", broken.len(), broken.join("\n"));
}

/// All rows with one seed, on a store of their own: what is asked here is not how a store bears thousands of runs.
async fn play_seed(seed: u64, rows: &[Scenario], summary: &mut Summary, broken: &mut Vec<String>) {
    let data = tempfile::tempdir().unwrap();
    let stage = Arc::new(Stage { dev: Dev::start(data.path(), &[], &[]), stalls: Stalls::watch() });
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut runs = JoinSet::new();
    for row in rows.iter().cloned() {
        let (stage, places) = (stage.clone(), places.clone());
        runs.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            let seen = run::run(&row, seed, &stage).await;
            (row, seen)
        });
    }
    while let Some(run) = runs.join_next().await {
        let (row, seen) = match run {
            Ok(run) => run,
            Err(error) => {
                broken.push(format!("a run with LIMELIGHT_FAULT_SEED={seed} ended: {error}"));
                continue;
            }
        };
        let complaints = verdict::complaints(&row, &seen);
        tell(&row, seed, &seen, &complaints);
        summary.add(&row, &seen, !complaints.is_empty());
        broken.extend(
            complaints.into_iter().map(|why| format!("{} with LIMELIGHT_FAULT_SEED={seed}: {why}", row.name)),
        );
    }
}

fn rows(scale: u64) -> Vec<Scenario> {
    let wanted = env::var("LIMELIGHT_FAULT_SCENARIO").unwrap_or_default();
    let mut rows: Vec<_> = matrix().into_iter().filter(|row| row.name.contains(&wanted)).collect();
    let needs_mounts = rows.iter().any(|row| row.unresolvable);
    if needs_mounts && !namespace::is_possible_or_skipped("a name that does not resolve") {
        rows.retain(|row| !row.unresolvable);
    }
    for row in rows.iter_mut().filter(|row| row.load.invocations > 2) {
        row.load.invocations *= scale;
    }
    assert!(!rows.is_empty(), "no scenario is called {wanted:?}");
    rows
}

fn tell(row: &Scenario, seed: u64, seen: &Seen, complaints: &[String]) {
    let verdict = if complaints.is_empty() { "holds" } else { "BROKEN" };
    println!(
        "{verdict:<6} {} seed {seed}: {} lines printed, {} found, struck {:?}, latency by {}, {:.1} s",
        row.name,
        seen.printed.len(),
        seen.found.len(),
        seen.struck,
        verdict::judged(row, seen).as_str(),
        seen.took.as_secs_f64(),
    );
    complaints.iter().for_each(|why| println!("       {why}"));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    use super::books::Book;
    use super::run::{Call, Kill};
    use super::scenario::Added;
    use super::verdict::Judged;
    use super::*;

    /// Two lines printed and found, an account that adds up.
    fn good() -> Seen {
        let printed = BTreeMap::from([(0, Instant::now()), (1, Instant::now())]);
        let book = Book { records: 2, received: 2, closed: Some("spindown".to_owned()), ..Book::default() };
        Seen { printed, found: BTreeMap::from([(0, 1), (1, 1)]), books: vec![book], ..Seen::default() }
    }

    fn complaints(seen: &Seen) -> Vec<String> {
        verdict::complaints(&matrix()[0], seen)
    }

    #[test]
    fn nothing_wrong_is_no_complaint() {
        assert_eq!(complaints(&good()), Vec::<String>::new());
    }

    #[test]
    fn a_row_whose_faults_never_struck_proves_nothing() {
        let row = matrix().into_iter().find(|row| row.name == "redelivered-and-cut-posts").unwrap();
        let mut summary = Summary::default();
        for (struck, never) in [("cut", 1), ("redelivery", 0)] {
            summary.add(&row, &Seen { struck: BTreeMap::from([(struck, 1)]), ..good() }, false);
            assert_eq!(summary.complaints().len(), never, "{:?}", summary.complaints());
        }
    }

    #[test]
    fn a_missing_a_double_and_an_invented_line_are_complaints() {
        for found in [vec![(0, 1)], vec![(0, 1), (1, 2)], vec![(0, 1), (1, 1), (2, 1)]] {
            let seen = Seen { found: found.into_iter().collect(), ..good() };
            assert_eq!(complaints(&seen).len(), 1);
        }
    }

    #[test]
    fn a_record_that_nobody_owns_up_to_and_a_batch_that_is_not_found_are_complaints() {
        let dishonest = Book { received: 3, ..good().books.remove(0) };
        let silent = Book { closed: None, ..good().books.remove(0) };
        for book in [dishonest, silent] {
            assert_eq!(complaints(&Seen { books: vec![book], ..good() }).len(), 1);
        }
        assert_eq!(complaints(&Seen { batches_missing: 1, ..good() }).len(), 1);
    }

    /// Invocation 0 printed its second line so long after its extension was killed; neither was found.
    fn killed(scenario: &Scenario, printed_after: Duration, invocation: u64) -> Vec<String> {
        let at = Instant::now();
        let printed = BTreeMap::from([(0, at), (1, at + printed_after)]);
        let kills = vec![Kill { at, invocation }];
        verdict::complaints(scenario, &Seen { printed, kills, ..Seen::default() })
    }

    #[test]
    fn what_a_killed_sandbox_prints_until_it_is_gone_is_its_tail_and_what_the_next_one_prints_is_not() {
        let row = matrix().into_iter().find(|row| row.name == "killed-extension").unwrap();
        for after in [Duration::from_millis(10), Duration::from_secs(2)] {
            assert_eq!(killed(&row, after, 0), Vec::<String>::new());
        }
        let earlier = Scenario { load: scenario::Load { lines: 1, ..row.load }, ..row };
        assert_eq!(
            killed(&earlier, Duration::from_millis(10), 0).len(),
            1,
            "line 1 is of the next invocation"
        );
    }

    /// Ten invocations that end well, each held so long.
    fn held(added_ms: f64) -> Seen {
        let call = |number: usize| Call { request_id: number.to_string(), end: "well", error: None };
        let added_ms = (0..10).map(|number| (number.to_string(), added_ms)).collect();
        Seen { calls: (0..10).map(call).collect(), added_ms, ..good() }
    }

    #[test]
    fn a_sandbox_that_is_held_over_the_budget_is_a_complaint_and_sooner_when_the_stream_is_known_to_be_down()
    {
        let patient = Scenario { added: Added::UpToTheBudget, ..matrix()[0].clone() };
        let breaker = Scenario { added: Added::UpToTheBudgetUntil(9), ..patient.clone() };
        for (held_ms, scenario, wrong) in
            [(40.0, &patient, 0), (90.0, &patient, 1), (4.0, &breaker, 0), (40.0, &breaker, 1)]
        {
            assert_eq!(verdict::complaints(scenario, &held(held_ms)).len(), wrong, "{held_ms}");
        }
    }

    #[test]
    fn on_a_machine_that_stalls_one_slow_invocation_says_nothing_and_a_slow_middle_does() {
        let patient = Scenario { added: Added::UpToTheBudget, ..matrix()[0].clone() };
        let (quiet, busy) = (Duration::ZERO, Duration::from_millis(11));
        for (slow, stall, judged, wrong) in [
            (1, quiet, Judged::EachInvocation, 1),
            (1, busy, Judged::TheMiddleOne, 0),
            (6, busy, Judged::TheMiddleOne, 1),
        ] {
            let mut seen = Seen { stall, ..held(1.0) };
            seen.added_ms.values_mut().take(slow).for_each(|added| *added = 400.0);
            assert_eq!(verdict::judged(&patient, &seen), judged);
            assert_eq!(verdict::complaints(&patient, &seen).len(), wrong, "{slow} slow, stalled {stall:?}");
        }
        let unasked = Scenario { added: Added::NotAsked, ..patient };
        assert_eq!(verdict::judged(&unasked, &held(400.0)), Judged::NotAtAll);
    }
}

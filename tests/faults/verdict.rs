//! What was seen → what is wrong with it. Nothing here runs anything.

use std::time::Duration;

use super::run::{BUDGET_MS, Kill, Seen};
use super::scenario::{Added, Loses, Scenario};

/// The freshness target's default, and a flush budget on top: what a killed sandbox may not have shipped yet.
const TAIL: Duration = Duration::from_millis(1_000 + BUDGET_MS);
/// On a machine that keeps ready threads waiting for longer, a single invocation's time says nothing about us: beside
/// stalls of 7 to 9 ms single ones of 82 to 99 ms were seen.
pub const QUIET: Duration = Duration::from_millis(5);
/// Hand-overs between threads from the function's end to the sandbox's release, each of which may meet a stall: four in the
/// sandbox and the extension, and four on a request's way through the proxy to the stream and back.
const HAND_OVERS: f64 = 8.0;
/// Once the stream is known to be down.
const BREAKER_MS: f64 = 5.0;

/// All that is wrong, in words; empty if the scenario holds.
pub fn complaints(scenario: &Scenario, seen: &Seen) -> Vec<String> {
    let mut wrong = Vec::new();
    delivery(scenario, seen, &mut wrong);
    function(scenario, seen, &mut wrong);
    if let Some(why) = latency(scenario, seen) {
        wrong.push(why);
    }
    wrong
}

fn delivery(scenario: &Scenario, seen: &Seen, wrong: &mut Vec<String>) {
    let double: Vec<_> = seen.found.iter().filter(|(_, times)| **times > 1).collect();
    let missing = missing(seen);
    let counted: u64 = seen.books.iter().map(|book| book.counted()).sum();
    if !double.is_empty() {
        wrong.push(format!("double: {double:?}"));
    }
    if let Some(phantom) = seen.found.keys().find(|mark| !seen.printed.contains_key(mark)) {
        wrong.push(format!("line {phantom} was found and never printed"));
    }
    if seen.printed.is_empty() {
        wrong.push("the function printed nothing".to_owned());
    }
    if seen.batches_missing > 0 {
        wrong.push(format!("{} batches that the stream took were not found", seen.batches_missing));
    }
    if unaccounted(scenario, seen) > 0 {
        let inexcusable: Vec<_> = missing.iter().filter(|mark| !excused(scenario, seen, **mark)).collect();
        let lost = inexcusable.len();
        wrong.push(format!(
            "{lost} lines are missing and {counted} events counted: {inexcusable:?}{}{}",
            reasons(seen),
            kills(seen)
        ));
    }
    books(seen, wrong);
}

/// Missing lines for which nothing speaks: neither a count, where the scenario may lose what is counted, nor the death
/// of their sandbox.
pub fn unaccounted(scenario: &Scenario, seen: &Seen) -> u64 {
    let lost = missing(seen).iter().filter(|mark| !excused(scenario, seen, **mark)).count() as u64;
    match scenario.loses {
        Loses::Nothing => lost,
        Loses::WhatIsCounted | Loses::TheTailOfKilledSandboxes => {
            lost.saturating_sub(seen.books.iter().map(|book| book.counted()).sum())
        }
    }
}

/// Every sandbox that was not killed has a last word, and by it every record is found or counted.
fn books(seen: &Seen, wrong: &mut Vec<String>) {
    let (closed, open): (Vec<_>, Vec<_>) = seen.books.iter().partition(|book| book.closed.is_some());
    if open.len() > seen.kills.len() {
        wrong.push(format!("{} sandboxes have no last word, {} were killed", open.len(), seen.kills.len()));
    }
    for book in closed.iter().filter(|book| !book.adds_up()) {
        wrong.push(format!("an account that does not add up by {}: {book:?}", book.unexplained()));
    }
}

/// Lines that were printed and not found.
pub fn missing(seen: &Seen) -> Vec<u64> {
    seen.printed.keys().filter(|mark| !seen.found.contains_key(mark)).copied().collect()
}

/// Whether the line was too young to have been shipped when its sandbox's extension was killed, or was printed after
/// that: a function goes on until its sandbox has noticed, and on a busy machine that takes a while.
fn excused(scenario: &Scenario, seen: &Seen, mark: u64) -> bool {
    let (printed, invocation) = (seen.printed[&mark], mark / scenario.load.lines);
    seen.kills.iter().any(|kill| {
        if printed > kill.at { invocation == kill.invocation } else { kill.at <= printed + TAIL + seen.stall }
    })
}

/// What sandboxes count, and why.
fn reasons(seen: &Seen) -> String {
    let losing = seen.books.iter().filter(|book| book.counted() > 0);
    losing
        .map(|book| format!("; given up {:?}, never received {}", book.given_up, book.never_received))
        .collect()
}

/// When extensions were killed, and around which lines.
fn kills(seen: &Seen) -> String {
    let before = |kill: &Kill| seen.printed.values().filter(|printed| **printed <= kill.at).count();
    let told =
        |kill: &Kill| format!("; killed after {} lines in invocation {}", before(kill), kill.invocation);
    seen.kills.iter().map(told).collect()
}

/// What was told to end well does, whatever happens to telemetry, unless the scenario kills it.
fn function(scenario: &Scenario, seen: &Seen, wrong: &mut Vec<String>) {
    if scenario.sandbox.kill_function > 0.0 || scenario.kills_extension > 0.0 {
        return;
    }
    for call in &seen.calls {
        match (&call.error, call.end == "well") {
            (Some(error), true) => wrong.push(format!("{} failed: {error}", call.request_id)),
            (None, false) => wrong.push(format!("{} was told to {} and did not", call.request_id, call.end)),
            _ => {}
        }
    }
}

/// How much the time for which sandboxes were held is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    EachInvocation,
    /// The machine stalled: only the middle one of a run says something about us.
    TheMiddleOne,
    /// The scenario itself holds the sandbox up.
    NotAtAll,
}

impl Judged {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EachInvocation => "each invocation",
            Self::TheMiddleOne => "the middle one",
            Self::NotAtAll => "none",
        }
    }
}

/// Each invocation is judged on a machine that is quiet enough, and the middle one on any.
pub fn judged(scenario: &Scenario, seen: &Seen) -> Judged {
    match scenario.added {
        Added::NotAsked => Judged::NotAtAll,
        _ if seen.stall <= QUIET => Judged::EachInvocation,
        _ => Judged::TheMiddleOne,
    }
}

fn latency(scenario: &Scenario, seen: &Seen) -> Option<String> {
    let (opens, work) = match scenario.added {
        Added::NotAsked => return None,
        Added::UpToTheBudget => (usize::MAX, Duration::ZERO),
        Added::UpToTheBudgetAndItsWork(work) => (usize::MAX, work),
        Added::UpToTheBudgetUntil(calls) => (calls, Duration::ZERO),
    };
    let stall = HAND_OVERS * seen.stall.as_secs_f64() * 1_000.0;
    let ill = super::run::ill_invocations(scenario);
    let held = seen.calls.iter().enumerate().filter(|(_, call)| call.error.is_none());
    let held = held.filter_map(|(number, call)| Some((number, *seen.added_ms.get(&call.request_id)?)));
    let (down, up): (Vec<_>, Vec<_>) =
        held.partition(|(number, _)| *number >= opens && (*number as u64) < ill);
    #[allow(clippy::cast_precision_loss, reason = "milliseconds")]
    let budget = BUDGET_MS as f64 + work.as_secs_f64() * 1_000.0;
    let slow: Vec<String> = [(up, budget), (down, BREAKER_MS)]
        .into_iter()
        .flat_map(|(held, limit)| slowest(held, limit + stall, judged(scenario, seen)))
        .map(|(number, added)| format!("{added:.1} ms at invocation {number}"))
        .collect();
    (!slow.is_empty())
        .then(|| format!("the sandbox was held too long (the machine stalled up to {stall:.1} ms): {slow:?}"))
}

/// Those over the limit of those that count.
fn slowest(mut held: Vec<(usize, f64)>, limit: f64, judged: Judged) -> Vec<(usize, f64)> {
    held.sort_by(|a, b| a.1.total_cmp(&b.1));
    let middle = held.get(held.len() / 2).copied();
    let counting = match judged {
        Judged::EachInvocation => held,
        Judged::TheMiddleOne => middle.into_iter().collect(),
        Judged::NotAtAll => Vec::new(),
    };
    counting.into_iter().filter(|(_, added)| *added > limit).collect()
}

//! The matrix: one row per thing that goes wrong, as data. What a row promises is checked by `verdict`.

use std::time::Duration;

use sandbox::Odds;

use super::run::EXTENSION_KILLED;
use crate::support::fault_proxy::plan::Fault;

/// One row.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: &'static str,
    pub load: Load,
    /// How invocations end, in turn; see `fixtures/functions/marker.py`.
    pub ends: &'static [&'static str],
    pub memory_mb: u32,
    pub timeout: Duration,
    /// The sandbox has a wall clock of its own, which the jumps among its faults set by hours.
    pub own_clock: bool,
    /// What happens in the sandbox.
    pub sandbox: Odds,
    /// The chance that the extension is killed (`-9`) during an invocation or soon after it.
    pub kills_extension: f64,
    /// What happens to requests on their way to the stream, and how often.
    pub stream: Vec<(Fault, f64)>,
    /// The stream's name cannot be resolved.
    pub unresolvable: bool,
    /// For what share of the invocations all of this lasts; then the way to the stream is free.
    pub ill_for: f64,
    /// When all sandboxes have ended, what they left on the disk is sent by `limelight replay`.
    pub replayed: bool,
    /// Settings of the extension.
    pub settings: &'static [(&'static str, &'static str)],
    pub loses: Loses,
    pub added: Added,
}

/// What the function does.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub invocations: u64,
    /// Per invocation.
    pub lines: u64,
    pub line_bytes: u64,
    /// Whether gzip makes little of them.
    pub noise: bool,
    /// The lines of an invocation are spread over so long.
    pub work_ms: u64,
    /// Between invocations the sandbox is frozen for up to so long.
    pub pause_ms: u64,
}

/// What may be missing from query results. Nothing may ever be there twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loses {
    Nothing,
    /// What the account says, with a reason.
    WhatIsCounted,
    /// Of a sandbox that was killed: what was younger than the freshness target.
    TheTailOfKilledSandboxes,
}

/// How long the sandbox may be held after the function is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// Up to the flush budget.
    UpToTheBudget,
    /// Up to the flush budget for so many invocations; then it is known that the stream is down.
    UpToTheBudgetUntil(usize),
    /// Up to the flush budget and the time that its work takes: whoever has one thread hears no timer meanwhile.
    UpToTheBudgetAndItsWork(Duration),
    /// The scenario itself holds the sandbox up: what it stops, nobody can be told apart from what we hold.
    NotAsked,
}

impl Scenario {
    /// The words of the faults that it draws: a row that none of them ever strikes proves nothing.
    pub fn faults(&self) -> Vec<&'static str> {
        let mut all = self.sandbox.faults();
        all.extend(self.stream.iter().map(|(fault, _)| fault.word()));
        all.extend((self.kills_extension > 0.0).then_some(EXTENSION_KILLED));
        all
    }
}

const HALF_A_SECOND: Duration = Duration::from_millis(500);

/// All rows. Each says in its name what goes wrong.
pub fn matrix() -> Vec<Scenario> {
    let mut rows = vec![plain("nothing")];
    rows.extend(around_the_function());
    rows.extend(around_the_platform());
    rows.extend(around_the_stream());
    rows.extend(outages());
    rows
}

fn plain(name: &'static str) -> Scenario {
    Scenario {
        name,
        load: Load { invocations: 12, lines: 20, line_bytes: 200, noise: false, work_ms: 20, pause_ms: 60 },
        ends: &["well"],
        memory_mb: 256,
        timeout: Duration::from_secs(10),
        sandbox: Odds::default(),
        own_clock: false,
        kills_extension: 0.0,
        stream: Vec::new(),
        unresolvable: false,
        ill_for: 1.0,
        replayed: false,
        settings: &[],
        loses: Loses::Nothing,
        added: Added::UpToTheBudget,
    }
}

fn around_the_function() -> Vec<Scenario> {
    let one = Load { invocations: 1, ..plain("").load };
    vec![
        Scenario { load: one, ..plain("spindown-after-the-only-invocation") },
        Scenario {
            load: Load { invocations: 1, lines: 10_000, work_ms: 0, ..one },
            memory_mb: 128,
            // The platform itself may drop what it cannot deliver, and says so.
            loses: Loses::WhatIsCounted,
            ..plain("ten-thousand-lines-in-128-mb")
        },
        Scenario {
            load: Load { invocations: 4, lines: 2, line_bytes: 1 << 20, ..one },
            // To read, scrub and pack two mebibytes on a core that others share.
            added: Added::UpToTheBudgetAndItsWork(Duration::from_millis(100)),
            // Where four programs share each core, one line in some 500 is never received, by the sandbox's account, and
            // counted with the records beside it.
            loses: Loses::WhatIsCounted,
            ..plain("lines-of-one-mebibyte")
        },
        Scenario {
            ends: &["well", "hang"],
            load: Load { invocations: 6, ..one },
            timeout: Duration::from_secs(1),
            ..plain("timeout")
        },
        Scenario { ends: &["well", "raise", "exit"], load: Load { invocations: 9, ..one }, ..plain("crash") },
        Scenario {
            ends: &["well", "memory"],
            load: Load { invocations: 6, ..one },
            ..plain("out-of-memory")
        },
        Scenario {
            sandbox: Odds { kill_function: 0.4, ..Odds::default() },
            load: Load { invocations: 8, work_ms: 220, ..one },
            ..plain("killed-function")
        },
        Scenario {
            kills_extension: 0.5,
            load: Load { invocations: 8, work_ms: 220, ..one },
            loses: Loses::TheTailOfKilledSandboxes,
            ..plain("killed-extension")
        },
    ]
}

fn around_the_platform() -> Vec<Scenario> {
    vec![
        Scenario {
            sandbox: Odds { freeze: 0.7, ..Odds::default() },
            load: Load { work_ms: 100, ..plain("").load },
            added: Added::NotAsked,
            ..plain("freeze-in-mid-invocation")
        },
        Scenario {
            sandbox: Odds { freeze_message: 0.4, ..Odds::default() },
            added: Added::NotAsked,
            ..plain("freeze-around-platform-messages")
        },
        Scenario {
            sandbox: Odds { redeliver: 0.5, cut: 0.5, ..Odds::default() },
            ..plain("redelivered-and-cut-posts")
        },
        Scenario { sandbox: Odds { clock_jump: 0.3, ..Odds::default() }, ..plain("thaw-after-seconds") },
        Scenario {
            sandbox: Odds { clock_jump: 0.5, ..Odds::default() },
            own_clock: true,
            ..plain("thaw-after-hours-or-with-the-clock-set-back")
        },
    ]
}

fn around_the_stream() -> Vec<Scenario> {
    let some = |name, fault| Scenario { stream: vec![(fault, 0.3)], ..plain(name) };
    vec![
        Scenario { stream: vec![(Fault::EntriesThrottled(0.3), 1.0)], ..plain("throttled-entries") },
        some("throttled-requests", Fault::Throttled),
        some("answers-of-500", Fault::ServerError),
        some("hangs", Fault::Hang),
        some("resets", Fault::Reset),
        some("lost-answers", Fault::AnswerLost),
        // The sandbox is released after its budget and frozen, with the request or the answer still under way.
        Scenario {
            stream: vec![(Fault::HeldBefore(HALF_A_SECOND), 0.4), (Fault::HeldAfter(HALF_A_SECOND), 0.6)],
            ..plain("freeze-around-stream-messages")
        },
    ]
}

/// The stream cannot be had at all for most of the run, then it can.
fn outages() -> Vec<Scenario> {
    let load = Load { invocations: 30, lines: 10, ..plain("").load };
    // Two failures, or two budgets in vain, and what was on its way meanwhile.
    let added = Added::UpToTheBudgetUntil(6);
    let outage =
        |name, fault| Scenario { load, stream: vec![(fault, 1.0)], ill_for: 0.8, added, ..plain(name) };
    vec![
        outage("outage-of-500s", Fault::ServerError),
        outage("outage-of-resets", Fault::Reset),
        outage("outage-of-throttling", Fault::Throttled),
        outage("outage-of-hangs", Fault::Hang),
        Scenario { load, unresolvable: true, ill_for: 0.8, added, ..plain("name-that-does-not-resolve") },
        Scenario {
            ill_for: 1.0,
            replayed: true,
            ..outage("outage-that-outlives-the-sandbox", Fault::ServerError)
        },
        // Each successor finds what those before it have left.
        Scenario {
            kills_extension: 0.4,
            load: Load { invocations: 12, work_ms: 220, ..load },
            added: Added::UpToTheBudget,
            loses: Loses::TheTailOfKilledSandboxes,
            ..outage("extensions-killed-in-an-outage", Fault::ServerError)
        },
        // Some twelve megabytes, of which memory and disk have room for a few.
        Scenario {
            load: Load { lines: 20, line_bytes: 20_000, noise: true, ..load },
            settings: &[("LIMELIGHT_MEMORY_MIB", "8"), ("LIMELIGHT_JOURNAL_MIB", "1")],
            loses: Loses::WhatIsCounted,
            // What has no room is packed by its worth and written to the disk meanwhile.
            added: Added::UpToTheBudgetAndItsWork(Duration::from_millis(100)),
            ..outage("outage-that-fills-memory-and-disk", Fault::ServerError)
        },
    ]
}

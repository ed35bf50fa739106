//! How many lines a second the extension keeps up with on half a core: one long invocation prints at a pace, and the
//! platform must not have to drop any (`platform.logsDropped`), nor the extension shed any.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use wire::{Account, Batch};

use crate::kinesis::Kinesis;
use crate::lines::Lines;
use crate::quota::Quota;
use crate::sample::Sample;
use crate::shipped::{self, share};
use crate::stage::{Stage, millis};
use crate::subject::Subject;
use figure::Figure;

/// Of one core.
const QUOTA_PERCENT: u32 = 50;
/// What has to be kept up with.
const WANTED: u64 = 10_000;
/// Tried upwards from the wanted pace while they are kept up with, else downwards until one is.
const FASTER: [u64; 4] = [12_500, 15_000, 20_000, 30_000];
const SLOWER: [u64; 6] = [8_000, 6_000, 5_000, 4_000, 3_000, 2_000];
/// How long it is printed: many times what any buffer on the way holds.
const LASTS_S: u64 = 12;
/// The first line's number, far from those of the invocation before.
const FIRST: u64 = 1_000_000;
/// Different lines; more than a compressor's window holds.
const PATTERNS: usize = 2_000;
/// Below this share of the pace it was the machine that could not print so fast, and the run says nothing of us.
const PACE_SHARE_MIN: f64 = 0.97;

/// One pace's run.
#[derive(Debug)]
struct Run {
    /// What was really printed in a second, and its share of what was asked for.
    per_second: f64,
    reached: f64,
    /// Lines that the platform dropped.
    dropped: u64,
    /// Records that the extension gave up.
    given_up: u64,
    /// Lines that were not shipped, nobody says why.
    unexplained: usize,
    again: usize,
    cpu: Duration,
    lines: usize,
}

impl Run {
    fn keeps_up(&self) -> bool {
        self.dropped == 0 && self.given_up == 0 && self.unexplained == 0
    }
}

/// Looks for the fastest pace that is kept up with. No figures on a machine that cannot print so fast.
#[expect(clippy::print_stderr, reason = "a program that reports to a person")]
pub(crate) async fn measure(
    ours: &Subject,
    function: &Path,
    kinesis: &Kinesis,
) -> anyhow::Result<Vec<Figure>> {
    let wanted = run(ours, function, kinesis, WANTED).await?;
    if wanted.reached < PACE_SHARE_MIN {
        let printed = wanted.per_second;
        eprintln!(
            "pace: this machine printed {printed:.0} lines/s instead of {WANTED}: too busy to tell anything"
        );
        return Ok(Vec::new());
    }
    let mut kept = if wanted.keeps_up() { wanted.per_second } else { 0.0 };
    let others = if wanted.keeps_up() { FASTER.as_slice() } else { SLOWER.as_slice() };
    for pace in others {
        let run = run(ours, function, kinesis, *pace).await?;
        if run.keeps_up() && run.reached >= PACE_SHARE_MIN {
            kept = run.per_second;
        }
        if run.keeps_up() != wanted.keeps_up() || run.reached < PACE_SHARE_MIN {
            break;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let count = |count: u64| count as f64;
    let per_thousand = millis(wanted.cpu) / share(wanted.lines, 1_000).max(f64::MIN_POSITIVE);
    Ok(vec![
        Figure::at_least(
            "lines per second kept up with on half a core",
            kept,
            "1/s",
            count(WANTED) * PACE_SHARE_MIN,
        ),
        Figure::at_most(
            "at 10,000 lines/s on half a core: dropped by the platform",
            count(wanted.dropped),
            "",
            0.0,
        ),
        Figure::at_most(
            "at 10,000 lines/s on half a core: given up and counted",
            count(wanted.given_up),
            "",
            0.0,
        ),
        Figure::at_most(
            "at 10,000 lines/s on half a core: lost without a word",
            share(wanted.unexplained, 1),
            "",
            0.0,
        ),
        Figure::at_most("at 10,000 lines/s on half a core: shipped twice", share(wanted.again, 1), "", 0.0),
        Figure::told("at 10,000 lines/s on half a core: CPU per 1,000 lines", per_thousand, "ms"),
    ])
}

async fn run(ours: &Subject, function: &Path, kinesis: &Kinesis, pace: u64) -> anyhow::Result<Run> {
    kinesis.take();
    let mut stage = Stage::set(ours, function, 31).await?;
    stage.invoke(1).await?;
    let child = stage.child()?;
    let before = child.cpu_time()?;
    let quota = Quota::put_on(child, QUOTA_PERCENT)?;
    let patterns = Lines::new(37).patterns(PATTERNS, jiff::Timestamp::now());
    stage.listen(|notes| notes.took = Sample::default());
    let count = pace * LASTS_S;
    let event = json!({"lines": patterns, "paced": {"first": FIRST, "count": count, "per_second": pace}});
    stage.invoke_with(1, |_| event.clone()).await?;
    let cpu = child.cpu_time()?.saturating_sub(before);
    let (_, notes) = stage.end().await;
    drop(quota);
    let per_second = share(usize::try_from(count)?, 1) / (notes.took.median() / 1_000.0);
    let reached = per_second / share(usize::try_from(pace)?, 1);
    let batches = shipped::batches(&kinesis.take())?;
    let (missing, again) = shipped::account(&batches, &notes.printed);
    let (dropped, given_up) = last_account(&batches).map_or((0, 0), losses);
    let told = usize::try_from(dropped + given_up)?;
    let unexplained = missing.saturating_sub(told);
    Ok(Run { per_second, reached, dropped, given_up, unexplained, again, cpu, lines: notes.printed.len() })
}

fn last_account(batches: &[Batch]) -> Option<&Account> {
    batches.iter().max_by_key(|batch| batch.id.sequence).map(|batch| &batch.account)
}

/// What the platform dropped, and what the extension gave up.
fn losses(account: &Account) -> (u64, u64) {
    let dropped = account.lost.get("platform").copied().unwrap_or_default();
    let given_up: u64 = account.lost.values().chain(account.shed.values()).sum();
    (dropped, given_up - dropped)
}

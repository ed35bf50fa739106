//! The texts of `/proc` (proc(5)). A text of another shape gives none.

use std::time::Duration;

use super::{Cpu, Network};

/// `USER_HZ`, the unit of time in `/proc/stat`: 100 on every architecture that Lambda has.
const TICK_MS: u64 = 10;

/// From `/proc/stat`, of which the first line is enough:
/// `cpu user nice system idle iowait irq softirq steal …`, in ticks. Guests' time is in `user` already.
pub fn cpu(stat: &str) -> Option<Cpu> {
    let mut ticks =
        stat.lines().next()?.strip_prefix("cpu ")?.split_ascii_whitespace().map(str::parse::<u64>);
    let mut next = || ticks.next()?.ok();
    let (user, nice, system, idle) = (next()?, next()?, next()?, next()?);
    // Kernels before 2.6 had no more.
    let (waiting, interrupts, soft) = (next().unwrap_or(0), next().unwrap_or(0), next().unwrap_or(0));
    Some(Cpu {
        busy: ticks_time(&[user, nice, system, interrupts, soft]),
        idle: ticks_time(&[idle, waiting]),
    })
}

fn ticks_time(ticks: &[u64]) -> Duration {
    let ticks = ticks.iter().fold(0_u64, |sum, ticks| sum.saturating_add(*ticks));
    Duration::from_millis(ticks.saturating_mul(TICK_MS))
}

/// From `/proc/net/dev`: two lines of headings, then one line per interface, with bytes received in the first column
/// and bytes sent in the ninth.
pub fn network(dev: &str) -> Option<Network> {
    let mut sum = None;
    for line in dev.lines().skip(2) {
        let (name, columns) = line.split_once(':')?;
        if name.trim() == "lo" {
            continue;
        }
        let mut columns = columns.split_ascii_whitespace();
        let received: u64 = columns.next()?.parse().ok()?;
        let sent: u64 = columns.nth(7)?.parse().ok()?;
        let sum: &mut Network = sum.get_or_insert_default();
        sum.received_bytes = sum.received_bytes.saturating_add(received);
        sum.sent_bytes = sum.sent_bytes.saturating_add(sent);
    }
    sum
}

/// From a `/proc/<pid>/stat`: the number of threads, its 20th field. The second, the program's name in brackets, can
/// hold spaces and brackets itself.
pub fn threads(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(17)?.parse().ok()
}

//! The phases of an environment, in order: `init`, `restore` where a snapshot was taken, then `invoke` as often as
//! there is work (`serve` where several invocations run at once), then `shutdown`.
//!
//! Each is a straight line of waits on the environment's state; how a wait works is the environment's business.

mod init;
mod restore;
mod trace;
mod invocation_record;
mod invoke;
mod serve;
mod shutdown;

pub(crate) use init::InitPhase;
pub(crate) use invocation_record::{Caller, Current};
pub(crate) use invoke::{After, Job};
pub(crate) use serve::{Served, Serving};

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch, as deadlines are told.
pub(crate) fn epoch_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

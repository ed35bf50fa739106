//! The phases of an environment, in order: `init`, then `invoke` as often as there is work, then `shutdown`.
//!
//! Each is a straight line of waits on the environment's state; how a wait works is the environment's business.

mod init;
mod invoke;
mod invocation_record;
mod shutdown;

pub(crate) use init::InitPhase;
pub(crate) use invocation_record::Current;
pub(crate) use invoke::{After, Job};

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch, as deadlines are told.
pub(crate) fn epoch_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

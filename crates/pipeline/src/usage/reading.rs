//! One look at the kernel's counters. What could not be read is none: a figure less, never a wrong one.

use std::time::Duration;

use model::Timestamp;

/// Everything that was read at one time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reading {
    /// When.
    pub at: Timestamp,
    /// How long the look took: a sandbox of many processes has many files.
    pub took: Duration,
    /// Since the sandbox's start.
    pub cpu: Option<Cpu>,
    /// Since the sandbox's start.
    pub network: Option<Network>,
    /// Now.
    pub processes: Option<Processes>,
    /// `/tmp` now.
    pub tmp: Option<Storage>,
}

/// Time of all processors together. A frozen sandbox's stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cpu {
    /// Spent on work, of the function, its extensions and the kernel.
    pub busy: Duration,
    /// Spent on nothing, or waiting for a disk.
    pub idle: Duration,
}

/// Bytes over all interfaces but the loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Network {
    /// Received.
    pub received_bytes: u64,
    /// Sent.
    pub sent_bytes: u64,
}

/// All processes of the sandbox that may be looked at, this one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Processes {
    /// File descriptors.
    pub open_files: u64,
    /// Threads.
    pub threads: u64,
}

/// A file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Storage {
    /// Taken.
    pub used_bytes: u64,
    /// Free for the function.
    pub free_bytes: u64,
}

impl Cpu {
    /// Busy time, and all time, since an earlier reading; none if a counter went back.
    pub(super) fn since(self, before: Self) -> Option<(Duration, Duration)> {
        let busy = self.busy.checked_sub(before.busy)?;
        Some((busy, busy + self.idle.checked_sub(before.idle)?))
    }
}

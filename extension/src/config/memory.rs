//! How the extension's share of the function's memory is divided: what waits to be read, what is being read, what
//! waits to be sent, and what is being sent.

use super::setting::Settings;
use crate::listener::BODY_BYTES_MAX;

const MIB: usize = 1_024 * 1_024;
/// The least that works: one largest body, what it becomes, and some batches.
const LEAST_MIB: u64 = 8;
/// More helps nobody: an outage that fills it has lasted for long.
const USUAL_MAX_MIB: u64 = 64;
/// What the platform gives a function that says nothing.
const SMALLEST_FUNCTION_MB: u64 = 128;
/// One open batch of 1 MiB as values in memory, with the record that is being read.
const OPEN_BYTES: usize = 3 * MIB;
/// PutRecords takes 10 MiB now, but servers that speak its older form refuse more than 5. A record that is larger than
/// a request may be still goes alone.
const REQUEST_BYTES_MAX: usize = 4 * MIB;

/// The parts, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bodies that wait for the collector.
    pub queue_bytes_max: usize,
    /// Sealed batches.
    pub backlog_bytes_max: usize,
    /// Batches in one request, which are there once more as its text while it is sent.
    pub request_bytes_max: usize,
}

impl Memory {
    /// A tenth of the function's memory by default, at most 64 MiB, for all parts together.
    pub(super) fn read(settings: &mut Settings<'_>, function_mb: u64) -> Self {
        let function_mb = if function_mb == 0 { SMALLEST_FUNCTION_MB } else { function_mb };
        let share = (function_mb / 10).clamp(LEAST_MIB, USUAL_MAX_MIB);
        Self::divide(settings.bytes("LIMELIGHT_MEMORY_MIB", share, LEAST_MIB..=1_024, MIB as u64))
    }

    fn divide(all: usize) -> Self {
        // Two of the largest bodies at the most: the platform has one in flight, and a redelivery may overtake it.
        let queue_bytes_max = (all / 3).clamp(BODY_BYTES_MAX, 2 * BODY_BYTES_MAX);
        let rest = all.saturating_sub(queue_bytes_max + OPEN_BYTES).max(MIB);
        let request_bytes_max = (rest / 5).clamp(MIB / 4, REQUEST_BYTES_MAX);
        // A request's text is a third longer than its data.
        let backlog_bytes_max = rest - request_bytes_max - request_bytes_max / 3;
        Self { queue_bytes_max, backlog_bytes_max, request_bytes_max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_never_come_to_more_than_the_whole() {
        for mib in 8..=1_024 {
            let memory = Memory::divide(mib * MIB);
            let sent = memory.request_bytes_max + memory.request_bytes_max / 3;
            let all = memory.queue_bytes_max + OPEN_BYTES + memory.backlog_bytes_max + sent;
            assert!(all <= mib * MIB, "{mib} MiB: {memory:?}");
            assert!(memory.backlog_bytes_max >= MIB / 2, "{mib} MiB: {memory:?}");
        }
    }

    #[test]
    fn it_is_a_tenth_of_the_function_and_at_most_64_mib() {
        let share = |function_mb| Memory::read(&mut Settings::new(&|_| None), function_mb);
        assert_eq!(share(0), Memory::divide(12 * MIB));
        assert_eq!(share(512), Memory::divide(51 * MIB));
        assert_eq!(share(10_240), Memory::divide(64 * MIB));
    }
}

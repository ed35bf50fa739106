//! How the extension's share of the function's memory is divided: what waits to be read, what is being read, what
//! waits to be sent, and what is being sent.

use super::setting::Settings;
use crate::listener::BODY_BYTES_MAX;

const MIB: usize = 1_024 * 1_024;
/// The least that works: one largest body, what it becomes, and some batches.
const LEAST_MIB: u64 = 8;
/// More helps nobody: an outage that fills it has lasted for long.
const USUAL_MAX_MIB: u64 = 64;
/// No setting makes it more.
const MOST_MIB: u64 = 1_024;
/// What the platform gives a function that says nothing.
const SMALLEST_FUNCTION_MB: u64 = 128;
/// One open batch (256 KiB before gzip) as values in memory, which are several times that; the record that is being
/// read; and what the journal remembers of what stands in it.
const OPEN_BYTES: usize = 3 * MIB;
/// PutRecords takes 10 MiB now, but servers that speak its older form refuse more than 5. A record that is larger than
/// a request may be still goes alone.
const REQUEST_BYTES_MAX: usize = 4 * MIB;
/// What OpenTelemetry's collector takes at once over gRPC.
const INBOUND_BYTES_MAX: usize = 4 * MIB;

/// The parts, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Bodies that wait for the collector.
    pub queue_bytes_max: usize,
    /// What the function's own process told and the collector has not heard, before it is decoded.
    pub inbound_bytes_max: usize,
    /// Batches that the second destination has not taken.
    pub mirror_bytes_max: usize,
    /// Sealed batches.
    pub backlog_bytes_max: usize,
    /// Batches in one request, which are there once more as its text while it is sent.
    pub request_bytes_max: usize,
}

impl Memory {
    /// For all parts together: a tenth of the function's memory by default, at most 64 MiB; never more than half of it,
    /// whatever is set.
    pub(super) fn read(settings: &mut Settings<'_>, function_mb: u64, mirrors: bool) -> Self {
        let function_mb = if function_mb == 0 { SMALLEST_FUNCTION_MB } else { function_mb };
        let share = (function_mb / 10).clamp(LEAST_MIB, USUAL_MAX_MIB);
        let most = (function_mb / 2).clamp(LEAST_MIB, MOST_MIB);
        let all = settings.bytes("LIMELIGHT_MEMORY_MIB", share, LEAST_MIB..=most, MIB as u64);
        Self::divide(all, mirrors)
    }

    fn divide(all: usize, mirrors: bool) -> Self {
        // Two of the largest bodies at the most: the platform has one in flight, and a redelivery may overtake it.
        let queue_bytes_max = (all / 3).clamp(BODY_BYTES_MAX, 2 * BODY_BYTES_MAX);
        let rest = all.saturating_sub(queue_bytes_max + OPEN_BYTES).max(MIB);
        // An export waits for one turn of the event loop, and only while no body is being read: the room for open
        // values (which are several times their bytes) is the same.
        let inbound_bytes_max = (all / 8).clamp(MIB, INBOUND_BYTES_MAX);
        let mirror_bytes_max = if mirrors { rest / 4 } else { 0 };
        let rest = rest - mirror_bytes_max;
        let request_bytes_max = (rest / 5).clamp(MIB / 4, REQUEST_BYTES_MAX);
        // A request's text is a third longer than its data.
        let backlog_bytes_max = rest - request_bytes_max - request_bytes_max / 3;
        Self { queue_bytes_max, inbound_bytes_max, mirror_bytes_max, backlog_bytes_max, request_bytes_max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_never_come_to_more_than_the_whole() {
        for mib in 8..=1_024 {
            for mirrors in [false, true] {
                let memory = Memory::divide(mib * MIB, mirrors);
                let sent = memory.request_bytes_max + memory.request_bytes_max / 3;
                let kept = memory.backlog_bytes_max + memory.mirror_bytes_max;
                let all = memory.queue_bytes_max + OPEN_BYTES + kept + sent;
                assert!(all <= mib * MIB, "{mib} MiB: {memory:?}");
                assert!(memory.backlog_bytes_max >= MIB / 3, "{mib} MiB: {memory:?}");
            }
        }
    }

    #[test]
    fn it_is_a_tenth_of_the_function_and_at_most_64_mib() {
        let share = |function_mb| Memory::read(&mut Settings::new(&|_| None), function_mb, false);
        assert_eq!(share(0), Memory::divide(12 * MIB, false));
        assert_eq!(share(512), Memory::divide(51 * MIB, false));
        assert_eq!(share(10_240), Memory::divide(64 * MIB, false));
    }

    #[test]
    fn a_setting_never_gives_it_more_than_half_of_the_function() {
        for (function_mb, set, expected, faults) in
            [(128, "64", 64, 0), (128, "65", 12, 1), (128, "1024", 12, 1), (2_048, "1024", 1_024, 0)]
        {
            let variable = |_: &str| Some(std::ffi::OsString::from(set));
            let mut settings = Settings::new(&variable);
            assert_eq!(
                Memory::read(&mut settings, function_mb, false),
                Memory::divide(expected * MIB, false)
            );
            assert_eq!(settings.faults().len(), faults, "{set} of {function_mb} MB");
        }
    }
}

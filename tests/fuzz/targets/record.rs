//! A record of the stream: whatever its bytes are, it is events or a typed refusal. An odd first byte packs the rest as
//! gzip, which no mutation finds its way through.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Timestamp;
use wire::{Context, Limits};

fuzz_target!(|data: &[u8]| {
    let context = Context { record: "1", arrived_at: Timestamp::EPOCH, read_line: pipeline::parse::printed };
    let limits = Limits { inflated_bytes_max: 1 << 20, values_max: 20_000, events_max: 2_000, ..Limits::default() };
    let decoded = match data.split_first() {
        Some((first, rest)) if first % 2 == 1 => wire::decode(&wire::compress(rest), &context, &limits),
        _ => wire::decode(data, &context, &limits),
    };
    if let Ok(decoded) = decoded {
        assert!(decoded.events.len() <= limits.events_max + 1, "an account may be added to the events");
    }
});

//! A delivery of the platform's: any records in any order, and the end of the sandbox after them.

#![no_main]

use lambda_api::telemetry::Record;
use libfuzzer_sys::fuzz_target;
use model::Timestamp;
use pipeline::{Assembler, CloseReason, FunctionContext, Scrubber};

fuzz_target!(|records: &[u8]| {
    let Ok(records) = serde_json::from_slice::<Vec<Record>>(records) else { return };
    let mut assembler = Assembler::new(FunctionContext::default());
    let (scrubber, mut now) = (Scrubber::default(), Timestamp::EPOCH);
    for record in records {
        now = Timestamp::from_millis(now.as_millis() + 10);
        scrubber.scrub(&mut assembler.accept(record, now));
    }
    scrubber.scrub(&mut assembler.settle());
    scrubber.scrub(&mut assembler.close(CloseReason::Spindown, now));
});

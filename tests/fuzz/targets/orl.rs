//! A question in ORL: faults, or a query whose own text reads back as the same query.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Timestamp;

fuzz_target!(|text: &str| {
    let now = Timestamp::from_millis(1_790_000_000_000);
    match query::parse_text(text, now) {
        Ok(query) => {
            let written = query.to_string();
            match query::parse_text(&written, now) {
                Ok(again) => assert_eq!(again.to_string(), written),
                Err(faults) => panic!("{written:?} does not read back: {faults}"),
            }
            query::Plan::new(&query, &[]);
        }
        Err(faults) => assert!(!faults.to_string().is_empty()),
    }
});

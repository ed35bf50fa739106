//! A printed line: a glance says of it what reading it says, and scrubbing it leaves a text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use obfuscation::Rule;
use pipeline::parse;

fuzz_target!(|text: &str| {
    let (glance, line) = (parse::glance(text), parse::line(text));
    assert_eq!((glance.kind, glance.time, glance.level), (line.kind, line.time, line.level));
    assert_eq!((&glance.request_id, &glance.error), (&line.request_id, &line.error));
    assert_eq!((glance.trace_id, glance.span_id), (line.trace_id, line.span_id));
    let printed = parse::printed(text);
    assert_eq!((printed.keys, printed.error.is_some()), (line.body, line.error.is_some()));
    let (mut scrubbed, range) = (text.to_owned(), parse::json_range(text));
    Rule::default().scrub_line(&mut scrubbed, range);
});

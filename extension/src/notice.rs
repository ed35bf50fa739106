//! What the extension itself says: single lines on standard error, few, and marked so that they are not ingested
//! again when the platform delivers them as `extension` records.

use std::fmt;
use std::io::Write as _;
use std::panic;

use crate::config::Fault;
use crate::supervise::count_panic;

/// One line, written at once so that lines of two tasks do not mix. There is nobody to tell when that fails.
pub fn say(line: fmt::Arguments<'_>) {
    let text = format!("{} {line}", pipeline::OWN_LINE_MARKER).replace('\n', " ");
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// All bad settings in one line; nothing if there are none.
pub fn settings(faults: &[Fault]) {
    if !faults.is_empty() {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        say(format_args!("settings: {}", faults.join("; ")));
    }
}

/// A panic's usual report has several lines without our mark: it would be shipped as the function's telemetry. Each is
/// counted, whatever task it ends.
pub fn panics_on_one_line() {
    panic::set_hook(Box::new(|report| {
        count_panic();
        say(format_args!("a fault of the extension itself: {report}"));
    }));
}

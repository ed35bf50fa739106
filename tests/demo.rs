//! What `make demo` promises of its end: missing and double lines are named, and its exit code says so. The demo itself
//! is run by `tests/run`; here is what it does only when something is wrong.

use std::process::Command;

use crate::support::programs::root;

#[test]
fn the_demos_verdict_names_what_is_missing() {
    let output = Command::new("python3")
        .args(["-m", "unittest", "--verbose"])
        .current_dir(root().join("examples/checkout"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("test_what_is_missing_is_named") && !text.contains("skipped"), "{text}");
}

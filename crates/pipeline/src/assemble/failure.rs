//! How an invocation failed, from the hints that AWS and the runtimes leave about the one failure that they name in
//! ten ways: memory that ran out.

use lambda_api::telemetry::ReportMetrics;

/// The platform's own name for it, which only some runtimes get.
pub(crate) const OUT_OF_MEMORY: &str = "Runtime.OutOfMemory";

/// What processes say, or what is said of them, when memory has run out: Node, Java, .NET, Go, Python, Ruby, Rust, and
/// the platform about a process that the kernel killed. Source: the runtimes' messages, and
/// <https://github.com/DataDog/datadog-lambda-extension/issues/187> for the last.
const LAST_WORDS: [&str; 11] = [
    OUT_OF_MEMORY,
    "JavaScript heap out of memory",
    "java.lang.OutOfMemoryError",
    "System.OutOfMemoryException",
    "runtime: out of memory",
    "runtime: cannot allocate memory",
    "MemoryError",
    "NoMemoryError",
    "failed to allocate memory",
    "signal: killed",
    "exit status 137",
];

/// True for an error's text that tells of memory that ran out.
pub(super) fn tells_out_of_memory(error: &str) -> bool {
    let rust = error.starts_with("memory allocation of ") && error.ends_with("failed");
    rust || LAST_WORDS.iter().any(|words| error.contains(words))
}

/// True for what is said of a process after it died: it does not say why, so what was known of that stays.
pub(super) fn tells_only_of_the_exit(error: &str) -> bool {
    error.starts_with("Runtime exited") || is_platform_error(error)
}

/// True for errors of runtime, extension or sandbox, which no line of the function tells of.
pub(super) fn is_platform_error(kind: &str) -> bool {
    ["Runtime.", "Extension.", "Sandbox."].iter().any(|prefix| kind.starts_with(prefix))
}

/// True for an invocation that used all of its memory and then ended by no error of its own: also where AWS calls that
/// a timeout (<https://github.com/DataDog/datadog-lambda-extension/issues/1237>) or an exit.
pub(super) fn used_all_memory(metrics: &ReportMetrics, status: Option<&str>, kind: Option<&str>) -> bool {
    let is_full = metrics.memory_size_mb.is_some() && metrics.max_memory_used_mb >= metrics.memory_size_mb;
    let was_ended = match status {
        Some("timeout" | "failure") => true,
        Some("error") => kind.is_some_and(is_platform_error),
        _ => false,
    };
    is_full && was_ended
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runtimes_last_words_are_known() {
        for words in [
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
            "java.lang.OutOfMemoryError: Java heap space",
            "System.OutOfMemoryException: Exception of type 'System.OutOfMemoryException' was thrown.",
            "fatal error: runtime: out of memory",
            "MemoryError",
            "NoMemoryError: failed to allocate memory",
            "memory allocation of 1073741824 bytes failed",
            "Runtime exited with error: signal: killed",
        ] {
            assert!(tells_out_of_memory(words), "{words}");
        }
        for words in ["ValueError: bad card", "Runtime exited with error: exit status 1", "Task timed out"] {
            assert!(!tells_out_of_memory(words), "{words}");
        }
    }

    #[test]
    fn full_memory_counts_only_where_the_function_was_ended() {
        let metrics = ReportMetrics {
            memory_size_mb: Some(128),
            max_memory_used_mb: Some(128),
            ..ReportMetrics::default()
        };
        let full = |status, kind| used_all_memory(&metrics, status, kind);
        assert!(full(Some("timeout"), None));
        assert!(full(Some("error"), Some("Runtime.ExitError")));
        assert!(!full(Some("error"), Some("ValueError")), "it could still raise");
        assert!(!full(Some("success"), None), "caches fill memory too");
        assert!(!full(None, None));
        let some = ReportMetrics { max_memory_used_mb: Some(127), ..metrics.clone() };
        assert!(!used_all_memory(&some, Some("timeout"), None));
    }
}

//! The `X-Amzn-Trace-Id` of a request: the caller's, or a new one; and what the function is given of it.

use jiff::Timestamp;
use uuid::Uuid;

/// The header's name, as events carry it.
pub(crate) const TRACE_HEADER: &str = "x-amzn-trace-id";

/// A caller's header longer than this is not a trace header.
const HEADER_BYTES_MAX: usize = 512;

/// The caller's header if it names a root, else a new root from the time and 96 random bits.
/// Source: "Tracing header" in the X-Ray developer guide.
pub(crate) fn header(from_caller: Option<&str>, now: Timestamp) -> String {
    match from_caller.filter(|header| header.len() <= HEADER_BYTES_MAX && has_root(header)) {
        Some(header) => header.to_owned(),
        None => {
            let seconds = now.as_second().max(0);
            let unique = Uuid::new_v4().simple().to_string();
            format!("Root=1-{seconds:08x}-{}", unique.get(..24).unwrap_or_default())
        }
    }
}

/// The header as Lambda passes it on: with a decision. Tracing is active here, so without one it is yes.
pub(crate) fn sampled(header: &str) -> String {
    if header.split(';').any(|part| part.trim().starts_with("Sampled=")) {
        header.to_owned()
    } else {
        format!("{};Sampled=1", header.trim_end_matches(';'))
    }
}

fn has_root(header: &str) -> bool {
    header.split(';').any(|part| {
        let Some(root) = part.trim().strip_prefix("Root=") else { return false };
        let mut parts = root.split('-');
        let hex = |part: Option<&str>, length: usize| {
            part.is_some_and(|text| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        };
        parts.next() == Some("1") && hex(parts.next(), 8) && hex(parts.next(), 24) && parts.next().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_795_184_400, 0);

    #[test]
    fn a_callers_root_is_kept_as_it_came() {
        let header_sent = "Self=1-1-1;Root=1-67891233-abcdef012345678912345678;Sampled=1";
        assert_eq!(header(Some(header_sent), NOW), header_sent);
    }

    #[test]
    fn a_callers_decision_is_respected() {
        assert_eq!(sampled("Root=1;Parent=2;Sampled=0"), "Root=1;Parent=2;Sampled=0");
        assert_eq!(sampled("Root=1;"), "Root=1;Sampled=1");
    }

    #[test]
    fn without_a_valid_root_there_is_a_new_one() {
        for sent in [None, Some(""), Some("Root=7"), Some("Parent=53995c3f42cd8ad8")] {
            let made = header(sent, NOW);
            assert!(made.starts_with("Root=1-6b"), "{made}");
            assert!(has_root(&made), "{made}");
        }
        assert_ne!(header(None, NOW), header(None, NOW));
    }
}

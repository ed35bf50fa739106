//! Trace and span ids for what the platform gave none. Derived from the request id, so that every source that tells of
//! the same invocation (this extension before and after a crash, CloudWatch, a replay) comes to the same ids.
//!
//! The derivation is part of the data format and must not change:
//! trace id = first 16 bytes of SHA-256(`limelight trace` 0x00 *request id*);
//! span id = first 8 bytes of SHA-256(`limelight span` 0x00 *role* 0x00 *request id*).

use model::{SpanId, TraceContext, TraceId};
use sha2::{Digest, Sha256};

/// The role of an invocation's SERVER span; its children's roles are their names.
pub const INVOCATION: &str = "invocation";

/// The trace of an invocation that has no `tracing`.
pub fn trace_id(request_id: &str) -> TraceId {
    let bytes = digest(&["limelight trace", request_id]);
    // All zeroes are no id. SHA-256 is not known to give them; the type still wants an answer.
    TraceId::from_bytes(bytes).unwrap_or_else(|| trace_id("limelight"))
}

/// The span that plays `role` in an invocation.
pub fn span_id(request_id: &str, role: &str) -> SpanId {
    let bytes = digest(&["limelight span", role, request_id]);
    SpanId::from_bytes(bytes).unwrap_or_else(|| span_id(request_id, "limelight"))
}

/// The place of what an invocation printed, where nobody has said it: its trace and its SERVER span.
pub fn invocation(request_id: &str) -> TraceContext {
    TraceContext { trace_id: trace_id(request_id), span_id: span_id(request_id, INVOCATION) }
}

fn digest<const N: usize>(parts: &[&str]) -> [u8; N] {
    let hash = Sha256::digest(parts.join("\0").as_bytes());
    let mut bytes = [0; N];
    for (byte, hashed) in bytes.iter_mut().zip(hash.iter()) {
        *byte = *hashed;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derivation_never_changes() {
        let id = "8286a188-ba32-4475-8077-530cd35c09a9";
        assert_eq!(trace_id(id).to_string(), "2c9689cd0481e8efcad6468fb022d104");
        assert_eq!(span_id(id, INVOCATION).to_string(), "bdac57af2f3ba083");
        assert_ne!(span_id(id, "init"), span_id(id, INVOCATION));
    }
}

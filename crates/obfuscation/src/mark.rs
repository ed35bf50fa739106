//! What stands in the place of a scrubbed value: `[scrubbed]`, or with a key of the team's own
//! `[scrubbed-<16 hex digits>]`, by which equal values can be told to be equal and nothing else.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// What stands in the place of a masked value.
pub const MASK: &str = "[scrubbed]";
const HEAD: &str = "[scrubbed-";
/// 64 bits: among a million different values two marks are alike with a chance of one in 37 million.
const DIGEST_BYTES: usize = 8;
const MARK_BYTES: usize = HEAD.len() + 2 * DIGEST_BYTES + 1;

/// What happens to a value that must not leave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Action {
    /// The key stays, [`MASK`] stands for the value.
    #[default]
    Mask,
    /// Key and value are removed. In running text, where there is no key to remove, as [`Action::Mask`].
    Drop,
    /// As [`Action::Mask`], but equal texts and numbers get equal marks.
    Hash(HashKey),
}

/// The secret of [`Action::Hash`]. Without one, whoever reads the data could try all passwords of a dictionary, or
/// all IPv4 addresses, until a mark is right; so there is no hash without a key. Whoever has the key can.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey([u8; 32]);

impl HashKey {
    /// From any bytes; as good as they are hard to guess.
    pub fn new(secret: &[u8]) -> Self {
        // Always shorter than a block, as HMAC wants it.
        Self(Sha256::digest(secret).into())
    }

    /// The beginning of HMAC-SHA-256 (RFC 2104).
    fn mark(&self, value: &str) -> String {
        let inner = self.padded(0x36).chain_update(value).finalize();
        let digest = self.padded(0x5c).chain_update(inner).finalize();
        let mut mark = String::with_capacity(MARK_BYTES);
        mark.push_str(HEAD);
        for byte in digest.iter().take(DIGEST_BYTES) {
            // Writing into a text cannot fail.
            let _ = write!(mark, "{byte:02x}");
        }
        mark.push(']');
        mark
    }

    fn padded(&self, pad: u8) -> Sha256 {
        let mut block = [pad; 64];
        for (byte, secret) in block.iter_mut().zip(self.0) {
            *byte ^= secret;
        }
        Sha256::new_with_prefix(block)
    }
}

/// The secret stays out of every log.
impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey")
    }
}

impl Action {
    /// What to write for `value`.
    pub(crate) fn mark(&self, value: &str) -> String {
        match self {
            Self::Mask | Self::Drop => MASK.to_owned(),
            Self::Hash(key) => key.mark(value),
        }
    }
}

/// How long the mark is that `text` begins with; 0 if it begins with none.
pub(crate) fn leading(text: &[u8]) -> usize {
    if text.first() != Some(&b'[') {
        return 0;
    }
    if text.starts_with(MASK.as_bytes()) {
        return MASK.len();
    }
    let digits = text.get(HEAD.len()..MARK_BYTES - 1);
    let is_mark = text.starts_with(HEAD.as_bytes())
        && digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        && text.get(MARK_BYTES - 1) == Some(&b']');
    if is_mark { MARK_BYTES } else { 0 }
}

/// True if there is nothing but a mark: that tells nothing more.
pub(crate) fn is_mark(text: &str) -> bool {
    !text.is_empty() && leading(text.as_bytes()) == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_marks_under_one_key_only() {
        let (ours, theirs) = (HashKey::new(b"ours"), HashKey::new(b"theirs"));
        assert_eq!(ours.mark("hunter2"), ours.mark("hunter2"));
        assert_ne!(ours.mark("hunter2"), ours.mark("hunter3"));
        assert_ne!(ours.mark("hunter2"), theirs.mark("hunter2"));
        assert!(is_mark(&ours.mark("hunter2")));
    }

    #[test]
    fn the_mark_is_hmac_sha_256_of_the_digested_key() {
        // Python: hmac.new(hashlib.sha256(b"key").digest(), b"value", "sha256").hexdigest()[:16]
        assert_eq!(HashKey::new(b"key").mark("value"), "[scrubbed-34495e6e680b1a1d]");
    }

    #[test]
    fn only_a_whole_mark_is_one() {
        assert!(is_mark(MASK));
        for text in ["", "[scrubbed", "[scrubbed]x", "[scrubbed-hunter2]", "[scrubbed-0123456789abcdeg]"] {
            assert!(!is_mark(text), "{text}");
        }
    }
}

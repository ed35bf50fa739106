//! What no other sandbox has, from the system's own source: a sandbox that was made from a snapshot has the same
//! memory as its siblings, so nothing that was drawn before may be used again.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};

/// 32 hexadecimal digits that no other sandbox has.
///
/// # Errors
/// When the system has no random numbers.
pub(crate) fn sandbox() -> io::Result<String> {
    let bytes: [u8; 16] = random()?;
    Ok(bytes.iter().fold(String::with_capacity(32), |mut id, byte| {
        // Writing into a text cannot fail.
        let _ = write!(id, "{byte:02x}");
        id
    }))
}

/// 64 bits that differ between sandboxes, good for spreading them; 0 if the system has none.
pub(crate) fn entropy() -> u64 {
    random().map_or(0, u64::from_ne_bytes)
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sandboxes_differ() {
        let (one, other) = (sandbox().unwrap(), sandbox().unwrap());
        assert_ne!(one, other);
        assert!(
            [&one, &other]
                .iter()
                .all(|id| id.len() == 32 && id.bytes().all(|digit| digit.is_ascii_hexdigit()))
        );
        assert_ne!(entropy(), entropy());
    }
}

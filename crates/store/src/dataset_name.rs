//! What a dataset may be called. The store checks it before it writes; who decodes records asks first, so that one
//! impossible name costs one record and not the slice around it.

/// Bytes of a name: what is left of a path's part for everybody's sake.
const BYTES_MAX: usize = 128;

/// Whether a dataset can have this name: 1 to 128 of the characters `A-Z a-z 0-9 _ . -`, no dot first. Such a name is
/// safe as one part of a path in every object store, and is one word in a query.
pub fn is_dataset_name(name: &str) -> bool {
    (1..=BYTES_MAX).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_in_a_path() {
        for name in ["lambda-logs", "a", "A_1.b", &"x".repeat(BYTES_MAX)] {
            assert!(is_dataset_name(name), "{name}");
        }
        for name in ["", ".hidden", "../up", "a/b", "ä", "a b", &"x".repeat(BYTES_MAX + 1)] {
            assert!(!is_dataset_name(name), "{name}");
        }
    }
}

//! Keys that a team names itself, by name or by dotted path. Used by `rule` for its allow and deny lists.

/// Names and paths. One means every key whose path ends with it: `token` all keys of that name,
/// `request.headers.cookie` only that one of a `request`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Paths(Vec<String>);

impl Paths {
    pub(crate) fn push(&mut self, path: &str) {
        let path = path.trim().trim_matches('.');
        if !path.is_empty() {
            self.0.push(path.to_owned());
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if the dotted path of a key ends with one of them. ASCII letters match in either case.
    pub(crate) fn contains(&self, path: &str) -> bool {
        let path = path.as_bytes();
        self.0.iter().any(|listed| {
            let Some(start) = path.len().checked_sub(listed.len()) else { return false };
            let (before, tail) = path.split_at(start);
            tail.eq_ignore_ascii_case(listed.as_bytes()) && before.last().is_none_or(|byte| *byte == b'.')
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_from_its_end() {
        let mut paths = Paths::default();
        paths.push("token");
        paths.push(" request.Headers.cookie ");
        paths.push("..");
        for path in ["token", "a.TOKEN", "request.headers.cookie", "event.request.headers.Cookie"] {
            assert!(paths.contains(path), "{path}");
        }
        for path in ["", "mytoken", "token.value", "headers.cookie", "arequest.headers.cookie"] {
            assert!(!paths.contains(path), "{path}");
        }
    }
}

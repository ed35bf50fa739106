//! A place in a text, and what can be seen from there. All kinds of pattern look through this; it never looks back
//! over the find before.

/// An anchor in a text.
pub(super) struct Place<'t> {
    text: &'t str,
    /// Nothing before this is seen: it is scrubbed already.
    pub(super) floor: usize,
    /// Where the anchor is.
    pub(super) at: usize,
}

impl<'t> Place<'t> {
    pub(super) fn new(text: &'t str, floor: usize, at: usize) -> Self {
        Self { text, floor, at }
    }

    /// The anchor itself; 0 behind the text's end.
    pub(super) fn anchor(&self) -> u8 {
        self.byte(self.at).unwrap_or(0)
    }

    /// What comes behind the anchor.
    pub(super) fn ahead(&self) -> &'t [u8] {
        self.bytes().get(self.at + 1..).unwrap_or_default()
    }

    /// What is in front of the anchor and not scrubbed yet.
    pub(super) fn behind(&self) -> &'t [u8] {
        self.bytes().get(self.floor..self.at).unwrap_or_default()
    }

    pub(super) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    pub(super) fn byte(&self, index: usize) -> Option<u8> {
        self.bytes().get(index).copied()
    }

    /// From `from` to the text's end.
    pub(super) fn rest(&self, from: usize) -> &'t [u8] {
        self.bytes().get(from..).unwrap_or_default()
    }

    /// Text between two places; empty if they are not between characters.
    pub(super) fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Where the bytes of a class that begin at `from` end.
    pub(super) fn run_end(&self, from: usize, class: impl Fn(u8) -> bool) -> usize {
        let rest = self.rest(from);
        from + rest.iter().position(|byte| !class(*byte)).unwrap_or(rest.len())
    }

    /// Where the bytes of a class that end before `to` begin; not before the floor.
    pub(super) fn run_start(&self, to: usize, class: impl Fn(u8) -> bool) -> usize {
        let behind = self.bytes().get(self.floor..to).unwrap_or_default();
        self.floor + behind.iter().rposition(|byte| !class(*byte)).map_or(0, |index| index + 1)
    }

    /// True if no letter or digit stands before `index`.
    pub(super) fn opens(&self, index: usize) -> bool {
        index == self.floor
            || !index.checked_sub(1).and_then(|before| self.byte(before)).is_some_and(is_alphanumeric)
    }

    /// True if no letter or digit stands at `index`.
    pub(super) fn closes(&self, index: usize) -> bool {
        !self.byte(index).is_some_and(is_alphanumeric)
    }
}

/// ASCII only: any other letter ends a secret.
pub(super) fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// RFC 4648 §5.
pub(super) fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

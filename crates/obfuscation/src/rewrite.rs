//! A text in which pieces are replaced, from left to right: copied only when something is. Used by `walk`, `json` and
//! `line`; knows nothing of secrets.

use std::ops::Range;

pub(crate) struct Rewrite<'t> {
    text: &'t str,
    /// What came of the text before `copied`; none while nothing is replaced.
    written: Option<String>,
    copied: usize,
}

impl<'t> Rewrite<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, written: None, copied: 0 }
    }

    /// Replaces a piece that is not in front of the piece before. Its ends are between characters.
    pub(crate) fn replace(&mut self, piece: Range<usize>, with: &str) {
        let written = self.written.get_or_insert_with(|| String::with_capacity(self.text.len()));
        written.push_str(self.text.get(self.copied..piece.start).unwrap_or_default());
        written.push_str(with);
        self.copied = piece.end;
    }

    /// The new text; none if it is the old one.
    pub(crate) fn finish(self) -> Option<String> {
        let mut written = self.written?;
        written.push_str(self.text.get(self.copied..).unwrap_or_default());
        Some(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_replaced_and_the_rest_stays() {
        let mut rewrite = Rewrite::new("été, hiver, été");
        rewrite.replace(0..5, "a");
        rewrite.replace(7..12, "");
        rewrite.replace(14..19, "b");
        assert_eq!(rewrite.finish().as_deref(), Some("a, , b"));
        assert_eq!(Rewrite::new("été").finish(), None);
    }
}

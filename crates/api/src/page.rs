//! Lists that come in pages: `limit` says how many items, `cursor` behind which one a page begins. A cursor is the last
//! item's own place in the list's order, so that what comes or goes meanwhile neither repeats nor skips another.

use std::fmt::Write as _;

/// Items of a page, if nobody says.
pub const LIMIT_DEFAULT: usize = 1_000;
/// Items of a page at most.
pub const LIMIT_MAX: usize = 10_000;

/// The place of an item: what the list is ordered by, the first part first. As text it is for programs to hand back, not
/// to read: two hexadecimal digits a byte, a point between parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Cursor(Vec<String>);

impl Cursor {
    /// The place of an item with these parts.
    pub fn new<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }

    /// None if the text is no cursor.
    pub fn parse(text: &str) -> Option<Self> {
        text.split('.').map(part).collect::<Option<_>>().map(Self)
    }

    /// What [`Self::parse`] reads.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (number, part) in self.0.iter().enumerate() {
            text.push_str(if number == 0 { "" } else { "." });
            for byte in part.bytes() {
                // Writing into memory does not fail.
                let _ = write!(text, "{byte:02x}");
            }
        }
        text
    }
}

fn part(text: &str) -> Option<String> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    String::from_utf8(bytes.collect::<Option<_>>()?).ok().filter(|_| odd.is_empty())
}

/// The items behind `after`, at most `limit` of them (1 to [`LIMIT_MAX`]), in the order of their places; and where the next
/// page goes on, if there is one.
pub fn page<T>(
    items: impl IntoIterator<Item = T>,
    place: impl Fn(&T) -> Cursor,
    after: Option<&Cursor>,
    limit: usize,
) -> (Vec<T>, Option<String>) {
    let mut items: Vec<(Cursor, T)> = items.into_iter().map(|item| (place(&item), item)).collect();
    items.retain(|(place, _)| after.is_none_or(|after| place > after));
    items.sort_by(|(a, _), (b, _)| a.cmp(b));
    let wanted = limit.clamp(1, LIMIT_MAX);
    let next = items.get(wanted).and_then(|_| items.get(wanted - 1)).map(|(place, _)| place.to_text());
    (items.into_iter().take(wanted).map(|(_, item)| item).collect(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(
        names: &[&'static str],
        after: Option<&Cursor>,
        limit: usize,
    ) -> (Vec<&'static str>, Option<String>) {
        page(names.iter().copied(), |name| Cursor::new([*name]), after, limit)
    }

    #[test]
    fn pages_together_are_the_list() {
        let all = ["d", "a", "c", "b", "e"];
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let (page, next) = names(&all, after.as_ref(), 2);
            seen.extend(page);
            let Some(next) = next else { break };
            after = Some(Cursor::parse(&next).unwrap());
        }
        assert_eq!(seen, ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn what_comes_and_goes_meanwhile_moves_nothing_else() {
        let (first, next) = names(&["a", "c", "e"], None, 2);
        assert_eq!(first, ["a", "c"]);
        let after = Cursor::parse(&next.unwrap());
        assert_eq!(names(&["b", "d", "e"], after.as_ref(), 2), (vec!["d", "e"], None));
    }

    #[test]
    fn a_page_has_something_and_a_bound() {
        assert_eq!(names(&["a", "b"], None, 0).0, ["a"]);
        let many = page(0..20_000, |number| Cursor::new([format!("{number:05}")]), None, usize::MAX);
        assert_eq!(many.0.len(), LIMIT_MAX);
    }

    #[test]
    fn cursors_keep_any_name() {
        for parts in [vec!["lambda-logs", "string", "http.route"], vec!["ü😀\"%&", ""], vec![""]] {
            let cursor = Cursor::new(parts);
            assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
        }
        for wrong in ["x", "abc", "zz", "ff", "é1"] {
            assert_eq!(Cursor::parse(wrong), None, "{wrong}");
        }
    }
}

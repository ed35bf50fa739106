//! A dotted key inside JSON: its dots are between keys or in them.

/// More dots than this are taken to be between keys only: each doubles the ways.
const DOTS_MAX: usize = 4;

/// Every way from the root to a dotted key, as names of keys; all dots between them first.
pub(crate) fn ways(key: &str) -> impl Iterator<Item = Vec<&str>> {
    let dots: Vec<usize> = key.match_indices('.').map(|(at, _)| at).collect();
    let choices = if dots.len() > DOTS_MAX { 1 } else { 1_usize << dots.len() };
    (0..choices).map(move |inside| {
        let mut from = 0;
        let mut way = Vec::new();
        for (number, at) in dots.iter().enumerate() {
            if inside >> number & 1 == 0 {
                way.push(&key[from..*at]);
                from = at + 1;
            }
        }
        way.push(&key[from..]);
        way
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_between_keys_or_in_them() {
        assert_eq!(ways("a").collect::<Vec<_>>(), [["a"]]);
        let expected = [vec!["a", "b", "c"], vec!["a.b", "c"], vec!["a", "b.c"], vec!["a.b.c"]];
        assert_eq!(ways("a.b.c").collect::<Vec<_>>(), expected);
        assert_eq!(ways("a.b.c.d.e.f").collect::<Vec<_>>(), [["a", "b", "c", "d", "e", "f"]]);
    }
}

//! What stands in a map under one of several names, most telling name first. For lists of which a line has seldom any: a
//! line has fewer telling keys than such a list has names, so its keys are walked, and not the names.

use model::{Map, Value};

/// The values, in the order of the names.
pub(super) fn named<'a, const N: usize>(
    map: &'a Map,
    names: &[&str; N],
) -> impl Iterator<Item = &'a Value> + use<'a, N> {
    let mut found = [None; N];
    for (key, value) in map {
        if let Some(at) = names.iter().position(|name| *name == key) {
            found[at] = Some(value);
        }
    }
    found.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_order_counts_and_other_keys_do_not() {
        let map = ["a", "b", "c", "d"].map(|key| (key.to_owned(), Value::from(key)));
        let found: Vec<_> = named(&Map::from(map), &["d", "x", "b"]).cloned().collect();
        assert_eq!(found, ["d".into(), "b".into()]);
    }
}

//! The physical name of a dynamic column: a pure, injective function of path and type, and its inverse.
//!
//! The rule and why it is so: `docs/adr/0002-physical-column-names.md`.

use model::Path;
use query::{Column, ColumnKind};

/// What every dynamic column begins with; no envelope column ever does.
const PREFIX: &str = "k_";
/// Longer names are not given: Athena and Glue refuse more than 255 characters. Such a path goes to the overflow.
pub(crate) const PHYSICAL_LENGTH_MAX: usize = 255;

/// `k_` + the keys, escaped and joined with `__d`, + `__i`, `__f`, `__b` or `__j` for what is not text. None when
/// the name would be too long.
pub(crate) fn physical(path: &[&str], kind: ColumnKind) -> Option<String> {
    let mut name = String::from(PREFIX);
    for (number, key) in path.iter().enumerate() {
        if number > 0 {
            name.push_str("__d");
        }
        escape(key, &mut name);
        if name.len() > PHYSICAL_LENGTH_MAX {
            return None;
        }
    }
    name.push_str(suffix(kind));
    (name.len() <= PHYSICAL_LENGTH_MAX).then_some(name)
}

/// The column that a physical name stands for; none if it is no dynamic column's name.
pub(crate) fn parse(name: &str) -> Option<Column> {
    let mut rest = name.strip_prefix(PREFIX)?;
    let mut segments = Vec::new();
    let mut key = String::new();
    let mut kind = ColumnKind::Text;
    while !rest.is_empty() {
        let Some(escaped) = rest.strip_prefix("__") else {
            let first = rest.chars().next()?;
            key.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        let code = escaped.chars().next().filter(char::is_ascii)?;
        rest = &escaped[1..];
        match code {
            'd' => segments.push(std::mem::take(&mut key)),
            'u' => key.push('_'),
            'p' => key.push('.'),
            'a' => key.push('@'),
            'c' => {
                let letter = rest.chars().next().filter(char::is_ascii_lowercase)?;
                key.push(letter.to_ascii_uppercase());
                rest = &rest[1..];
            }
            'x' => {
                let (hex, after) = rest.split_once('_')?;
                key.push(char::from_u32(u32::from_str_radix(hex, 16).ok()?)?);
                rest = after;
            }
            'i' | 'f' | 'b' | 'j' if rest.is_empty() => kind = kind_of(code),
            _ => return None,
        }
    }
    segments.push(key);
    let path = Path::from_segments(segments)?;
    Some(Column { path, kind, physical: name.to_owned() })
}

fn suffix(kind: ColumnKind) -> &'static str {
    match kind {
        // A dynamic column never holds timestamps: a time inside an event is text or a number.
        ColumnKind::Text | ColumnKind::Timestamp => "",
        ColumnKind::Int => "__i",
        ColumnKind::Float => "__f",
        ColumnKind::Bool => "__b",
        ColumnKind::Json => "__j",
    }
}

fn kind_of(code: char) -> ColumnKind {
    match code {
        'i' => ColumnKind::Int,
        'f' => ColumnKind::Float,
        'b' => ColumnKind::Bool,
        _ => ColumnKind::Json,
    }
}

/// Lower-case letters and digits stay, and so does an underscore that one of them follows (`user_id`); everything
/// else is `__` and a code.
fn escape(key: &str, name: &mut String) {
    let mut chars = key.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            'a'..='z' | '0'..='9' => name.push(char),
            '_' if chars.peek().is_some_and(|next| matches!(next, 'a'..='z' | '0'..='9')) => name.push('_'),
            '_' => name.push_str("__u"),
            '.' => name.push_str("__p"),
            '@' => name.push_str("__a"),
            'A'..='Z' => {
                name.push_str("__c");
                name.push(char.to_ascii_lowercase());
            }
            _ => name.push_str(&format!("__x{:x}_", u32::from(char))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn named(path: &[&str]) -> String {
        physical(path, ColumnKind::Text).unwrap()
    }

    #[test]
    fn common_keys_stay_readable() {
        assert_eq!(named(&["user_id"]), "k_user_id");
        assert_eq!(named(&["data", "user", "id"]), "k_data__duser__did");
        assert_eq!(named(&["requestId"]), "k_request__cid");
        assert_eq!(named(&["@type"]), "k___atype");
        assert_eq!(named(&["http.route"]), "k_http__proute");
        assert_eq!(physical(&["status"], ColumnKind::Int).unwrap(), "k_status__i");
    }

    #[test]
    fn what_looks_alike_stays_apart() {
        let names = [
            named(&["a.b"]),
            named(&["a", "b"]),
            named(&["a_b"]),
            named(&["a__b"]),
            named(&["aB"]),
            named(&["ab"]),
            named(&["a", "", "b"]),
            named(&["a", "b", ""]),
            named(&[""]),
            named(&["a__i"]),
            physical(&["a"], ColumnKind::Int).unwrap(),
            physical(&["a_"], ColumnKind::Int).unwrap(),
        ];
        for (number, name) in names.iter().enumerate() {
            assert_eq!(names.iter().position(|other| other == name), Some(number), "{name}");
        }
    }

    #[test]
    fn a_name_that_would_be_too_long_is_not_given() {
        assert!(physical(&["k".repeat(253).as_str()], ColumnKind::Text).is_some());
        assert!(physical(&["k".repeat(254).as_str()], ColumnKind::Text).is_none());
        assert!(physical(&["k".repeat(252).as_str()], ColumnKind::Int).is_none());
    }

    fn any_kind() -> impl Strategy<Value = ColumnKind> {
        prop::sample::select(vec![
            ColumnKind::Text,
            ColumnKind::Int,
            ColumnKind::Float,
            ColumnKind::Bool,
            ColumnKind::Json,
        ])
    }

    fn any_path() -> impl Strategy<Value = Vec<String>> {
        let key = prop_oneof!["[a-c_.A-C@]{0,5}", "\\PC{0,4}", ".{0,3}", "[_a-jxcdupi]{0,8}"];
        prop::collection::vec(key, 1..4)
    }

    proptest! {
        #[test]
        fn a_name_is_legal_and_tells_path_and_kind(path in any_path(), kind in any_kind()) {
            let keys: Vec<&str> = path.iter().map(String::as_str).collect();
            if let Some(name) = physical(&keys, kind) {
                prop_assert!(name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')));
                let column = parse(&name).unwrap();
                prop_assert_eq!(column.path.segments(), &path[..]);
                prop_assert_eq!(column.kind, kind);
            }
        }

        #[test]
        fn no_two_columns_share_a_name(columns in prop::collection::hash_set((any_path(), 0usize..5), 0..40)) {
            let kinds = [ColumnKind::Text, ColumnKind::Int, ColumnKind::Float, ColumnKind::Bool, ColumnKind::Json];
            let mut seen = HashMap::new();
            for (path, kind) in columns {
                let keys: Vec<&str> = path.iter().map(String::as_str).collect();
                if let Some(name) = physical(&keys, kinds[kind]) {
                    prop_assert_eq!(seen.insert(name, (path, kind)), None);
                }
            }
        }

        #[test]
        fn any_text_is_parsed_without_a_panic(text in "k_[a-z_0-9é]{0,20}") {
            if let Some(column) = parse(&text) {
                let keys: Vec<&str> = column.path.segments().iter().map(String::as_str).collect();
                let _ = physical(&keys, column.kind);
            }
        }
    }
}

//! Percent-encoded text of paths and queries into plain text.

/// Decodes `%41` to `A`; what is no valid escape stays as it is, invalid UTF-8 becomes U+FFFD.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = (byte == b'%').then(|| escaped(bytes.get(at + 1), bytes.get(at + 2))).flatten();
        plain.push(escape.unwrap_or(byte));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// As [`decode`], with `+` for a space: the form of query strings.
pub(crate) fn decode_query(text: &str) -> String {
    decode(&text.replace('+', " "))
}

/// The keys and values of a query string, decoded, in order; a key without `=` has an empty value.
pub(crate) fn query_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_query(key), decode_query(value))
    })
}

fn escaped(high: Option<&u8>, low: Option<&u8>) -> Option<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_broken_ones_kept() {
        assert_eq!(decode("caf%C3%A9%20%2f"), "café /");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz+%4"), "%zz+%4");
        assert_eq!(decode("%ff"), "\u{fffd}");
    }

    #[test]
    fn a_query_is_pairs_in_order() {
        let pairs: Vec<_> = query_pairs("a=1&b=x+y&&flag&a=2%262").collect();
        let expected = [("a", "1"), ("b", "x y"), ("flag", ""), ("a", "2&2")];
        assert_eq!(pairs, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
}

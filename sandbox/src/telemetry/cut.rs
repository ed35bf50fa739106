//! A batch into the bodies that are POSTed. Usually one; a record larger than `maxBytes` is cut inside its value
//! over two or more, as the platform does.
//!
//! The head ends with the array's framing although its last value is unfinished; the next body repeats the cut
//! record's envelope and goes on where the value was cut. Neither is JSON. Source: the two halves of a real cut
//! payload that <https://github.com/DataDog/datadog-lambda-extension/pull/1357> shows.

use bytes::Bytes;

use super::buffer::Item;

/// The bodies, in the order in which they must be sent. `cut_at` forces a cut into a smaller record: the index of
/// the record, and how many bytes of its value stay in the head.
pub(crate) fn bodies(items: &[Item], bytes_max: usize, cut_at: Option<(usize, usize)>) -> Vec<Bytes> {
    let mut bodies = Vec::new();
    let mut body = String::from("[");
    for (index, item) in items.iter().enumerate() {
        if body.len() > 1 {
            body.push(',');
        }
        body.push_str(&item.envelope);
        let mut value = item.value.as_str();
        while let Some(kept) =
            kept_bytes(item, index, value, bytes_max, cut_at.filter(|_| value.len() == item.value.len()))
        {
            let (head, rest) = value.split_at(kept);
            body.push_str(head);
            body.push_str("}]");
            bodies.push(Bytes::from(std::mem::take(&mut body)));
            body = format!("[{}", item.envelope);
            value = rest;
        }
        body.push_str(value);
        body.push('}');
    }
    body.push(']');
    bodies.push(Bytes::from(body));
    bodies
}

/// How much of the value stays in this body, if it is to be cut.
fn kept_bytes(
    item: &Item,
    index: usize,
    value: &str,
    bytes_max: usize,
    cut_at: Option<(usize, usize)>,
) -> Option<usize> {
    let forced = cut_at.filter(|(record, _)| *record == index).map(|(_, kept)| kept);
    let room = bytes_max.saturating_sub(item.envelope.len()).max(1);
    let wanted = if value.len() > room { room } else { forced? };
    let kept = value.floor_char_boundary(wanted);
    (kept > 0 && kept < value.len()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(value: &str) -> Item {
        Item { envelope: r#"{"time":"t","type":"function","record":"#.to_owned(), value: value.to_owned() }
    }

    fn texts(items: &[Item], bytes_max: usize) -> Vec<String> {
        bodies(items, bytes_max, None).iter().map(|body| String::from_utf8(body.to_vec()).unwrap()).collect()
    }

    #[test]
    fn a_batch_of_small_records_is_one_json_array() {
        let texts = texts(&[item("\"a\""), item("{\"b\":1}")], 1_000);
        let parsed: serde_json::Value = serde_json::from_str(&texts[0]).unwrap();
        assert_eq!((texts.len(), parsed[1]["record"]["b"].as_i64()), (1, Some(1)));
    }

    #[test]
    fn a_large_record_is_cut_as_the_platform_cuts_it() {
        let texts = texts(&[item("\"first\""), item("\"AAAABBBB\""), item("\"last\"")], 44);
        assert_eq!(
            texts,
            [
                r#"[{"time":"t","type":"function","record":"firs}]"#,
                r#"[{"time":"t","type":"function","record":t"},{"time":"t","type":"function","record":"AAAA}]"#,
                r#"[{"time":"t","type":"function","record":BBBB"},{"time":"t","type":"function","record":"last}]"#,
                r#"[{"time":"t","type":"function","record":"}]"#,
            ]
        );
    }

    #[test]
    fn joined_halves_give_the_value_back() {
        let value = format!("\"{}\"", "äöü€".repeat(100));
        let bodies = texts(&[item(&value)], 120);
        let envelope = item("").envelope;
        let joined: String = bodies
            .iter()
            .map(|body| {
                body.strip_prefix('[').unwrap().strip_prefix(&envelope).unwrap().strip_suffix("}]").unwrap()
            })
            .collect();
        assert!(bodies.len() > 2);
        assert_eq!(joined, value);
    }

    #[test]
    fn a_forced_cut_falls_where_it_is_told() {
        let bodies = bodies(&[item("\"abc\""), item("\"defg\"")], 1_000, Some((1, 3)));
        assert_eq!(bodies.len(), 2);
        assert!(bodies[0].ends_with(b"\"de}]"));
    }
}

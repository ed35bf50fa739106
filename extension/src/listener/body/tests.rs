//! Bodies as the platform sends them, as it cuts them, and as it never would.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_795_182_720_000);

fn later(millis: u64) -> Timestamp {
    NOW.plus(Duration::from_millis(millis))
}

fn read(bodies: &mut Bodies, body: &[u8]) -> Vec<Element> {
    bodies.read(body, NOW).unwrap().collect()
}

/// What the elements are, in a word each.
fn words(elements: &[Element]) -> Vec<String> {
    let text = |kind: &str, content: &Value| match content {
        Value::String(text) => format!("{kind} {text}"),
        Value::Null => kind.to_owned(),
        other => format!("{kind} {}", serde_json::Value::from(other.clone())),
    };
    let told = |record: &Told| match &record.record {
        Payload::Function(content) | Payload::ExtensionLine(content) | Payload::Unknown(content) => {
            text(&record.kind, content)
        }
        Payload::RuntimeDone(done) => format!("{} of {}", record.kind, done.request_id),
        other => panic!("{other:?}"),
    };
    let word = |element: &Element| match element {
        Element::Record(record) => told(record),
        Element::Part(record, missing) => {
            format!("{} without its {missing:?}", text(&record.kind, &record.record))
        }
        Element::Unreadable => "unreadable".to_owned(),
    };
    elements.iter().map(word).collect()
}

fn alone(body: &[u8]) -> Vec<String> {
    words(&read(&mut Bodies::default(), body))
}

#[test]
fn all_elements_of_a_good_body_are_read_in_order() {
    let kinds = alone(
        br#" [ {"type":"platform.novelty","time":"t","record":{"a":[1,"]"]}} ,
               {"type":"function","time":"t","record":"a \"quoted\" { line\\"} ] "#,
    );
    assert_eq!(kinds, [r#"platform.novelty {"a":[1,"]"]}"#, r#"function a "quoted" { line\"#]);
    assert!(alone(b"[]").is_empty());
}

#[test]
fn a_bad_element_costs_itself_only() {
    let kinds = alone(br#"[{"type":"a"},{"type":},{"type":"b"},17,{"type":"c"}]"#);
    assert_eq!(kinds, ["a", "unreadable", "b", "unreadable", "c"]);
    assert_eq!(alone(br#"[}{"type":"a"},{"type":"b"}]"#).last().map(String::as_str), Some("b"));
}

#[test]
fn bytes_that_are_not_utf8_are_replaced_and_kept() {
    let kinds = alone(b"[{\"type\":\"function\",\"record\":\"caf\xe9\"},{\"type\":\"b\"}]");
    assert_eq!(kinds, ["function caf\u{fffd}", "b"]);
}

#[test]
fn what_is_no_array_is_told() {
    for body in [&b""[..], b"{}", b"null", b"\xff\xfe", b"hello"] {
        assert!(Bodies::default().read(body, NOW).is_none());
    }
}

const HEAD: &[u8] =
    br#"[{"time":"t","type":"function","record":"first"},{"time":"t","type":"function","record":"AAAA}]"#;
const TAIL: &[u8] =
    br#"[{"time":"t","type":"function","record":BBBB"},{"time":"t","type":"platform.runtimeDone","record":{"requestId":"r"}}]"#;

#[test]
fn a_record_that_was_cut_over_two_posts_is_whole_again() {
    let mut bodies = Bodies::default();
    assert_eq!(words(&read(&mut bodies, HEAD)), ["function first"]);
    assert!(bodies.due().is_some());
    let rest = words(&read(&mut bodies, TAIL));
    assert_eq!(rest, ["function AAAABBBB", "platform.runtimeDone of r"]);
    assert_eq!(bodies.due(), None);
}

#[test]
fn a_record_that_was_cut_over_four_posts_is_whole_again() {
    let text = r#"{"a":[1.5,"}]"]},"b"#.repeat(40);
    let written =
        (r#"{"time":"t","type":"function","record":"#.to_owned(), serde_json::to_string(&text).unwrap());
    let mut bodies = Bodies::default();
    for (from, to) in [(0, 100), (100, 101), (101, 700)] {
        let body = [b"[", written.0.as_bytes(), &written.1.as_bytes()[from..to], b"}]"].concat();
        assert_eq!(read(&mut bodies, &body), []);
    }
    let last = [b"[", written.0.as_bytes(), &written.1.as_bytes()[700..], b"}]"].concat();
    assert_eq!(words(&read(&mut bodies, &last)), [format!("function {text}")]);
}

#[test]
fn a_rest_that_never_comes_leaves_what_is_known() {
    let mut bodies = Bodies::default();
    read(&mut bodies, HEAD);
    assert_eq!(
        words(&read(&mut bodies, br#"[{"time":"u","type":"function","record":"other"}]"#)),
        ["function other"]
    );
    assert_eq!(bodies.release(later(999)), None);
    let known = bodies.release(later(1_000)).unwrap();
    assert_eq!(words(&[known]), ["function AAAA without its End"]);
    assert_eq!((bodies.due(), bodies.close()), (None, None));
}

#[test]
fn a_freeze_does_not_part_the_halves() {
    let mut bodies = Bodies::default();
    read(&mut bodies, HEAD);
    let thawed = later(3_600_000);
    assert_eq!(bodies.release(thawed), None);
    assert_eq!(bodies.due(), Some(thawed.plus(Duration::from_secs(1))));
    assert!(bodies.release(thawed.plus(Duration::from_secs(1))).is_some());
    read(&mut bodies, HEAD);
    assert_eq!(bodies.release(later(0).minus(Duration::from_hours(1))), None, "the clock was set back");
}

#[test]
fn a_rest_without_its_first_part_costs_neither_its_neighbours_nor_itself() {
    let kinds = alone(TAIL);
    assert_eq!(kinds, ["function BBBB without its Beginning", "platform.runtimeDone of r"]);
    let only = br#"[{"time":"t","type":"function","record":BBBB"}]"#;
    assert_eq!(alone(only), ["function BBBB without its Beginning"]);
}

#[test]
fn a_neighbour_of_the_same_moment_is_not_taken_for_the_rest() {
    let mut bodies = Bodies::default();
    read(&mut bodies, HEAD);
    let same =
        br#"[{"time":"t","type":"function","record":"another"},{"time":"t","type":"function","record":"x"}]"#;
    assert_eq!(words(&read(&mut bodies, same)), ["function another", "function x"]);
    assert_eq!(words(&read(&mut bodies, TAIL))[0], "function AAAABBBB");
}

#[test]
fn what_is_held_is_bounded() {
    let mut bodies = Bodies::default();
    let part = |text: &str| format!(r#"[{{"time":"t","type":"function","record":{text}}}]"#).into_bytes();
    let long = "A".repeat(1_500_000);
    read(&mut bodies, &part(&format!("\"{long}")));
    read(&mut bodies, &part(&long));
    let refused = read(&mut bodies, &part(&long));
    assert!(matches!(refused[..], [Element::Part(_, Missing::Beginning)]), "{:?}", refused.len());
    let Some(Element::Part(known, Missing::End)) = bodies.close() else { panic!("nothing known") };
    assert!(known.record.as_str().is_some_and(|text| text.len() == 3_000_000));
}

#[test]
fn an_element_says_the_same_in_every_order_of_its_keys() {
    let members = [
        r#""time":"t""#,
        r#""type":"platform.runtimeDone""#,
        r#""record":{"requestId":"r"}"#,
        r#""more":[1]"#,
    ];
    let usual = alone(format!("[{{{},{},{}}}]", members[0], members[1], members[2]).as_bytes());
    assert_eq!(usual, ["platform.runtimeDone of r"]);
    for (a, b, c) in [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)] {
        for extra in 0..=3 {
            let mut order = vec![members[a], members[b], members[c]];
            order.insert(extra, members[3]);
            assert_eq!(alone(format!("[{{{}}}]", order.join(",")).as_bytes()), usual);
        }
    }
    let object = br#"[{"time":"t","type":"function","record":{"n": 1}}]"#;
    assert_eq!(alone(object), [r#"function {"n": 1}"#], "as it was printed");
}

/// A record as the platform writes it: its envelope and its content.
fn any_written() -> impl Strategy<Value = (String, String)> {
    let text = prop_oneof!["\\PC{0,24}", r#"[\[\]{}",:\\a]{0,24}"#].prop_map(serde_json::Value::from);
    let content = prop_oneof![
        3 => text.clone(),
        1 => (text.clone(), text).prop_map(|(a, b)| serde_json::json!({"message": a, "data": [b, {"x": 1.5}]})),
    ];
    let kind = prop::sample::select(vec!["function", "extension", "platform.runtimeDone"]);
    (content, kind, 0..3_u8).prop_map(|(content, kind, time)| {
        let envelope = format!(r#"{{"time":"2026-11-20T13:52:00.00{time}Z","type":"{kind}","record":"#);
        (envelope, content.to_string())
    })
}

/// An object that was printed is a line.
fn as_told(envelope: &str, content: &str) -> Told {
    let record: Record = serde_json::from_str(&format!("{envelope}{content}}}")).unwrap();
    match &record.record {
        serde_json::Value::Object(_) if !record.kind.starts_with("platform") => {
            Record { record: serde_json::Value::from(content), ..record }.typed()
        }
        _ => record.typed(),
    }
}

/// The bodies of a batch of which some records are cut, each at the given places of its content.
fn cut_bodies(records: &[((String, String), Vec<prop::sample::Index>)]) -> Vec<Vec<u8>> {
    let mut bodies = Vec::new();
    let mut body = b"[".to_vec();
    for ((envelope, content), cuts) in records {
        if body.len() > 1 {
            body.push(b',');
        }
        body.extend_from_slice(envelope.as_bytes());
        let mut cuts: Vec<usize> =
            cuts.iter().map(|cut| cut.index(content.len())).filter(|cut| *cut > 0).collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut from = 0;
        for cut in cuts {
            body.extend_from_slice(&content.as_bytes()[from..cut]);
            body.extend_from_slice(b"}]");
            bodies.push(std::mem::take(&mut body));
            body = [b"[", envelope.as_bytes()].concat();
            from = cut;
        }
        body.extend_from_slice(&content.as_bytes()[from..]);
        body.push(b'}');
    }
    body.push(b']');
    bodies.push(body);
    bodies
}

proptest! {
    #[test]
    fn wherever_records_are_cut_they_come_out_whole(
        records in prop::collection::vec((any_written(), prop::collection::vec(any::<prop::sample::Index>(), 0..2)), 1..6)
    ) {
        let bodies = cut_bodies(&records);
        let mut reader = Bodies::default();
        let mut found = Vec::new();
        for body in bodies {
            found.extend(reader.read(&body, NOW).unwrap());
        }
        let whole: Vec<Element> = records.iter().map(|((envelope, content), _)| {
            Element::Record(as_told(envelope, content))
        }).collect();
        prop_assert_eq!(found, whole);
        prop_assert_eq!(reader.close(), None);
    }

    #[test]
    fn no_bytes_make_it_panic_or_hang(bodies in prop::collection::vec(
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..80),
            r#"\[[\[\]{}",:\\a-z0-9]{0,80}"#.prop_map(String::into_bytes),
        ], 0..6)
    ) {
        let mut reader = Bodies::default();
        for body in &bodies {
            if let Some(elements) = reader.read(body, NOW) {
                prop_assert!(elements.count() <= body.len() + 1);
            }
        }
        reader.close();
    }

    #[test]
    fn a_cut_tail_without_its_head_leaves_the_rest_of_the_body_alone(
        lost in any_written(), cut in any::<prop::sample::Index>(), rest in prop::collection::vec(any_written(), 1..4)
    ) {
        let all: Vec<_> = std::iter::once((lost, vec![cut])).chain(rest.into_iter().map(|record| (record, vec![]))).collect();
        let bodies = cut_bodies(&all);
        let mut reader = Bodies::default();
        let found: Vec<Element> = reader.read(bodies.last().unwrap(), NOW).unwrap().collect();
        let wanted = all[1..].iter().map(|((envelope, content), _)| {
            Element::Record(as_told(envelope, content))
        });
        for record in wanted {
            prop_assert!(found.contains(&record), "{record:?} is not in {found:?}");
        }
    }
}

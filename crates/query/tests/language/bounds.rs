//! What a text or document of any size costs: few faults, little memory, no recursion that its length decides.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use query::yaml::Document;
use serde_json::{Value, json};

use crate::{now, refused};

/// What the readers may hold on to of something of so many bytes, in what they say about it.
fn told_bytes(faults: &query::Diagnostics) -> usize {
    faults.iter().map(|fault| fault.source.len() + fault.message.len()).sum()
}

#[test]
fn a_long_row_of_signs_is_refused_and_not_walked() {
    let row = |term: &str, sign: &str, count: usize| vec![term; count].join(sign);
    for text in [
        format!("COUNT DERIVE x = {}", row("1", " + ", 20_000)),
        format!("COUNT as n, {} as m", row("n", " * ", 20_000)),
        format!("COUNT as n GROUP BY a HAVING {} > 1", row("n", " - ", 20_000)),
        format!("COUNT DERIVE x = {}", row("2", " ^ ", 20_000)),
        format!("COUNT DERIVE x = {}1", "- ".repeat(20_000)),
        format!("COUNT DERIVE x = {}1", "(".repeat(20_000)),
        format!("COUNT DERIVE x = {}1", "sqrt(".repeat(15_000)),
    ] {
        let faults = refused(&text);
        assert!(faults.to_string().contains("nested more than 20 deep"), "{faults}");
    }
    let derived = json!({ "parameters": { "derived": [format!("x={}", row("``", "+", 80_000))] } });
    let faults = query::from_json(&derived, now()).unwrap_err();
    assert!(faults.to_string().contains("too long"), "{faults}");
}

#[test]
fn every_part_that_is_read_alone_is_bounded() {
    let long = format!("a = {}", "x".repeat(200_000));
    for parts in [
        json!({ "filters": [long] }),
        json!({ "filters": [{ "key": "a", "operation": "IN", "value": format!("({long})") }] }),
        json!({ "derived": [long] }),
        json!({ "calculations": [long] }),
        json!({ "calculations": ["COUNT"], "groupBys": ["a"], "having": long }),
    ] {
        let faults = query::from_json(&parts, now()).unwrap_err();
        assert!(faults.to_string().contains("too long"), "{faults}");
        assert!(told_bytes(&faults) < 1_000);
    }
}

#[test]
fn so_many_faults_are_told_and_no_more() {
    let faults = refused(&"FROM ".repeat(19_000));
    assert_eq!(faults.iter().count(), 21, "the last one says that there may be more");
    let filters: Vec<Value> = vec!["x".into(); 50_000];
    let faults = query::from_json(&json!({ "filters": filters }), now()).unwrap_err();
    assert_eq!(faults.iter().count(), 21, "the last one says that there may be more");
    let keys: serde_json::Map<String, Value> =
        (0..50_000).map(|number| (format!("key{number}"), Value::Null)).collect();
    assert_eq!(query::from_json(&keys.into(), now()).unwrap_err().iter().count(), 21);
    let old: Vec<Value> = vec![json!({ "value": "a", "limit": 1 }); 10_000];
    let faults = query::from_json(&json!({ "calculations": ["COUNT"], "groupBys": old }), now()).unwrap_err();
    assert!(faults.to_string().contains("10000 keys to group by are too many"), "{faults}");
}

#[test]
fn a_document_in_one_line_holds_its_line_a_few_times_only() {
    let line = format!("parameters: {{filters: [{}]}}", vec!["x"; 40_000].join(","));
    let document = Document::read(&line).unwrap();
    let faults = document.query(None).unwrap().read(now()).unwrap_err();
    assert!(told_bytes(&faults) < 21 * (line.len() + 1_000), "{} bytes", told_bytes(&faults));
    let resources =
        format!("{{{}}}", (0..2_000).map(|n| format!("q{n}: {{type: x}}")).collect::<Vec<_>>().join(","));
    assert!(Document::read(&resources).unwrap_err().iter().count() <= 21);
}

#[test]
fn long_names_around_a_long_list_cost_their_length_once() {
    let names: String = (0..60).map(|depth| format!("{{{}{depth}: ", "k".repeat(1_000))).collect();
    let text = format!("{names}[{}]{}", vec!["x"; 45_000].join(","), "}".repeat(60));
    let began = Instant::now();
    let document = Document::read(&text).unwrap();
    assert!(document.query(None).unwrap().read(now()).is_err());
    // Tens of milliseconds; a path for each item would be gigabytes and half a minute.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let many = format!("[{}]", vec!["x"; 200_000].join(","));
    assert!(Document::read(&many).unwrap_err().to_string().contains("more than 50000 parts"));
}

#[test]
fn calculations_that_nobody_sees_are_counted_too() {
    let sum = |from: usize| (from..from + 10).map(|n| format!("P01(a{n})")).collect::<Vec<_>>().join(" + ");
    let having = (0..6).map(|n| format!("{} > 1", sum(n * 10))).collect::<Vec<_>>().join(" AND ");
    let faults = refused(&format!("COUNT GROUP BY a HAVING {having}"));
    assert!(faults.to_string().contains("more than 50 calculations of their own"), "{faults}");
    let halves =
        |text: &str, times: usize| (0..times).fold(text.to_owned(), |half, _| format!("({half}) + ({half})"));
    let faults = refused(&format!("COUNT as n, {} as m", halves("n", 8)));
    assert!(faults.to_string().contains("256 keys or figures in one piece of arithmetic"), "{faults}");
}

#[test]
fn regular_expressions_are_bounded_together() {
    let some = |count: usize| vec!["a MATCH_REGEX /^x[0-9]+$/"; count].join(" OR ");
    assert!(query::parse_text(&format!("WHERE {}", some(50)), now()).is_ok());
    let faults = refused(&format!("COUNT IF ({}) as a WHERE {}", some(26), some(25)));
    assert!(faults.to_string().contains("more than 50 regular expressions"), "{faults}");
}

/// JSON of any shape, with the keys of a query in it.
fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "parameters",
        "filters",
        "calculations",
        "formulas",
        "derived",
        "having",
        "groupBys",
        "groupBy",
        "needle",
        "value",
        "orderBy",
        "order",
        "limit",
        "timeframe",
        "from",
        "to",
        "and",
        "or",
        "not",
        "key",
        "operation",
        "operator",
        "type",
        "view",
        "patternType",
        "heatmap",
        "scale",
        "service",
        "text",
        "explain",
        "others",
        "granularity",
        "isRegex",
        "odd",
    ]);
    let text = prop::sample::select(vec![
        "COUNT",
        "a = 1",
        "a IN (b",
        "a + b as c",
        "x = a / 2",
        "c > 1",
        "events",
        "patterns",
        "error",
        "1h",
        "now",
        "",
        "((((",
        "/a WHERE b/",
        "`",
        "$limelight.service",
        "P99(@duration) as p99",
        "a MATCH_REGEX (",
    ]);
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|parts| parts.into_iter().map(|(key, part)| (key.to_owned(), part)).collect()),
        ]
    })
}

/// A few pieces that nest or repeat, as often as makes a text of nearly the size or depth that is read.
fn at_the_bounds() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "(",
        ")",
        "NOT ",
        "- ",
        "sqrt(",
        "a + ",
        "a ^ ",
        "a = 1 AND ",
        "a = 1 OR (",
        "FROM ",
        "\"",
        "`",
        "/",
        "[",
        ",",
        "COUNT IF (",
        "P99(a) + ",
        "HAVING (",
        "IN (",
        "x, ",
        "é",
        "WHERE ",
    ]);
    let start = prop::sample::select(vec![
        "WHERE ",
        "COUNT DERIVE x = ",
        "COUNT HAVING ",
        "COUNT as n, ",
        "SEARCH ",
        "",
    ]);
    let size = prop::sample::select(vec![15_usize, 16, 17, 19, 20, 21, 22, 4_000, 99_990, 100_010]);
    (start, piece.clone(), piece, size).prop_map(|(start, often, last, size)| {
        let times = if size < 100 { size } else { (size - start.len()) / often.len() };
        format!("{start}{}{last}", often.repeat(times))
    })
}

/// Every fault stands inside the text that it shows.
fn are_placed(faults: &query::Diagnostics) -> bool {
    let count = faults.iter().count();
    (1..=21).contains(&count) && faults.iter().all(|fault| fault.source.get(fault.span.clone()).is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_json_makes_the_reader_panic(json in any_json()) {
        match query::from_json(&json, now()) {
            Ok(query) => prop_assert_eq!(query.check(), Ok(())),
            Err(faults) => prop_assert!(are_placed(&faults), "{}", faults),
        }
        if let Ok(document) = Document::read(&json.to_string()) {
            for saved in document.queries() {
                if let Err(faults) = saved.read(now()) {
                    prop_assert!(are_placed(&faults), "{}", faults);
                }
            }
        }
    }
}

proptest! {
    // Each reads megabytes.
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn no_text_at_the_bounds_of_size_and_depth_does_harm(text in at_the_bounds()) {
        for read in [
            query::parse_text(&text, now()),
            query::from_json(&json!({ "filters": [text], "derived": [text], "calculations": [text] }), now()),
        ] {
            match read {
                Ok(query) => prop_assert_eq!(query.check(), Ok(())),
                Err(faults) => prop_assert!(are_placed(&faults)),
            }
        }
    }
}

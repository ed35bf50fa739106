//! Each operation on each type and on a missing key, by what it finds in ten events. The key `k` of each event is what
//! its name says.

use std::fmt::Write as _;

use serde_json::json;

use super::{ask, event, ids, store, wait};

/// What stands at the key, by the number of the event; the last has none.
const EVENTS: [&str; 10] =
    ["\"x\"", "\"5\"", "\"\"", "5", "2.5", "true", "[1,\"x\"]", "null", "{\"in\":5}", "missing"];

const TESTS: [&str; 26] = [
    "= x",
    "= 5",
    "= 2.5",
    "= true",
    "= \"5\"",
    "= \"\"",
    "!= x",
    "!= 5",
    "> 2",
    ">= 2.5",
    "< 5",
    "<= 5",
    "> \"a\"",
    "INCLUDES x",
    "DOES_NOT_INCLUDE x",
    "STARTS_WITH 5",
    "LIKE %5",
    "NOT_LIKE %5",
    "MATCH_REGEX /^[0-9]/",
    "EXISTS",
    "DOES_NOT_EXIST",
    "IN (x, 5)",
    "NOT_IN (x, 5)",
    "INCLUDES 5",
    "IN (true)",
    "= null",
];

/// What each test finds. Changing a line changes the language.
const FOUND: &str = "\
= x: \"x\"
= 5: \"5\" 5
= 2.5: 2.5
= true: true
= \"5\": \"5\"
= \"\": \"\"
!= x: \"5\" \"\" 5 2.5 true [1,\"x\"] null {\"in\":5} missing
!= 5: \"x\" \"\" 2.5 true [1,\"x\"] null {\"in\":5} missing
> 2: 5 2.5
>= 2.5: 5 2.5
< 5: 2.5
<= 5: 5 2.5
> \"a\": \"x\"
INCLUDES x: \"x\" [1,\"x\"]
DOES_NOT_INCLUDE x: \"5\" \"\" 5 2.5 true null {\"in\":5} missing
STARTS_WITH 5: \"5\" 5
LIKE %5: \"5\" 5 2.5
NOT_LIKE %5: \"x\" \"\" true [1,\"x\"] null {\"in\":5} missing
MATCH_REGEX /^[0-9]/: \"5\" 5 2.5
EXISTS: \"x\" \"5\" \"\" 5 2.5 true [1,\"x\"] null {\"in\":5}
DOES_NOT_EXIST: missing
IN (x, 5): \"x\" \"5\" 5
NOT_IN (x, 5): \"\" 2.5 true [1,\"x\"] null {\"in\":5} missing
INCLUDES 5: \"5\" 5 2.5
IN (true): true
= null: null
";

#[test]
fn each_operation_on_each_type_finds_what_it_says() {
    wait(async {
        let of = |(number, value): (usize, &&str)| {
            let attributes = match *value {
                "missing" => json!({}),
                value => json!({ "k": serde_json::from_str::<serde_json::Value>(value).unwrap() }),
            };
            event("logs", number, 10_000 - number as i64, attributes)
        };
        let store = store(&[EVENTS.iter().enumerate().map(of).collect()]).await;
        let mut found = String::new();
        for test in TESTS {
            let mut numbers: Vec<usize> = ids(&ask(&store, &format!("FROM logs WHERE k {test}")).await)
                .iter()
                .map(|id| id.trim_start_matches("id-").parse().unwrap())
                .collect();
            numbers.sort_unstable();
            let names: Vec<&str> = numbers.iter().map(|number| EVENTS[*number]).collect();
            writeln!(found, "{test}: {}", names.join(" ")).unwrap();
        }
        assert_eq!(found, FOUND);
    });
}

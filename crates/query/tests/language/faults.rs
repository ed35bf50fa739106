//! What is wrong with a query is said with its place and what was probably meant. All of it as one golden text, as a
//! person sees it.

use std::fmt::Write as _;

use serde_json::json;

use crate::{now, refused};

#[test]
fn faults_of_the_text_form() {
    let queries = [
        "COUNTDISTINCT(userId)",
        "P98(@duration)",
        "SELECT COUNT",
        "COUNT(@duration)",
        "P99 as slow",
        "COUNT as n, SUM(a) as n",
        "COUNT as _count",
        "COUNT ORDER BY p99",
        "P99(@duration) as p99 ORDER BY p9",
        "ORDER BY level",
        "GROUP BY level",
        "COUNT LIMIT 0",
        "COUNT LIMIT 20000",
        "COUNT LIMIT ten",
        "COUNT LIMIT 5 OTHERS",
        "SEARCH /checkout WHERE path = /pay",
        "FROM lambda-logs WHER a = 1",
        "WHERE @type == REPORT",
        "WHERE @type CONTAINS x",
        "WHERE @type STARTWITH x",
        "WHERE @type",
        "WHERE last = 5",
        "WHERE @type = FROM otel",
        "WHERE message = hello world",
        "WHERE (a = 1 OR b = 2",
        "WHERE a IN x",
        "WHERE a IN (x, y",
        "WHERE a IN ()",
        "WHERE a MATCH_REGEX \"(unclosed\"",
        "WHERE message = \"never closed",
        "SEARCH \"\"",
        "SEARCH /[/",
        "LAST sometime",
        "LAST 1h SINCE 2h",
        "BETWEEN 2026-11-20T14:00:00Z AND 2026-11-20T13:00:00Z",
        "SINCE yesterday",
        "COUNT LAST 30d EVERY 1s",
        "COUNT EVERY 0s",
        "FROM a, a",
        "FROM *, otel",
        "FROM ../etc",
        "COUNT GROUP BY a, a",
        "FROM otel FROM logs",
        ") COUNT",
        "HEATMAP",
        "HEATMAP @duration LOGARITHMIC",
        "COUNT HEATMAP @duration",
        "HEATMAP @duration GROUP BY service",
        "HEATMAP @duration EVERY NONE",
        "VIEW traces HEATMAP @duration",
        "VIEW reqests",
        "VIEW",
        "VIEW requests COUNT",
        "VIEW traces GROUP BY service",
        "VIEW requests HAVING durations > 5",
        "VIEW requests HAVING COUNT > 5",
        "VIEW traces ORDER BY name",
        "VIEW invocations COMPARE 1d",
        "COUNT COMPARE sometime",
        "COMPARE 1d",
        "COUNT TIMEZONE Europe/Atlantis",
        "COUNT as n, n / m as rate",
        "COUNT as n, n / 2",
        "COUNT as n, n / 2 as half, half * 2 as n2",
        "COUNT as n, n /2 as half",
        "COUNT as n, (n + 1 as more",
        "COUNT HAVING COUNT > 1",
        "COUNT as n GROUP BY a HAVING m > 1",
        "COUNT as n GROUP BY a HAVING n",
        "COUNT IF level = error",
        "COUNT DERIVE seconds @duration",
        "COUNT DERIVE a = b + 1, c = a + 1",
        "COUNT DERIVE $limelight.level = b + 1",
        "COUNT LIMIT x WHERE a ~ b ORDER p99",
    ];
    let mut golden = String::new();
    for query in queries {
        writeln!(golden, "{}\n", refused(query)).unwrap();
    }
    insta::assert_snapshot!(golden);
}

#[test]
fn faults_of_the_json_forms() {
    let queries = [
        json!([]),
        json!({ "text": "COUNT LIMIT 0" }),
        json!({ "text": "COUNT", "limit": 3 }),
        json!({ "parameters": { "filter": ["a = 1"] } }),
        json!({ "filters": ["a = 1", "a CONTAINS b", "a EXISTS x", "= b", 7] }),
        json!({ "filters": [{ "key": "a", "operation": ">", "value": "x", "type": "number" }] }),
        json!({ "filters": [{ "or": ["a = 1", { "and": ["b ="] }] }] }),
        json!({ "calculations": ["COUNT", "P98(a)", { "operator": "SUMM", "key": "a" }, "COUNT as a b"] }),
        json!({ "calculations": ["COUNT"], "orderBy": { "value": "n" } }),
        json!({ "calculations": ["COUNT"], "groupBys": [{ "type": "string" }] }),
        json!({ "timeframe": { "from": "now", "to": "1h" } }),
        json!({ "timeframe": { "from": true } }),
        json!({ "granularity": "often", "limit": -1, "view": "pattern" }),
        json!({ "needle": { "value": "(", "isRegex": true } }),
        json!({ "view": "calculations" }),
        json!({ "calculations": [{ "operator": "P99", "key": "d", "as": "x" }] }),
        json!({ "filters": [{ "key": "a", "operation": "=", "val": 1 }] }),
        json!({ "needle": { "value": "a", "isRegex": "true" } }),
        json!({ "text": "COUNT", "explain": "yes" }),
        json!({ "calculations": ["COUNT"], "groupBys": [{ "type": "banana", "value": "a" }] }),
        json!({ "calculations": ["COUNT"], "groupBy": { "value": "a", "limit": "ten", "order": "UP" } }),
        json!({ "calculations": ["COUNT"], "others": true }),
        json!({ "calculations": ["COUNT"], "granularity": u64::MAX }),
    ];
    let mut golden = String::new();
    for query in queries {
        let faults = query::from_json(&query, now()).expect_err(&query.to_string());
        writeln!(golden, "{query}\n{faults}\n").unwrap();
    }
    insta::assert_snapshot!(golden);
}

#[test]
fn one_fault_does_not_hide_the_next() {
    let faults = refused("COUNTT FROM otel WHERE a ~~ b LIMIT x");
    assert_eq!(faults.iter().count(), 3, "{faults}");
}

#[test]
fn filters_are_bounded_in_depth_and_number() {
    let deep = format!("WHERE {}a = 1{}", "(".repeat(500), ")".repeat(500));
    assert!(refused(&deep).to_string().contains("deep"));
    let not = format!("WHERE {}a = 1", "NOT ".repeat(500));
    assert!(refused(&not).to_string().contains("deep"));
    let many = format!("WHERE {}", vec!["a = 1"; 500].join(" OR "));
    assert!(refused(&many).to_string().contains("500 conditions are too many"));
    let long = format!("WHERE a = {}", "x".repeat(200_000));
    assert!(refused(&long).to_string().contains("too long"));
    let mut nested = json!("a = 1");
    for _ in 0..100 {
        nested = json!({ "not": nested });
    }
    let faults = query::from_json(&json!({ "filters": [nested] }), now()).unwrap_err();
    assert!(faults.to_string().contains("deep"), "{faults}");
}

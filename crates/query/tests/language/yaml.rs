//! Saved queries in YAML: what is read, in today's spelling and in those of earlier years, and where faults are.

use std::fmt::Write as _;

use proptest::prelude::*;
use query::Query;
use query::yaml::Document;

use crate::{now, text};

/// The only query of a document, and what it says about old spellings.
fn read(yaml: &str) -> (Query, Vec<String>) {
    let document = Document::read(yaml).unwrap_or_else(|faults| panic!("{faults}"));
    let (query, notes) =
        document.query(None).unwrap().read(now()).unwrap_or_else(|faults| panic!("{faults}"));
    (query, notes.iter().map(ToString::to_string).collect())
}

#[test]
fn a_saved_query_says_the_same_as_its_text() {
    let (query, notes) = read(
        "slow-requests:
  type: query
  properties:
    name: Slow requests
    description: who waits
    parameters:
      datasets: [lambda-logs, otel]
      calculations:
        - COUNT as Total
        - 'P99(@duration) as p99'
      filters:
        - '@type = REPORT'   # a comment
        - or: ['@duration > 10', \"@timedOut = true\"]
      filterCombination: AND
      groupBys: [{type: string, value: $limelight.namespace}]
      orderBy: {value: p99, order: DESC}
      limit: 10
      needle: {value: error, isRegex: false, matchCase: false}
    granularity: 5m
",
    );
    assert_eq!(
        query,
        text(
            "COUNT as Total, P99(@duration) as p99 FROM lambda-logs, otel WHERE @type = REPORT AND (@duration > 10 \
             OR @timedOut = true) SEARCH error GROUP BY $limelight.namespace ORDER BY p99 LIMIT 10 EVERY 5m"
        )
    );
    assert!(notes.is_empty(), "{notes:?}");
}

#[test]
fn a_document_may_be_the_query_itself() {
    assert_eq!(read("parameters: {calculations: [COUNT]}\ntimeframe: 3h\n").0, text("COUNT LAST 3h"));
    assert_eq!(read("text: COUNT FROM otel\n").0, text("COUNT FROM otel"));
    assert_eq!(read("view: requests\n").0, text("VIEW requests"));
    assert_eq!(read("").0, text(""));
}

#[test]
fn spellings_of_earlier_years_are_read_with_a_note() {
    let (query, notes) = read(
        "old:
  type: query
  properties:
    parameters:
      dataset: lambda-logs
      calculations: [COUNT]
      namespaces: [checkout, cart]
      namespaceCombination: EXCLUDE
      groupBy: {type: string, value: $baselime.namespace, limit: 5, orderBy: COUNT, order: ASC}
      needle: {item: boom}
",
    );
    let today = "COUNT FROM lambda-logs WHERE $limelight.namespace NOT_IN (checkout, cart) SEARCH boom \
                 GROUP BY $baselime.namespace ORDER BY COUNT ASC LIMIT 5";
    assert_eq!(query, text(today));
    insta::assert_snapshot!(notes.join("\n"));
}

#[test]
fn several_queries_are_told_apart_by_name() {
    let file = "a:\n  type: query\n  properties: {parameters: {calculations: [COUNT]}}\n\
                b-2:\n  type: query\n  properties: {parameters: {filters: ['x = 1']}}\n\
                c:\n  type: alert\n  properties: {parameters: {query: !ref a}}\n";
    let document = Document::read(file).unwrap();
    assert_eq!(document.queries().len(), 2);
    assert_eq!(document.query(Some("b-2")).unwrap().read(now()).unwrap().0, text("WHERE x = 1"));
    assert!(document.query(None).unwrap_err().to_string().contains("one of a, b-2"));
    assert!(document.query(Some("b-3")).unwrap_err().to_string().contains("did you mean b-2?"));
}

#[test]
fn faults_stand_at_their_line_and_column() {
    let of_parameters =
        |inside: &str| format!("my-query:\n  type: query\n  properties:\n    parameters:\n{inside}");
    let documents = [
        of_parameters("      filters:\n        - '@type = REPORT'\n        - \"@duration >> 5\"\n"),
        of_parameters("      calculations: [COUNT, CUONT(a)]\n"),
        of_parameters("      filters: [a = 1]\n      limits: 5\n"),
        of_parameters("      groupBys:\n        - type: string\n"),
        of_parameters("      limit: ten\n      orderBy:\n"),
        of_parameters("      filters:\n        - and:\n          - 'äöü = 1'\n          - 'äöü IS 1'\n"),
        of_parameters("      calculations: [COUNT]\n      orderBy: {value: p99, order: UP}\n"),
        "my-query:\n  type: qeury\n  properties: {}\n".to_owned(),
        "my-query:\n  type: query\n  property: {}\n".to_owned(),
        "my query!:\n  type: query\n  properties: {parameters: {}, alias: x}\n".to_owned(),
        "parameters:\n  filters: [a: b: c]\n".to_owned(),
        "parameters:\n  limit: 5\n  limit: 6\n".to_owned(),
        "parameters: &a {}\ntimeframe: *a\n".to_owned(),
        "a: [1, 2\n".to_owned(),
        "- a\n- b\n".to_owned(),
        "text: COUNT\n---\ntext: COUNT\n".to_owned(),
    ];
    let mut golden = String::new();
    for document in documents {
        let found = Document::read(&document).and_then(|read| {
            let query = read.query(None).map_err(query::Diagnostics::one)?;
            query.read(now()).map(|_| ())
        });
        writeln!(golden, "{document}\n{}\n", found.unwrap_err()).unwrap();
    }
    insta::assert_snapshot!(golden);
}

proptest! {
    #[test]
    fn no_document_makes_the_reader_panic(text in "[a-c:\\-\\[\\]{},'\"!&*|>#? \n\u{e9}0-9~]{0,60}") {
        if let Ok(document) = Document::read(&text) {
            for query in document.queries() {
                let _ = query.read(now());
            }
        }
    }

    #[test]
    fn json_is_yaml_and_means_the_same(limit in 1..10_000_u64, filter in "[a-z]{1,5} = [a-z0-9 ]{1,8}[a-z]", any in any::<bool>()) {
        let json = serde_json::json!({ "parameters": {
            "calculations": ["COUNT as n"], "filters": [filter], "limit": limit,
            "filterCombination": if any { "OR" } else { "AND" }, "orderBy": null,
        }});
        prop_assert_eq!(read(&json.to_string()).0, crate::json(&json));
    }
}

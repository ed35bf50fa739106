//! A question as JSON, and a saved one as YAML: faults or a query.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Timestamp;
use query::yaml::Document;

fuzz_target!(|text: &str| {
    let now = Timestamp::from_millis(1_790_000_000_000);
    let json = serde_json::from_str(text).map(|json| query::read_json(&json, now));
    let yaml = Document::read(text).map(|document| {
        document.queries().iter().map(|saved| saved.read(now).map(|(query, _)| query)).collect::<Vec<_>>()
    });
    let read = json.ok().and_then(Result::ok).map(|(query, _)| query);
    let saved = yaml.into_iter().flatten().filter_map(Result::ok);
    for query in read.into_iter().chain(saved) {
        query::Plan::new(&query, &[]);
    }
});

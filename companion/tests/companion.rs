//! The companion over a store in memory: records in, queries and traces out, and what happens to what is wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops here")]

#[path = "companion/api.rs"]
mod api_routes;
#[path = "companion/bounds.rs"]
mod bounds;
mod support;

use std::collections::HashSet;

use companion::letters::Replayed;
use http::StatusCode;
use model::{Level, Map};
use serde_json::{Value, json};
use store::Location;
use support::{Fixture, batch, gzip, log, record, span};

#[tokio::test]
async fn what_was_ingested_is_found_by_query_and_by_trace() {
    let fixture = Fixture::open().await;
    let spans = vec![span("checkout", 1, None, 100), span("pay", 2, Some(1), 40)];
    let logs = vec![log("order paid", Level::Info, 2), log("card refused", Level::Error, 2)];
    let report = fixture.ingest(vec![record(1, &batch(0, spans, logs))]).await;
    assert_eq!(report.first_failure, None);
    assert_eq!(report.events, 5, "two spans, two lines and the account");

    let (status, answer) =
        fixture.query(json!({"text": "FROM lambda-logs COUNT GROUP BY $limelight.level"})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let aggregates = answer["data"]["calculations"]["aggregates"].as_array().unwrap();
    assert_eq!(aggregates.len(), 2, "{answer}");
    let counts: Vec<&Value> = aggregates.iter().map(|group| &group["values"]["COUNT"]).collect();
    assert_eq!(counts, [&json!(1), &json!(1)]);

    let (status, trace) = fixture.get(&format!("/v1/traces/{}", support::TRACE)).await;
    assert_eq!(status, StatusCode::OK, "{trace}");
    let spans = trace["spans"].as_array().unwrap();
    assert_eq!((&spans[0]["name"], &spans[0]["depth"]), (&json!("checkout"), &json!(0)));
    assert_eq!((&spans[1]["name"], &spans[1]["depth"]), (&json!("pay"), &json!(1)));
    assert_eq!(spans[1]["logs"].as_array().unwrap().len(), 2);
    assert_eq!(trace["errors"], 1);
}

#[tokio::test]
async fn what_comes_again_is_written_once() {
    let fixture = Fixture::open().await;
    let bytes = batch(0, Vec::new(), vec![log("once", Level::Info, 1)]);
    assert_eq!(fixture.ingest(vec![record(1, &bytes)]).await.events, 2);
    let again = fixture.ingest(vec![record(1, &bytes)]).await;
    assert_eq!((again.events, again.duplicates), (0, 1), "the consumer's retry");
    let producers = fixture.ingest(vec![record(2, &bytes)]).await;
    assert_eq!((producers.events, producers.duplicates), (0, 1), "the producer's retry");
}

#[tokio::test]
async fn an_unreadable_record_is_put_away_and_the_rest_goes_on() {
    let fixture = Fixture::open().await;
    let report = fixture
        .ingest(vec![record(1, b"{\"n\":1}"), record(2, b"no telemetry at all"), record(3, b"{\"n\":2}")])
        .await;
    assert_eq!((report.events, report.dead_letters, report.first_failure), (2, 1, None));
    let (_, answer) = fixture.query(json!({"text": "FROM logs SUM(n)"})).await;
    assert_eq!(
        answer["data"]["calculations"]["aggregates"][0]["values"]["SUM(n)"].as_f64(),
        Some(3.0),
        "{answer}"
    );
}

/// A record that was too large for its reader is read again by one with a higher limit, and stands once however
/// often that is tried.
#[tokio::test]
async fn a_letter_is_replayed_once_the_cause_is_gone() {
    let location = Location::memory();
    let narrow = Fixture::with(&location, |settings| settings.limits.inflated_bytes_max = 100).await;
    let large = gzip(json!({"n": 7, "text": "x".repeat(200)}).to_string().as_bytes());
    let ours = batch(0, Vec::new(), vec![log(&"y".repeat(200), Level::Info, 1)]);
    let run = vec![record(1, &large), record(2, b"{\"n\":1}"), record(3, &ours), record(4, b"{")];
    let report = narrow.ingest(run.clone()).await;
    assert_eq!((report.events, report.dead_letters, report.first_failure), (1, 3, None));
    // The consumer's retry, cut elsewhere, writes them to other files; they are listed once.
    assert_eq!(narrow.ingest(run[2..].to_vec()).await.dead_letters, 2);
    let found = narrow.companion().letters(10).await.unwrap();
    assert_eq!((found.letters.len(), found.damaged), (3, 0));
    assert!(found.letters.iter().all(|kept| !kept.letter.reason.is_empty()));

    let wide = Fixture::with(&location, |_| ()).await;
    let mut outcomes = Vec::new();
    for kept in found.letters.iter().chain(&found.letters) {
        outcomes.push(match wide.companion().replay(&kept.letter).await.unwrap() {
            Replayed::Taken { events } => format!("{events} events"),
            Replayed::Standing => "standing".to_owned(),
            Replayed::Refused { .. } => "refused".to_owned(),
        });
    }
    outcomes.sort();
    assert_eq!(outcomes, ["1 events", "2 events", "refused", "refused", "standing", "standing"]);
    let (_, answer) = wide.query(json!({"text": "FROM logs SUM(n)"})).await;
    let sum = &answer["data"]["calculations"]["aggregates"][0]["values"]["SUM(n)"];
    assert_eq!(sum.as_f64(), Some(8.0), "{answer}");

    for kept in found.letters.iter().filter(|kept| kept.letter.data.len() > 1) {
        let gone = HashSet::from([kept.letter.id.clone()]);
        for file in wide.companion().store().letter_files().await.unwrap() {
            wide.companion().forget(&file, &gone).await.unwrap();
        }
    }
    let left = wide.companion().letters(10).await.unwrap().letters;
    assert_eq!(left.iter().map(|kept| kept.letter.data.as_slice()).collect::<Vec<_>>(), [b"{"]);
}

/// Kinesis' largest record, plain as others than our extension may put it there: taken whole, put away whole where it
/// cannot be read, and refused a byte above that. The records around it do not suffer.
#[tokio::test]
async fn a_record_of_ten_mebibytes_is_taken_or_put_away_whole() {
    const LARGEST: usize = 10 << 20;
    let fixture = Fixture::open().await;
    let posted = |bytes: usize| {
        let (head, tail) = (b"{\"n\":1,\"text\":\"", b"\"}");
        [&head[..], &vec![b'x'; bytes - head.len() - tail.len()], tail].concat()
    };
    let records = [posted(LARGEST), vec![0xff; LARGEST], posted(LARGEST + 1), b"{\"n\":2}".to_vec()];
    let run: Vec<_> = (1..).zip(&records).map(|(number, data)| record(number, data)).collect();
    let report = fixture.ingest(run).await;
    assert_eq!((report.events, report.dead_letters, report.first_failure), (2, 2, None));

    let letters = fixture.companion().letters(10).await.unwrap().letters;
    let mut sizes: Vec<_> = letters.iter().map(|kept| kept.letter.data.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [LARGEST, LARGEST + 1]);
    let (_, answer) = fixture.query(json!({"text": "FROM logs SUM(n)"})).await;
    let sum = &answer["data"]["calculations"]["aggregates"][0]["values"]["SUM(n)"];
    assert_eq!(sum.as_f64(), Some(3.0), "{answer}");
    let (_, answer) = fixture.query(json!({"text": "FROM logs WHERE n = 1"})).await;
    let text = answer["data"]["events"][0]["text"].as_str().unwrap_or_default();
    assert_eq!(text.len(), LARGEST - b"{\"n\":1,\"text\":\"\"}".len());
}

#[tokio::test]
async fn a_dataset_that_cannot_be_costs_its_record_only() {
    let fixture = Fixture::open().await;
    let up = Map::from([("limelight.dataset".to_owned(), "../up".into())]);
    let lost = support::batch_of(up, 0, Vec::new(), vec![log("lost", Level::Info, 1)]);
    let report = fixture.ingest(vec![record(1, &lost), record(2, b"{\"n\":1}")]).await;
    assert_eq!((report.events, report.dead_letters, report.first_failure), (1, 1, None));
}

/// Without turns the second delivery's commit moves the watermark past what the first has still to write.
#[tokio::test]
async fn two_deliveries_of_one_shard_do_not_alternate() {
    let fixture = Fixture::open().await;
    // Each is a part of its own: more than is decoded at once.
    let text = "x".repeat(33 << 20);
    let large = |n: u64| record(n, &gzip(json!({"n": n, "text": text}).to_string().as_bytes()));
    let first = fixture.ingest(vec![large(1), large(2), large(3)]);
    let second = fixture.ingest(vec![record(4, b"{\"n\":4}")]);
    let (first, second) = tokio::join!(first, second);
    assert_eq!((first.events, first.duplicates), (3, 0));
    assert_eq!((second.events, second.duplicates), (1, 0));
}

#[tokio::test]
async fn a_record_without_a_place_in_its_shard_stops_the_shard_there() {
    let fixture = Fixture::open().await;
    let mut broken = record(2, b"{\"n\":2}");
    "two".clone_into(&mut broken.sequence);
    let report = fixture.ingest(vec![record(1, b"{\"n\":1}"), broken, record(3, b"{\"n\":3}")]).await;
    assert_eq!(report.events, 1);
    assert_eq!(report.first_failure.unwrap().0, "two");
}

#[tokio::test]
async fn lines_of_a_cloudwatch_subscription_are_understood() {
    let fixture = Fixture::open().await;
    let line = "REPORT RequestId: 79b4f56e-95b1-4643-9700-2807f4e68189\tDuration: 201.67 ms\t\
                Billed Duration: 202 ms\tMemory Size: 2048 MB\tMax Memory Used: 81 MB\t\n";
    let subscription = json!({
        "messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "/aws/lambda/checkout",
        "logStream": "s", "subscriptionFilters": ["f"],
        "logEvents": [{"id": "1", "timestamp": support::now_ms(), "message": line}],
    });
    let report = fixture.ingest(vec![record(1, &gzip(subscription.to_string().as_bytes()))]).await;
    assert_eq!((report.events, report.first_failure), (1, None));
    let asked = json!({"text": "FROM lambda-logs MAX(@billedDuration) WHERE @type = REPORT GROUP BY $limelight.namespace"});
    let (_, answer) = fixture.query(asked).await;
    let group = &answer["data"]["calculations"]["aggregates"][0];
    assert_eq!(group["values"]["MAX(@billedDuration)"].as_f64(), Some(202.0), "{answer}");
    assert_eq!(group["groups"]["$limelight.namespace"], "checkout", "{answer}");
}

#[tokio::test]
async fn wrong_questions_get_problems_that_say_where_and_what_to_do() {
    let fixture = Fixture::open().await;
    fixture.ingest(vec![record(1, b"{\"n\":1}")]).await;

    let (status, problem) = fixture.query(json!({"text": "FROM logs CUONT"})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["faults"][0]["position"].as_u64().is_some(), "{problem}");
    assert!(problem["faults"][0]["hint"].is_string(), "{problem}");

    let (status, problem) = fixture.query(json!({"text": "FROM lgs COUNT"})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(problem["known"], json!(["logs"]), "{problem}");

    for (method, path, body, content_type, status) in [
        ("POST", "/v1/query", "{", "application/json", 400),
        ("POST", "/v1/query", "{}", "text/plain", 415),
        ("GET", "/v1/query", "", "", 405),
        ("GET", "/v1/nothing", "", "", 404),
        ("GET", "/v1/traces/xyz", "", "", 400),
        ("GET", "/v1/traces/58406520a006649127e371903a2de979", "", "", 404),
    ] {
        let (found, problem) = fixture.ask(method, path, content_type, body.to_owned()).await;
        assert_eq!(found.as_u16(), status, "{method} {path}: {problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["hint"].is_string(), "{problem}");
    }
    let huge = format!("{{\"text\":\"{}\"}}", "x".repeat(300_000));
    let (status, _) = fixture.ask("POST", "/v1/query", "application/json", huge).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn an_unknown_key_is_an_empty_answer_with_a_note() {
    let fixture = Fixture::open().await;
    fixture.ingest(vec![record(1, b"{\"n\":1}")]).await;
    let (status, answer) = fixture.query(json!({"text": "FROM logs COUNT WHERE nope = 1"})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(answer["data"]["notes"].to_string().contains("nope"), "{answer}");
}

#[tokio::test]
async fn datasets_and_health_say_what_there_is() {
    let fixture = Fixture::open().await;
    fixture.ingest(vec![record(1, b"[{\"n\":1},{\"n\":2}]")]).await;
    let (_, datasets) = fixture.get("/v1/datasets").await;
    assert_eq!(datasets["datasets"][0]["name"], "logs");
    assert_eq!(datasets["datasets"][0]["events"], 2);
    let (status, health) = fixture.get("/health").await;
    assert_eq!((status, &health["status"]), (StatusCode::OK, &json!("ok")));
    assert_eq!(health["store"], "reachable");
}

#[tokio::test]
async fn a_kinesis_event_is_ingested_and_names_what_must_come_again() {
    let fixture = Fixture::open().await;
    let good = support::kinesis_record("shardId-000000000000", "1", b"{\"n\":1}");
    let bad = support::kinesis_record("shardId-000000000001", "not a number", b"{\"n\":2}");
    let answer = fixture.handle(json!({"Records": [good, bad]})).await.unwrap();
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "not a number"}]}));
    let (_, answer) = fixture.query(json!({"text": "FROM logs COUNT"})).await;
    assert_eq!(answer["data"]["calculations"]["aggregates"][0]["values"]["COUNT"], 1, "{answer}");
}

#[tokio::test]
async fn an_http_event_is_answered_by_the_same_router() {
    let fixture = Fixture::open().await;
    fixture.ingest(vec![record(1, b"{\"n\":1}")]).await;
    let event = json!({
        "version": "2.0", "rawPath": "/v1/query", "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/v1/query"}, "stage": "$default"},
        "body": "{\"text\":\"FROM logs COUNT\"}", "isBase64Encoded": false,
    });
    let answer = fixture.handle(event).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["headers"]["content-type"], "application/json");
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body["data"]["calculations"]["aggregates"][0]["values"]["COUNT"], 1);
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused_by_name() {
    let fixture = Fixture::open().await;
    let event = json!({"Records": [{"eventSource": "aws:sqs", "body": "secret"}]});
    let error = fixture.handle(event).await.unwrap_err().to_string();
    assert!(error.ends_with("got an event from aws:sqs"), "{error}");
    assert!(fixture.handle(json!([])).await.is_err());
    assert!(fixture.handle(json!({"Records": [{"eventSource": "aws:kinesis"}]})).await.is_err());
}

#[tokio::test]
async fn a_gap_in_delivery_is_seen_by_a_query() {
    let fixture = Fixture::open().await;
    let one = |sequence| batch(sequence, Vec::new(), vec![log("line", Level::Info, 1)]);
    fixture.ingest(vec![record(1, &one(0)), record(2, &one(2))]).await;
    let asked = json!({"text": "FROM limelight COUNT, MAX(sequence) GROUP BY sandbox"});
    let (_, answer) = fixture.query(asked).await;
    let values = &answer["data"]["calculations"]["aggregates"][0]["values"];
    assert_eq!(values["COUNT"], 2, "{answer}");
    assert_eq!(
        values["MAX(sequence)"].as_f64(),
        Some(2.0),
        "three batches were made, two have arrived: {answer}"
    );
}

#[tokio::test]
async fn keys_and_values_are_told_for_completion_and_sql_is_answered() {
    let fixture = Fixture::open().await;
    let records = [r#"{"fn":"pay","n":1}"#, r#"{"fn":"pay","n":2}"#, r#"{"fn":"cart","n":3}"#];
    let records = records.iter().enumerate().map(|(at, text)| record(at as u64 + 1, text.as_bytes()));
    fixture.ingest(records.collect()).await;

    let (status, keys) = fixture.get("/v1/keys?datasets=logs&prefix=f").await;
    assert_eq!(status, StatusCode::OK, "{keys}");
    assert_eq!(keys, json!({"keys": [{"dataset": "logs", "type": "string", "keys": ["fn"]}]}));

    let (status, values) = fixture.get("/v1/values?key=fn&datasets=logs&limit=1").await;
    assert_eq!(status, StatusCode::OK, "{values}");
    assert_eq!(values, json!({"key": "fn", "values": [{"value": "pay", "count": 2}], "more": true}));
    let (_, values) = fixture.get("/v1/values?key=fn&prefix=c").await;
    assert_eq!(values["values"], json!([{"value": "cart", "count": 1}]));
    assert_eq!(fixture.get("/v1/values").await.0, StatusCode::BAD_REQUEST);

    let sql = json!({"sql": "SELECT \"k_fn\" AS f, COUNT(*) AS n FROM logs GROUP BY f ORDER BY n DESC"});
    let (status, answer) = fixture.ask("POST", "/v1/sql", "application/json", sql.to_string()).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["rows"], json!([["pay", 2], ["cart", 1]]));
    let drop = json!({"sql": "DROP TABLE logs"}).to_string();
    let (status, refused) = fixture.ask("POST", "/v1/sql", "application/json", drop).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
}

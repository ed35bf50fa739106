//! What keeps the API's askers from each other's way, and ingest from all of theirs: turns, ends, and what is whole.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use companion::Admissions;
use futures::poll;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use store::Location;

use super::api_routes::{count, lines_of, narrow, next_frame, raw, sql};
use super::support::{Fixture, now};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_read_in_its_turn_and_a_look_of_a_tail_takes_none() {
    let fixture = narrow(&Location::memory()).await;
    lines_of(&fixture, 1, 200).await;
    let mut endless = pin!(sql(&fixture));
    assert!(poll!(&mut endless).is_pending());
    let mut waiting = pin!(count(&fixture, ""));
    assert!(poll!(&mut waiting).is_pending());

    let (status, problem) = fixture.query(json!({"text": "CUONT"})).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "nobody has read it: {problem}");
    let (status, page) = fixture.get("/v1/tail?text=FROM%20lambda-logs").await;
    assert_eq!(status, StatusCode::OK, "{page}");
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_said_whatever_form_it_has() {
    let fixture = Fixture::open().await;
    let (status, problem) = fixture.query(json!({"text": "CUONT"})).await;
    assert_eq!((status, &problem["faults"][0]["position"]), (StatusCode::BAD_REQUEST, &json!(1)));
    let request = Request::post("/v1/query").header("content-type", "application/json");
    let request = request.header("accept", "application/x-ndjson").body(Body::from("{\"text\": \"CUONT\"}"));
    let body = raw(&fixture, request.unwrap()).await.into_body().collect().await.unwrap().to_bytes();
    let last = String::from_utf8(body.to_vec()).unwrap().lines().last().map(str::to_owned).unwrap();
    let last: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(last["problem"]["faults"][0]["position"], 1, "{last}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_in_lines_ends_in_time() {
    let bounds = Admissions { at_once: 1, waiting_max: 1, wait_max: Duration::from_secs(20) };
    let fixture = Fixture::with(&Location::memory(), |settings| {
        (settings.admissions, settings.request_timeout) = (bounds, Duration::from_millis(50));
    })
    .await;
    lines_of(&fixture, 1, 200).await;
    // Nobody waits for this one any more, nor leaves: it keeps its turn.
    let mut endless = pin!(sql(&fixture));
    assert!(poll!(&mut endless).is_pending());
    let request = Request::post("/v1/query").header("content-type", "application/json");
    let request = request.header("accept", "application/x-ndjson").body(Body::from("{\"text\": \"\"}"));
    let body = raw(&fixture, request.unwrap()).await.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("no answer within 50 ms"), "{body:?}");
}

#[tokio::test]
async fn a_wish_to_stop_is_for_the_run_that_was_meant() {
    let fixture = Fixture::open().await;
    let (status, _) = fixture.ask("DELETE", "/v1/query-runs/mine", "", String::new()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "another process may be running it");
    let store = fixture.companion().store();
    let cancelled = async |since| store.is_run_cancelled("mine", since).await.unwrap();
    assert!(cancelled(now().minus(Duration::from_secs(5))).await);
    assert!(!cancelled(now().plus(Duration::from_secs(5))).await, "a later run of that id goes on");
}

#[tokio::test]
async fn what_a_permalink_shows_stays_as_it_is() {
    let fixture = Fixture::open().await;
    lines_of(&fixture, 1, 3).await;
    let (status, first) = count(&fixture, "?run=mine&save=true").await;
    assert_eq!(status, StatusCode::OK, "{first}");
    lines_of(&fixture, 2, 3).await;
    let (status, problem) = count(&fixture, "?run=mine&save=true").await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    assert_eq!(fixture.get("/v1/query-runs/mine").await, (StatusCode::OK, first));
}

#[tokio::test]
async fn a_tail_through_lambda_is_a_page() {
    let fixture = Fixture::open().await;
    lines_of(&fixture, 1, 1).await;
    let event = json!({
        "version": "2.0", "rawPath": "/v1/tail", "rawQueryString": "text=FROM%20lambda-logs",
        "headers": {"accept": "text/event-stream"},
        "requestContext": {"http": {"method": "GET", "path": "/v1/tail"}, "stage": "$default"},
    });
    let answer = fixture.handle(event).await.unwrap();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let page: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert!(page["cursor"].as_str().unwrap().starts_with("lambda-logs:"), "{page}");
}

#[tokio::test]
async fn a_live_tail_tells_that_it_cannot_look() {
    let folder = tempfile::TempDir::new().unwrap();
    let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let fixture = Fixture::with(&location, |_| ()).await;
    lines_of(&fixture, 1, 1).await;
    let request = Request::get("/v1/tail?text=FROM%20lambda-logs").header("accept", "text/event-stream");
    let mut events = raw(&fixture, request.body(Body::empty()).unwrap()).await.into_body();
    let log = folder.path().join("datasets/lambda-logs/_delta_log");
    let entries = std::fs::read_dir(&log)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|end| end == "json"));
    std::fs::write(log.join(format!("{:020}.json", entries.count())), "{ no entry of a log").unwrap();
    let told = next_frame(&mut events).await;
    let problem = told.strip_prefix("event: problem\ndata: ").unwrap_or_else(|| panic!("{told}"));
    assert_eq!(serde_json::from_str::<Value>(problem).unwrap()["status"], 500);
}

//! The HTTP API beside plain questions: runs that are kept, stopped and sent away, lines, live tails, problems.

use axum::body::Body;
use companion::Admissions;
use futures::poll;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use model::Level;
use serde_json::{Value, json};
use std::pin::pin;
use std::time::Duration;
use store::Location;
use tower::ServiceExt as _;

use super::support::{Fixture, batch, log, record, span};

/// A question that takes minutes: it keeps a thread busy until it is stopped.
const ENDLESS: &str = r#"SELECT COUNT(*) FROM "lambda-logs" a CROSS JOIN "lambda-logs" b CROSS JOIN "lambda-logs" c
    CROSS JOIN "lambda-logs" d CROSS JOIN "lambda-logs" e"#;

pub(crate) async fn lines_of(fixture: &Fixture, sequence: u64, count: usize) {
    let logs = (0..count).map(|number| log(&format!("line {number}"), Level::Info, 1)).collect();
    let report = fixture.ingest(vec![record(sequence, &batch(sequence, Vec::new(), logs))]).await;
    assert_eq!(report.first_failure, None);
}

/// A companion that answers one query at a time and lets one wait.
pub(crate) async fn narrow(location: &Location) -> Fixture {
    let bounds = Admissions { at_once: 1, waiting_max: 1, wait_max: Duration::from_secs(20) };
    Fixture::with(location, |settings| settings.admissions = bounds).await
}

pub(crate) fn sql(fixture: &Fixture) -> impl Future<Output = (StatusCode, Value)> {
    fixture.ask("POST", "/v1/sql", "application/json", json!({ "sql": ENDLESS }).to_string())
}

pub(crate) fn count<'f>(
    fixture: &'f Fixture,
    parameters: &'f str,
) -> impl Future<Output = (StatusCode, Value)> + 'f {
    let text = json!({"text": "COUNT FROM lambda-logs EVERY NONE"}).to_string();
    async move { fixture.ask("POST", &format!("/v1/query{parameters}"), "application/json", text).await }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_query_runs_one_waits_the_third_comes_again_and_whoever_leaves_makes_room() {
    let fixture = narrow(&Location::memory()).await;
    lines_of(&fixture, 1, 200).await;
    {
        let mut endless = pin!(sql(&fixture));
        assert!(poll!(&mut endless).is_pending());
        let mut waiting = pin!(count(&fixture, "?run=mine"));
        assert!(poll!(&mut waiting).is_pending());
        let (status, run) = fixture.get("/v1/query-runs/mine").await;
        assert_eq!((status, &run["data"]["queryRun"]["status"]), (StatusCode::OK, &json!("STARTED")));

        let (status, problem) = count(&fixture, "").await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{problem}");
        assert_eq!(problem["retryAfterS"], 2);
        let (status, problem) = count(&fixture, "?run=mine").await;
        assert_eq!(status, StatusCode::CONFLICT, "the id is taken: {problem}");

        // What comes is taken all the same.
        lines_of(&fixture, 2, 1).await;

        let (status, run) = fixture.ask("DELETE", "/v1/query-runs/mine", "", String::new()).await;
        assert_eq!((status, &run["data"]["queryRun"]["status"]), (StatusCode::OK, &json!("CANCELLED")));
        let (status, problem) = waiting.await;
        assert_eq!(status, StatusCode::CONFLICT);
        assert_eq!(problem["detail"], "the query was cancelled");
    }
    // The endless one went with whoever asked it.
    let (status, answer) = count(&fixture, "").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["data"]["calculations"]["aggregates"][0]["values"]["COUNT"], 201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_of_another_process_is_stopped_through_the_store() {
    let location = Location::memory();
    let (fixture, other) = (narrow(&location).await, Fixture::with(&location, |_| ()).await);
    lines_of(&fixture, 1, 200).await;
    let mut endless = pin!(sql(&fixture));
    assert!(poll!(&mut endless).is_pending());
    let mut waiting = pin!(count(&fixture, "?run=yours"));
    assert!(poll!(&mut waiting).is_pending());
    let (status, run) = other.ask("DELETE", "/v1/query-runs/yours", "", String::new()).await;
    assert_eq!((status, &run["data"]["queryRun"]["status"]), (StatusCode::ACCEPTED, &json!("CANCELLING")));
    assert_eq!(waiting.await.0, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_answer_that_is_kept_is_found_again_until_it_is_let_go() {
    let fixture = Fixture::open().await;
    lines_of(&fixture, 1, 3).await;
    let (_, answer) = count(&fixture, "?save=true").await;
    let url = answer["data"]["queryRun"]["url"].as_str().unwrap().to_owned();
    let text = answer["data"]["queryRun"]["query"].as_str().unwrap();
    assert!(text.starts_with("COUNT FROM lambda-logs LIMIT 100 BETWEEN"), "{text}");
    assert_eq!(fixture.get(&url).await, (StatusCode::OK, answer));
    let (_, gone) = fixture.ask("DELETE", &url, "", String::new()).await;
    assert_eq!(gone["data"]["queryRun"]["status"], "DELETED");
    assert_eq!(fixture.get(&url).await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        count(&fixture, "").await.1["data"]["queryRun"].get("url"),
        None,
        "only what is wanted is kept"
    );
}

pub(crate) async fn raw(fixture: &Fixture, request: Request<Body>) -> http::Response<Body> {
    fixture.companion().router().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn an_answer_comes_in_lines_to_whoever_takes_them() {
    let fixture = Fixture::open().await;
    lines_of(&fixture, 1, 3).await;
    let ask = |text: &str| {
        let request = Request::post("/v1/query?run=lines").header("content-type", "application/json");
        let request = request.header("accept", "application/x-ndjson");
        request.body(Body::from(json!({ "text": text }).to_string())).unwrap()
    };
    let lines = |bytes: &[u8]| -> Vec<Value> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let response = raw(&fixture, ask("FROM lambda-logs LIMIT 2")).await;
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    let found = lines(&response.into_body().collect().await.unwrap().to_bytes());
    assert_eq!(found[0]["queryRun"]["id"], "lines");
    assert_eq!(found.iter().filter(|line| line.get("event").is_some()).count(), 2);
    assert_eq!(found.last().unwrap()["data"]["queryRun"]["status"], "COMPLETED");
    let response = raw(&fixture, ask("COUNT FROM nowhere")).await;
    let found = lines(&response.into_body().collect().await.unwrap().to_bytes());
    assert_eq!(found.last().unwrap()["problem"]["status"], 404);
}

#[tokio::test]
async fn a_saved_query_is_asked_as_yaml() {
    let fixture = Fixture::open().await;
    lines_of(&fixture, 1, 3).await;
    let ask = |yaml: &str| fixture.ask("POST", "/v1/query", "application/yaml", yaml.to_owned());
    let (status, answer) =
        ask("mine:\n  type: query\n  properties:\n    parameters: {calculations: [COUNT as n]}\n").await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["data"]["calculations"]["aggregates"][0]["values"]["n"], 3);
    let (status, problem) = ask("parameters:\n  limit: ten\n").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!((&problem["faults"][0]["line"], &problem["faults"][0]["column"]), (&json!(2), &json!(10)));
}

#[tokio::test]
async fn requests_and_traces_are_seen_whole() {
    let fixture = Fixture::open().await;
    let spans = vec![span("checkout", 1, None, 100), span("pay", 2, Some(1), 40)];
    let logs = vec![log("order paid", Level::Info, 2), log("card refused", Level::Error, 2)];
    fixture.ingest(vec![record(1, &batch(0, spans, logs))]).await;
    let rows = async |text: &str, view: &str| {
        let (status, answer) = fixture.query(json!({ "text": text })).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["data"][view].as_array().unwrap().clone()
    };
    let requests = rows("VIEW requests WHERE message INCLUDES paid", "requests").await;
    assert_eq!((requests.len(), &requests[0]["requestId"]), (1, &json!("r-2")));
    assert_eq!((&requests[0]["logs"], &requests[0]["levels"]["error"]), (&json!(2), &json!(1)));
    let traces = rows("VIEW traces", "traces").await;
    assert_eq!((&traces[0]["name"], &traces[0]["spans"]), (&json!("checkout"), &json!(2)));
    let (_, trace) = fixture.get(&format!("/v1/traces/{}", super::support::TRACE)).await;
    let path = trace["criticalPath"]["spans"].as_array().unwrap();
    assert_eq!(
        path.iter().map(|part| part["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["checkout", "pay"]
    );
}

/// What all pages of a list hold, asked for `limit` by `limit`.
async fn pages(fixture: &Fixture, path: &str, list: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (status, page) = fixture.get(&format!("{path}{separator}limit={limit}{cursor}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        items.extend(page[list].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn lists_come_in_pages_that_together_are_the_list() {
    let fixture = Fixture::open().await;
    fixture.ingest(vec![record(1, b"{\"c.d\":1,\"a\":\"x\",\"b\":\"y\",\"e\":true}")]).await;
    for id in ["one", "two", "three"] {
        let asked = json!({"text": "FROM logs COUNT"}).to_string();
        let path = format!("/v1/query?save=true&run={id}");
        let (status, answer) = fixture.ask("POST", &path, "application/json", asked).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
    }
    let whole = pages(&fixture, "/v1/keys?datasets=logs", "keys", 10_000).await;
    let keys = |sets: &[Value]| -> Vec<(String, String)> {
        let of_set = |set: &Value| {
            let named = |key: &Value| (set["type"].to_string(), key.to_string());
            set["keys"].as_array().unwrap().iter().map(named).collect::<Vec<_>>()
        };
        sets.iter().flat_map(of_set).collect()
    };
    assert!(keys(&whole).len() > 10, "{whole:?}");
    for limit in [1, 3, 7] {
        assert_eq!(keys(&pages(&fixture, "/v1/keys?datasets=logs", "keys", limit).await), keys(&whole));
    }
    let runs = pages(&fixture, "/v1/query-runs", "queryRuns", 2).await;
    let mut ids: Vec<&str> = runs.iter().map(|run| run["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["one", "three", "two"]);
    assert!(runs.iter().all(|run| run["bytes"].as_u64() > Some(100) && run["url"].is_string()), "{runs:?}");
    assert!(
        runs.is_sorted_by(|newer, older| newer["keptAt"].as_str() >= older["keptAt"].as_str()),
        "{runs:?}"
    );
    assert_eq!(pages(&fixture, "/v1/datasets", "datasets", 1).await.len(), 1);
}

#[tokio::test]
async fn every_wrong_address_is_a_problem() {
    let fixture = Fixture::open().await;
    for path in [
        "/v1/keys?bad",
        "/v1/values?key=a&limit=many",
        "/v1/keys?cursor=x",
        "/v1/datasets?cursor=616",
        "/v1/query-runs?limit=-1",
        "/v1/tail?text=COUNT",
        "/v1/tail?cursor=x",
        "/v1/query-runs/a.b",
        "/v1/query-runs/%FF",
        "/v1/traces/%FF",
    ] {
        let (status, problem) = fixture.get(path).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
        assert_eq!(
            problem["type"].as_str().map(|kind| kind.starts_with("urn:limelight:problem:")),
            Some(true)
        );
    }
}

#[tokio::test]
async fn every_route_of_the_document_is_there() {
    let fixture = Fixture::open().await;
    for route in api::openapi::ROUTES {
        let (method, path) = (route.method.to_uppercase(), route.path.replace("{id}", "x"));
        let request = Request::builder().method(method.as_str()).uri(&path).body(Body::empty()).unwrap();
        let response = raw(&fixture, request).await;
        assert_ne!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(!String::from_utf8_lossy(&body).contains("there is nothing at"), "{method} {path}");
    }
    assert_eq!(fixture.get("/v1/openapi.json").await.1["openapi"], "3.1.0");
}

#[tokio::test]
async fn a_tail_of_what_is_not_there_yet_begins_with_its_first_event() {
    let fixture = Fixture::open().await;
    let page = async |cursor: &str| {
        fixture.get(&format!("/v1/tail?text=FROM%20lambda-logs&cursor={cursor}")).await.1
    };
    let cursor = page("").await["cursor"].as_str().unwrap().to_owned();
    lines_of(&fixture, 1, 3).await;
    assert_eq!(page(&cursor).await["events"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn pages_of_a_tail_have_every_event_once() {
    let fixture = Fixture::open().await;
    lines_of(&fixture, 1, 2).await;
    let page = async |cursor: &str| {
        let (status, page) = fixture.get(&format!("/v1/tail?text=FROM%20lambda-logs&cursor={cursor}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        (page["events"].as_array().unwrap().len(), page["cursor"].as_str().unwrap().to_owned())
    };
    let (before, cursor) = page("").await;
    assert_eq!(before, 0, "a tail begins now");
    lines_of(&fixture, 2, 3).await;
    let (came, cursor) = page(&cursor).await;
    assert_eq!(came, 3);
    assert_eq!(page(&cursor).await.0, 0);
}

#[tokio::test]
async fn a_live_tail_goes_on_behind_the_last_event_that_was_seen() {
    let fixture = Fixture::open().await;
    lines_of(&fixture, 1, 1).await;
    let open = async |last: Option<&str>| {
        let request = Request::get("/v1/tail?text=FROM%20lambda-logs").header("accept", "text/event-stream");
        let request = last.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        raw(&fixture, request.body(Body::empty()).unwrap()).await.into_body()
    };
    let mut events = open(None).await;
    lines_of(&fixture, 2, 3).await;
    let first = next(&mut events).await;
    assert!(first.1.contains("line 0"), "{first:?}");
    // The connection breaks here; the same three and what came since are behind the id.
    drop(events);
    lines_of(&fixture, 3, 1).await;
    let mut events = open(Some(&first.0)).await;
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.push(next(&mut events).await.1);
    }
    for (message, wanted) in messages.iter().zip(["line 1", "line 2", "line 0"]) {
        assert!(message.contains(wanted), "{messages:?}");
    }
}

#[tokio::test]
async fn a_place_that_is_gone_is_told_by_the_status() {
    let fixture = Fixture::open().await;
    lines_of(&fixture, 1, 1).await;
    for accepted in ["text/event-stream", "application/json"] {
        let request = Request::get("/v1/tail?text=FROM%20lambda-logs&cursor=lambda-logs:99");
        let request = request.header("accept", accepted).body(Body::empty()).unwrap();
        assert_eq!(raw(&fixture, request).await.status(), StatusCode::GONE, "{accepted}");
    }
}

/// What a live tail says next.
pub(crate) async fn next_frame(events: &mut Body) -> String {
    let frame = tokio::time::timeout(Duration::from_secs(20), events.frame()).await.unwrap();
    String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
}

/// The id and the data of the next event.
async fn next(events: &mut Body) -> (String, String) {
    let text = next_frame(events).await;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    (field("id: "), field("data: "))
}

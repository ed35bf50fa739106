//! The Invoke API over HTTP.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sandbox::FunctionConfig;
use serde_json::{Value, json};

use crate::stage::Stage;

async fn post(url: String, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> reqwest::Response {
    let mut request = reqwest::Client::new().post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn json_of(response: reqwest::Response) -> Value {
    response.json().await.unwrap()
}

#[tokio::test]
async fn a_caller_gets_the_answer_and_the_end_of_the_log() {
    let mut stage = Stage::new().await;
    let api = stage.invoke_api().await;
    let client = STANDARD.encode(r#"{"custom":{"k":"v"}}"#);
    let trace = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";
    let headers = [("X-Amz-Log-Type", "Tail"), ("X-Amz-Client-Context", &client), ("X-Amzn-Trace-Id", trace)];

    let response = post(format!("{api}/shop/invocations"), &headers, r#"{"a":1}"#).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-amz-executed-version"], "$LATEST");
    assert!(response.headers().contains_key("x-amzn-requestid"));
    assert!(!response.headers().contains_key("x-amz-function-error"));
    assert_eq!(response.headers()["x-amzn-trace-id"], trace);
    let log = STANDARD.decode(&response.headers()["x-amz-log-result"]).unwrap();
    assert!(String::from_utf8_lossy(&log).contains("a line of the log"), "{}", String::from_utf8_lossy(&log));
    let answer = json_of(response).await;
    assert_eq!(answer["event"], json!({"a": 1}));
    assert_eq!(answer["arn"], "arn:aws:lambda:eu-west-1:123456789012:function:shop");
    assert_eq!(answer["client"], r#"{"custom":{"k":"v"}}"#);
    assert!(
        answer["trace"].as_str().unwrap().contains("Root=1-67891233-abcdef012345678912345678"),
        "{answer}"
    );
    stage.end().await;
}

#[tokio::test]
async fn a_tenant_is_named_where_the_function_isolates_them_and_only_there() {
    let blue = [("X-Amz-Tenant-Id", "blue")];
    for (isolated, headers, status) in
        [(true, &blue[..], 200), (true, &[], 400), (false, &blue, 400), (false, &[], 200)]
    {
        let mut stage = Stage::set(|shop| FunctionConfig { tenant_isolation: isolated, ..shop }).await;
        let api = stage.invoke_api().await;
        let response = post(format!("{api}/shop/invocations"), headers, "{}").await;
        assert_eq!(response.status(), status, "{isolated} {headers:?}");
        if status == 400 {
            assert_eq!(response.headers()["x-amzn-errortype"], "InvalidParameterValueException");
        }
        let front = stage.http_front(&[("$default", "shop")]).await;
        let headers = [&[("Content-Type", "application/json")], headers].concat();
        assert_eq!(post(front, &headers, "{}").await.status(), status, "{isolated} {headers:?}");
        stage.end().await;
    }
}

#[tokio::test]
async fn a_function_is_found_by_every_name_and_no_other() {
    let mut stage = Stage::new().await;
    let api = stage.invoke_api().await;
    for name in [
        "shop:$LATEST",
        "123456789012:function:shop",
        "arn%3Aaws%3Alambda%3Aeu-west-1%3A123456789012%3Afunction%3Ashop",
    ] {
        let response = post(format!("{api}/{name}/invocations"), &[], "").await;
        assert_eq!(response.status(), 200, "{name}");
        assert_eq!(json_of(response).await["event"], json!({}), "no payload is an empty object");
    }
    for name in ["nobody", "shop:7", "210987654321:function:shop"] {
        let response = post(format!("{api}/{name}/invocations"), &[], "{}").await;
        assert_eq!(response.status(), 404, "{name}");
        assert_eq!(response.headers()["x-amzn-errortype"], "ResourceNotFoundException");
        assert_eq!(json_of(response).await["Type"], "User");
    }
    stage.end().await;
}

#[tokio::test]
async fn a_function_error_is_told_from_an_answer() {
    let mut stage = Stage::new().await;
    let api = stage.invoke_api().await;
    let response = post(format!("{api}/shop/invocations"), &[], r#"{"fail":"no stock"}"#).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-amz-function-error"], "Unhandled");
    assert_eq!(json_of(response).await["errorMessage"], "no stock");
    stage.end().await;
}

#[tokio::test]
async fn bad_requests_are_refused_before_the_function_runs() {
    let mut stage = Stage::new().await;
    let api = stage.invoke_api().await;
    let url = format!("{api}/shop/invocations");
    let long = format!("\"{}\"", "x".repeat(6 * 1024 * 1024));
    let event = [("X-Amz-Invocation-Type", "Event")];
    let medium = format!("\"{}\"", "x".repeat(1024 * 1024));
    for (headers, body, status, kind) in [
        (&[][..], "not json", 400, "InvalidRequestContentException"),
        (&[], long.as_str(), 413, "RequestTooLargeException"),
        (&event, medium.as_str(), 413, "RequestTooLargeException"),
        (&[("X-Amz-Invocation-Type", "Sometime")], "{}", 400, "InvalidParameterValueException"),
        (&[("X-Amz-Client-Context", "%")], "{}", 400, "InvalidRequestContentException"),
    ] {
        let response = post(url.clone(), headers, body.to_owned()).await;
        assert_eq!(response.status(), status, "{kind}");
        assert_eq!(response.headers()["x-amzn-errortype"], kind);
    }
    let dry = post(url, &[("X-Amz-Invocation-Type", "DryRun")], "{}").await;
    assert_eq!(dry.status(), 204);
    assert!(stage.lines("seen.jsonl").is_empty());
    stage.end().await;
}

#[tokio::test]
async fn an_event_is_accepted_at_once_and_tried_three_times() {
    let mut stage = Stage::new().await;
    let api = stage.invoke_api().await;
    let event = [("X-Amz-Invocation-Type", "Event")];
    let response = post(format!("{api}/shop/invocations"), &event, r#"{"fail":"always"}"#).await;
    assert_eq!(response.status(), 202);
    let request_id = response.headers()["x-amzn-requestid"].to_str().unwrap().to_owned();
    assert!(response.bytes().await.unwrap().is_empty());
    stage.until("an event is tried three times", |stage| stage.lines("seen.jsonl").len() == 3).await;
    let tried: Vec<_> = stage.lines("seen.jsonl").iter().map(|line| line["request_id"].clone()).collect();
    assert_eq!(tried, vec![json!(request_id); 3], "it is one invocation over all its tries");
    stage.end().await;
}

#[tokio::test]
async fn an_event_between_two_tries_does_not_hold_up_the_end() {
    let mut stage = Stage::new().await;
    let api = stage.invoke_api_with(vec![Duration::from_secs(60)]).await;
    let event = [("X-Amz-Invocation-Type", "Event")];
    post(format!("{api}/shop/invocations"), &event, r#"{"fail":"always"}"#).await;
    stage.until("an event is tried", |stage| stage.lines("seen.jsonl").len() == 1).await;
    let start = Instant::now();
    stage.end().await;
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused() {
    let mut stage = Stage::new().await;
    let api = stage.invoke_api().await;
    let url = format!("{api}/shop/invocations");
    for (name, value) in
        [("Host", "evil.example:9000"), ("Origin", "https://evil.example"), ("Origin", "null")]
    {
        let response = post(url.clone(), &[(name, value)], "{}").await;
        assert_eq!(response.status(), 403, "{name}: {value}");
        assert_eq!(response.headers()["x-amzn-errortype"], "AccessDeniedException");
    }
    let response = post(url, &[("Origin", "http://localhost:5173")], "{}").await;
    assert_eq!(response.status(), 200);
    stage.end().await;
}

#[tokio::test]
async fn tools_can_look_a_function_up() {
    let mut stage = Stage::new().await;
    let api = stage.invoke_api().await;
    let get = async |path: &str| json_of(reqwest::get(format!("{api}{path}")).await.unwrap()).await;
    assert_eq!(get("/shop/configuration").await["FunctionName"], "shop");
    assert_eq!(get("/shop").await["Configuration"]["Timeout"], 10);
    assert_eq!(get("/").await["Functions"][0]["Version"], "$LATEST");
    assert_eq!(get("/nobody").await["Type"], "User");
    stage.end().await;
}

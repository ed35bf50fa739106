//! Streamed answers: what the function has written is with the caller before the function goes on.

use std::time::Duration;

use sandbox::FunctionConfig;
use serde_json::json;

use crate::stage::{Stage, part};

/// Reads until the text has been seen.
async fn read_until(response: &mut reqwest::Response, text: &str) -> String {
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(text) {
        let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk()).await;
        let chunk =
            chunk.unwrap_or_else(|_| panic!("{text} did not come: {}", String::from_utf8_lossy(&seen)));
        seen.extend_from_slice(&chunk.unwrap().unwrap_or_else(|| panic!("it ended before {text}")));
    }
    String::from_utf8_lossy(&seen).into_owned()
}

async fn post_json(url: String, wish: &serde_json::Value) -> reqwest::Response {
    let request = reqwest::Client::new().post(url).header("Content-Type", "application/json");
    request.body(wish.to_string()).send().await.unwrap()
}

fn streaming(api: &str) -> String {
    api.replace("2015-03-31", "2021-11-15") + "/shop/response-streaming-invocations"
}

#[tokio::test]
async fn the_invoke_api_passes_chunks_on_as_they_come() {
    let mut stage = Stage::new().await;
    let url = streaming(&stage.invoke_api().await);
    let wish = json!({"stream": {"parts": ["first", "second"]}});
    let mut response = reqwest::Client::new().post(url).body(wish.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/vnd.amazon.eventstream");
    assert_eq!(response.headers()["x-amz-executed-version"], "$LATEST");
    let before = read_until(&mut response, "first").await;
    assert!(before.contains("PayloadChunk") && !before.contains("InvokeComplete"), "{before}");
    stage.go(1);
    let after = read_until(&mut response, "InvokeComplete").await;
    assert!(after.contains("second") && !after.contains("ErrorCode"), "{after}");
    stage.end().await;
}

#[tokio::test]
async fn a_buffered_answer_is_one_chunk_and_an_error_is_told_at_the_end() {
    let mut stage = Stage::new().await;
    let url = streaming(&stage.invoke_api().await);
    let post = async |wish: serde_json::Value| {
        let response = reqwest::Client::new().post(url.clone()).body(wish.to_string()).send().await.unwrap();
        String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned()
    };
    let whole = post(json!({"answer": "all of it"})).await;
    assert!(whole.contains("all of it") && whole.contains("InvokeComplete"), "{whole}");
    let failed = post(json!({"fail": "no stock"})).await;
    assert!(failed.contains(r#""ErrorCode":"Unhandled""#) && failed.contains("no stock"), "{failed}");
    assert!(!failed.contains("PayloadChunk"), "{failed}");
    stage.go(1);
    let broken = post(json!({"stream": {"parts": ["half", null]}})).await;
    assert!(broken.contains("half") && broken.contains("ErrorCode"), "{broken}");
    stage.end().await;
}

#[tokio::test]
async fn awss_own_client_reads_the_events() {
    let mut stage = Stage::new().await;
    let endpoint = stage.invoke_api().await.replace("/2015-03-31/functions", "");
    let wish = json!({"stream": {"parts": ["first", "second", "third"]}}).to_string();
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fronts/clients.py");
    let asked = tokio::process::Command::new(part("sandbox/runtimes/python").join("bin/python"))
        .args([client, &endpoint, &wish])
        .arg(stage.path(""))
        .output();
    let asked = tokio::time::timeout(Duration::from_secs(60), asked).await.unwrap().unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!((&seen["status"], &seen["version"]), (&json!(200), &json!("$LATEST")));
    let events = seen["events"].as_array().unwrap();
    assert_eq!(events[..3], [json!("first"), json!("second"), json!("third")]);
    let end = events[3].as_object().unwrap();
    assert!(end.contains_key("LogResult") && !end.contains_key("ErrorCode"), "{end:?}");
    stage.end().await;
}

#[tokio::test]
async fn the_http_front_begins_when_the_head_is_there() {
    let mut stage = Stage::new().await;
    let front = stage.http_front(&[("$default", "shop")]).await;
    let head = json!({"statusCode": 201, "headers": {"X-Order": "7"}, "cookies": ["a=1"]}).to_string();
    // The zero bytes come in two pieces.
    let parts = [head + "\0\0\0", "\0\0\0\0\0<p>one".to_owned(), "two</p>".to_owned()];
    let kind = "application/vnd.awslambda.http-integration-response";
    stage.go(1);
    let wish = json!({"stream": {"type": kind, "parts": parts}});
    let mut response = post_json(front, &wish).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["x-order"], "7");
    assert_eq!(response.headers()["set-cookie"], "a=1");
    assert_eq!(read_until(&mut response, "one").await, "<p>one");
    stage.go(2);
    assert_eq!(read_until(&mut response, "</p>").await, "two</p>");
    stage.end().await;
}

#[tokio::test]
async fn the_http_front_can_hold_an_answer_back_until_it_is_whole() {
    let mut stage = Stage::set(|shop| FunctionConfig { streaming: false, ..shop }).await;
    let front = stage.http_front(&[("$default", "shop")]).await;
    stage.go(1);
    let whole = post_json(front.clone(), &json!({"stream": {"parts": ["one", "two"]}})).await;
    assert_eq!(whole.status(), 200);
    assert_eq!(whole.headers()["content-length"], "6");
    assert_eq!(whole.text().await.unwrap(), "onetwo");
    let half = post_json(front, &json!({"stream": {"parts": ["half", null]}})).await;
    assert_eq!(half.status(), 500, "nothing was sent yet, so that the caller can be told");
    stage.end().await;
}

/// Sends its head and a first part, and the rest when the caller has seen them.
const NODE: &str = r#"
const { existsSync } = require("fs");
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
    const head = { statusCode: 202, headers: { "X-Order": "7" }, cookies: ["a=1"] };
    const response = awslambda.HttpResponseStream.from(stream, head);
    response.write("one");
    while (!existsSync("go-1")) await new Promise((resolve) => setTimeout(resolve, 10));
    response.write("two");
    response.end();
});
"#;

#[tokio::test]
async fn awss_own_runtime_client_for_node_streams_through_the_http_front() {
    let client = part("sandbox/runtimes/node").join("node_modules/aws-lambda-ric/bin/index.mjs");
    let command = vec!["node".to_owned(), client.display().to_string(), "index.handler".to_owned()];
    let made = |folder: &std::path::Path| std::fs::write(folder.join("index.js"), NODE).unwrap();
    let mut stage = Stage::with(command, made).await;
    let front = stage.http_front(&[("$default", "shop")]).await;
    let mut response = post_json(front, &json!({})).await;
    assert_eq!(response.status(), 202);
    assert_eq!(response.headers()["x-order"], "7");
    assert_eq!(response.headers()["set-cookie"], "a=1");
    assert_eq!(read_until(&mut response, "one").await, "one");
    stage.go(1);
    assert_eq!(read_until(&mut response, "two").await, "two");
    stage.end().await;
}

#[tokio::test]
async fn a_function_that_fails_while_it_streams_cuts_the_connection() {
    let mut stage = Stage::new().await;
    let front = stage.http_front(&[("$default", "shop")]).await;
    let wish = json!({"stream": {"parts": ["half", null]}});
    let mut response = post_json(front, &wish).await;
    assert_eq!(response.headers()["content-type"], "text/plain");
    read_until(&mut response, "half").await;
    stage.go(1);
    assert!(response.chunk().await.is_err(), "what came must not look whole");
    stage.end().await;
}

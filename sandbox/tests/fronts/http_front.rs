//! The HTTP front over HTTP.

use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn a_request_becomes_an_event_and_an_answer_a_response() {
    let mut stage = Stage::new().await;
    let front = stage.http_front(&[("ANY /orders/{id}", "shop")]).await;
    let request = reqwest::Client::new()
        .post(format!("{front}/orders/7?color=red&color=blue"))
        .header("Content-Type", "application/json")
        .header("Cookie", "session=1")
        .body(r#"{"count":2}"#);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("apigw-requestid"));
    let answer: Value = response.json().await.unwrap();
    let event = &answer["event"];
    assert_eq!(event["routeKey"], "ANY /orders/{id}");
    assert_eq!(event["pathParameters"], json!({"id": "7"}));
    assert_eq!(event["queryStringParameters"], json!({"color": "red,blue"}));
    assert_eq!(event["cookies"], json!(["session=1"]));
    assert_eq!(event["body"], r#"{"count":2}"#);
    let root = event["headers"]["x-amzn-trace-id"].as_str().unwrap();
    assert!(answer["trace"].as_str().unwrap().contains(root), "one trace from the request on: {answer}");
    stage.end().await;
}

#[tokio::test]
async fn a_function_decides_status_headers_and_cookies() {
    let mut stage = Stage::new().await;
    let front = stage.http_front(&[("$default", "relay")]).await;
    // No such function: the gateway's own error.
    let missing = reqwest::get(format!("{front}/")).await.unwrap();
    assert_eq!(missing.status(), 500);
    assert_eq!(missing.json::<Value>().await.unwrap(), json!({"message": "Internal Server Error"}));
    let front = stage.http_front(&[("GET /orders", "shop")]).await;
    let unmatched = reqwest::get(format!("{front}/nothing")).await.unwrap();
    assert_eq!(unmatched.status(), 404);
    assert_eq!(unmatched.json::<Value>().await.unwrap(), json!({"message": "Not Found"}));
    let wrong_method = reqwest::Client::new().post(format!("{front}/orders")).send().await.unwrap();
    assert_eq!(wrong_method.status(), 404);
    stage.end().await;
}

#[tokio::test]
async fn a_body_over_ten_megabytes_is_refused_with_an_answer() {
    let mut stage = Stage::new().await;
    let front = stage.http_front(&[("$default", "shop")]).await;
    let request = reqwest::Client::new().post(format!("{front}/")).body(vec![b'x'; 10 * 1024 * 1024 + 1]);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 413);
    stage.end().await;
}

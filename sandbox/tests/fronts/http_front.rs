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

async fn post(url: String, wish: &Value) -> reqwest::Response {
    let request = reqwest::Client::new().post(url).header("Content-Type", "application/json");
    request.body(wish.to_string()).send().await.unwrap()
}

#[tokio::test]
async fn a_function_decides_status_headers_and_cookies() {
    let mut stage = Stage::new().await;
    let front = stage.http_front(&[("$default", "shop")]).await;
    let answer = json!({
        "statusCode": 201,
        "headers": {"X-Order": "7", "Content-Type": "text/html"},
        "cookies": ["a=1", "b=2"],
        "body": "<p>made</p>",
    });
    let response = post(format!("{front}/orders"), &json!({"answer": answer})).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["x-order"], "7");
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    assert_eq!(response.text().await.unwrap(), "<p>made</p>");
    stage.end().await;
}

#[tokio::test]
async fn what_fails_is_told_as_the_gateway_tells_it() {
    let mut stage = Stage::new().await;
    let front = stage.http_front(&[("POST /orders", "shop"), ("POST /gone", "nobody")]).await;
    for (path, wish, status, message) in [
        ("/orders", json!({"fail": "no stock"}), 500, "Internal Server Error"),
        ("/orders", json!({"answer": {"statusCode": "many"}}), 500, "Internal Server Error"),
        ("/gone", json!({}), 500, "Internal Server Error"),
        ("/nothing", json!({}), 404, "Not Found"),
    ] {
        let response = post(format!("{front}{path}"), &wish).await;
        assert_eq!(response.status(), status, "{path} {wish}");
        assert_eq!(response.json::<Value>().await.unwrap(), json!({"message": message}));
    }
    let wrong_method = reqwest::get(format!("{front}/orders")).await.unwrap();
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

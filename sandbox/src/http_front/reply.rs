//! A function's payload → the HTTP response, by the inference rules of payload format 2.0.
//!
//! Source: "Format of Lambda function response for payload format 2.0" in
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::front::Response;

/// What a function that says nothing of its type is taken to have written.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain;charset=UTF-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The response; `None` if the payload is not what a function may answer (the gateway then says 500).
pub(super) fn from_payload(payload: &[u8]) -> Option<Response> {
    match serde_json::from_slice(payload).ok()? {
        Value::Object(fields) if fields.contains_key("statusCode") => from_fields(fields),
        Value::String(text) => Some(inferred(Bytes::from(text))),
        _ => Some(inferred(Bytes::copy_from_slice(payload))),
    }
}

/// A message of the gateway itself, as `{"message":"Not Found"}`.
pub(super) fn message(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({ "message": text }).to_string();
    let mut response = http::Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// No `statusCode`: 200, JSON, the payload is the body.
fn inferred(body: Bytes) -> Response {
    let mut response = http::Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

fn from_fields(mut fields: Map<String, Value>) -> Option<Response> {
    let encoded = fields.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
    let body: Bytes = match fields.remove("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if encoded => STANDARD.decode(text).ok()?.into(),
        Some(Value::String(text)) => text.into(),
        Some(other) => other.to_string().into(),
    };
    Some(head(&fields)?.map(|_| body.into()))
}

/// Status, headers and cookies, with an empty body.
pub(super) fn head(fields: &Map<String, Value>) -> Option<Response> {
    let mut response = http::Response::new(Bytes::new().into());
    *response.status_mut() = status(fields.get("statusCode")?)?;
    read_headers(fields.get("headers"), response.headers_mut())?;
    read_cookies(fields.get("cookies"), response.headers_mut())?;
    response.headers_mut().entry(CONTENT_TYPE).or_insert(TEXT);
    Some(response)
}

/// A number, or a number as text.
fn status(value: &Value) -> Option<StatusCode> {
    let code = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    let code = StatusCode::from_u16(u16::try_from(code).ok()?).ok()?;
    // 1xx would leave the client waiting for the real answer.
    (code.as_u16() >= 200 && code.as_u16() < 600).then_some(code)
}

fn read_headers(value: Option<&Value>, headers: &mut HeaderMap) -> Option<()> {
    for (name, value) in object(value)? {
        let name: HeaderName = name.parse().ok()?;
        // The length and framing of the response are the connection's to say.
        if name == CONTENT_LENGTH || name == TRANSFER_ENCODING || value.is_null() {
            continue;
        }
        headers.insert(name, HeaderValue::from_str(&plain(value)).ok()?);
    }
    Some(())
}

fn read_cookies(value: Option<&Value>, headers: &mut HeaderMap) -> Option<()> {
    let cookies = match value {
        None | Some(Value::Null) => return Some(()),
        Some(Value::Array(cookies)) => cookies,
        Some(_) => return None,
    };
    for cookie in cookies {
        headers.append(SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    Some(())
}

fn object(value: Option<&Value>) -> Option<impl Iterator<Item = (&String, &Value)>> {
    match value {
        None | Some(Value::Null) => Some(None),
        Some(Value::Object(fields)) => Some(Some(fields)),
        Some(_) => None,
    }
    .map(|fields| fields.into_iter().flatten())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;
    use serde_json::json;

    async fn answered(payload: Value) -> Option<(u16, HeaderMap, String)> {
        let response = from_payload(payload.to_string().as_bytes())?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Some((parts.status.as_u16(), parts.headers, String::from_utf8(body.to_vec()).unwrap()))
    }

    #[tokio::test]
    async fn without_a_status_code_the_payload_is_the_body() {
        let (status, headers, body) = answered(json!({"message": "hi"})).await.unwrap();
        assert_eq!((status, body.as_str()), (200, r#"{"message":"hi"}"#));
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(answered(json!("Hello from Lambda!")).await.unwrap().2, "Hello from Lambda!");
        assert_eq!(answered(json!(null)).await.unwrap().2, "null");
    }

    #[tokio::test]
    async fn with_one_it_is_the_response() {
        let (status, headers, body) = answered(json!({
            "statusCode": 201,
            "headers": {"X-Custom": 7, "Content-Length": "99"},
            "cookies": ["a=1; HttpOnly", "b=2"],
            "body": "aGVsbG8=",
            "isBase64Encoded": true,
        }))
        .await
        .unwrap();
        assert_eq!((status, body.as_str()), (201, "hello"));
        assert_eq!(headers["x-custom"], "7");
        assert_eq!(headers["content-type"], "text/plain;charset=UTF-8");
        assert_eq!(headers.get("content-length"), None);
        assert_eq!(headers.get_all("set-cookie").iter().count(), 2);
    }

    #[tokio::test]
    async fn nonsense_is_no_response() {
        assert!(from_payload(b"not json").is_none());
        for wrong in [
            json!({"statusCode": "many"}),
            json!({"statusCode": 99}),
            json!({"statusCode": 101}),
            json!({"statusCode": 200, "headers": {"bad name": "x"}}),
            json!({"statusCode": 200, "headers": {"x": "a\nb"}}),
            json!({"statusCode": 200, "cookies": "a=1"}),
            json!({"statusCode": 200, "body": "%", "isBase64Encoded": true}),
        ] {
            assert!(from_payload(wrong.to_string().as_bytes()).is_none(), "{wrong}");
        }
    }
}

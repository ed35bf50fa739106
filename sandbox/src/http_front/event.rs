//! An HTTP request → the event of payload format 2.0 that API Gateway's HTTP APIs give a function.
//!
//! Field by field as
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>;
//! where that is silent, as HTTP APIs are known to behave: `rawPath` is decoded and `rawQueryString` is not,
//! fields without a value are left out, and a body is text only for the few media types named here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::route::Matched;
use crate::front::percent;
use crate::front::trace::TRACE_HEADER;

/// The one stage of the front: without a name, so that paths carry no prefix.
const STAGE: &str = "$default";

/// What an event says of the API itself and of the moment.
#[derive(Debug, Clone)]
pub(super) struct Context {
    /// Twelve digits.
    pub(super) account: String,
    /// Ten letters and digits.
    pub(super) api: String,
    pub(super) region: String,
    pub(super) request_id: String,
    pub(super) source: IpAddr,
    /// The port the front listens on.
    pub(super) port: u16,
    pub(super) trace_header: String,
    pub(super) received_at: Timestamp,
}

/// The event; optional fields are left out when there is nothing to say.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: String,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    path_parameters: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'a str,
    api_id: &'a str,
    domain_name: String,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: String,
    protocol: String,
    source_ip: String,
    user_agent: String,
}

impl<'a> Event<'a> {
    /// The event of one request whose body was read.
    pub(super) fn new(request: &'a Parts, body: &Bytes, matched: Matched<'a>, context: &'a Context) -> Self {
        let raw_path = percent::decode(request.uri.path());
        let raw_query_string = request.uri.query().unwrap_or_default();
        let (body, is_base64_encoded) = encode_body(&request.headers, body);
        Self {
            version: "2.0",
            route_key: matched.key,
            raw_query_string,
            cookies: cookies(&request.headers),
            headers: headers(&request.headers, context),
            query_string_parameters: joined(percent::query_pairs(raw_query_string)),
            request_context: RequestContext::new(request, raw_path.clone(), matched.key, context),
            raw_path,
            path_parameters: matched.parameters,
            body,
            is_base64_encoded,
        }
    }
}

impl<'a> RequestContext<'a> {
    fn new(request: &'a Parts, path: String, route_key: &'a str, context: &'a Context) -> Self {
        let user_agent = request.headers.get(USER_AGENT).map(|value| text(value.as_bytes()));
        Self {
            account_id: &context.account,
            api_id: &context.api,
            domain_name: domain(context),
            domain_prefix: &context.api,
            http: Http {
                method: request.method.as_str(),
                path,
                protocol: format!("{:?}", request.version),
                source_ip: context.source.to_string(),
                user_agent: user_agent.unwrap_or_default(),
            },
            request_id: &context.request_id,
            route_key,
            stage: STAGE,
            time: clock_text(context.received_at),
            time_epoch: context.received_at.as_millisecond(),
        }
    }
}

fn domain(context: &Context) -> String {
    format!("{}.execute-api.{}.amazonaws.com", context.api, context.region)
}

/// `12/Mar/2020:19:03:58 +0000`.
fn clock_text(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S %z").to_string()
}

/// Lower-cased names, repeated ones joined with commas, cookies apart, and what the gateway adds.
fn headers(sent: &HeaderMap, context: &Context) -> BTreeMap<String, String> {
    let pairs = sent
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "cookie" | "connection" | "transfer-encoding"))
        .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())));
    let mut headers = joined(pairs);
    headers.insert(TRACE_HEADER.to_owned(), context.trace_header.clone());
    headers.entry(HOST.as_str().to_owned()).or_insert_with(|| domain(context));
    let forwarded = match headers.get("x-forwarded-for") {
        Some(earlier) => format!("{earlier}, {}", context.source),
        None => context.source.to_string(),
    };
    headers.insert("x-forwarded-for".to_owned(), forwarded);
    headers.insert("x-forwarded-port".to_owned(), context.port.to_string());
    headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
    headers
}

fn cookies(sent: &HeaderMap) -> Vec<String> {
    let lines = sent.get_all(COOKIE).iter().map(|value| text(value.as_bytes()));
    lines
        .flat_map(|line| line.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>())
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Values of the same key joined with commas, in order.
fn joined(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut map = BTreeMap::<String, String>::new();
    for (key, value) in pairs {
        map.entry(key)
            .and_modify(|values| {
                values.push(',');
                values.push_str(&value);
            })
            .or_insert(value);
    }
    map
}

/// No body, text, or base64: text only for `text/*`, JSON, XML and JavaScript, as HTTP APIs do it (a form or
/// a body without a type arrives in base64).
fn encode_body(headers: &HeaderMap, body: &Bytes) -> (Option<String>, bool) {
    if body.is_empty() {
        return (None, false);
    }
    let plain = !headers.contains_key(CONTENT_ENCODING) && is_text(headers);
    match std::str::from_utf8(body) {
        Ok(text) if plain => (Some(text.to_owned()), false),
        _ => (Some(STANDARD.encode(body)), true),
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let Some(Ok(full)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let media = full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media.starts_with("text/")
        || matches!(media.as_str(), "application/json" | "application/xml" | "application/javascript")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_front::Routes;
    use serde_json::{Value, json};

    fn context() -> Context {
        Context {
            account: "123456789012".into(),
            api: "limelight0".into(),
            region: "eu-west-1".into(),
            request_id: "request".into(),
            source: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            trace_header: "Root=1-67891233-abcdef012345678912345678".into(),
            received_at: Timestamp::from_millisecond(1_583_348_638_390).unwrap(),
        }
    }

    fn event(request: http::request::Builder, body: &'static [u8]) -> Value {
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let routes = Routes::new().route("ANY /orders/{id}", "f").unwrap().route("$default", "f").unwrap();
        let matched = routes.find(parts.method.as_str(), parts.uri.path()).unwrap();
        let context = context();
        serde_json::to_value(Event::new(&parts, &Bytes::from_static(body), matched, &context)).unwrap()
    }

    #[test]
    fn the_whole_event_is_as_documented() {
        let request = http::Request::post("/orders/a%20b?x=1&x=2%262&y=z")
            .header("Cookie", "cookie1=a; cookie2=b")
            .header("Accept", "text/html")
            .header("Accept", "*/*")
            .header("Content-Type", "application/json; charset=utf-8")
            .header("User-Agent", "agent")
            .header("Host", "127.0.0.1:8080");
        let expected = json!({
            "version": "2.0",
            "routeKey": "ANY /orders/{id}",
            "rawPath": "/orders/a b",
            "rawQueryString": "x=1&x=2%262&y=z",
            "cookies": ["cookie1=a", "cookie2=b"],
            "headers": {
                "accept": "text/html,*/*",
                "content-type": "application/json; charset=utf-8",
                "host": "127.0.0.1:8080",
                "user-agent": "agent",
                "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": "8080",
                "x-forwarded-proto": "http",
            },
            "queryStringParameters": {"x": "1,2&2", "y": "z"},
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "limelight0",
                "domainName": "limelight0.execute-api.eu-west-1.amazonaws.com",
                "domainPrefix": "limelight0",
                "http": {
                    "method": "POST",
                    "path": "/orders/a b",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "agent",
                },
                "requestId": "request",
                "routeKey": "ANY /orders/{id}",
                "stage": "$default",
                "time": "04/Mar/2020:19:03:58 +0000",
                "timeEpoch": 1_583_348_638_390_i64,
            },
            "pathParameters": {"id": "a b"},
            "body": "{\"a\":1}",
            "isBase64Encoded": false,
        });
        assert_eq!(event(request, b"{\"a\":1}"), expected);
    }

    #[test]
    fn what_is_not_there_is_left_out() {
        let event = event(http::Request::get("/"), b"");
        for absent in ["cookies", "queryStringParameters", "pathParameters", "body"] {
            assert!(event.get(absent).is_none(), "{absent}");
        }
        assert_eq!(event["routeKey"], "$default");
        assert_eq!(event["rawQueryString"], "");
        assert_eq!(event["isBase64Encoded"], false);
    }

    #[test]
    fn a_body_is_text_only_for_text_types() {
        let sent = |media: &str, body| event(http::Request::post("/").header("content-type", media), body);
        assert_eq!(sent("text/plain", b"hello")["body"], "hello");
        assert_eq!(sent("application/x-www-form-urlencoded", b"a=b")["body"], "YT1i");
        assert_eq!(sent("application/octet-stream", b"a=b")["isBase64Encoded"], true);
        assert_eq!(sent("text/plain", b"\xff")["body"], "/w==");
        assert_eq!(event(http::Request::post("/"), b"a=b")["isBase64Encoded"], true);
    }
}

//! The Telemetry API's subscription: checked against the limits that AWS documents before the owner hears of it.

use bytes::Bytes;
use http::{StatusCode, Uri};
use http_body_util::Full;
use lambda_api::telemetry::{DESTINATION_HOSTS, Subscription};

use super::{Inbox, Request, Response, ask, small_body};
use crate::apis::extensions_api::identifier;
use crate::message::{Message, Refusal};

/// Taken by the platform itself inside a real environment.
const RESERVED_PORT: u16 = 9001;

pub(super) async fn subscribe(request: Request, inbox: &Inbox) -> Result<Response, Refusal> {
    let identifier = identifier(&request)?;
    let body = small_body(request.into_body()).await?;
    let (subscription, port, path) =
        check(&body).map_err(|why| Refusal::bad_request("ValidationError", why))?;
    let subscription = Box::new(subscription);
    ask(inbox, |reply| Message::Subscribe { identifier, subscription, port, path, reply }).await?;
    let mut response = http::Response::new(Full::new(Bytes::from_static(b"\"OK\"")));
    *response.status_mut() = StatusCode::OK;
    Ok(response)
}

/// The subscription with its destination's port and path, or what is wrong with it.
fn check(body: &[u8]) -> Result<(Subscription, u16, String), String> {
    let subscription: Subscription = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if subscription.types.is_empty() {
        return Err("types must name at least one of platform, function, extension".to_owned());
    }
    if let Some(buffering) = &subscription.buffering {
        buffering.check().map_err(|error| error.to_string())?;
    }
    if subscription.destination.protocol != "HTTP" {
        return Err(format!(
            "destination.protocol must be HTTP, got {:?}",
            subscription.destination.protocol
        ));
    }
    let (port, path) = destination(&subscription.destination.uri)?;
    Ok((subscription, port, path))
}

fn destination(uri: &str) -> Result<(u16, String), String> {
    let parsed: Uri = uri.parse().map_err(|error| format!("destination.URI: {error}"))?;
    if parsed.scheme_str() != Some("http") {
        return Err(format!("destination.URI must begin with http://, got {uri:?}"));
    }
    let host = parsed.host().unwrap_or_default();
    if !DESTINATION_HOSTS.contains(&host) {
        return Err(format!("destination.URI's host must be sandbox.localdomain or sandbox, got {host:?}"));
    }
    let port = parsed.port_u16().unwrap_or(80);
    if port == RESERVED_PORT {
        return Err(format!("destination.URI's port {RESERVED_PORT} is reserved"));
    }
    Ok((port, parsed.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn verdict(change: impl FnOnce(&mut Value)) -> Result<(u16, String), String> {
        let mut body = json!({
            "schemaVersion": "2022-12-13",
            "types": ["platform", "function"],
            "buffering": {"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25},
            "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:4243/in"}
        });
        change(&mut body);
        check(&serde_json::to_vec(&body).unwrap()).map(|(_, port, path)| (port, path))
    }

    #[test]
    fn a_subscription_within_the_limits_is_taken() {
        assert_eq!(verdict(|_| {}), Ok((4243, "/in".to_owned())));
        assert_eq!(
            verdict(|body| body["destination"]["URI"] = json!("http://sandbox")),
            Ok((80, "/".to_owned()))
        );
        assert!(
            verdict(|body| {
                body.as_object_mut().unwrap().remove("buffering");
            })
            .is_ok()
        );
    }

    #[test]
    fn what_aws_refuses_is_refused_with_the_field_named() {
        let wrong = |field: &str, value: Value| {
            verdict(|body| *body.pointer_mut(field).unwrap() = value).unwrap_err()
        };
        assert!(wrong("/buffering/maxItems", json!(999)).contains("maxItems"));
        assert!(wrong("/buffering/maxBytes", json!(1_048_577)).contains("maxBytes"));
        assert!(wrong("/buffering/timeoutMs", json!(24)).contains("timeoutMs"));
        assert!(wrong("/types", json!([])).contains("types"));
        assert!(wrong("/types", json!(["logs"])).contains("logs"));
        assert!(wrong("/schemaVersion", json!("2020-08-15")).contains("2020-08-15"));
        assert!(wrong("/destination/protocol", json!("TCP")).contains("protocol"));
        assert!(wrong("/destination/URI", json!("http://127.0.0.1:1")).contains("127.0.0.1"));
        assert!(wrong("/destination/URI", json!("http://sandbox:9001")).contains("9001"));
    }
}

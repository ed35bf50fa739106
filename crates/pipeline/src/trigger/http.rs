//! Events that are HTTP requests: API Gateway (REST, HTTP, WebSocket), function URLs, load balancers, VPC Lattice.

use model::{Map, Value};

use super::{Trigger, context, text};

/// The request, if the event is one.
pub(super) fn read(event: &Map) -> Option<Trigger> {
    // The query is left out: tokens travel in it.
    let mut trigger = of_lattice(event).or_else(|| {
        let request = event.get("requestContext")?.as_object()?;
        of_balancer(event, request)
            .or_else(|| of_websocket(request))
            .or_else(|| of_version_2(event, request))
            .or_else(|| of_rest(event, request))
    })?;
    let headers: Vec<&Map> =
        ["headers", "multiValueHeaders"].iter().filter_map(|key| event.get(*key)?.as_object()).collect();
    trigger.caller = headers.iter().find_map(|headers| context::of_headers(headers));
    let header =
        |name: &str| headers.iter().find_map(|headers| context::header(headers, name)).map(str::to_owned);
    Some(
        trigger
            .with("server.address", header("host"))
            .with("url.scheme", header("x-forwarded-proto"))
            .with("user_agent.original", header("user-agent")),
    )
}

fn of_balancer(event: &Map, request: &Map) -> Option<Trigger> {
    request.contains_key("elb").then(|| {
        Trigger::new("load-balancer", "http")
            .with("http.request.method", text(event, "httpMethod"))
            .with("url.path", text(event, "path"))
    })
}

fn of_websocket(request: &Map) -> Option<Trigger> {
    request.contains_key("connectionId").then(|| {
        Trigger::new("api-gateway-websocket", "http")
            .with("http.route", text(request, "routeKey"))
            .with("aws.api_gateway.event_type", text(request, "eventType"))
    })
}

/// Function URLs have the shape of HTTP APIs, and another domain.
fn of_version_2(event: &Map, request: &Map) -> Option<Trigger> {
    let http = request.get("http").and_then(Value::as_object)?;
    let is_url = text(request, "domainName").is_some_and(|domain| domain.contains(".lambda-url."));
    let source = if is_url { "function-url" } else { "api-gateway-http" };
    // `GET /orders/{id}`; `$default` matched nothing.
    let route = text(request, "routeKey").and_then(|key| key.split_once(' ')).map(|(_, route)| route);
    let trigger = Trigger::new(source, "http")
        .with("http.request.method", text(http, "method"))
        .with("url.path", text(http, "path").or_else(|| text(event, "rawPath")))
        .with("http.route", route);
    Some(trigger)
}

fn of_rest(event: &Map, request: &Map) -> Option<Trigger> {
    let method = text(event, "httpMethod")?;
    let trigger = Trigger::new("api-gateway", "http")
        .with("http.request.method", Some(method))
        .with("url.path", text(event, "path"))
        .with("http.route", text(event, "resource").or_else(|| text(request, "resourcePath")));
    Some(trigger)
}

fn of_lattice(event: &Map) -> Option<Trigger> {
    let request = event.get("requestContext").and_then(Value::as_object);
    let is_lattice = event.contains_key("is_base64_encoded") && event.contains_key("raw_path")
        || request.is_some_and(|request| request.contains_key("serviceNetworkArn"));
    is_lattice.then(|| {
        Trigger::new("vpc-lattice", "http")
            .with("http.request.method", text(event, "method"))
            .with("url.path", text(event, "raw_path").or_else(|| text(event, "path")))
    })
}

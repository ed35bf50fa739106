//! HTTP requests on loopback → API Gateway HTTP API events (payload format 2.0) → functions → HTTP responses.
//!
//! One API, one stage (`$default`), no authorizer, no CORS settings, no stage variables. It knows the pool only
//! through [`Lambda::invoke`].

mod event;
mod reply;
mod route;
mod stream;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use tokio::net::TcpListener;
use uuid::Uuid;

pub use route::{RouteError, Routes};

use crate::front::{self, BodyError, Request, Response, tenant, trace};
use crate::{Answered, FunctionConfig, Invocation, InvokeError, Lambda};

/// A request's payload is at most this long, as in API Gateway's quotas for HTTP APIs.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// A function may take longer; its caller gets 503 meanwhile, as API Gateway does it.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The identity of the local API in events.
const API_ID: &str = "limelight0";

/// The request's identity in responses, as HTTP APIs name it.
const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// Serves the routes until `shutdown`; running requests then have ten seconds.
///
/// # Errors
/// If the listener has no address.
pub async fn serve(
    lambda: Lambda,
    routes: Routes,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    for name in routes.functions() {
        if lambda.function(name).is_none() {
            tracing::warn!(function = name, "a route leads to a function that is not there");
        }
    }
    let address = listener.local_addr()?;
    let gateway = Arc::new(Gateway { lambda, routes, address });
    let handler = move |request| {
        let gateway = Arc::clone(&gateway);
        async move { gateway.answer(request).await }
    };
    front::serve(listener, shutdown, handler).await
}

struct Gateway {
    lambda: Lambda,
    routes: Routes,
    address: SocketAddr,
}

impl Gateway {
    async fn answer(&self, request: Request) -> Response {
        let request_id = Uuid::new_v4().to_string();
        let mut response = match self.respond(request, &request_id).await {
            Ok(response) => response,
            Err((status, text)) => reply::message(status, text),
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    async fn respond(
        &self,
        request: Request,
        request_id: &str,
    ) -> Result<Response, (StatusCode, &'static str)> {
        let (parts, body) = request.into_parts();
        let matched = self.routes.find(parts.method.as_str(), parts.uri.path()).ok_or(NOT_FOUND)?;
        let function = self.lambda.function(matched.function).ok_or(INTERNAL)?;
        let tenant_id = tenant::of(function, &parts.headers).map_err(|error| {
            tracing::warn!(function = function.name, %error, "a request cannot be given to its function");
            BAD_REQUEST
        })?;
        let body = front::read_body(body, BODY_BYTES_MAX).await.map_err(|error| match error {
            BodyError::TooLarge => TOO_LARGE,
            BodyError::Broken => BAD_REQUEST,
        })?;
        let context = self.context(&parts, function, request_id);
        let event = event::Event::new(&parts, &body, matched, &context);
        let payload = serde_json::to_vec(&event).map_err(|_| INTERNAL)?;
        let mut invocation = Invocation::new(&function.name, payload);
        invocation.trace_header = Some(trace::sampled(&context.trace_header));
        invocation.tenant_id = tenant_id;
        self.run(function, invocation).await
    }

    /// The invocation goes on when the client hangs up, as it does in AWS: it runs in a task of its own.
    async fn run(
        &self,
        function: &FunctionConfig,
        invocation: Invocation,
    ) -> Result<Response, (StatusCode, &'static str)> {
        let lambda = self.lambda.clone();
        let running = tokio::spawn(async move { lambda.invoke_streaming(invocation).await });
        let Ok(answered) = tokio::time::timeout(INTEGRATION_TIMEOUT, running).await else {
            return Err(UNAVAILABLE);
        };
        match answered {
            Ok(Ok(Answered::Whole(outcome))) if outcome.error.is_none() => from_payload(&outcome.payload),
            Ok(Ok(Answered::Whole(_))) => Err(INTERNAL),
            Ok(Ok(Answered::Streamed(streamed))) if function.streaming => {
                stream::respond(streamed).await.ok_or(INTERNAL)
            }
            Ok(Ok(Answered::Streamed(streamed))) => {
                let whole = tokio::time::timeout(INTEGRATION_TIMEOUT, stream::whole(streamed)).await;
                whole.map_err(|_| UNAVAILABLE)?.ok_or(INTERNAL)
            }
            Ok(Err(InvokeError::Throttled { .. } | InvokeError::ShuttingDown)) => Err(UNAVAILABLE),
            Ok(Err(error)) => {
                tracing::warn!(%error, "a request did not reach its function");
                Err(INTERNAL)
            }
            Err(error) => {
                tracing::error!(%error, "an invocation's task failed");
                Err(INTERNAL)
            }
        }
    }

    fn context(&self, parts: &Parts, function: &FunctionConfig, request_id: &str) -> event::Context {
        let received_at = Timestamp::now();
        event::Context {
            account: function.account.clone(),
            api: API_ID.to_owned(),
            region: function.region.clone(),
            request_id: request_id.to_owned(),
            source: IpAddr::from([127, 0, 0, 1]),
            port: self.address.port(),
            trace_header: trace::header(sent_trace(&parts.headers), received_at),
            received_at,
        }
    }
}

const NOT_FOUND: (StatusCode, &str) = (StatusCode::NOT_FOUND, "Not Found");
const INTERNAL: (StatusCode, &str) = (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
const UNAVAILABLE: (StatusCode, &str) = (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
const TOO_LARGE: (StatusCode, &str) = (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
const BAD_REQUEST: (StatusCode, &str) = (StatusCode::BAD_REQUEST, "Bad Request");

fn from_payload(payload: &Bytes) -> Result<Response, (StatusCode, &'static str)> {
    reply::from_payload(payload).ok_or(INTERNAL)
}

fn sent_trace(headers: &HeaderMap) -> Option<&str> {
    headers.get(trace::TRACE_HEADER)?.to_str().ok()
}

//! The loopback listener of one environment: the three APIs, and the credentials endpoint, behind one address, as
//! `AWS_LAMBDA_RUNTIME_API` has it.
//!
//! Requests become [`Message`]s, replies become answers. Nothing here knows what phase the environment is in.

pub(crate) mod runtime_api;
pub(crate) mod credentials_api;
pub(crate) mod extensions_api;
pub(crate) mod telemetry_api;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_api::{ErrorResponse, StatusResponse, extensions, runtime, telemetry};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinSet};

use crate::message::{Message, Refusal, Reply};

pub(crate) type Request = http::Request<Incoming>;
pub(crate) type Response = http::Response<Full<Bytes>>;
pub(crate) type Inbox = mpsc::Sender<Message>;

/// Bodies other than responses: registrations, subscriptions, errors. AWS names no limit; its own are a few hundred
/// bytes, and an error with a deep stack trace some ten thousand.
const SMALL_BODY_BYTES_MAX: usize = 1024 * 1024;

/// Connections at once: ten extensions with a few each, and the workers of a managed instance.
const CONNECTIONS_MAX: usize = 1_024;

/// Serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    task: AbortHandle,
}

impl Server {
    /// Binds a free loopback port and serves it.
    pub(crate) async fn start(inbox: Inbox) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(accept(listener, inbox)).abort_handle();
        Ok(Self { address, task })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, inbox: Inbox) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, inbox.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a runtime's connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            },
        }
    }
}

/// One socket, one task. There is no idle timeout: its client may be frozen for as long as the environment lives.
async fn connection(stream: TcpStream, inbox: Inbox) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let inbox = inbox.clone();
        async move { Ok::<_, Infallible>(route(request, &inbox).await.unwrap_or_else(refused)) }
    });
    // AWS writes header names so, and there are runtimes that compare them as text.
    let http = http1::Builder::new().title_case_headers(true).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = http.await {
        tracing::debug!(%error, "a runtime's connection ended early");
    }
}

async fn route(request: Request, inbox: &Inbox) -> Result<Response, Refusal> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    if let Some(rest) = path.strip_prefix(runtime::INVOCATION_PREFIX)
        && path != runtime::NEXT_PATH
    {
        return match (rest.split_once('/'), method) {
            (Some((id, "response")), Method::POST) => runtime_api::response(request, id, inbox).await,
            (Some((id, "error")), Method::POST) => runtime_api::error(request, id, inbox).await,
            _ => Ok(not_found()),
        };
    }
    match (method, path.as_str()) {
        (Method::GET, runtime::NEXT_PATH) => runtime_api::next(inbox).await,
        (Method::POST, runtime::INIT_ERROR_PATH) => runtime_api::init_error(request, inbox).await,
        (Method::GET, runtime::RESTORE_NEXT_PATH) => runtime_api::restore_next(inbox).await,
        (Method::POST, runtime::RESTORE_ERROR_PATH) => runtime_api::restore_error(request, inbox).await,
        (Method::GET, credentials_api::PATH) => credentials_api::get(&request, inbox).await,
        (Method::POST, extensions::REGISTER_PATH) => extensions_api::register(request, inbox).await,
        (Method::GET, extensions::NEXT_PATH) => extensions_api::next(request, inbox).await,
        (Method::POST, extensions::INIT_ERROR_PATH | extensions::EXIT_ERROR_PATH) => {
            extensions_api::error(request, inbox).await
        }
        (Method::PUT, telemetry::SUBSCRIBE_PATH) => telemetry_api::subscribe(request, inbox).await,
        (Method::GET, "/2018-06-01/ping") => Ok(http::Response::new(Full::new(Bytes::from_static(b"pong")))),
        _ => Ok(not_found()),
    }
}

/// Sends a message and waits for the owner's reply. A gone owner is AWS's internal error.
async fn ask<T>(inbox: &Inbox, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, Refusal> {
    let (reply, answer) = oneshot::channel();
    inbox.send(message(reply)).await.map_err(|_| Refusal::internal())?;
    answer.await.unwrap_or_else(|_| Err(Refusal::internal()))
}

async fn small_body(body: Incoming) -> Result<Bytes, Refusal> {
    match Limited::new(body, SMALL_BODY_BYTES_MAX).collect().await {
        Ok(read) => Ok(read.to_bytes()),
        Err(error) => Err(Refusal::bad_request("InvalidRequestFormat", error.to_string())),
    }
}

/// A header's text, empty if it is absent or no text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response =
        http::Response::new(Full::new(Bytes::from(serde_json::to_vec(body).unwrap_or_default())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn accepted() -> Response {
    json(StatusCode::ACCEPTED, &StatusResponse::ok())
}

fn refused(refusal: Refusal) -> Response {
    if refusal.status == StatusCode::NOT_FOUND {
        return not_found();
    }
    tracing::debug!(error_type = refusal.error_type, message = refusal.message, "an API request was refused");
    let body = ErrorResponse { error_message: refusal.message, error_type: refusal.error_type.to_owned() };
    json(refusal.status, &body)
}

fn not_found() -> Response {
    let mut response = http::Response::new(Full::new(Bytes::from_static(b"404 page not found\n")));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

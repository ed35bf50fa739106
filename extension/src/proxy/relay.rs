//! One connection of the runtime, and its counterpart to the platform's Runtime API: requests and answers pass through
//! as they come, headers in their own case, streams unbuffered, trailers included.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, EXPECT, HOST};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_api::runtime::{INVOCATION_PREFIX, NEXT_PATH, REQUEST_ID_HEADER};
use pipeline::payload::Part;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::Copies;
use super::tap::Tap;
use crate::inbound::Entrance;

/// What is sent to the platform: the runtime's body.
type Upstream = SendRequest<Tap>;
/// What is sent to the runtime: the platform's body, or why there is none.
type Answer =
    Response<Either<Tap, http_body_util::combinators::MapErr<Full<Bytes>, fn(Infallible) -> hyper::Error>>>;

/// Where to, and what to keep.
#[derive(Debug, Clone)]
pub(super) struct Relay {
    platform: Arc<str>,
    copies: Copies,
    entrance: Entrance,
}

impl Relay {
    pub(super) fn new(platform: String, copies: Copies, entrance: Entrance) -> Self {
        Self { platform: platform.into(), copies, entrance }
    }

    /// To the connection's end.
    pub(super) async fn serve(self, stream: TcpStream) {
        // A connection has one request at a time.
        let upstream = Mutex::new(None);
        let (relay, upstream) = (&self, &upstream);
        let answer = service_fn(move |request| async move {
            let mut upstream = upstream.lock().await;
            Ok::<_, Infallible>(relay.pass(request, &mut upstream).await)
        });
        let mut server = hyper::server::conn::http1::Builder::new();
        server.preserve_header_case(true);
        // What breaks on one side is broken for the other: the runtime sees what it would have seen.
        let _ = server.serve_connection(TokioIo::new(stream), answer).await;
    }

    async fn pass(&self, request: Request<Incoming>, upstream: &mut Option<Upstream>) -> Answer {
        let path = request.uri().path().to_owned();
        let request = self.outgoing(request, &path);
        let answer = async {
            let sender = self.connected(upstream).await?;
            Ok(sender.send_request(request).await?)
        };
        match answer.await {
            Ok(answer) => self.incoming(answer, &path),
            Err(error) => {
                *upstream = None;
                no_platform(&error)
            }
        }
    }

    /// The runtime's request as the platform gets it.
    fn outgoing(&self, request: Request<Incoming>, path: &str) -> Request<Tap> {
        let (mut parts, body) = request.into_parts();
        // Between each two of us there is a connection of its own; hyper answers an expectation itself.
        parts.headers.remove(CONNECTION);
        parts.headers.remove(EXPECT);
        if let Ok(host) = HeaderValue::from_str(&self.platform) {
            parts.headers.insert(HOST, host);
        }
        let answers = path.strip_prefix(INVOCATION_PREFIX).and_then(|rest| rest.strip_suffix("/response"));
        let body = match answers {
            Some(request_id) => self.tap(body, Part::Response, request_id),
            _ => Tap::closed(body),
        };
        Request::from_parts(parts, body)
    }

    /// The platform's answer as the runtime gets it.
    fn incoming(&self, answer: Response<Incoming>, path: &str) -> Answer {
        let (mut parts, body) = answer.into_parts();
        parts.headers.remove(CONNECTION);
        let request_id = parts.headers.get(REQUEST_ID_HEADER).and_then(|id| id.to_str().ok());
        let body = match request_id {
            Some(request_id) if path == NEXT_PATH => self.tap(body, Part::Event, request_id),
            _ => Tap::closed(body),
        };
        Response::from_parts(parts, Either::Left(body))
    }

    fn tap(&self, body: Incoming, part: Part, request_id: &str) -> Tap {
        Tap::open(body, part, request_id.to_owned(), self.copies.bytes_max, self.entrance.clone())
    }

    /// The connection there is, or a new one.
    async fn connected<'a>(
        &self,
        upstream: &'a mut Option<Upstream>,
    ) -> Result<&'a mut Upstream, RelayError> {
        if upstream.as_mut().is_some_and(|sender| sender.is_closed()) {
            *upstream = None;
        }
        if upstream.is_none() {
            let stream = TcpStream::connect(&*self.platform).await?;
            let _ = stream.set_nodelay(true);
            let mut client = hyper::client::conn::http1::Builder::new();
            client.preserve_header_case(true);
            let (sender, connection) = client.handshake(TokioIo::new(stream)).await?;
            tokio::spawn(async move {
                // What goes wrong here shows at the sender.
                let _ = connection.await;
            });
            *upstream = Some(sender);
        }
        let sender = upstream.as_mut().ok_or(RelayError::Lost)?;
        sender.ready().await?;
        Ok(sender)
    }
}

/// Why the platform was not reached.
#[derive(Debug, thiserror::Error)]
enum RelayError {
    #[error("cannot connect: {0}")]
    Connect(#[from] std::io::Error),
    #[error("the exchange broke: {0}")]
    Exchange(#[from] hyper::Error),
    #[error("the connection is gone")]
    Lost,
}

/// What the runtime is told: it ends, as it does when the platform is gone.
fn no_platform(error: &RelayError) -> Answer {
    let never: fn(Infallible) -> hyper::Error = |never| match never {};
    let body = Full::new(Bytes::from(format!("the Runtime API does not answer: {error}"))).map_err(never);
    let mut answer = Response::new(Either::Right(body));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}

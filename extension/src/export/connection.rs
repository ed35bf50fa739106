//! The connection to the stream, or to the second destination: one connection, HTTP/1.1, opened while the function
//! runs, kept while it is surely alive, never trusted after a freeze. Knows nothing of what it carries.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::Full;
use model::Timestamp;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::socket::{self, Server, SocketError};
use crate::clock;
use crate::http1::{Broken, Http1};

/// Within a region a connection with TLS takes some milliseconds; a VPC without a way out swallows the first packet.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_500);
/// Connections die across a freeze, and nobody tells: only one that was used moments ago is used again.
const IDLE_MAX: Duration = Duration::from_secs(4);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExchangeError {
    /// There is nobody to connect to.
    #[error("the request has no server in its address")]
    NoServer,
    /// Nobody answers there.
    #[error("no connection within {} ms", CONNECT_TIMEOUT.as_millis())]
    ConnectTimeout,
    /// Nobody is there, or nobody who can be trusted.
    #[error("no connection")]
    Connect(#[source] SocketError),
    /// There is no complete answer.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// The chain of causes on one line: the last one is what helps ("Connection refused").
pub(crate) fn causes(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<String> = chain.map(ToString::to_string).collect();
    texts.join(": ")
}

/// The one to a server.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    /// Held during an exchange: there is one request at a time.
    warm: Arc<Mutex<Option<Warm>>>,
}

impl Connection {
    /// Opens the connection to `server` if none can be used, so that the next request finds it. Failures are the
    /// next request's to meet.
    pub(super) fn open_ahead(&self, server: Server) {
        // Busy means that it is being opened or used.
        let Ok(mut warm) = self.warm.clone().try_lock_owned() else { return };
        if !warm.as_ref().is_some_and(|warm| warm.serves(&server, clock::now())) {
            tokio::spawn(async move {
                *warm = None;
                *warm = Warm::open(server).await.ok();
            });
        }
    }

    /// Sends `request`, whose address names the server, and reads the whole answer. Has no time limit of its own.
    ///
    /// # Errors
    /// When there is no complete answer; any status is an answer.
    pub(crate) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, ExchangeError> {
        let server = Server::of(request.uri()).ok_or(ExchangeError::NoServer)?;
        let request = origin_form(request).ok_or(ExchangeError::NoServer)?;
        let mut warm = self.warm.lock().await;
        if let Some(mut used) = warm.take_if(|warm| warm.serves(&server, clock::now()))
            // A connection that died meanwhile: whether it was heard is not known, and a batch may come twice.
            && let Ok(answer) = used.exchange(request.clone()).await
        {
            *warm = Some(used);
            return Ok(answer);
        }
        let mut fresh = Warm::open(server).await?;
        let answer = fresh.exchange(request).await?;
        *warm = Some(fresh);
        Ok(answer)
    }
}

/// An open connection.
#[derive(Debug)]
struct Warm {
    server: Server,
    http: Http1,
    used: (Timestamp, Instant),
}

impl Warm {
    async fn open(server: Server) -> Result<Self, ExchangeError> {
        let opened = async {
            let socket = socket::open(&server).await.map_err(ExchangeError::Connect)?;
            Http1::over(socket).await.map_err(ExchangeError::Broken)
        };
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, opened).await;
        let http = opened.map_err(|_| ExchangeError::ConnectTimeout)??;
        Ok(Self { server, http, used: now() })
    }

    async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, ExchangeError> {
        let answer = self.http.exchange(request).await?;
        self.used = now();
        Ok(answer)
    }

    fn serves(&self, server: &Server, now: Timestamp) -> bool {
        let (wall, monotonic) = self.used;
        self.server == *server && !self.http.is_closed() && is_alive(wall, now, monotonic.elapsed())
    }
}

/// Both clocks: one of them may have stood still in a freeze, the other may have been set.
fn now() -> (Timestamp, Instant) {
    (clock::now(), Instant::now())
}

/// Whether a connection that was used at `used`, `monotonic` ago by a clock that nobody sets, can still be relied on.
fn is_alive(used: Timestamp, now: Timestamp, monotonic: Duration) -> bool {
    used <= now && now.since(used) < IDLE_MAX && monotonic < IDLE_MAX
}

/// As HTTP/1.1 wants it on a direct connection: path and query in the first line, the server in a header.
fn origin_form(mut request: Request<Full<Bytes>>) -> Option<Request<Full<Bytes>>> {
    let uri = request.uri().clone();
    let host = HeaderValue::from_str(uri.authority()?.as_str()).ok()?;
    request.headers_mut().insert(header::HOST, host);
    *request.uri_mut() = uri.path_and_query().cloned().map_or_else(|| Uri::from_static("/"), Uri::from);
    Some(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_relied_on_for_moments_by_both_clocks() {
        let at = Timestamp::from_millis;
        let moment = Duration::from_millis(10);
        assert!(is_alive(at(1_000), at(1_010), moment));
        assert!(!is_alive(at(1_000), at(3_600_000), moment), "the sandbox was frozen, its own clock as well");
        assert!(!is_alive(at(1_000), at(0), moment), "the wall clock was set back");
        assert!(!is_alive(at(1_000), at(1_010), IDLE_MAX), "the wall clock was set");
    }
}

//! HTTP/1.1 requests to a server inside the sandbox, one at a time. A connection outlives a freeze there, because both
//! of its ends freeze: the platform's is kept, as a new one for each event would cost more than the event.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// More than any answer of the platform's APIs needs.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens there.
    #[error("cannot connect to {authority}")]
    Connect {
        /// `host:port`.
        authority: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The connection broke, or what came is not HTTP.
    #[error("the exchange with {authority} broke")]
    Exchange {
        /// `host:port`.
        authority: String,
        /// What the protocol says.
        source: hyper::Error,
    },
    /// The answer is too long or broke off.
    #[error("the answer of {authority} cannot be read")]
    Answer {
        /// `host:port`.
        authority: String,
        /// Which of the two.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A server that is called again and again.
#[derive(Debug)]
pub(crate) struct Caller {
    authority: String,
    /// Free for the next call; none while one is on its way, and before the first.
    kept: Mutex<Option<Connection>>,
}

impl Caller {
    /// Connects with the first call.
    pub(crate) fn new(authority: &str) -> Self {
        Self { authority: authority.to_owned(), kept: Mutex::default() }
    }

    /// `host:port`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Sends `request` and reads the whole answer. Has no time limit of its own: `/next` waits for hours. A kept
    /// connection that turns out to be broken is replaced once.
    ///
    /// # Errors
    /// When there is no complete answer; any status is an answer.
    pub(crate) async fn call(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, CallError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(kept) = kept
            && let Ok(answer) = self.exchange(kept, request.clone()).await
        {
            return Ok(answer);
        }
        let connection = Connection::open(&self.authority).await?;
        self.exchange(connection, request).await
    }

    async fn exchange(
        &self,
        mut connection: Connection,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, CallError> {
        let answer = connection.exchange(&self.authority, request).await?;
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(answer)
    }
}

/// One request on a connection of its own, for a server that is seldom asked.
///
/// # Errors
/// As [`Caller::call`].
pub(crate) async fn call(
    authority: &str,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, CallError> {
    Connection::open(authority).await?.exchange(authority, request).await
}

/// Open as long as it is kept.
#[derive(Debug)]
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    _driver: Abort,
}

impl Connection {
    async fn open(authority: &str) -> Result<Self, CallError> {
        let stream = TcpStream::connect(authority)
            .await
            .map_err(|source| CallError::Connect { authority: authority.to_owned(), source })?;
        // Requests are one small write each: waiting for more would only delay them.
        let _ = stream.set_nodelay(true);
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(|source| CallError::Exchange { authority: authority.to_owned(), source })?;
        let driver = tokio::spawn(async move {
            // What goes wrong here shows at the sender.
            let _ = connection.await;
        });
        Ok(Self { sender, _driver: Abort(driver) })
    }

    async fn exchange(
        &mut self,
        authority: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, CallError> {
        let broke = |source| CallError::Exchange { authority: authority.to_owned(), source };
        self.sender.ready().await.map_err(broke)?;
        let (parts, body) = self.sender.send_request(request).await.map_err(broke)?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|source| CallError::Answer { authority: authority.to_owned(), source })?
            .to_bytes();
        Ok(Response::from_parts(parts, body))
    }
}

/// Ends the connection with its last call, also when the caller gives up in between.
#[derive(Debug)]
struct Abort(tokio::task::JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hyper::service::service_fn;
    use tokio::net::TcpListener;

    /// A server that counts its connections and closes each after so many requests.
    async fn serve(requests_max: usize) -> (String, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let left = AtomicUsize::new(requests_max);
                    let service = service_fn(|_| {
                        let mut response = Response::new(Full::<Bytes>::from("answer"));
                        if left.fetch_sub(1, Ordering::Relaxed) == 1 {
                            let close = http::HeaderValue::from_static("close");
                            response.headers_mut().insert(http::header::CONNECTION, close);
                        }
                        async move { Ok::<_, Infallible>(response) }
                    });
                    let io = TokioIo::new(stream);
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, service).await;
                });
            }
        });
        (authority, connections)
    }

    async fn ask(caller: &Caller) -> Result<Bytes, CallError> {
        let request = Request::get("/").header(http::header::HOST, caller.authority());
        caller.call(request.body(Full::default()).unwrap()).await.map(Response::into_body)
    }

    #[tokio::test]
    async fn one_connection_serves_many_calls() {
        let (authority, connections) = serve(usize::MAX).await;
        let caller = Caller::new(&authority);
        for _ in 0..5 {
            assert_eq!(ask(&caller).await.unwrap(), "answer");
        }
        assert_eq!(connections.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closed_is_replaced() {
        let (authority, connections) = serve(2).await;
        let caller = Caller::new(&authority);
        for _ in 0..5 {
            assert_eq!(ask(&caller).await.unwrap(), "answer");
        }
        assert_eq!(connections.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn nobody_there_is_an_error() {
        let authority = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
        assert!(matches!(ask(&Caller::new(&authority)).await, Err(CallError::Connect { .. })));
    }
}

//! HTTP/1.1 requests to a server inside the sandbox, one at a time. A connection outlives a freeze there, because both
//! of its ends freeze: the platform's is kept, as a new one for each event would cost more than the event.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::net::TcpStream;

use crate::http1::{Broken, Http1};

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
    /// There is no complete answer.
    #[error("no answer of {authority}")]
    Broken {
        /// `host:port`.
        authority: String,
        /// What broke.
        source: Broken,
    },
}

/// A server that is called again and again.
#[derive(Debug)]
pub(crate) struct Caller {
    authority: String,
    /// Free for the next call; none while one is on its way, and before the first.
    kept: Mutex<Option<Http1>>,
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
        let connection = open(&self.authority).await?;
        self.exchange(connection, request).await
    }

    async fn exchange(
        &self,
        mut connection: Http1,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, CallError> {
        let answer = connection.exchange(request).await.map_err(|source| broken(&self.authority, source))?;
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
    open(authority).await?.exchange(request).await.map_err(|source| broken(authority, source))
}

async fn open(authority: &str) -> Result<Http1, CallError> {
    let stream = TcpStream::connect(authority)
        .await
        .map_err(|source| CallError::Connect { authority: authority.to_owned(), source })?;
    // Requests are one small write each: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    Http1::over(stream).await.map_err(|source| broken(authority, source))
}

fn broken(authority: &str, source: Broken) -> CallError {
    CallError::Broken { authority: authority.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
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

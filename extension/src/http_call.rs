//! One HTTP/1.1 request on a connection of its own, to a server inside the sandbox. Connections are not kept: they die
//! across a freeze, and on loopback a new one costs less than finding that out.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
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

/// Sends `request` to `authority` and reads the whole answer. Has no time limit of its own: `/next` waits for hours.
///
/// # Errors
/// When there is no complete answer; any status is an answer.
pub(crate) async fn call(
    authority: &str,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, CallError> {
    let name = || authority.to_owned();
    let stream = TcpStream::connect(authority)
        .await
        .map_err(|source| CallError::Connect { authority: name(), source })?;
    // Requests are one small write each: waiting for more would only delay them.
    let _ = stream.set_nodelay(true);
    let exchange = |source| CallError::Exchange { authority: name(), source };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(exchange)?;
    let driver = Abort(tokio::spawn(async move {
        // What goes wrong here shows at the sender.
        let _ = connection.await;
    }));
    let (parts, body) = sender.send_request(request).await.map_err(exchange)?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX)
        .collect()
        .await
        .map_err(|source| CallError::Answer { authority: name(), source })?
        .to_bytes();
    drop(driver);
    Ok(Response::from_parts(parts, body))
}

/// Ends the connection with the call, also when the caller gives up in between.
struct Abort(tokio::task::JoinHandle<()>);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

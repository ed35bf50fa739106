//! One HTTP/1.1 connection over an open socket: a request in, its whole answer out. To whom, for how long it is kept, and
//! how long an answer may take is its owner's to know.

use std::error::Error;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;

/// More than any answer of the platform's APIs needs; PutRecords answers 500 entries with about 100 KiB.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Why there is no complete answer.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The connection broke, or what came is not HTTP.
    #[error("the exchange broke")]
    Exchange(#[source] hyper::Error),
    /// There was more than anybody needs, or less than was announced.
    #[error("the answer broke off or is too long")]
    Answer(#[source] Box<dyn Error + Send + Sync>),
}

/// Open as long as it is kept: it ends with its owner, also in the middle of a request.
#[derive(Debug)]
pub(crate) struct Http1 {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Http1 {
    /// On a socket that is connected.
    pub(crate) async fn over(
        socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<Self, Broken> {
        let (sender, connection) = handshake(TokioIo::new(socket)).await.map_err(Broken::Exchange)?;
        let driver = tokio::spawn(async move {
            // What goes wrong here shows at the sender.
            let _ = connection.await;
        });
        Ok(Self { sender, driver })
    }

    /// Any status is an answer. Has no time limit of its own.
    pub(crate) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Bytes>, Broken> {
        self.sender.ready().await.map_err(Broken::Exchange)?;
        let (parts, body) = self.sender.send_request(request).await.map_err(Broken::Exchange)?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(Broken::Answer)?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    /// Whether the other end has closed it already.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

impl Drop for Http1 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

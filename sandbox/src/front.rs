//! Connections into requests and answers back, for the two HTTP fronts (`invoke_api`, `http_front`).
//!
//! Loopback sockets only: the caller binds, this accepts. It knows nothing of functions.

pub(crate) mod body;
pub(crate) mod loopback;
pub(crate) mod percent;
pub(crate) mod tenant;
pub(crate) mod trace;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use body::Body;

/// What both fronts take.
pub(crate) type Request = http::Request<Incoming>;
/// What both fronts answer.
pub(crate) type Response = http::Response<Body>;

/// Open connections at once; the next one waits in the kernel's backlog. A load test of hundreds of clients
/// fits, a descriptor leak does not.
const CONNECTIONS_MAX: usize = 1_024;

/// After the shutdown signal, how long running requests may take before they are cut.
const DRAIN: Duration = Duration::from_secs(10);

/// A client that sends its headers or its body slower than this is dropped.
const RECEIVE_TIMEOUT: Duration = Duration::from_secs(30);

/// A rejected body is still read up to this size, so that the client sees the answer instead of a reset.
const DISCARD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// `accept` fails for want of descriptors: the pause before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why a body could not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// Longer than the limit.
    TooLarge,
    /// The connection broke, or the client was too slow.
    Broken,
}

/// Serves until `shutdown`, then lets running requests finish within ten seconds.
pub(crate) async fn serve<H, F>(
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    handler: H,
) -> io::Result<()>
where
    H: Fn(Request) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let (close, closing) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, closing.clone(), handler.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    drop(close);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!("requests were cut at shutdown: they took longer than the drain time");
    }
    Ok(())
}

/// One socket, one task: `closing` ends when the server stops.
async fn connection<H, F>(stream: TcpStream, mut closing: watch::Receiver<()>, handler: H)
where
    H: Fn(Request) -> F + Clone + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps Nagle's delay");
    }
    let service = service_fn(move |request| {
        let answer = handler(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut http = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(RECEIVE_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
    );
    let ended = tokio::select! {
        ended = http.as_mut() => ended,
        _ = closing.changed() => {
            http.as_mut().graceful_shutdown();
            http.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The whole body, if it is at most `bytes_max` long and arrives in time.
pub(crate) async fn read_body(body: Incoming, bytes_max: usize) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(RECEIVE_TIMEOUT, collect(body, bytes_max)).await {
        Ok(read) => read,
        Err(_) => Err(BodyError::Broken),
    }
}

async fn collect(mut body: Incoming, bytes_max: usize) -> Result<Bytes, BodyError> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut kept = BytesMut::with_capacity(announced.min(bytes_max));
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        if seen > DISCARD_BYTES_MAX.max(bytes_max) {
            return Err(BodyError::TooLarge);
        }
        if seen <= bytes_max {
            kept.extend_from_slice(&data);
        }
    }
    if seen > bytes_max { Err(BodyError::TooLarge) } else { Ok(kept.freeze()) }
}

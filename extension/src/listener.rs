//! The platform's POSTs in, deliveries for the collector out.
//!
//! A POST is acknowledged when its body has a place in the queue, before any work on it. When the queue is full (the
//! collector is starved of CPU) the answer waits a moment for a place and then is 503: the platform keeps such a batch
//! and sends it again. What was acknowledged is never dropped here. Nothing of what the bodies mean is known here.

pub mod body;
pub mod redelivery;
mod address;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_api::telemetry::SEQUENCE_HEADER;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::accept;
use crate::supervise::guarded;

/// Twice `maxBytes` of our subscription, plus metadata, is what AWS announces; a record cut at `maxBytes` comes on top.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Small bodies come every 25 ms at the most (our subscription's buffering): over a second's worth.
const QUEUE_LENGTH_MAX: usize = 64;
/// How long an answer waits for a place in the queue. The platform may be holding the function's next records back
/// meanwhile, but it drops what it cannot deliver.
const QUEUE_WAIT: Duration = Duration::from_millis(500);
/// A body comes over loopback: one that takes this long has been cut by a freeze.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// The platform uses one or two. Others wait for `accept`.
const CONNECTIONS_MAX: usize = 32;

/// One acknowledged POST.
#[derive(Debug)]
pub struct Delivery {
    /// The body.
    pub body: Bytes,
    /// The platform's name for it, the same on a redelivery.
    pub sequence: Option<String>,
    /// Its place in the queue, free again when this is dropped.
    _place: OwnedSemaphorePermit,
}

/// A bound socket that does not accept yet.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    port: u16,
}

impl Listener {
    /// Binds the sandbox's own address. A stable port first: after a restart in the same sandbox the platform still
    /// delivers there what it could not deliver before. A random one if that is taken.
    ///
    /// # Errors
    /// When neither can be had.
    pub async fn bind(stable_port: u16) -> std::io::Result<Self> {
        let address = address::own().await;
        let socket = match TcpListener::bind((address, stable_port)).await {
            Ok(socket) => socket,
            Err(_) => TcpListener::bind((address, 0)).await?,
        };
        let port = socket.local_addr()?.port();
        Ok(Self { socket, port })
    }

    /// Where the platform has to deliver.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Accepts until the task is aborted; up to `queue_bytes_max`, at least one largest body, wait for the collector.
    /// Deliveries come out of the receiver; dropping that turns all POSTs away.
    pub fn start(self, queue_bytes_max: usize) -> (mpsc::Receiver<Delivery>, tokio::task::JoinHandle<()>) {
        let (sender, deliveries) = mpsc::channel(QUEUE_LENGTH_MAX);
        let bytes = Semaphore::new(queue_bytes_max.max(BODY_BYTES_MAX));
        let queue = Queue { sender, bytes: Arc::new(bytes) };
        let accepting = tokio::spawn(async move {
            // A panic costs the connection that it happened on.
            let serve = |stream| serve(stream, queue.clone());
            while guarded(accept::all(&self.socket, CONNECTIONS_MAX, serve)).await.is_err() {}
        });
        (deliveries, accepting)
    }
}

async fn serve(stream: TcpStream, queue: Queue) {
    let answer = service_fn(|request| {
        let queue = queue.clone();
        async move { Ok::<_, Infallible>(status(receive(request, &queue).await)) }
    });
    // A connection that breaks has had no 200, so the platform sends again.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

fn status(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// The queue's entrance.
#[derive(Debug, Clone)]
struct Queue {
    sender: mpsc::Sender<Delivery>,
    bytes: Arc<Semaphore>,
}

/// A place first, then the body: memory is reserved before it is used. A body that is turned away is read to its end
/// all the same: a sender that is cut off while it writes never sees why.
async fn receive(request: Request<Incoming>, queue: &Queue) -> StatusCode {
    let (parts, mut body) = request.into_parts();
    let turned_away = match body.size_hint().exact().map(usize::try_from) {
        _ if parts.method != Method::POST => StatusCode::METHOD_NOT_ALLOWED,
        Some(Ok(bytes)) if bytes > BODY_BYTES_MAX => StatusCode::PAYLOAD_TOO_LARGE,
        Some(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE,
        announced => {
            let bytes = announced.and_then(Result::ok).unwrap_or(BODY_BYTES_MAX);
            match tokio::time::timeout(QUEUE_WAIT, queue.reserve(bytes)).await {
                Ok(Some(place)) => return place.fill(&parts.headers, body).await,
                Ok(None) | Err(_) => StatusCode::SERVICE_UNAVAILABLE,
            }
        }
    };
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    let _ = tokio::time::timeout(BODY_TIMEOUT, rest).await;
    turned_away
}

/// A reserved place.
struct Place<'a> {
    bytes: OwnedSemaphorePermit,
    slot: mpsc::Permit<'a, Delivery>,
}

impl Place<'_> {
    async fn fill(self, headers: &HeaderMap, body: Incoming) -> StatusCode {
        let sequence = headers.get(SEQUENCE_HEADER).and_then(|name| name.to_str().ok()).map(str::to_owned);
        let body = Limited::new(body, BODY_BYTES_MAX).collect();
        match tokio::time::timeout(BODY_TIMEOUT, body).await {
            Ok(Ok(body)) => {
                self.slot.send(Delivery { body: body.to_bytes(), sequence, _place: self.bytes });
                StatusCode::OK
            }
            Ok(Err(_)) => StatusCode::PAYLOAD_TOO_LARGE,
            Err(_) => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

impl Queue {
    /// None when the collector is gone.
    async fn reserve(&self, bytes: usize) -> Option<Place<'_>> {
        let bytes = self.bytes.clone().acquire_many_owned(u32::try_from(bytes).ok()?).await.ok()?;
        let slot = self.sender.reserve().await.ok()?;
        Some(Place { bytes, slot })
    }
}

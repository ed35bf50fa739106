//! The OTLP receiver: what the application's own OpenTelemetry SDK exports to loopback, over HTTP (4318) and gRPC
//! (4317), decoded and queued for the collector. A request is answered when its records have their place in the queue:
//! an SDK that flushes at the end of the handler has been heard before the platform says that the function is done.
//!
//! Nothing here waits for anything but the request's own bytes, and nothing it does can fail the function: a port that
//! is taken is one line, a request that cannot be read or has no place is its sender's to hear.
//!
//! Source: OpenTelemetry specification, "OTLP Specification", OTLP/gRPC and OTLP/HTTP.

mod grpc;
mod http;
mod request;

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::inbound::{self, Entrance};
use crate::{accept, notice};
use request::Reader;

/// The exporters of one process, one connection each, and some that a freeze has left behind.
const CONNECTIONS_MAX: usize = 16;
/// Of what is forgotten at once, for a moment each.
const DEAF_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Where the layers of extensions lie.
const EXTENSIONS_DIR: &str = "/opt/extensions";

/// What to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// OTLP/HTTP; none if not wanted.
    pub http: Option<u16>,
    /// OTLP/gRPC; none if not wanted.
    pub grpc: Option<u16>,
}

impl Ports {
    /// Nobody is listened to.
    pub const NONE: Self = Self { http: None, grpc: None };
}

/// The tasks that listen; they end when this is dropped.
#[derive(Debug)]
pub struct Receiver {
    tasks: JoinSet<()>,
}

impl Receiver {
    /// Starts to listen, without waiting for it: the sockets are bound when the runtime gets to it. Beside other
    /// extensions not before `all_ready` is notified: one of them may be a collector that wants the same ports and
    /// does not start without them. By the first invocation it has them.
    pub fn start(ports: Ports, body_bytes_max: usize, entrance: Entrance, all_ready: Arc<Notify>) -> Self {
        let reader = Reader::new(entrance, body_bytes_max);
        let mut tasks = JoinSet::new();
        if ports == Ports::NONE {
            return Self { tasks };
        }
        tasks.spawn(async move {
            if !alone() {
                all_ready.notified().await;
            }
            tokio::join!(
                listen(ports.http, "HTTP", |stream| http::serve(stream, reader.clone())),
                listen(ports.grpc, "gRPC", |stream| grpc::serve(stream, reader.clone())),
            );
        });
        Self { tasks }
    }

    /// Listens and forgets, where there is no telemetry: an SDK that the layer's wrapper has pointed here would
    /// otherwise try for seconds to be heard, at the end of each invocation.
    pub fn start_deaf(ports: Ports, all_ready: Arc<Notify>) -> Self {
        let (entrance, mut inbox) = inbound::queue(DEAF_BODY_BYTES_MAX);
        let mut receiver = Self::start(ports, DEAF_BODY_BYTES_MAX, entrance, all_ready);
        receiver.tasks.spawn(async move {
            loop {
                let _forgotten = inbox.next().await;
            }
        });
        receiver
    }
}

/// Whether no other extension is in this sandbox.
fn alone() -> bool {
    std::fs::read_dir(EXTENSIONS_DIR).map_or(true, |entries| entries.flatten().count() <= 1)
}

async fn listen<F>(port: Option<u16>, protocol: &str, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(port) = port else { return };
    match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await {
        Ok(socket) => accept::all(&socket, CONNECTIONS_MAX, serve).await,
        Err(error) => notice::say(format_args!(
            "going on without OTLP over {protocol}: cannot listen on port {port} of loopback: {error}"
        )),
    }
}

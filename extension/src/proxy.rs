//! The Runtime API proxy (opt-in): it stands between the function's runtime and the platform's Runtime API, passes
//! everything through as it comes, and keeps a bounded copy of the invocation's event and of the response for the
//! collector.
//!
//! It must never be in the way. It runs on a thread of its own, so that a busy collector delays no invocation; it
//! waits for nothing of ours; a copy that finds no place is counted and not kept. The runtime comes here only if the layer's
//! wrapper found the address that [`Door`] wrote once the socket was bound; without it the runtime speaks to the
//! platform as always.

mod door;
mod relay;
mod tap;

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::config::Payloads;
use crate::inbound::Entrance;
use crate::{accept, notice};
use door::Door;
use relay::Relay;

/// One per thread of the runtime is enough; where invocations overlap there are some dozen.
const CONNECTIONS_MAX: usize = 1_024;

/// What to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies {
    /// The most that is kept of an event or a response. Both are copied, whatever becomes a record: a response also
    /// tells its HTTP status.
    pub bytes_max: usize,
}

impl From<Payloads> for Copies {
    fn from(payloads: Payloads) -> Self {
        Self { bytes_max: payloads.bytes_max }
    }
}

/// The running proxy; the runtime's way ends when the process does.
#[derive(Debug)]
pub struct Proxy {
    _door: Door,
}

impl Proxy {
    /// Binds, says where, and serves from a thread of its own. To be called before registration: the platform starts
    /// the runtime as soon as every extension has registered. None, with one line, if that cannot be: then the
    /// runtime is not told of it.
    pub fn start(runtime_api: &str, copies: Copies, entrance: Entrance) -> Option<Self> {
        let door = Door::new(runtime_api);
        match listen(runtime_api, copies, entrance).and_then(|address| door.open(address)) {
            Ok(()) => Some(Self { _door: door }),
            Err(error) => {
                door.close();
                notice::say(format_args!("going on without payloads: the proxy cannot start: {error}"));
                None
            }
        }
    }
}

fn listen(runtime_api: &str, copies: Copies, entrance: Entrance) -> std::io::Result<SocketAddr> {
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let relay = Relay::new(runtime_api.to_owned(), copies, entrance);
    let thread = std::thread::Builder::new().name("proxy".to_owned());
    thread.spawn(move || runtime.block_on(serve(socket, relay)))?;
    Ok(address)
}

async fn serve(socket: std::net::TcpListener, relay: Relay) {
    let socket = match TcpListener::from_std(socket) {
        Ok(socket) => socket,
        Err(error) => return notice::say(format_args!("the proxy cannot listen: {error}")),
    };
    accept::all(&socket, CONNECTIONS_MAX, |stream| relay.clone().serve(stream)).await;
}

#[cfg(test)]
mod tests;

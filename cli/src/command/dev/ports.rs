//! The four listeners, bound before anything else starts: a port that is taken is told at once.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::exit::Refused;

/// The listeners, all on loopback.
pub(super) struct Ports {
    pub(super) api: TcpListener,
    pub(super) invoke: TcpListener,
    pub(super) http: TcpListener,
    pub(super) stream: TcpListener,
}

impl Ports {
    /// Binds four ports in a row, or any four for 0.
    ///
    /// # Errors
    /// When one is in use; the message says which and what to do.
    pub(super) async fn bind(base: u16) -> anyhow::Result<Self> {
        Ok(Self {
            api: bind(base, 0, "API").await?,
            invoke: bind(base, 1, "Invoke API").await?,
            http: bind(base, 2, "HTTP front").await?,
            stream: bind(base, 3, "stream").await?,
        })
    }
}

async fn bind(base: u16, offset: u16, what: &str) -> anyhow::Result<TcpListener> {
    let port = if base == 0 { 0 } else { base.checked_add(offset).ok_or_else(too_high)? };
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        let why = match error.kind() {
            ErrorKind::AddrInUse => "is in use".to_owned(),
            ErrorKind::PermissionDenied => "is not for this user".to_owned(),
            _ => format!("cannot be bound: {error}"),
        };
        Refused::usage(format!(
            "port {port} for the {what} {why}; --port-base N takes others from N on, --port-base 0 any that are free"
        ))
        .into()
    })
}

fn too_high() -> anyhow::Error {
    Refused::usage("--port-base must leave room for four ports: at most 65532").into()
}

/// The URL of a listener.
pub(super) fn url(listener: &TcpListener) -> std::io::Result<String> {
    let address: SocketAddr = listener.local_addr()?;
    Ok(format!("http://{address}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named_with_a_way_out() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Ports::bind(port).await.err().unwrap().to_string();
        assert!(error.contains(&format!("port {port} for the API is in use")), "{error}");
        assert!(error.contains("--port-base 0"), "{error}");
        Ports::bind(0).await.unwrap();
        assert!(Ports::bind(65_535).await.is_err());
    }
}

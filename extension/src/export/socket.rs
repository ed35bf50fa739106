//! A server's address in, an open socket out: TCP, with TLS where the address says https. The roots of trust are
//! compiled in: a scan of the system's files costs tens of milliseconds at the start.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::Uri;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Who is connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Server {
    host: String,
    port: u16,
    secure: bool,
}

impl Server {
    /// None if the address names no host.
    pub(super) fn of(uri: &Uri) -> Option<Self> {
        let secure = uri.scheme_str() != Some("http");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        // An IPv6 address stands in brackets in an address, and without them in a connection.
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self { host, port, secure })
    }
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// The name cannot be found, or nobody takes the connection.
    #[error("cannot connect to {host}:{port}")]
    Connect {
        /// Its name.
        host: String,
        /// Its port.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
    /// No name that a certificate could have.
    #[error("{0} is no server's name")]
    Name(String),
    /// The handshake failed.
    #[error("no trust in {host}")]
    Tls {
        /// Its name.
        host: String,
        /// What the protocol says.
        source: io::Error,
    },
    /// TLS itself cannot be set up.
    #[error("no TLS")]
    Setup(#[from] rustls::Error),
}

/// Connects. Has no time limit of its own.
pub(super) async fn open(server: &Server) -> Result<Socket, SocketError> {
    connect(server, tls).await
}

async fn connect(
    server: &Server,
    tls: impl FnOnce() -> Result<Arc<ClientConfig>, rustls::Error>,
) -> Result<Socket, SocketError> {
    let Server { host, port, secure } = server;
    let connected = TcpStream::connect((host.as_str(), *port)).await;
    let stream =
        connected.map_err(|source| SocketError::Connect { host: host.clone(), port: *port, source })?;
    // Requests are written at once: waiting for more would only delay their end.
    let _ = stream.set_nodelay(true);
    if !secure {
        return Ok(Socket::Plain(stream));
    }
    let name = ServerName::try_from(host.clone()).map_err(|_| SocketError::Name(host.clone()))?;
    let shaken = TlsConnector::from(tls()?).connect(name, stream).await;
    let stream = shaken.map_err(|source| SocketError::Tls { host: host.clone(), source })?;
    Ok(Socket::Secure(Box::new(stream)))
}

/// One for the process: it remembers sessions, so that the connection after a freeze is a short handshake.
fn tls() -> Result<Arc<ClientConfig>, rustls::Error> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    let config = trusting(roots)?;
    Ok(CONFIG.get_or_init(|| config).clone())
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Either kind.
#[derive(Debug)]
pub(super) enum Socket {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secure(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

    fn server(text: &str) -> (String, u16, bool) {
        let server = Server::of(&text.parse().unwrap()).unwrap();
        (server.host, server.port, server.secure)
    }

    #[test]
    fn an_address_names_host_port_and_trust() {
        let amazon = "kinesis.eu-west-1.amazonaws.com";
        assert_eq!(server(&format!("https://{amazon}")), (amazon.to_owned(), 443, true));
        assert_eq!(server("http://127.0.0.1:4567/"), ("127.0.0.1".to_owned(), 4567, false));
        assert_eq!(server("http://[::1]/"), ("::1".to_owned(), 80, false));
        assert!(Server::of(&"/path".parse().unwrap()).is_none());
    }

    /// A server that answers one connection in TLS, under a certificate of its own making; its address and certificate.
    async fn secure_server() -> (Server, CertificateDer<'static>) {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = own.cert.der().clone();
        let key = PrivateKeyDer::try_from(own.key_pair.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (stream, _) = socket.accept().await.unwrap();
            if let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await {
                stream.write_all(b"hello").await.unwrap();
                stream.shutdown().await.unwrap();
            }
        });
        (Server { host: "localhost".to_owned(), port, secure: true }, certificate)
    }

    #[tokio::test]
    async fn a_server_that_a_root_vouches_for_is_spoken_to() {
        let (server, certificate) = secure_server().await;
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let mut socket = connect(&server, || trusting(roots)).await.unwrap();
        let mut heard = String::new();
        socket.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");
    }

    #[tokio::test]
    async fn a_server_that_no_root_vouches_for_is_not() {
        let (server, _) = secure_server().await;
        let refused = open(&server).await.map(drop).unwrap_err();
        let SocketError::Tls { source, .. } = refused else { panic!("{refused:?}") };
        let inner = source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let unknown = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert_eq!(inner, Some(&unknown));
    }
}

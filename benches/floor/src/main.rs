//! Registers, subscribes, drains. What any extension on this HTTP library costs before it does anything of use; run
//! beside ours by `bench_extension`. Keeps its one connection to the platform, as nothing is cheaper.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_api::extensions::{self, EventKind, NextEvent, RegisterRequest};
use lambda_api::telemetry::{self, Buffering, Category, Destination, SchemaVersion, Subscription};
use tokio::net::{TcpListener, TcpStream};

/// As ours subscribes: the comparison is about what happens after the delivery.
const BUFFERING: Buffering =
    Buffering { max_items: Some(10_000), max_bytes: Some(1_048_576), timeout_ms: Some(25) };

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(live())
}

async fn live() -> anyhow::Result<()> {
    let mut platform = Platform::connect().await?;
    platform.register().await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    platform.subscribe(port).await?;
    tokio::spawn(drain(listener));
    while !matches!(platform.next().await?, NextEvent::Shutdown { .. }) {}
    Ok(())
}

/// The Extensions and Telemetry APIs.
struct Platform {
    authority: String,
    identifier: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Platform {
    async fn connect() -> anyhow::Result<Self> {
        let authority = std::env::var(lambda_api::RUNTIME_API_VARIABLE).context("not inside a sandbox")?;
        let stream = TcpStream::connect(&authority).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { authority, identifier: String::new(), sender })
    }

    async fn register(&mut self) -> anyhow::Result<()> {
        let name = std::env::current_exe()?;
        let name = name.file_name().and_then(|name| name.to_str()).context("a program without a name")?;
        let body =
            serde_json::to_vec(&RegisterRequest { events: vec![EventKind::Invoke, EventKind::Shutdown] })?;
        let request = self.request(Method::POST, extensions::REGISTER_PATH);
        let request = request.header(extensions::NAME_HEADER, name).body(Full::from(body))?;
        let answer = self.call(request).await?;
        let identifier = answer.headers().get(extensions::IDENTIFIER_HEADER).context("no identifier")?;
        self.identifier = identifier.to_str()?.to_owned();
        Ok(())
    }

    async fn subscribe(&mut self, port: u16) -> anyhow::Result<()> {
        let body = serde_json::to_vec(&Subscription {
            schema_version: SchemaVersion::January2025,
            types: vec![Category::Platform, Category::Function, Category::Extension],
            buffering: Some(BUFFERING),
            destination: Destination::http(port),
        })?;
        let request = self.request(Method::PUT, telemetry::SUBSCRIBE_PATH).body(Full::from(body))?;
        self.call(request).await?;
        Ok(())
    }

    async fn next(&mut self) -> anyhow::Result<NextEvent> {
        let request = self.request(Method::GET, extensions::NEXT_PATH).body(Full::default())?;
        Ok(serde_json::from_slice(self.call(request).await?.body())?)
    }

    fn request(&self, method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, &self.authority)
            .header(extensions::IDENTIFIER_HEADER, &self.identifier)
    }

    async fn call(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Bytes>> {
        self.sender.ready().await?;
        let (parts, body) = self.sender.send_request(request).await?.into_parts();
        anyhow::ensure!(parts.status.is_success(), "the platform answered {}", parts.status);
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }
}

async fn drain(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(forget);
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Reads a delivery to its end, frame by frame: it is not even kept in memory.
async fn forget(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    Ok(Response::new(Full::default()))
}

//! A stand-in for the platform in the two figures that need the very instants of a process: from its start to its
//! first `/next`, and from SHUTDOWN to its exit. It registers, subscribes and delivers nothing. Everything else is
//! measured in the sandbox.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use lambda_api::extensions::{self, NextEvent, ShutdownReason};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

use crate::subject::Subject;

/// What takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between the first `/next` and SHUTDOWN: what the program still does after its start is not the exit's.
const SETTLE: Duration = Duration::from_millis(100);
/// AWS's whole shutdown phase.
const SHUTDOWN_BUDGET: Duration = Duration::from_secs(2);

/// One life of a program, without any work in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    /// From the call that starts the process to its first `/next`.
    pub(crate) start: Duration,
    /// From the answer SHUTDOWN to the end of the process.
    pub(crate) exit: Duration,
}

/// Runs the program once.
pub(crate) async fn live(subject: &Subject) -> anyhow::Result<Life> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (asked, mut asks) = mpsc::unbounded_channel();
    let (end, ended) = watch::channel(false);
    let platform = Arc::new(Platform { asked, ended });
    let serving = tokio::spawn(accept(listener, platform));
    let started = Instant::now();
    let mut child = spawn(subject, address)?;
    let first = tokio::time::timeout(PATIENCE, asks.recv()).await.context("it never asked for an event")?;
    let start = first.context("the platform has ended")?.duration_since(started);
    tokio::time::sleep(SETTLE).await;
    let told = Instant::now();
    end.send_replace(true);
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.context("it does not leave")??;
    let exit = told.elapsed();
    serving.abort();
    anyhow::ensure!(status.success(), "{} ended with {status}", subject.name());
    Ok(Life { start, exit })
}

fn spawn(subject: &Subject, address: SocketAddr) -> anyhow::Result<Child> {
    let program = Command::new(&subject.program)
        .env_clear()
        .envs(&subject.variables)
        .env(lambda_api::RUNTIME_API_VARIABLE, address.to_string())
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "bench")
        .env("AWS_SECRET_ACCESS_KEY", "bench")
        .env("AWS_LAMBDA_FUNCTION_NAME", "bench")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    program.with_context(|| format!("cannot start {}", subject.program.display()))
}

struct Platform {
    asked: mpsc::UnboundedSender<Instant>,
    ended: watch::Receiver<bool>,
}

async fn accept(listener: TcpListener, platform: Arc<Platform>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, platform.clone()));
    }
}

async fn serve(stream: TcpStream, platform: Arc<Platform>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| {
        let platform = platform.clone();
        async move { Ok::<_, Infallible>(answer(request, &platform).await) }
    });
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, platform: &Platform) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let _ = request.into_body().collect().await;
    let body = match path.as_str() {
        extensions::REGISTER_PATH => {
            r#"{"functionName":"bench","functionVersion":"$LATEST","handler":"app.handler"}"#.to_owned()
        }
        extensions::NEXT_PATH => {
            let _ = platform.asked.send(Instant::now());
            let _ = platform.ended.clone().wait_for(|ended| *ended).await;
            let deadline = SystemTime::now() + SHUTDOWN_BUDGET;
            let since = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let event = NextEvent::Shutdown {
                shutdown_reason: ShutdownReason::Spindown,
                deadline_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            };
            serde_json::to_string(&event).unwrap_or_default()
        }
        _ => "\"OK\"".to_owned(),
    };
    let mut response = Response::new(Full::from(body));
    let identifier = http::HeaderValue::from_static("5f4b7c1e-8d1a-4c52-9b7e-000000000001");
    response.headers_mut().insert(extensions::IDENTIFIER_HEADER, identifier);
    response
}

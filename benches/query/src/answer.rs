//! Our side of the pipe: a companion that reads questions from standard input and answers each as its API would. The
//! same protocol as `peer.py`: `{"orl": text}` in; the time until the answer's last byte, the most memory that was
//! resident meanwhile, and the answer out.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::store_at;

/// Answers until the questions end.
pub(crate) async fn serve(data: &Path) -> anyhow::Result<()> {
    let router = store_at::open(data).await?.router();
    let mut out = std::io::stdout();
    writeln!(out, "{}", json!({"ready": "Limelight"}))?;
    for question in std::io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&question?)?;
        let body = json!({"text": question["orl"]}).to_string();
        forget_peak()?;
        let began = Instant::now();
        let bytes = ask(&router, body).await?;
        let seconds = began.elapsed().as_secs_f64();
        let peak_kb = peak_kb()?;
        let answer: Value = serde_json::from_slice(&bytes)?;
        writeln!(out, "{}", json!({"seconds": seconds, "peak_kb": peak_kb, "answer": answer}))?;
        out.flush()?;
    }
    Ok(())
}

async fn ask(router: &Router, body: String) -> anyhow::Result<bytes::Bytes> {
    let request = Request::post("/v1/query").header("content-type", "application/json");
    let response = router.clone().oneshot(request.body(Body::from(body))?).await?;
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    anyhow::ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&bytes));
    Ok(bytes)
}

/// From now on the peak is that of what comes.
fn forget_peak() -> anyhow::Result<()> {
    std::fs::write("/proc/self/clear_refs", "5").context("the kernel does not forget a peak")
}

fn peak_kb() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.context("the kernel does not tell the peak")
}

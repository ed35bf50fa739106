//! What the Runtime API proxy costs an invocation: the same function with the wrapper and `LIMELIGHT_PAYLOADS=all`, and
//! without both, in turn; the other one is frozen meanwhile. The function tells when it had its event, by the clock
//! that the sandbox has, too.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::process::Child;
use crate::sample::Sample;
use crate::shipped::share;
use crate::stage::{Notes, Stage};
use crate::subject::Subject;
use figure::Figure;

/// Rounds of each.
const ROUNDS: usize = 8;
/// Invocations of a round.
const ROUND: usize = 250;
/// Before anything counts.
const WARM_UP: usize = 50;
/// An order with its items, as an HTTP API passes it on.
const BODY_BYTES: usize = 2_000;
/// The proxy's thread: its socket and its file are made with it.
const PROXY: &str = "proxy";

pub(crate) async fn measure(ours: &Subject, function: &Path, wrapper: &Path) -> anyhow::Result<Vec<Figure>> {
    let mut with = ours.with("LIMELIGHT_PAYLOADS", "all");
    let wrapper = wrapper.canonicalize().with_context(|| format!("{} is not there", wrapper.display()))?;
    with.wrapper = Some(wrapper);
    let with = with.with("LIMELIGHT_EXEC_WRAPPER_NEXT", "none");
    let mut off = begin(ours, function).await?;
    let child_off = off.child()?;
    let mut on = begin(&with, function).await?;
    let child_on = Child::running_beside(&ours.program, &[child_off])?;
    let threads = [child_off.threads_called(PROXY)?, child_on.threads_called(PROXY)?];
    anyhow::ensure!(threads[1] == 1, "no proxy runs");
    for _ in 0..ROUNDS {
        off.invoke_with(ROUND, event).await?;
        on.invoke_with(ROUND, event).await?;
    }
    let (off, on) = (off.end().await.1, on.end().await.1);
    let added = |of: fn(&Notes) -> &Sample| of(&on).median() - of(&off).median();
    Ok(vec![
        Figure::at_most(
            "payloads: an invocation takes longer by, median",
            added(|notes| &notes.took),
            "ms",
            1.0,
        ),
        Figure::told(
            "payloads: of that until the handler has its event",
            added(|notes| &notes.until_handler),
            "ms",
        ),
        Figure::told("payloads: of that from there to the end", added(|notes| &notes.since_handler), "ms"),
        Figure::told("payloads: an invocation without them, median", off.took.median(), "ms"),
        Figure::told(
            "payloads: p99 with less p99 without",
            on.took.percentile(99) - off.took.percentile(99),
            "ms",
        ),
        Figure::at_most("payloads off: threads of a proxy", share(threads[0], 1), "", 0.0),
    ])
}

async fn begin(subject: &Subject, function: &Path) -> anyhow::Result<Stage> {
    let mut stage = Stage::set(subject, function, 47).await?;
    stage.invoke_with(WARM_UP, event).await?;
    stage.listen(|notes| *notes = Notes::default());
    Ok(stage)
}

/// API Gateway, payload format 2.0.
fn event(_: &mut Stage) -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /orders", "rawPath": "/orders", "rawQueryString": "",
        "headers": { "host": "api.example", "content-type": "application/json", "user-agent": "shop/4.2 (ios)" },
        "requestContext": {
            "apiId": "a1", "domainName": "api.example", "stage": "$default",
            "http": { "method": "POST", "path": "/orders", "protocol": "HTTP/1.1", "userAgent": "shop/4.2 (ios)" },
        },
        "body": json!({ "order": "7f3a", "items": "x".repeat(BODY_BYTES) }).to_string(), "isBase64Encoded": false,
        "lines": [], "work_ms": 0, "stamp": true,
    })
}

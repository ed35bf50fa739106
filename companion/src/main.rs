//! The companion as a Lambda function: reads its settings, opens the store, answers events until Lambda ends it.

use std::time::SystemTime;

use anyhow::Context as _;
use companion::{Companion, Settings, lambda};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let filter = EnvFilter::try_from_env("LIMELIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Lambda's own JSON log format; without colours, which CloudWatch would show as noise.
    tracing_subscriber::fmt().json().with_ansi(false).with_env_filter(filter).init();
    let companion = open().await.inspect_err(|error| tracing::error!("{error:#}"))?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let companion = companion.clone();
        async move {
            let (payload, context) = event.into_parts();
            let remaining = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
            lambda::handle(&companion, payload, remaining).await.map_err(Error::from)
        }
    }))
    .await
}

async fn open() -> anyhow::Result<Companion> {
    let settings =
        Settings::from_env(|name| std::env::var(name).ok()).context("the settings cannot be used")?;
    Ok(Companion::open(settings).await?)
}

//! The extension in every way in which AWS makes an environment: provisioned, from a snapshot, on a managed instance.
//! Each line that was printed is found exactly once, and where keys are fetched, they are fetched again.

use std::collections::BTreeSet;
use std::time::Duration;

use sandbox::{FunctionConfig, Initialization, Invocation, Lambda};
use serde_json::json;

use crate::support::dev::Dev;
use crate::support::fault_proxy::FaultProxy;
use crate::support::fault_proxy::plan::Plan;
use crate::support::lines::{assert_exactly_once, lines};
use crate::support::programs::{extension, part, root};

/// Four invocations at once and four more one after the other, with three lines each.
const INVOCATIONS: usize = 8;
const LINES: usize = 3 * INVOCATIONS;

fn function(stream_endpoint: &str) -> FunctionConfig {
    let python = part("RUNTIME_PYTHON").join("bin/python");
    let command = [python.to_str().unwrap(), "-m", "awslambdaric", "app.handler"].map(str::to_owned).to_vec();
    let mut function = FunctionConfig::new("modes", command)
        .working_dir(root().join("tests/fixtures/functions"))
        .timeout(Duration::from_secs(20))
        .memory_mb(2_048)
        .concurrency_max(2)
        .env("LIMELIGHT_STREAM", "limelight")
        // Two environments on one machine share its loopback.
        .env("LIMELIGHT_PORT", "0")
        .env("AWS_ENDPOINT_URL_KINESIS", stream_endpoint)
        .extension(extension());
    // Keys are renewed several times while the test runs, where they are fetched.
    function.credentials_lifetime = Duration::from_millis(900);
    function
}

async fn invoke(lambda: &Lambda, lines: &[String]) {
    let payload = json!({ "lines": lines, "sleep_ms": 200 }).to_string();
    let outcome = lambda.invoke(Invocation::new("modes", payload)).await.unwrap();
    assert!(outcome.error.is_none(), "{outcome:?}");
}

/// Runs the function, and asks for its lines. Out come the session tokens that its requests were signed with (none is
/// one of them: keys that stand in variables have none here).
async fn every_line_is_found(run: &str, initialization: Initialization) -> BTreeSet<Option<String>> {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[], &[]);
    // Nothing goes wrong on this way: it tells who signed.
    let way = FaultProxy::start(dev.address("stream"), Plan::faultless()).await;
    let function = function(&way.url()).initialization(initialization);
    let lambda = Lambda::start(vec![function]).await.unwrap();
    let printed = lines(run, LINES);
    let bursts: Vec<Vec<String>> = printed.chunks(3).map(<[String]>::to_vec).collect();
    let (together, alone) = bursts.split_at(INVOCATIONS / 2);
    let running: Vec<_> = together
        .iter()
        .map(|burst| {
            let (lambda, burst) = (lambda.clone(), burst.clone());
            tokio::spawn(async move { invoke(&lambda, &burst).await })
        })
        .collect();
    for one in running {
        one.await.unwrap();
    }
    for burst in alone {
        tokio::time::sleep(Duration::from_secs(1)).await;
        invoke(&lambda, burst).await;
    }
    lambda.shutdown().await;

    let events = dev.events_with(&format!("<{run}:"), LINES).await;
    assert_exactly_once(run, LINES, &events);
    dev.stop();
    way.signed_with().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_provisioned_concurrency() {
    let provisioned = Initialization::ProvisionedConcurrency { environments: 1 };
    let tokens = every_line_is_found("pc01", provisioned).await;
    assert_eq!(tokens.len(), 1, "keys that stand in variables do not change: {tokens:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_snapshot_with_keys_that_expire() {
    let tokens = every_line_is_found("ss01", Initialization::SnapStart).await;
    // Each pause between two invocations is longer than any keys last.
    assert!(tokens.len() >= 4, "{tokens:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_managed_instance_with_invocations_at_once_and_keys_that_expire() {
    let managed = Initialization::ManagedInstances { environments: 1, concurrency: 4 };
    let tokens = every_line_is_found("mi01", managed).await;
    assert!(tokens.len() >= 4, "{tokens:?}");
}

//! Calls without a change of code: a function that knows nothing of telemetry runs under the layer's wrapper, which
//! chains to what OpenTelemetry's Lambda layers start; its calls to AWS, to an HTTP server and to a database become
//! spans in the invocation's trace, below its handler's.
//!
//! The layers themselves (ADOT's, OpenTelemetry's) are not in any registry: the packages that are in them are, pinned in
//! `parts/opentelemetry-layer-*`, and `fixtures/otel_layer_*` starts them as the layers' own scripts do.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::dev::{Dev, node, python};
use crate::support::parts::{Server, free_port, moto};
use crate::support::programs::{part, root};

/// A folder that looks as `/opt` does with the layer in it: the fixture's files, and the packages where it looks for them.
fn lay_out(opt: &Path, fixture: &str, packages: &Path, beside: &str) {
    for file in std::fs::read_dir(root().join("tests/fixtures").join(fixture)).unwrap() {
        let file = file.unwrap().path();
        symlink(&file, opt.join(file.file_name().unwrap())).unwrap();
    }
    let link = opt.join(beside);
    std::fs::create_dir_all(link.parent().unwrap()).unwrap();
    symlink(packages, link).unwrap();
}

/// The function behind our wrapper, which finds the other one in `opt`; `runtime` is what AWS's runtime would run.
/// The handler is what a wrapper has left in the environment, as there.
fn wrapped(mut function: Value, environment: &str, runtime: &str, other: &Path, shop: &Server) -> Value {
    let wrapper = root().join("layer/limelight-wrapper");
    function["command"] = json!([wrapper, "sh", "-c", format!("exec {runtime} \"$_HANDLER\"")]);
    function["handler"] = "calls.handler".into();
    // Importing all of the SDK takes a second, on a busy machine many.
    function["timeoutSeconds"] = json!(60);
    function["env"] = json!({
        // The sandbox does not know which runtime a command is.
        "AWS_EXECUTION_ENV": environment,
        "LIMELIGHT_EXEC_WRAPPER_NEXT": other, "SHOP_URL": shop.url(),
        // The functions of one machine share its loopback.
        "LIMELIGHT_OTLP_HTTP_PORT": free_port().to_string(), "LIMELIGHT_OTLP_GRPC_PORT": "0",
    });
    function
}

/// The events of kind `span` that this query finds, once there are so many.
async fn spans(dev: &Dev, condition: &str, count: usize) -> Vec<Value> {
    let text = format!("FROM otel WHERE $limelight.kind = span AND {condition} LIMIT 1000 LAST 1h");
    let events = |answer: &Value| answer["events"].as_array().cloned().unwrap_or_default();
    events(&dev.settled(&text, |answer| events(answer).len() >= count).await)
}

/// The one span with this name.
fn called<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let found: Vec<_> = spans.iter().filter(|span| span["$limelight"]["name"] == name).collect();
    assert_eq!(found.len(), 1, "{name} in {spans:#?}");
    found[0]
}

/// The handler's span is below the invocation's, and each call (its name, an attribute and its value) below the handler's.
async fn assert_calls_are_below_the_invocation(dev: &Dev, calls: &[(&str, &str, &str)]) {
    let exported = spans(dev, "telemetry.sdk.name = opentelemetry", calls.len() + 1).await;
    let ours = "faas.coldstart EXISTS AND telemetry.sdk.name != opentelemetry";
    let invocation = spans(dev, ours, 1).await.remove(0);
    let handler = called(&exported, "shop");
    assert_eq!(handler["$limelight"]["parentId"], invocation["$limelight"]["spanId"], "{exported:#?}");
    for (name, attribute, value) in calls {
        let call = called(&exported, name);
        assert_eq!(call[attribute], *value, "{call}");
        assert_eq!(call["$limelight"]["parentId"], handler["$limelight"]["spanId"], "{call}");
        for of_the_invocation in ["traceId", "requestId"] {
            assert_eq!(call["$limelight"][of_the_invocation], invocation["$limelight"][of_the_invocation]);
        }
    }
}

/// The fixture's Python function under the wrapper, with what OpenTelemetry's layer for it has in `opt`.
fn python_with_layer(opt: &Path, shop: &Server) -> Value {
    let packages = part("PARTS_OPENTELEMETRY_LAYER_PYTHON").join("lib");
    let version = std::fs::read_dir(packages).unwrap().next().unwrap().unwrap().path();
    lay_out(opt, "otel_layer_python", &version.join("site-packages"), "python");
    let runtime = format!("{} -m awslambdaric", part("RUNTIME_PYTHON").join("bin/python").display());
    wrapped(python("shop"), "AWS_Lambda_python3.11", &runtime, &opt.join("otel-instrument"), shop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_python_functions_calls_are_spans_in_its_invocations_trace() {
    let (data, opt, shop) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), moto());
    let function = python_with_layer(opt.path(), &shop);
    let dev = Dev::start(data.path(), &[function], &[]);
    let answer = dev.invoke("shop", &json!({ "bucket": "orders-of-today" })).await;
    assert_eq!(answer["status"], 200, "{answer}\n{}", dev.log());
    let calls = [
        ("S3.CreateBucket", "rpc.service", "S3"),
        ("GET", "http.method", "GET"),
        ("SELECT", "db.statement", "SELECT count(*) FROM orders"),
    ];
    assert_calls_are_below_the_invocation(&dev, &calls).await;
    dev.stop();
}

/// The wrapper has pointed the SDK at the extension. One that finds nobody there tries for seconds, at the end of each
/// invocation, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_can_be_shipped_the_sdk_is_heard_all_the_same() {
    let (data, opt, shop) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), moto());
    let mut function = python_with_layer(opt.path(), &shop);
    function["env"]["LIMELIGHT_STREAM"] = "".into();
    let dev = Dev::start(data.path(), &[function], &[]);
    let answer = dev.invoke("shop", &json!({ "bucket": "orders-of-tomorrow" })).await;
    assert_eq!(answer["status"], 200, "{answer}\n{}", dev.log());
    let log = dev.log();
    dev.stop();
    assert!(log.contains("LIMELIGHT_STREAM"), "the extension says why: {log}");
    assert!(!log.contains("exporting"), "the SDK has nothing to complain of: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_functions_calls_are_spans_in_its_invocations_trace() {
    let (data, opt, shop) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), moto());
    let packages = part("PARTS_OPENTELEMETRY_LAYER_NODE").join("node_modules");
    lay_out(opt.path(), "otel_layer_node", &packages, "nodejs/node_modules");
    let client = part("RUNTIME_NODE").join("node_modules/aws-lambda-ric/bin/index.mjs");
    let other = opt.path().join("otel-handler");
    let mut function =
        wrapped(node("shop"), "AWS_Lambda_nodejs20.x", &format!("node {}", client.display()), &other, &shop);
    // AWS's Node runtime finds a layer's packages and the AWS SDK by it.
    function["env"]["NODE_PATH"] = json!(packages);
    let dev = Dev::start(data.path(), &[function], &[]);
    let answer = dev.invoke("shop", &json!({})).await;
    assert_eq!(answer["status"], 200, "{answer}\n{}", dev.log());
    let calls =
        [("DynamoDB.ListTables", "db.system.name", "dynamodb"), ("GET", "http.request.method", "GET")];
    assert_calls_are_below_the_invocation(&dev, &calls).await;
    dev.stop();
}

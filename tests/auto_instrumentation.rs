//! Calls without a change of code: a function that knows nothing of telemetry runs under the layer's wrapper, which
//! chains to what OpenTelemetry's Lambda layers start; its calls to AWS, to an HTTP server and to a database become
//! spans in the invocation's trace, below its handler's.
//!
//! The layers themselves (ADOT's, OpenTelemetry's) are not in any registry: the packages that are in them are, pinned in
//! `parts/opentelemetry-layer-*`, and `fixtures/otel_layer_*` starts them as the layers' own scripts do.

use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::dev::{Dev, python};
use crate::support::parts::{Server, moto};
use crate::support::programs::{part, root};

/// A folder that looks as `/opt` does with the layer in it.
fn lay_out_python(opt: &Path) {
    let fixture = root().join("tests/fixtures/otel_layer_python");
    for file in ["otel-instrument", "otel_wrapper.py"] {
        symlink(fixture.join(file), opt.join(file)).unwrap();
    }
    let packages = part("PARTS_OPENTELEMETRY_LAYER_PYTHON").join("lib");
    let version = std::fs::read_dir(packages).unwrap().next().unwrap().unwrap().path();
    symlink(version.join("site-packages"), opt.join("python")).unwrap();
}

/// The function behind our wrapper, which finds the other one there.
fn wrapped(mut function: Value, opt: &Path, otel: &str, shop: &Server) -> Value {
    let python = part("RUNTIME_PYTHON").join("bin/python");
    // As AWS's runtimes do: the handler is what a wrapper has left in the environment.
    let runtime = format!("exec {} -m awslambdaric \"$_HANDLER\"", python.display());
    let wrapper = root().join("layer/limelight-wrapper");
    function["command"] = json!([wrapper, "sh", "-c", runtime]);
    function["handler"] = "calls.handler".into();
    // Importing all of the SDK takes a second, on a busy machine many.
    function["timeoutSeconds"] = json!(60);
    function["env"] = json!({
        // The sandbox does not know which runtime a command is.
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "LIMELIGHT_EXEC_WRAPPER_NEXT": opt.join(otel), "SHOP_URL": shop.url(),
        // The functions of one machine share its loopback.
        "LIMELIGHT_OTLP_HTTP_PORT": "14318", "LIMELIGHT_OTLP_GRPC_PORT": "0",
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

#[tokio::test(flavor = "multi_thread")]
async fn a_python_functions_calls_are_spans_in_its_invocations_trace() {
    let (data, opt, shop) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), moto());
    lay_out_python(opt.path());
    let function = wrapped(python("shop"), opt.path(), "otel-instrument", &shop);
    let dev = Dev::start(data.path(), &[function], &[]);
    let answer = dev.invoke("shop", &json!({ "bucket": "orders-of-today" })).await;
    assert_eq!(answer["status"], 200, "{answer}\n{}", dev.log());

    let exported = spans(&dev, "telemetry.sdk.name = opentelemetry", 5).await;
    let invocation = spans(&dev, "faas.coldstart EXISTS", 1).await.remove(0);
    let handler = called(&exported, "shop");
    assert_eq!(handler["$limelight"]["parentId"], invocation["$limelight"]["spanId"]);
    for (name, attribute, value) in [
        ("S3.CreateBucket", "rpc.service", "S3"),
        ("GET", "http.method", "GET"),
        ("SELECT", "db.statement", "SELECT count(*) FROM orders"),
    ] {
        let call = called(&exported, name);
        assert_eq!(call[attribute], value, "{call}");
        assert_eq!(call["$limelight"]["parentId"], handler["$limelight"]["spanId"], "{call}");
        for of_the_invocation in ["traceId", "requestId"] {
            assert_eq!(call["$limelight"][of_the_invocation], invocation["$limelight"][of_the_invocation]);
        }
    }
    dev.stop();
}

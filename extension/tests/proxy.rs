//! The built extension and the layer's wrapper around a small runtime: what passes through the proxy, what is kept of
//! it, and that the runtime runs without either.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in test functions; this is what test functions call"
)]

#[allow(dead_code, reason = "each test program uses its own part of the fakes")]
mod fakes;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fakes::extension::Extension;
use fakes::kinesis::Kinesis;
use fakes::platform::{Platform, runtime_done, start};
use model::{Event, Value};
use serde_json::json;

/// A request that came over an HTTP API, with a secret in its body.
fn http_event() -> serde_json::Value {
    json!({ "version": "2.0", "routeKey": "POST /orders", "rawPath": "/orders", "rawQueryString": "",
        "headers": { "host": "api.example" },
        "requestContext": { "apiId": "a1", "domainName": "api.example", "stage": "$default",
            "http": { "method": "POST", "path": "/orders", "protocol": "HTTP/1.1", "userAgent": "curl" } },
        "body": "{\"order\":7,\"password\":\"hunter2\"}", "isBase64Encoded": false })
}

/// Runs the runtime under the wrapper for so many invocations; what it printed.
async fn runtime(platform: &Platform, count: usize, settings: &[(&str, &str)]) -> serde_json::Value {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(here.join("../layer/limelight-wrapper"));
    command
        .arg("python3")
        .arg(here.join("tests/runtime/function.py"))
        .arg(count.to_string())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("AWS_LAMBDA_RUNTIME_API", &platform.authority)
        .env("LIMELIGHT_EXEC_WRAPPER_NEXT", "none")
        .envs(settings.iter().copied())
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn of_type<'a>(events: &'a [Event], kind: &str) -> Vec<&'a Event> {
    events.iter().filter(|event| event.attributes.get("@type") == Some(&Value::from(kind))).collect()
}

#[tokio::test]
async fn event_and_response_are_searchable_scrubbed_and_in_their_trace_and_the_span_knows_its_trigger() {
    let (platform, kinesis) = (Platform::start().await, Kinesis::start().await);
    let payloads = [("LIMELIGHT_PAYLOADS", "all")];
    let mut extension = Extension::start(&platform, &kinesis.url(), &payloads);
    platform.ready().await;
    platform.invoke("one").await;
    platform.event("one", &http_event());
    let said = runtime(&platform, 1, &payloads).await;
    assert_ne!(said["api"].as_str(), Some(platform.authority.as_str()), "it went through the proxy");
    platform.deliver(&[start("one"), runtime_done("one")]).await;
    platform.ready().await;
    platform.shutdown("spindown").await;
    assert_eq!(extension.ended_well().await, "");

    let answered = platform.responses();
    assert_eq!(answered[0].0, "one");
    assert!(answered[0].1.contains("hunter2"), "the function's own bytes pass as they are");
    let events = kinesis.events();
    let span = kinesis.event("checkout");
    assert_eq!(span.attributes["faas.trigger"], "http".into());
    assert_eq!(span.attributes["http.response.status_code"], Value::Int(201));
    let [event] = of_type(&events, "EVENT")[..] else { panic!("{events:#?}") };
    let [response] = of_type(&events, "RESPONSE")[..] else { panic!("{events:#?}") };
    for record in [event, response] {
        assert_eq!((record.trace_id, record.request_id.as_deref()), (span.trace_id, Some("one")));
        assert!(!format!("{record:?}").contains("hunter2"), "{record:#?}");
    }
    let body = event.attributes["event"].as_object().unwrap()["body"].as_object().unwrap();
    assert_eq!(body["order"], Value::Int(7));
}

#[tokio::test]
async fn without_the_setting_or_the_extension_the_runtime_speaks_to_the_platform() {
    let platform = Platform::start().await;
    for settings in [&[][..], &[("LIMELIGHT_PAYLOADS", "all")]] {
        platform.event("one", &json!({}));
        let said = runtime(&platform, 1, settings).await;
        assert_eq!(said["api"].as_str(), Some(platform.authority.as_str()));
    }
}

#[tokio::test]
async fn hundreds_of_answers_pass_and_what_the_proxy_costs_is_told() {
    let platform = Platform::start().await;
    let kinesis = Kinesis::start().await;
    let payloads = [("LIMELIGHT_PAYLOADS", "all")];
    let _extension = Extension::start(&platform, &kinesis.url(), &payloads);
    platform.ready().await;
    let mut medians = Vec::new();
    for settings in [&[][..], &payloads] {
        for number in 0..200 {
            platform.event(&number.to_string(), &http_event());
        }
        let said = runtime(&platform, 200, settings).await;
        let mut took: Vec<f64> =
            said["took_ms"].as_array().unwrap().iter().map(|ms| ms.as_f64().unwrap()).collect();
        assert_eq!(took.len(), 200, "each invocation is answered");
        took.sort_by(f64::total_cmp);
        medians.push(took[took.len() / 2]);
    }
    println!(
        "response to accepted, median of 200: {:.3} ms direct, {:.3} ms through the proxy",
        medians[0], medians[1]
    );
    assert_eq!(platform.responses().len(), 400);
}

#[tokio::test]
async fn a_panic_about_a_copy_costs_the_copy_alone() {
    let (platform, kinesis) = (Platform::start().await, Kinesis::start().await);
    let settings = [("LIMELIGHT_PAYLOADS", "all"), ("LIMELIGHT_FAULT_AT", "copy:1-2")];
    let mut extension = Extension::start(&platform, &kinesis.url(), &settings);
    platform.ready().await;
    for id in ["one", "two"] {
        platform.event(id, &http_event());
    }
    runtime(&platform, 2, &settings).await;
    for id in ["one", "two"] {
        platform.invoke(id).await;
        platform.deliver(&[start(id), runtime_done(id)]).await;
        platform.ready().await;
    }
    platform.shutdown("spindown").await;
    let said = extension.ended_well().await;
    assert_eq!(said.matches("a fault of the extension itself: ").count(), 2, "{said}");
    assert_eq!(platform.responses().len(), 2, "the function has been heard");
    let events = kinesis.events();
    for kind in ["EVENT", "RESPONSE"] {
        let [kept] = of_type(&events, kind)[..] else { panic!("{events:#?}") };
        assert_eq!(kept.request_id.as_deref(), Some("two"));
    }
    assert_eq!(kinesis.last_account().counts["panics"], 2);
}

#[tokio::test]
async fn the_wrapper_points_exporters_at_the_extension_unless_they_are_pointed() {
    let platform = Platform::start().await;
    let environment =
        async |settings: &[(&str, &str)]| runtime(&platform, 0, settings).await["environment"].clone();
    let ours = environment(&[("LIMELIGHT_SERVICE", "orders")]).await;
    assert_eq!(ours["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:4318");
    assert_eq!(
        (&ours["OTEL_EXPORTER_OTLP_PROTOCOL"], &ours["OTEL_SERVICE_NAME"]),
        (&json!("http/protobuf"), &json!("orders"))
    );
    let grpc = environment(&[("LIMELIGHT_OTLP_HTTP_PORT", "0"), ("LIMELIGHT_OTLP_GRPC_PORT", "5317")]).await;
    assert_eq!(grpc["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:5317");
    assert_eq!(grpc["OTEL_EXPORTER_OTLP_PROTOCOL"], "grpc");
    for refused in ["80", "70000", "4318x", "-1"] {
        let default = environment(&[("LIMELIGHT_OTLP_HTTP_PORT", refused)]).await;
        assert_eq!(default["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:4318", "{refused}");
    }
    let wish = |word| ("OTEL_EXPORTER_OTLP_PROTOCOL", word);
    for (settings, endpoint, protocol) in [
        (&[wish("grpc")][..], "http://127.0.0.1:4317", "grpc"),
        (&[wish("grpc"), ("LIMELIGHT_OTLP_GRPC_PORT", "0")], "http://127.0.0.1:4318", "http/protobuf"),
        (&[wish("http/json")], "http://127.0.0.1:4318", "http/json"),
        (&[wish("http/json"), ("LIMELIGHT_OTLP_HTTP_PORT", "0")], "http://127.0.0.1:4317", "grpc"),
    ] {
        let said = environment(settings).await;
        assert_eq!(said["OTEL_EXPORTER_OTLP_ENDPOINT"], endpoint, "{settings:?}");
        assert_eq!(said["OTEL_EXPORTER_OTLP_PROTOCOL"], protocol, "{settings:?}");
    }
    let vendor = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://vendor.example");
    let secret = ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=k");
    let theirs = environment(&[vendor, secret]).await;
    assert_eq!(theirs["OTEL_EXPORTER_OTLP_ENDPOINT"], vendor.1);
    let copied =
        environment(&[vendor, secret, ("LIMELIGHT_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")]).await;
    assert_eq!(copied["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:4318");
    assert!(copied.get("OTEL_EXPORTER_OTLP_HEADERS").is_none(), "the vendor's key is not for us");
    for yes in ["true", "YES", "1 ", "On"] {
        assert_eq!(environment(&[("LIMELIGHT_DISABLED", yes)]).await, json!({}), "{yes}");
    }
    for no in ["No", "off", "maybe", ""] {
        assert_ne!(environment(&[("LIMELIGHT_DISABLED", no)]).await, json!({}), "{no}");
    }
}

#[tokio::test]
async fn the_wrapper_chains_to_another_and_survives_one_that_is_not_there() {
    let platform = Platform::start().await;
    let folder = tempfile::tempdir().unwrap();
    let next = executable(folder.path(), "next", "#!/bin/sh\nNEXT_RAN=yes exec \"$@\"\n");
    let said = runtime(&platform, 0, &[("LIMELIGHT_EXEC_WRAPPER_NEXT", next.to_str().unwrap())]).await;
    assert_eq!(said["environment"]["NEXT_RAN"], "yes");
    assert_eq!(said["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://127.0.0.1:4318");
    let said = runtime(&platform, 0, &[("LIMELIGHT_EXEC_WRAPPER_NEXT", "/no/such/wrapper")]).await;
    assert_eq!(said["environment"].get("NEXT_RAN"), None);
}

#[test]
fn the_wrapper_is_plain_shell() {
    let wrapper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../layer/limelight-wrapper");
    assert!(Command::new("sh").arg("-n").arg(&wrapper).status().unwrap().success());
    // Where shellcheck is installed it has the last word.
    if let Ok(output) = Command::new("shellcheck").arg(&wrapper).output() {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

fn executable(folder: &Path, name: &str, text: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

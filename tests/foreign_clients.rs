//! AWS's own clients, which we did not write, invoke through our Invoke API.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::dev::{Dev, python};
use crate::support::programs::{part, root};

#[tokio::test(flavor = "multi_thread")]
async fn boto3_invokes_and_reads_errors_and_log_tails() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[python("snake")], &[]);
    let answer = json_of(
        Command::new(part("PARTS_PYTHON").join("bin/python"))
            .arg(root().join("tests/fixtures/invoke_with_boto3.py"))
            .args([dev.address("invoke"), "snake"]),
    );
    assert!(answer["good"]["pid"].is_u64(), "{answer}");
    assert_eq!(answer["version"], "$LATEST");
    assert!(answer["log"].as_str().unwrap().contains("from boto3"), "{answer}");
    assert!(answer["log"].as_str().unwrap().contains("REPORT RequestId"), "{answer}");
    assert_eq!(answer["error"], "Unhandled");
    assert_eq!(answer["bad"]["errorType"], "ValueError", "{answer}");
    assert_eq!((&answer["later"], &answer["dry"]), (&202.into(), &204.into()));
    assert!(answer["missing"].as_str().unwrap().contains("nobody"), "{answer}");
    dev.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_aws_command_invokes() {
    let data = tempfile::tempdir().unwrap();
    let dev = Dev::start(data.path(), &[python("snake")], &[]);
    let out = data.path().join("out.json");
    let answer = aws_invoke(dev.address("invoke"), &out);
    assert_eq!(answer["StatusCode"], 200, "{answer}");
    let payload: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    assert!(payload["pid"].is_u64(), "{payload}");
    dev.stop();
}

fn aws_invoke(endpoint: &str, out: &Path) -> Value {
    json_of(
        Command::new(part("PARTS_AWS").join("bin/aws"))
            .args(["lambda", "invoke", "--function-name", "snake", "--payload", r#"{"lines":["hello"]}"#])
            .args(["--endpoint-url", endpoint, "--region", "us-east-1", "--output", "json"])
            .arg(out)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_PAGER", ""),
    )
}

fn json_of(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

//! An extension that stands on AWS's public crate runs in our sandbox and is told what AWS would tell it.

use std::time::Duration;

use sandbox::{FunctionConfig, Invocation, Lambda};

use crate::support::programs::{part, program, root};

#[tokio::test(flavor = "multi_thread")]
async fn it_hears_every_invocation_line_and_the_shutdown() {
    let folder = tempfile::tempdir().unwrap();
    let heard = folder.path().join("heard");
    let python = part("RUNTIME_PYTHON").join("bin/python");
    let command = [python.to_str().unwrap(), "-m", "awslambdaric", "app.handler"].map(str::to_owned).to_vec();
    let function = FunctionConfig::new("watched", command)
        .working_dir(root().join("tests/fixtures/functions"))
        .timeout(Duration::from_secs(10))
        .memory_mb(512)
        .env("FOREIGN_OUT", heard.to_str().unwrap())
        .extension(program("examples/foreign_extension"))
        // A second environment would start its own extension, and the two would share port and file.
        .concurrency_max(1);
    let lambda = Lambda::start(vec![function]).await.unwrap();
    let mut requests = Vec::new();
    for number in 0..3 {
        let payload = format!(r#"{{"lines":["line {number}"]}}"#);
        let outcome = lambda.invoke(Invocation::new("watched", payload)).await.unwrap();
        assert!(outcome.error.is_none(), "{outcome:?}");
        requests.push(outcome.request_id);
    }
    lambda.shutdown().await;

    let heard = std::fs::read_to_string(heard).unwrap();
    for (number, request) in requests.iter().enumerate() {
        for expected in [
            format!("INVOKE {request}"),
            format!("start {request}"),
            format!("function line {number}"),
            format!("runtimeDone {request} Success"),
            format!("report {request}"),
        ] {
            let times = heard.lines().filter(|line| **line == expected).count();
            assert_eq!(times, 1, "{expected:?} was heard {times} times in:\n{heard}");
        }
    }
    assert!(heard.lines().any(|line| line == "SHUTDOWN SPINDOWN"), "{heard}");
}

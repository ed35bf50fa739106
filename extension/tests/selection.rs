//! What of the telemetry leaves the sandbox, and what the account says of the rest.

use model::Kind;

use crate::Stage;
use crate::fakes::kinesis::Kinesis;
use crate::fakes::platform::{Platform, line, report, runtime_done, start};

/// A cold invocation, a healthy one, one that logs an error, each with its report; then SHUTDOWN.
async fn run(settings: &[(&str, &str)]) -> (Kinesis, String) {
    let mut stage = Stage::set(Platform::start().await, settings).await;
    stage.invocation("cold", "hello from the first").await;
    stage.platform.deliver(&[report("cold")]).await;
    stage.invocation("healthy", "login with password=hunter2").await;
    stage.platform.deliver(&[report("healthy")]).await;
    stage.platform.invoke("failed").await;
    let mut error = line("failed", "refused postgres://app:hunter2@db/orders");
    error["record"]["level"] = "ERROR".into();
    error["record"]["headers"] = serde_json::json!({ "Authorization": "Bearer hunter2", "accept": "*/*" });
    let records = [start("failed"), error, line("failed", "cleaning up"), runtime_done("failed")];
    stage.platform.deliver(&records).await;
    stage.platform.ready().await;
    stage.shutdown().await
}

fn events_of(kinesis: &Kinesis, request_id: &str) -> usize {
    let events = kinesis.events().into_iter().filter(|event| event.kind != Kind::Metric);
    events.filter(|event| event.request_id.as_deref() == Some(request_id)).count()
}

fn metrics(kinesis: &Kinesis) -> Vec<String> {
    let events = kinesis.events().into_iter().filter(|event| event.kind == Kind::Metric);
    events.filter_map(|event| event.name).collect()
}

#[tokio::test]
async fn secrets_never_leave_and_are_counted_by_reason() {
    let (kinesis, said) = run(&[]).await;
    assert_eq!(said, "");
    let events = kinesis.events();
    assert!(!format!("{events:?}").contains("hunter2"), "{events:#?}");
    assert!(kinesis.messages().contains(&"login with password=[scrubbed]".to_owned()));
    assert!(kinesis.messages().contains(&"refused postgres://app:[scrubbed]@db/orders".to_owned()));
    let account = kinesis.last_account();
    for (reason, least) in [("key", 1), ("assignment", 1), ("url_password", 1)] {
        assert!(account.scrubbed_by[reason] >= least, "{account:?}");
    }
    assert_eq!(account.scrubbed, account.scrubbed_by.values().sum::<u64>());
}

#[tokio::test]
async fn of_healthy_invocations_the_chosen_ones_are_kept_and_the_rest_is_counted() {
    let all = run(&[]).await.0;
    let (kinesis, _) = run(&[("LIMELIGHT_SAMPLE_RATE", "0")]).await;
    assert_eq!(events_of(&kinesis, "healthy"), 0);
    for kept in ["cold", "failed"] {
        assert_eq!(events_of(&kinesis, kept), events_of(&all, kept), "{kept}");
    }
    let account = kinesis.last_account();
    let left_out = u64::try_from(events_of(&all, "healthy")).unwrap();
    assert_eq!(account.shed["sampled"], left_out);
    assert_eq!(account.received, account.shipped + account.shed["sampled"]);
    assert_eq!(metrics(&kinesis).iter().filter(|name| *name == "faas.invoke_duration").count(), 3);
}

#[tokio::test]
async fn lines_below_the_level_are_left_out_and_counted() {
    let (kinesis, _) = run(&[("LIMELIGHT_LOG_LEVEL", "error")]).await;
    assert_eq!(kinesis.messages(), ["refused postgres://app:[scrubbed]@db/orders"]);
    assert_eq!(kinesis.last_account().shed["level"], 3);
}

#[tokio::test]
async fn enhanced_metrics_come_unless_somebody_says_no() {
    let on = metrics(&run(&[]).await.0);
    for name in
        ["faas.invoke_duration", "faas.coldstarts", "faas.mem_usage", "faas.cpu_usage", "aws.lambda.threads"]
    {
        assert!(on.iter().any(|metric| metric == name), "{name} is not in {on:?}");
    }
    let off = metrics(&run(&[("LIMELIGHT_METRICS", "off")]).await.0);
    assert_eq!(off, [""; 0]);
}

//! What the platform offers, refuses and delivers.

use std::time::Duration;

use serde_json::json;

use crate::Stage;
use crate::fakes::platform::{Platform, line, report, runtime_done, start};

#[tokio::test]
async fn the_newest_schema_is_asked_for_first_and_older_ones_on_400() {
    let platform = Platform::start().await;
    platform.refuse_subscriptions(&[400, 400]);
    let mut stage = Stage::set(platform, &[]).await;
    stage.invocation("one", "hello").await;
    assert_eq!(stage.platform.schemas_asked(), ["2025-01-29", "2022-12-13", "2022-07-01"]);
    assert_eq!(stage.kinesis.messages(), ["hello"]);
    stage.shutdown().await;
}

/// The port of the settings, so that a restarted extension gets what the platform still has for it; another one where a
/// neighbour was there first.
#[tokio::test]
async fn it_listens_where_it_is_told_and_where_that_is_taken_somewhere_else() {
    for is_taken in [false, true] {
        let neighbour = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = neighbour.local_addr().unwrap().port();
        let neighbour = is_taken.then_some(neighbour);
        let told = port.to_string();
        let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_PORT", &told)]).await;
        assert_eq!(stage.platform.port_asked() == port, !is_taken);
        stage.invocation("one", "hello").await;
        let (kinesis, said) = stage.shutdown().await;
        assert_eq!((kinesis.messages(), said.as_str()), (vec!["hello".to_owned()], ""));
        drop(neighbour);
    }
}

#[tokio::test]
async fn without_a_telemetry_api_it_says_so_and_answers_next() {
    let platform = Platform::start().await;
    platform.refuse_subscriptions(&[202]);
    let stage = Stage::set(platform, &[]).await;
    stage.platform.invoke("one").await;
    stage.platform.ready().await;
    let (_, said) = stage.shutdown().await;
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("no Telemetry API"), "{said}");
}

#[tokio::test]
async fn where_invoke_is_refused_shutdown_alone_is_registered() {
    let platform = Platform::start().await;
    platform.refuse_invoke();
    let stage = Stage::set(platform, &[]).await;
    stage.platform.deliver(&[line("one", "on a managed instance"), report("one")]).await;
    assert_eq!(stage.platform.registrations(), [json!(["INVOKE", "SHUTDOWN"]), json!(["SHUTDOWN"])]);
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["on a managed instance"]);
}

#[tokio::test]
async fn a_managed_instance_flushes_by_time_alone() {
    let platform = Platform::start().await;
    platform.refuse_invoke();
    let managed =
        [("LIMELIGHT_FRESHNESS_MS", "200"), ("AWS_LAMBDA_INITIALIZATION_TYPE", "lambda-managed-instances")];
    let stage = Stage::set(platform, &managed).await;
    assert_eq!(stage.platform.registrations(), [json!(["SHUTDOWN"])], "what is refused is not asked for");
    stage.platform.deliver(&[start("one"), line("one", "nobody ends this"), report("one")]).await;
    stage.until_taken("nobody ends this").await;
    stage.shutdown().await;
}

#[tokio::test]
async fn a_redelivered_post_is_acknowledged_and_dropped() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    stage.platform.invoke("one").await;
    let line = line("one", "once");
    for _ in 0..3 {
        assert_eq!(stage.platform.deliver(std::slice::from_ref(&line)).await, 200);
    }
    stage.platform.deliver(&[runtime_done("one")]).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["once"]);
}

#[tokio::test]
async fn what_cannot_be_read_costs_itself_and_is_in_the_account() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    stage.platform.invoke("one").await;
    let good = line("one", "good").to_string();
    let cut = &good[..good.len() - 3];
    stage.platform.deliver_bytes(format!("[{good},{{\"type\":}},{cut}").into_bytes()).await;
    stage.platform.deliver_bytes(b"no array".to_vec()).await;
    stage.platform.deliver(&[runtime_done("one")]).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["good"]);
    let lost = kinesis.last_account().lost;
    assert_eq!((lost.get("unreadable"), lost.get("unreadable_body")), (Some(&2), Some(&1)), "{lost:?}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_a_large_one_is_taken() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    stage.platform.invoke("one").await;
    let large = line("one", &"x".repeat(3_500_000));
    assert_eq!(stage.platform.deliver(&[large]).await, 200);
    assert_eq!(stage.platform.deliver_bytes(vec![b' '; 5_000_000]).await, 413);
    stage.platform.deliver(&[runtime_done("one")]).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages().iter().map(String::len).collect::<Vec<_>>(), [3_500_000]);
}

/// Whoever gives up here ends, and the function's initialisation with it.
#[tokio::test]
async fn a_platform_that_registers_slowly_is_waited_for() {
    let platform = Platform::start().await;
    platform.register_after(Duration::from_millis(2_500));
    let mut stage = Stage::set(platform, &[]).await;
    stage.invocation("one", "hello").await;
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!((kinesis.messages(), said.as_str()), (vec!["hello".to_owned()], ""));
}

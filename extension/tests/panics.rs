//! A panic of the extension itself, wherever it is: the function does not feel it, it is said and counted, and what
//! comes after it is shipped. `extension/src/fault.rs` makes it; builds that ship cannot. The other places are in
//! `mirror.rs`, `otlp.rs` and `proxy.rs`.

use std::time::{Duration, Instant};

use crate::Stage;
use crate::fakes::kinesis::Kinesis;
use crate::fakes::platform::{Platform, line, runtime_done, start};

/// Far below the flush budget of these tests: nobody is held for what a panic has made away with.
const HELD_MAX: Duration = Duration::from_secs(3);

/// Invocations with faults at this place; what the stream has, and what the extension said.
async fn invocations(count: u32, fault: &str) -> (Kinesis, String) {
    let settings = [("LIMELIGHT_FAULT_AT", fault), ("LIMELIGHT_FLUSH", "end")];
    let stage = Stage::set(Platform::start().await, &settings).await;
    for number in 0..count {
        let id = number.to_string();
        stage.platform.invoke(&id).await;
        // Also once nobody collects any more: what is refused comes again, and waits in the function's memory.
        let records = [start(&id), line(&id, &format!("line {id}")), runtime_done(&id)];
        assert_eq!(stage.platform.deliver(&records).await, 200, "{fault}: invocation {id}");
        let done = Instant::now();
        stage.platform.ready().await;
        assert!(done.elapsed() < HELD_MAX, "{fault}: invocation {id} was held for {:?}", done.elapsed());
    }
    stage.shutdown().await
}

fn faults_in(said: &str) -> usize {
    said.matches("a fault of the extension itself: ").count()
}

#[tokio::test]
async fn one_panic_costs_what_it_interrupted_and_is_counted() {
    for (fault, lost) in
        [("collector:2", 1), ("intake:3", 1), ("seal:2", 1), ("exporter:2", 1), ("request:2", 0)]
    {
        let (kinesis, said) = invocations(5, fault).await;
        assert_eq!(faults_in(&said), 1, "{fault}: {said}");
        let messages = kinesis.messages();
        for text in ["line 3", "line 4"] {
            assert!(messages.iter().any(|message| message == text), "{fault}: {text} is not in {messages:?}");
        }
        let account = kinesis.last_account();
        assert_eq!(account.counts["panics"], 1, "{fault}: {account:?}");
        assert_eq!(account.closed, "spindown", "{fault}");
        let lost_to_it = account.lost.get("panic").copied().unwrap_or_default();
        assert!(lost_to_it >= lost && (lost > 0 || lost_to_it == 0), "{fault}: {account:?}");
        assert_eq!(account.received, account.shipped + lost_to_it, "{fault}: {account:?}");
    }
}

#[tokio::test]
async fn a_task_that_always_panics_gives_up_and_every_next_is_answered() {
    for fault in ["collector:1-999", "seal:1-999", "exporter:1-999", "request:1-999", "intake:1-999"] {
        let (_, said) = invocations(12, fault).await;
        assert!(faults_in(&said) >= 1, "{fault}: {said}");
    }
}

#[tokio::test]
async fn what_comes_after_too_many_faults_is_counted() {
    let (kinesis, said) = invocations(12, "collector:1-999").await;
    assert_eq!(said.matches("going on without telemetry").count(), 1, "{said}");
    let account = kinesis.last_account();
    assert_eq!((account.closed.as_str(), account.lost["panic"]), ("spindown", 12), "{account:?}");
}

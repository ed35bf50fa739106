//! The built binary between two fakes: of the platform's APIs and of the Kinesis API. What the real ones do is tested
//! end to end in the workspace's `tests/`; here is what they do only rarely.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "clippy.toml allows them in test functions; this is what test functions call"
)]

#[allow(dead_code, reason = "each test program uses its own part of the fakes")]
mod fakes;
mod selection;
mod cut_posts;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fakes::extension::Extension;
use fakes::kinesis::{Answer, Kinesis};
use fakes::platform::{Platform, line, line_at, report, restored, runtime_done, start};

/// Both fakes and the extension, registered and waiting for its first event.
struct Stage {
    platform: Platform,
    kinesis: Kinesis,
    extension: Extension,
}

impl Stage {
    async fn set(platform: Platform, settings: &[(&str, &str)]) -> Self {
        Self::set_with(platform, Kinesis::start().await, settings).await
    }

    async fn set_with(platform: Platform, kinesis: Kinesis, settings: &[(&str, &str)]) -> Self {
        let extension = Extension::start(&platform, &kinesis.url(), settings);
        platform.ready().await;
        Self { platform, kinesis, extension }
    }

    /// One invocation that prints `text`; returns how long the sandbox was held after `runtimeDone`.
    async fn invocation(&mut self, id: &str, text: &str) -> Duration {
        self.platform.invoke(id).await;
        let status = self.platform.deliver(&[start(id), line(id, text), runtime_done(id)]).await;
        assert_eq!(status, 200);
        let done = Instant::now();
        self.platform.ready().await;
        done.elapsed()
    }

    /// Waits until the stream has a line with this message.
    async fn until_taken(&self, message: &str) {
        let asked = Instant::now();
        while !self.kinesis.messages().iter().any(|taken| taken == message) {
            assert!(asked.elapsed() < Duration::from_secs(10), "{message:?} never came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn shutdown(mut self) -> (Kinesis, String) {
        self.platform.shutdown("spindown").await;
        let said = self.extension.ended_well().await;
        (self.kinesis, said)
    }
}

#[tokio::test]
async fn what_an_invocation_printed_is_on_the_stream_before_the_next_one() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.invocation("one", "hello from the function").await;
    assert_eq!(stage.kinesis.messages(), ["hello from the function"]);
    let (_, said) = stage.shutdown().await;
    assert_eq!(said, "", "a good run is silent");
}

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
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["on a managed instance"]);
}

#[tokio::test]
async fn exactly_the_failed_entries_are_repeated_with_their_bytes_and_keys() {
    // Small records, so that one flush is several entries.
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_RECORD_KIB", "64")]).await;
    stage.kinesis.answer_next(&[Answer::FailEntries(&[1]), Answer::FailEntries(&[0])]);
    stage.platform.invoke("one").await;
    let texts: Vec<String> = (0..6).map(|seed| fakes::noise(60_000, seed)).collect();
    let mut records = vec![start("one")];
    records.extend(texts.iter().map(|text| line("one", text)));
    records.push(runtime_done("one"));
    stage.platform.deliver(&records).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    let requests = kinesis.requests();
    assert!(requests[0].len() > 1, "{} entries", requests[0].len());
    assert_eq!(requests[1][0], requests[0][1], "the failed entry, byte for byte");
    assert_eq!(requests[2][0], requests[0][1], "and once more");
    let mut messages = kinesis.messages();
    messages.sort();
    let mut expected = texts;
    expected.sort();
    assert_eq!(messages, expected, "each line once");
}

#[tokio::test]
async fn a_stream_that_is_down_fails_no_function_and_loses_nothing() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "300")]).await;
    stage.kinesis.answer_next(&[Answer::Status(500); 4]);
    for number in 0..5 {
        let held = stage.invocation(&number.to_string(), &format!("line {number}")).await;
        assert!(held < Duration::from_secs(2), "invocation {number} was held for {held:?}");
    }
    let (kinesis, said) = stage.shutdown().await;
    let mut messages = kinesis.messages();
    messages.sort();
    assert_eq!(messages, ["line 0", "line 1", "line 2", "line 3", "line 4"]);
    assert_eq!(said.matches("cannot send").count(), 1, "{said}");
}

#[tokio::test]
async fn a_stream_that_never_answers_holds_nobody_over_its_budget() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "100")]).await;
    stage.kinesis.answer_next(&[Answer::Hang]);
    let held = stage.invocation("one", "into the void").await;
    assert!(held < Duration::from_millis(1_000), "{held:?}");
    // The end takes the hanging request for dead and sends the same bytes again.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (kinesis, _) = stage.shutdown().await;
    let requests = kinesis.requests();
    assert_eq!(requests[0][0], requests[1][0]);
}

#[tokio::test]
async fn a_request_that_a_freeze_cut_is_repeated_at_the_next_invocation() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "100")]).await;
    stage.kinesis.answer_next(&[Answer::Hang]);
    stage.invocation("one", "before the freeze").await;
    stage.extension.freeze();
    tokio::time::sleep(Duration::from_millis(600)).await;
    stage.extension.thaw();
    stage.platform.invoke("two").await;
    let thawed = Instant::now();
    while stage.kinesis.messages().is_empty() {
        assert!(thawed.elapsed() < Duration::from_secs(2), "the data waits for the request's time limit");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.platform.deliver(&[runtime_done("two")]).await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["before the freeze"]);
}

#[tokio::test]
async fn a_missing_stream_is_one_line_and_every_next_is_answered() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.kinesis.answer_next(&[Answer::Missing; 100]);
    for number in 0..3 {
        stage.invocation(&number.to_string(), "unheard").await;
    }
    let (_, said) = stage.shutdown().await;
    assert_eq!(said.matches("ResourceNotFoundException").count(), 1, "{said}");
    assert!(said.contains("not acknowledged"), "{said}");
}

#[tokio::test]
async fn a_lost_runtime_done_holds_the_sandbox_to_its_deadline_and_no_longer() {
    let stage = Stage::set(Platform::start().await, &[]).await;
    stage.platform.invoke_with_timeout("one", Duration::from_millis(700)).await;
    let invoked = Instant::now();
    stage.platform.deliver(&[start("one"), line("one", "the last anybody heard")]).await;
    stage.platform.ready().await;
    assert!(invoked.elapsed() < Duration::from_millis(700), "{:?}", invoked.elapsed());
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["the last anybody heard"]);
}

#[tokio::test]
async fn shutdown_takes_what_is_delivered_late_and_what_is_still_open() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.invocation("one", "in time").await;
    stage.platform.shutdown("timeout").await;
    stage.platform.deliver(&[report("one"), line("one", "at the last moment")]).await;
    stage.extension.ended_well().await;
    let mut messages = stage.kinesis.messages();
    messages.sort();
    assert_eq!(messages, ["at the last moment", "in time"]);
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

#[tokio::test]
async fn disabled_it_answers_next_and_does_nothing_else() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_DISABLED", "true")]).await;
    stage.platform.invoke("one").await;
    stage.platform.ready().await;
    assert_eq!(stage.platform.schemas_asked(), [""; 0]);
    let (kinesis, said) = stage.shutdown().await;
    assert!(kinesis.requests().is_empty());
    assert_eq!(said, "");
}

#[tokio::test]
async fn bad_settings_are_one_line_and_the_defaults_work() {
    let settings = [("LIMELIGHT_FRESHNESS_MS", "soon"), ("LIMELIGHT_PORT", "80")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    stage.invocation("one", "hello").await;
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["hello"]);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("LIMELIGHT_FRESHNESS_MS") && said.contains("LIMELIGHT_PORT"), "{said}");
}

#[tokio::test]
async fn without_a_stream_it_says_so_and_answers_next() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_STREAM", "")]).await;
    stage.platform.invoke("one").await;
    stage.platform.ready().await;
    let (_, said) = stage.shutdown().await;
    assert!(said.contains("LIMELIGHT_STREAM is not set"), "{said}");
}

#[tokio::test]
async fn without_keys_in_the_environment_the_sandboxs_endpoint_is_asked() {
    let kinesis = Kinesis::start().await;
    let uri = format!("{}/credentials", kinesis.url());
    let settings = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a-token"),
    ];
    let mut stage = Stage::set_with(Platform::start().await, kinesis, &settings).await;
    stage.invocation("one", "hello").await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["hello"]);
    assert!(kinesis.signed_by().contains("Credential=served/"), "{}", kinesis.signed_by());
}

#[tokio::test]
async fn keys_from_before_a_snapshot_are_not_used_after_it() {
    let kinesis = Kinesis::start().await;
    let uri = format!("{}/credentials", kinesis.url());
    let settings = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a-token"),
    ];
    let mut stage = Stage::set_with(Platform::start().await, kinesis, &settings).await;
    stage.invocation("one", "hello").await;
    stage.invocation("two", "with the same keys").await;
    assert_eq!(stage.kinesis.keys_asked(), 1);
    stage.platform.deliver(&[restored()]).await;
    stage.invocation("three", "with new ones").await;
    assert_eq!(stage.kinesis.keys_asked(), 2);
    let (kinesis, _) = stage.shutdown().await;
    let sandboxes: BTreeSet<_> = kinesis
        .requests()
        .concat()
        .iter()
        .map(|(key, _)| key.split('-').next().unwrap().to_owned())
        .collect();
    assert_eq!(sandboxes.len(), 2, "siblings of one snapshot must not number the same batches");
}

#[tokio::test]
async fn the_connection_is_opened_while_the_function_runs_and_kept() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    assert_eq!(stage.kinesis.connections(), 0, "nothing is connected before it is needed");
    stage.platform.invoke("one").await;
    let invoked = Instant::now();
    while stage.kinesis.connections() == 0 {
        assert!(invoked.elapsed() < Duration::from_secs(10), "it waits for something to send");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stage.platform.deliver(&[start("one"), line("one", "1"), runtime_done("one")]).await;
    stage.platform.ready().await;
    for number in 2..6 {
        stage.invocation(&number.to_string(), &number.to_string()).await;
    }
    assert_eq!((stage.kinesis.messages().len(), stage.kinesis.connections()), (5, 1));
    stage.shutdown().await;
}

#[tokio::test]
async fn an_event_that_is_larger_than_a_record_is_cut_and_says_so() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_RECORD_KIB", "64")]).await;
    stage.platform.invoke("one").await;
    stage
        .platform
        .deliver(&[start("one"), line("one", &fakes::noise(400_000, 1)), runtime_done("one")])
        .await;
    stage.platform.ready().await;
    let (kinesis, _) = stage.shutdown().await;
    assert!(kinesis.requests().concat().iter().all(|(key, data)| key.len() + data.len() <= 64 * 1024));
    let messages = kinesis.messages();
    assert!(messages.len() == 1 && messages[0].len() > 10_000, "{}", messages.len());
    assert!(kinesis.last_account().lost.is_empty());
}

#[tokio::test]
async fn nobody_is_held_for_telemetry_that_comes_much_too_late() {
    let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "50")]).await;
    stage.platform.invoke("one").await;
    // The platform tells now what was printed a while ago; the end of the invocation is still behind that.
    let printed = line("one", "printed a while ago");
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.platform.deliver(&[printed]).await;
    stage.platform.ready().await;
    stage.platform.deliver(&[runtime_done("one")]).await;
    let (kinesis, _) = stage.shutdown().await;
    assert_eq!(kinesis.messages(), ["printed a while ago"]);
}

/// Runs short invocations until the extension has learned that they follow each other closely.
async fn keep_busy(stage: &mut Stage) {
    for number in 0..10 {
        stage.invocation(&format!("busy-{number}"), &format!("busy {number}")).await;
    }
}

#[tokio::test]
async fn a_busy_sandbox_is_not_held_at_all_and_its_lines_come_with_the_next_invocation() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FRESHNESS_MS", "1000")]).await;
    keep_busy(&mut stage).await;
    stage.platform.invoke("bet").await;
    // Nothing has been delivered, not even that it began.
    stage.platform.ready().await;
    stage.platform.invoke("next").await;
    stage.platform.deliver(&[start("bet"), line("bet", "told late"), runtime_done("bet")]).await;
    stage.platform.ready().await;
    stage.until_taken("told late").await;
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!(kinesis.messages().len(), 11);
    assert_eq!(said, "");
}

#[tokio::test]
async fn a_busy_sandbox_that_never_bets_is_held_for_each_invocation() {
    let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH", "end")]).await;
    for number in 0..12 {
        stage.invocation(&number.to_string(), &format!("line {number}")).await;
        assert_eq!(stage.kinesis.messages().len(), number + 1);
    }
    stage.shutdown().await;
}

#[tokio::test]
async fn a_stream_that_hangs_resets_or_is_slow_soon_costs_nothing() {
    for answer in [Answer::Hang, Answer::Reset, Answer::Late(400), Answer::Status(503)] {
        let stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "100")]).await;
        stage.kinesis.otherwise(Some(answer));
        let mut late = 0;
        for number in 0..12 {
            // Invocations that are far from each other as far as the extension can tell: it never bets.
            let id = number.to_string();
            stage.platform.invoke(&id).await;
            stage.platform.deliver(&[start(&id), line(&id, &id), runtime_done(&id)]).await;
            let done = Instant::now();
            stage.platform.ready().await;
            let held = done.elapsed();
            assert!(held < Duration::from_millis(600), "{answer:?}, invocation {number}: {held:?}");
            late += u32::from(held > Duration::from_millis(40));
        }
        assert!(late <= 5, "{answer:?}: {late} invocations were held");
        stage.kinesis.otherwise(None);
        let (kinesis, _) = stage.shutdown().await;
        let mut messages: Vec<u32> = kinesis.messages().iter().map(|text| text.parse().unwrap()).collect();
        messages.sort_unstable();
        assert_eq!(messages, (0..12).collect::<Vec<_>>(), "{answer:?}");
    }
}

#[tokio::test]
async fn an_answer_that_got_lost_makes_a_copy_with_the_same_bytes_and_key() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.kinesis.answer_next(&[Answer::Lost]);
    stage.invocation("one", "heard twice").await;
    let (kinesis, _) = stage.shutdown().await;
    let requests = kinesis.requests();
    assert_eq!(requests[0], requests[1]);
    assert_eq!(kinesis.messages(), ["heard twice"]);
}

#[tokio::test]
async fn what_a_killed_extension_had_not_delivered_its_successor_delivers() {
    let journal = tempfile::tempdir().unwrap();
    let directory = journal.path().join("limelight");
    let settings =
        [("LIMELIGHT_JOURNAL_DIR", directory.to_str().unwrap()), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    stage.kinesis.otherwise(Some(Answer::Status(500)));
    for number in 0..6 {
        stage.invocation(&number.to_string(), &format!("line {number}")).await;
    }
    // The last ones are sealed by their age, because nobody waits for them.
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    stage.extension.kill();
    let kinesis = stage.kinesis;
    kinesis.otherwise(None);
    let mut heir = Stage::set_with(Platform::start().await, kinesis, &settings).await;
    heir.invocation("heir", "line 6").await;
    heir.until_taken("line 5").await;
    let (kinesis, _) = heir.shutdown().await;
    let mut messages = kinesis.messages();
    messages.sort();
    assert_eq!(messages, (0..7).map(|number| format!("line {number}")).collect::<Vec<_>>());
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0, "nothing stays on the disk");
    let account = kinesis.last_account();
    assert!(account.counts["replayed"] >= 6, "{account:?}");
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_counted_and_fails_nothing() {
    let settings = [("LIMELIGHT_JOURNAL_DIR", "/proc/limelight"), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    stage.kinesis.answer_next(&[Answer::Status(500); 4]);
    for number in 0..4 {
        stage.invocation(&number.to_string(), "still heard").await;
    }
    let (kinesis, said) = stage.shutdown().await;
    assert_eq!(kinesis.messages().len(), 4);
    assert!(kinesis.last_account().counts["journal_failed"] > 0);
    assert!(!said.contains("fault"), "{said}");
}

#[tokio::test]
async fn the_end_is_quick_and_marked_when_nothing_is_pending() {
    let mut stage = Stage::set(Platform::start().await, &[]).await;
    stage.invocation("one", "hello").await;
    stage.platform.deliver(&[report("one")]).await;
    let asked = Instant::now();
    stage.platform.shutdown("spindown").await;
    stage.extension.ended_well().await;
    // 100 ms on a machine that is not testing something else meanwhile; `make bench-extension` measures it.
    assert!(asked.elapsed() < Duration::from_millis(400), "{:?}", asked.elapsed());
    let account = stage.kinesis.last_account();
    assert_eq!(account.closed, "spindown");
    assert_eq!(account.received, account.shipped, "{account:?}");
}

#[tokio::test]
async fn the_end_comes_in_time_whatever_the_stream_does() {
    for answer in [Answer::Hang, Answer::Reset, Answer::Status(500)] {
        let mut stage = Stage::set(Platform::start().await, &[("LIMELIGHT_FLUSH_BUDGET_MS", "50")]).await;
        stage.kinesis.otherwise(Some(answer));
        stage.invocation("one", "unheard").await;
        let asked = Instant::now();
        stage.platform.shutdown("spindown").await;
        let said = stage.extension.ended_well().await;
        assert!(asked.elapsed() < Duration::from_millis(1_900), "{answer:?}: {:?}", asked.elapsed());
        assert!(said.contains("not acknowledged"), "{answer:?}: {said}");
    }
}

#[tokio::test]
async fn when_room_is_short_debug_goes_first_and_errors_stay() {
    let settings = [("LIMELIGHT_MEMORY_MIB", "8"), ("LIMELIGHT_JOURNAL_MIB", "0")];
    let stage = Stage::set(Platform::start().await, &settings).await;
    stage.kinesis.otherwise(Some(Answer::Missing));
    stage.platform.invoke("one").await;
    stage.platform.deliver(&[start("one"), line_at("ERROR", "one", "the first error")]).await;
    for seed in 0..40 {
        let level = if seed % 2 == 0 { "DEBUG" } else { "INFO" };
        stage.platform.deliver(&[line_at(level, "one", &fakes::noise(100_000, seed))]).await;
    }
    stage.platform.deliver(&[line_at("ERROR", "one", "the last error"), runtime_done("one")]).await;
    stage.platform.ready().await;
    stage.kinesis.otherwise(None);
    let (kinesis, _) = stage.shutdown().await;
    let messages = kinesis.messages();
    assert!(["the first error", "the last error"].iter().all(|error| messages.iter().any(|m| m == error)));
    let account = kinesis.last_account();
    assert!(account.shed["pressure_debug"] > 0, "{:?}", account.shed);
    assert!(!account.lost.contains_key("backlog"), "{:?}", account.lost);
    let given_up: u64 = account.shed.values().chain(account.lost.values()).sum();
    assert_eq!(account.received, account.shipped + given_up, "{account:?}");
}

#[tokio::test]
async fn a_managed_instance_flushes_by_time_alone() {
    let platform = Platform::start().await;
    platform.refuse_invoke();
    let stage = Stage::set(platform, &[("LIMELIGHT_FRESHNESS_MS", "200")]).await;
    stage.platform.deliver(&[start("one"), line("one", "nobody ends this"), report("one")]).await;
    stage.until_taken("nobody ends this").await;
    stage.shutdown().await;
}

#[tokio::test]
async fn a_stream_whose_name_nobody_knows_fails_nothing() {
    let settings =
        [("AWS_ENDPOINT_URL_KINESIS", "http://stream.invalid:4567"), ("LIMELIGHT_FLUSH_BUDGET_MS", "50")];
    let mut stage = Stage::set(Platform::start().await, &settings).await;
    for number in 0..6 {
        let held = stage.invocation(&number.to_string(), "unheard").await;
        assert!(held < Duration::from_millis(500), "{held:?}");
    }
    let (_, said) = stage.shutdown().await;
    assert!(said.contains("not acknowledged"), "{said}");
}

use super::*;

const STAT: &str = include_str!("fixtures/stat");
const NET_DEV: &str = include_str!("fixtures/net_dev");
const PROCESS_STAT: &str = include_str!("fixtures/process_stat");

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

fn reading(second: i64, busy_ms: u64, received_bytes: u64) -> Reading {
    Reading {
        at: at(second),
        took: Duration::from_micros(200),
        cpu: Some(Cpu { busy: Duration::from_millis(busy_ms), idle: Duration::from_millis(3 * busy_ms) }),
        network: Some(Network { received_bytes, sent_bytes: 7 }),
        processes: Some(Processes { open_files: 30, threads: 12 }),
        tmp: Some(Storage { used_bytes: 1_000, free_bytes: 9_000 }),
    }
}

#[test]
fn the_kernels_texts_are_read() {
    let cpu = cpu(STAT).unwrap();
    assert_eq!(cpu.busy, Duration::from_millis(10 * (1_432 + 12 + 655 + 7 + 31)));
    assert_eq!(cpu.idle, Duration::from_millis(10 * (83_211 + 95)));
    let network = network(NET_DEV).unwrap();
    assert_eq!(network, Network { received_bytes: u64::MAX, sent_bytes: 92_117 + 210 });
    assert_eq!(threads(PROCESS_STAT), Some(11));
}

#[test]
fn other_texts_give_nothing() {
    for text in ["", "\n\n\n", "cpu", "cpu  1 2", "cpu  a b c d", "a\nb\nc", "a\nb\neth0: 1 2", "1 (x) S 1"] {
        assert_eq!((cpu(text), network(text), threads(text)), (None, None, None), "{text:?}");
    }
}

#[test]
fn two_readings_around_one_invocation_tell_of_it() {
    let mut meter = Meter::default();
    assert!(meter.wants(at(1)));
    assert!(meter.take(reading(1, 100, 500)).is_empty(), "one reading tells nothing");
    meter.ended("a", at(3));
    let metrics = meter.take(reading(60, 350, 1_500)).metrics;
    let told: Vec<(&str, &MetricKind)> =
        metrics.iter().map(|metric| (metric.name.as_str(), &metric.kind)).collect();
    assert_eq!(
        told,
        [
            ("faas.cpu_usage", &MetricKind::Gauge(0.25)),
            ("aws.lambda.cpu_utilization", &MetricKind::Gauge(0.25)),
            ("faas.net_io", &MetricKind::Gauge(1_000.0)),
            ("faas.net_io", &MetricKind::Gauge(0.0)),
            ("aws.lambda.open_file_descriptors", &MetricKind::Gauge(30.0)),
            ("aws.lambda.threads", &MetricKind::Gauge(12.0)),
            ("system.filesystem.usage", &MetricKind::Gauge(1_000.0)),
            ("system.filesystem.usage", &MetricKind::Gauge(9_000.0)),
        ]
    );
    assert!(metrics.iter().all(|metric| metric.time == at(3) && metric.request_id.as_deref() == Some("a")));
}

#[test]
fn readings_are_rare_and_name_no_request_where_there_were_several() {
    let mut meter = Meter::default();
    meter.take(reading(1, 0, 0));
    assert!(!meter.wants(at(9)) && !meter.wants_last(), "nothing ran");
    meter.ended("a", at(1));
    assert!(!meter.wants(Timestamp::from_millis(1_999)), "too soon");
    assert!(meter.wants_last(), "but not for the last");
    meter.ended("b", at(2));
    assert!(meter.wants(at(2)));
    assert!(meter.wants(at(0)), "the clock was set back");
    let metrics = meter.take(reading(2, 10, 10)).metrics;
    assert!(!metrics.is_empty() && metrics.iter().all(|metric| metric.request_id.is_none()));
}

#[test]
fn readings_that_cost_much_are_rarer() {
    let mut meter = Meter::default();
    meter.take(Reading { took: Duration::from_millis(5), ..reading(1, 0, 0) });
    meter.ended("a", at(2));
    assert!(!meter.wants(Timestamp::from_millis(5_999)));
    assert!(meter.wants(at(6)));
}

#[test]
fn what_could_not_be_read_or_went_back_is_left_out() {
    let mut meter = Meter::default();
    meter.take(reading(1, 1_000, 1_000));
    meter.ended("a", at(2));
    let after = Reading { processes: None, tmp: None, ..reading(3, 10, 10) };
    let metrics = meter.take(after).metrics;
    assert_eq!(metrics.len(), 1, "only what was sent: {metrics:?}");
}

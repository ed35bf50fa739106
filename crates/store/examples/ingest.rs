//! A rough ingest figure: events of a Lambda function's kind into a store, one thread, from decoded events to
//! committed tables. `cargo run --release -p limelight-store --example ingest -- [events] [location]`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a program for people who measure"
)]

use std::time::Instant;

use model::{BatchId, Event, EventId, Kind, Map, Timestamp, Value};
use store::{Location, Options, SequenceNumber, SequencedRecord, ShardSlice, Store};

const EVENTS_PER_RECORD: u64 = 500;
const RECORDS_PER_SLICE: u64 = 40;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().map_or(200_000, |text| text.parse().unwrap());
    let location = arguments.next().unwrap_or_else(|| "memory:".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&Location::parse(&location).unwrap(), Options::default()).await.unwrap();
        let slices: Vec<ShardSlice> =
            (0..events / (EVENTS_PER_RECORD * RECORDS_PER_SLICE)).map(slice).collect();
        let started = Instant::now();
        let (mut written, mut bytes) = (0, 0);
        for slice in slices {
            let appended = store.append(slice).await.unwrap();
            written += appended.events;
            bytes += appended.bytes;
        }
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{written} events in {seconds:.2} s: {:.0} events/s, {:.1} bytes/event",
            written as f64 / seconds,
            bytes as f64 / written as f64
        );
    });
}

fn slice(number: u64) -> ShardSlice {
    let records = (0..RECORDS_PER_SLICE).map(|record| {
        let sequence = number * RECORDS_PER_SLICE + record + 1;
        let batch = BatchId { sandbox: format!("{:032x}", sequence % 50), sequence };
        let events = (0..EVENTS_PER_RECORD).map(|event| self::event(&batch, sequence, event)).collect();
        SequencedRecord { sequence: SequenceNumber::from(sequence), batch: Some(batch), events }
    });
    ShardSlice { stream: "bench".to_owned(), shard: "0".to_owned(), records: records.collect() }
}

fn event(batch: &BatchId, sequence: u64, number: u64) -> Event {
    let seed = (sequence * EVENTS_PER_RECORD + number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let pick = |bits: u32, below: u64| (seed >> bits) % below;
    let start = "2026-11-20T10:00:00Z".parse::<Timestamp>().unwrap();
    let time = Timestamp::from_micros(start.as_micros() + (sequence * 500 + number) as i64 * 137);
    let mut event = Event::new("lambda-logs", time, EventId::in_batch(batch, number), Kind::Log);
    event.namespace = format!("function-{}", pick(3, 20));
    event.service = "checkout".to_owned();
    event.message = Some(format!("order {} handled in {} ms", pick(7, 100_000), pick(11, 3_000)));
    event.request_id = Some(format!("{:08x}-0000-4000-8000-{:012x}", seed >> 32, seed & 0xffff_ffff));
    let user = Map::from([
        ("id".to_owned(), format!("user-{}", pick(5, 200_000)).into()),
        ("plan".to_owned(), ["free", "team", "business"][pick(9, 3) as usize].into()),
    ]);
    event.attributes = Map::from([
        ("level".to_owned(), ["INFO", "INFO", "INFO", "WARN", "ERROR"][pick(13, 5) as usize].into()),
        ("user".to_owned(), Value::Object(user)),
        ("status".to_owned(), (200 + pick(17, 5) as i64 * 100).into()),
        ("latency".to_owned(), (pick(19, 10_000) as f64 / 7.0).into()),
        ("cached".to_owned(), (pick(23, 2) == 0).into()),
        ("items".to_owned(), Value::Array((0..pick(29, 4)).map(|item| Value::Int(item as i64)).collect())),
        ("path".to_owned(), format!("/orders/{}", pick(31, 50)).into()),
    ]);
    event
}

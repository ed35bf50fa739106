//! The disk is full while records are committed: what was acknowledged waits, what cannot be kept is not acknowledged,
//! and when there is room again everything is found once.

use std::collections::BTreeMap;
use std::time::Duration;

use chance::Chance;
use serde_json::{Value, json};

use crate::support::dev::Dev;
use crate::support::namespace;
use crate::support::small_disk::SmallDisk;
use crate::support::stream::put_records;

/// Room for what opens a store and a few commits of [`NOISE_BYTES`].
const FREE_BYTES: u64 = 1 << 20;
const DISK_BYTES: u64 = 32 << 20;
/// What an event holds that nothing compresses: ten events are too much for the free room.
const NOISE_BYTES: usize = 150 << 10;
const EVENTS: usize = 20;
/// Longer than the consumer's window and a few of its attempts.
const WHILE: Duration = Duration::from_secs(3);

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_room_takes_everything_once_there_is_room() {
    let Some(disk) = small_disk() else { return };
    let (state, store) = (disk.folder().join("state"), disk.mounted().join("store"));
    let dev = Dev::start_on(&disk, &state, &["--store", store.to_str().unwrap()]);
    let taken = put_events(&dev, 1).await;
    assert_eq!(taken.len(), EVENTS, "the journal has room");
    tokio::time::sleep(WHILE).await;
    let found = marks(&dev).await;
    assert!(found.len() < EVENTS, "the disk was never full");
    assert!(dev.log().contains("the store does not take records"), "{}", dev.log());

    disk.make_room();
    all_are_found_once(&dev, &taken).await;
    dev.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_without_room_acknowledges_nothing_that_it_does_not_keep() {
    let Some(disk) = small_disk() else { return };
    let dev = Dev::start_on(&disk, &disk.mounted(), &[]);
    let mut taken = put_events(&dev, 2).await;
    assert!(taken.len() < EVENTS, "the disk was never full");

    disk.make_room();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let later = put_events(&dev, 3).await;
    assert_eq!(later.len(), EVENTS, "with room, everything is taken again");
    taken.extend(later);
    all_are_found_once(&dev, &taken).await;
    dev.stop();
}

fn small_disk() -> Option<SmallDisk> {
    namespace::is_possible_or_skipped("a full disk").then(|| SmallDisk::new(DISK_BYTES, FREE_BYTES))
}

/// One request per event; the marks of those that were acknowledged.
async fn put_events(dev: &Dev, run: u64) -> Vec<String> {
    let mut chance = Chance::new(run);
    let mut taken = Vec::new();
    for number in 0..EVENTS {
        let mark = format!("{run}-{number};");
        let event = json!({ "mark": mark, "noise": noise(&mut chance) });
        let answer = put_records(dev.address("stream"), "limelight", &[event]).await;
        if answer == Some(vec![true]) {
            taken.push(mark);
        }
    }
    taken
}

fn noise(chance: &mut Chance) -> String {
    let letters = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    (0..NOISE_BYTES).map(|_| char::from(letters[chance.below(64) as usize])).collect()
}

async fn all_are_found_once(dev: &Dev, marks: &[String]) {
    let text = "COUNT AS n FROM logs GROUP BY mark LIMIT 1000 EVERY NONE";
    let answer = dev.settled(text, |answer| counts(answer).len() >= marks.len()).await;
    let found = counts(&answer);
    for mark in marks {
        assert_eq!(found.get(mark), Some(&1), "{mark} of {}", marks.len());
    }
}

async fn marks(dev: &Dev) -> BTreeMap<String, u64> {
    counts(&dev.query("COUNT AS n FROM logs GROUP BY mark LIMIT 1000 EVERY NONE").await)
}

fn counts(answer: &Value) -> BTreeMap<String, u64> {
    let rows = answer["calculations"]["aggregates"].as_array().into_iter().flatten();
    rows.filter_map(|row| {
        Some((row["groups"]["mark"].as_str()?.to_owned(), row["values"]["n"].as_f64()? as u64))
    })
    .collect()
}

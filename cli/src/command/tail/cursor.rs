//! What a following tail has shown. Events become visible in the order of their commits, not of their times, and a
//! commit may become visible after one that was ingested later; so each look reads back over an overlap, and what was
//! shown in it is remembered by id.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use model::Timestamp;
use serde_json::{Map, Value};

use crate::render::event::Shown;

/// An event as the API shows it.
pub(super) type Event = Map<String, Value>;

/// How much later than one that was ingested after it a commit may become visible: the longest a commit is retried.
const OVERLAP: Duration = Duration::from_secs(15);

/// The place up to which everything was shown, and the ids around it.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    newest: Option<Timestamp>,
    /// By the time they were ingested at, so that they can be forgotten.
    shown: BTreeMap<Timestamp, HashSet<String>>,
}

impl Cursor {
    /// From which time of ingestion on to look; none if nothing was seen yet.
    pub(super) fn floor(&self) -> Option<Timestamp> {
        self.newest.map(|newest| newest.minus(OVERLAP))
    }

    /// Those that were not shown yet; from now on they are.
    pub(super) fn take(&mut self, events: Vec<Event>) -> Vec<Event> {
        events.into_iter().filter(|event| self.is_new(event)).collect()
    }

    fn is_new(&mut self, event: &Event) -> bool {
        let event = Shown(event);
        let ingested_at = event.ingested_at().or_else(|| event.timestamp()).unwrap_or_default();
        self.newest = self.newest.max(Some(ingested_at));
        self.shown.entry(ingested_at).or_default().insert(event.envelope("id").to_owned())
    }

    /// Lets go of ids that no look will meet again. Called between looks, not between the pages of one.
    pub(super) fn forget(&mut self) {
        if let Some(floor) = self.floor() {
            self.shown = self.shown.split_off(&floor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn event(id: u64, ingested_ms: i64) -> Event {
        let at = Timestamp::from_millis(ingested_ms).to_string();
        json!({"$limelight": {"id": id.to_string(), "ingestedAt": at, "timestamp": at}})
            .as_object()
            .cloned()
            .unwrap()
    }

    #[test]
    fn an_event_is_shown_once_even_if_looks_overlap() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.floor(), None);
        assert_eq!(cursor.take(vec![event(1, 100_000), event(2, 100_000)]).len(), 2);
        cursor.forget();
        assert_eq!(cursor.take(vec![event(2, 100_000), event(3, 100_000)]).len(), 1);
        // Ingested before the newest, visible after it.
        assert_eq!(cursor.take(vec![event(4, 90_000)]).len(), 1);
        assert_eq!(cursor.floor(), Some(Timestamp::from_millis(85_000)));
    }

    proptest! {
        /// Commits become visible in any order within the overlap; looks happen at any time between them.
        #[test]
        fn nothing_is_missed_and_nothing_doubled(
            delays in prop::collection::vec(0i64..14_000, 1..60),
            looks in prop::collection::vec(1i64..5_000, 1..80),
        ) {
            let commits: Vec<(i64, i64)> =
                delays.iter().enumerate().map(|(at, delay)| (at as i64 * 700, at as i64 * 700 + delay)).collect();
            let end = commits.iter().map(|(_, visible)| *visible).max().unwrap_or(0);
            let mut cursor = Cursor::default();
            let mut shown = Vec::new();
            let mut now = 0;
            for step in looks.iter().cycle() {
                let floor = cursor.floor().unwrap_or(Timestamp::EPOCH).as_millis();
                let visible = commits.iter().enumerate().filter(|(_, (ingested, at))| *at <= now && *ingested >= floor);
                let found = visible.map(|(id, (ingested, _))| event(id as u64, *ingested)).collect();
                shown.extend(cursor.take(found).iter().map(|event| Shown(event).envelope("id").to_owned()));
                cursor.forget();
                if now > end { break }
                now += step;
            }
            shown.sort_by_key(|id| id.parse::<usize>().unwrap());
            prop_assert_eq!(shown, (0..commits.len()).map(|id| id.to_string()).collect::<Vec<_>>());
        }
    }
}

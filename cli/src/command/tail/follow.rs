//! `tail -f`: pages of what came, each from the cursor of the one before. The API counts commits, not times: every event
//! is in exactly one page, however late its batch came and however many share a moment.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::bail;
use api::{Problem, TailPage};

use super::{Event, FOLLOW_FROM, Tail, question};
use crate::render::event::Shown;
use crate::terminal::{Unwritten, note};

/// Between two looks: half of what a person notices, and one at a time.
const POLL: Duration = Duration::from_millis(500);
/// Between two looks while the API does not answer.
const POLL_FAILING: Duration = Duration::from_secs(2);

impl Tail {
    /// Shows what was, then what comes, until it is stopped or waiting would not help.
    pub(super) async fn follow(&self) -> anyhow::Result<()> {
        let text = question::text(&self.arguments)?;
        // First the cursor, then what was: what comes between the two is in both, and shown once.
        let mut cursor = self.client.tail(&text, None).await?.cursor;
        let mut shown = Already::default();
        self.show(&shown.remember(self.past().await?))?;
        let mut failing = false;
        loop {
            let pause = match self.client.tail(&text, Some(&cursor)).await {
                Ok(page) => {
                    failing = false;
                    self.go_on(page, &mut cursor, &mut shown)?
                }
                Err(error) => {
                    self.wait_out(error, &mut cursor, &mut failing)?;
                    POLL_FAILING
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// What was before; nothing in a dataset that is not there yet, which is waited for.
    async fn past(&self) -> anyhow::Result<Vec<Event>> {
        match self.newest(FOLLOW_FROM).await {
            Err(error) if status(&error) == Some(404) => Ok(Vec::new()),
            found => found,
        }
    }

    /// Shows a page and goes behind it; how long to wait for the next.
    fn go_on(&self, page: TailPage, cursor: &mut String, shown: &mut Already) -> anyhow::Result<Duration> {
        let came = !page.events.is_empty();
        self.show(&shown.take(page.events))?;
        *cursor = page.cursor;
        // Behind a full page there may be another one.
        Ok(if came { Duration::ZERO } else { POLL })
    }

    /// An API that does not answer now is waited for, which is said once. Of what it keeps no longer the rest is lost,
    /// which is said too.
    fn wait_out(&self, error: anyhow::Error, cursor: &mut String, failing: &mut bool) -> anyhow::Result<()> {
        match status(&error) {
            Some(410) => {
                note(&format!("{error:#}; what came since then is not shown"));
                cursor.clear();
            }
            Some(400 | 413 | 415 | 422) => bail!(error),
            _ if error.downcast_ref::<Unwritten>().is_some() => bail!(error),
            _ if *failing => {}
            _ => note(&format!("{error:#}; waiting")),
        }
        *failing = true;
        Ok(())
    }
}

fn status(error: &anyhow::Error) -> Option<u16> {
    error.downcast_ref::<Problem>().map(|problem| problem.status)
}

/// What was shown before the first page, by id: some of it may be in a page once more.
#[derive(Debug, Default)]
struct Already(HashSet<String>);

impl Already {
    /// The same events, which are shown from now on.
    fn remember(&mut self, events: Vec<Event>) -> Vec<Event> {
        self.0.extend(events.iter().map(|event| Shown(event).envelope("id").to_owned()));
        events
    }

    /// Those of a page that were not shown. A page has each event once, so an id is met again once at most.
    fn take(&mut self, events: Vec<Event>) -> Vec<Event> {
        events.into_iter().filter(|event| !self.0.remove(Shown(event).envelope("id"))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(ids: &[&str]) -> Vec<Event> {
        let event = |id| serde_json::json!({"$limelight": {"id": id}}).as_object().cloned().unwrap();
        ids.iter().map(event).collect()
    }

    #[test]
    fn what_was_shown_at_first_is_not_shown_again() {
        let mut shown = Already::default();
        assert_eq!(shown.remember(events(&["1", "2"])).len(), 2);
        assert_eq!(shown.take(events(&["2", "3"])), events(&["3"]));
        assert_eq!(shown.take(events(&["4"])), events(&["4"]));
        assert_eq!(shown.0.len(), 1, "what came with a page is not held");
    }
}

//! Which shards may be read now: parents before children, so that a key's records keep their order over a
//! reshard. Lists in, starts out; the mapping's task asks.

use std::collections::BTreeMap;

use super::checkpoint::Checkpoint;

/// A shard as `ListShards` gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) id: String,
    /// None at first, one after a split, two after a merge.
    pub(super) parents: Vec<String>,
}

/// Where reading of a shard begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// Where the mapping says new readers start.
    Configured,
    /// At the oldest record: a shard that came by resharding while the mapping ran.
    Oldest,
    /// After or at what an earlier run kept.
    Kept(Checkpoint),
}

/// What is known of a stream's shards.
#[derive(Debug, Default)]
pub(super) struct Shards {
    known: BTreeMap<String, Known>,
    listed_before: bool,
}

#[derive(Debug)]
struct Known {
    parents: Vec<String>,
    start: Start,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting,
    Reading,
    /// Closed and read to its end.
    Finished,
}

impl Shards {
    /// Takes in a listing. The first one, unless an earlier run left checkpoints, starts where the mapping
    /// says; shards that appear later are read from their beginning.
    pub(super) fn learn(&mut self, listed: Vec<Listed>, kept: &BTreeMap<String, Checkpoint>) {
        let fresh = !self.listed_before && kept.is_empty();
        self.listed_before = true;
        // What is no longer listed has expired; a parent that is gone holds nobody back.
        self.known
            .retain(|id, known| known.phase == Phase::Reading || listed.iter().any(|shard| shard.id == *id));
        for shard in listed {
            let kept = kept.get(&shard.id);
            self.known.entry(shard.id).or_insert_with(|| Known {
                parents: shard.parents,
                start: match kept {
                    Some(checkpoint) => Start::Kept(checkpoint.clone()),
                    None if fresh => Start::Configured,
                    None => Start::Oldest,
                },
                phase: if kept == Some(&Checkpoint::Closed) { Phase::Finished } else { Phase::Waiting },
            });
        }
    }

    /// The shards whose parents are finished or gone; they count as being read from now on.
    pub(super) fn startable(&mut self) -> Vec<(String, Start)> {
        let unfinished =
            |parent: &String| self.known.get(parent).is_some_and(|it| it.phase != Phase::Finished);
        let ready: Vec<String> = self
            .known
            .iter()
            .filter(|(_, known)| known.phase == Phase::Waiting && !known.parents.iter().any(unfinished))
            .map(|(id, _)| id.clone())
            .collect();
        let mut starts = Vec::with_capacity(ready.len());
        for id in ready {
            if let Some(known) = self.known.get_mut(&id) {
                known.phase = Phase::Reading;
                starts.push((id, known.start.clone()));
            }
        }
        starts
    }

    /// The shard was read to its end.
    pub(super) fn finish(&mut self, id: &str) {
        if let Some(known) = self.known.get_mut(id) {
            known.phase = Phase::Finished;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parents: &[&str]) -> Listed {
        Listed { id: id.into(), parents: parents.iter().map(|&parent| parent.into()).collect() }
    }

    fn started(shards: &mut Shards) -> Vec<(String, Start)> {
        shards.startable()
    }

    fn nothing_kept() -> BTreeMap<String, Checkpoint> {
        BTreeMap::new()
    }

    #[test]
    fn children_wait_for_their_parents() {
        let mut shards = Shards::default();
        shards.learn(vec![shard("0", &[]), shard("1", &[]), shard("2", &["0", "1"])], &nothing_kept());
        let configured = |id: &str| (id.to_owned(), Start::Configured);
        assert_eq!(started(&mut shards), [configured("0"), configured("1")]);
        shards.finish("0");
        assert_eq!(started(&mut shards), []);
        shards.finish("1");
        assert_eq!(started(&mut shards), [configured("2")]);
        assert_eq!(started(&mut shards), [], "each starts once");
    }

    #[test]
    fn a_shard_that_appears_later_is_read_from_its_beginning() {
        let mut shards = Shards::default();
        shards.learn(vec![shard("0", &[])], &nothing_kept());
        started(&mut shards);
        shards.learn(vec![shard("0", &[]), shard("1", &["0"]), shard("2", &["0"])], &nothing_kept());
        assert_eq!(started(&mut shards), []);
        shards.finish("0");
        assert_eq!(started(&mut shards), [("1".into(), Start::Oldest), ("2".into(), Start::Oldest)]);
    }

    #[test]
    fn an_expired_parent_holds_nobody_back() {
        let mut shards = Shards::default();
        shards.learn(vec![shard("1", &["0"])], &nothing_kept());
        assert_eq!(started(&mut shards).len(), 1);
    }

    #[test]
    fn a_second_run_goes_on_where_the_first_stopped() {
        let kept = BTreeMap::from([
            ("0".to_owned(), Checkpoint::Closed),
            ("1".to_owned(), Checkpoint::After("77".into())),
        ]);
        let mut shards = Shards::default();
        shards.learn(vec![shard("0", &[]), shard("1", &["0"]), shard("2", &["0"])], &kept);
        let after = Start::Kept(Checkpoint::After("77".into()));
        assert_eq!(started(&mut shards), [("1".into(), after), ("2".into(), Start::Oldest)]);
    }
}

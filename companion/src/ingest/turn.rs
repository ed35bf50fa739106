//! One delivery of a shard at a time. Lambda and `limelight dev` deliver a shard's records one after the other; if two
//! deliveries come at once all the same (a retry while the first try still runs), parts of them must not alternate: a
//! later part's commit would move the watermark past an earlier record that is still to be written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// Stream and shard.
type Shard = (String, String);

/// Whose turn it is, by shard.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Shards that nobody delivers any more leave with the next that comes.
    shards: Mutex<HashMap<Shard, Weak<Turn<()>>>>,
}

impl Turns {
    /// Waits until no other delivery of this shard runs in this process. Who comes first goes first; the turn ends
    /// when what is returned is dropped.
    pub(crate) async fn of(&self, stream: &str, shard: &str) -> OwnedMutexGuard<()> {
        self.turn((stream.to_owned(), shard.to_owned())).lock_owned().await
    }

    fn turn(&self, shard: Shard) -> Arc<Turn<()>> {
        // Whatever a thread that panicked was doing, each entry is whole.
        let mut shards = self.shards.lock().unwrap_or_else(PoisonError::into_inner);
        shards.retain(|_, turn| turn.strong_count() > 0);
        let waiting = shards.get(&shard).and_then(Weak::upgrade);
        waiting.unwrap_or_else(|| {
            let turn = Arc::default();
            shards.insert(shard, Arc::downgrade(&turn));
            turn
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn a_second_delivery_of_a_shard_waits_and_another_shard_does_not() {
        let turns = Turns::default();
        let first = turns.of("s", "0").await;
        assert!(turns.of("s", "0").now_or_never().is_none());
        let other = turns.of("s", "1").now_or_never().unwrap();
        drop(first);
        assert!(turns.of("s", "0").now_or_never().is_some());
        drop(other);
        let _last = turns.of("t", "0").await;
        assert_eq!(turns.shards.lock().unwrap().len(), 1, "shards that are done are forgotten");
    }
}

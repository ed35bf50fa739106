//! How far a shard has been written into a table: Delta `txn` actions, one per limb of the sequence number.

use deltalake_core::kernel::Transaction;
use model::Timestamp;

use crate::sequence::{LIMBS, SequenceNumber};

/// A shard's name among the table's `txn` application ids, without the limb: `limelight/<stream>/<shard>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Shard(String);

impl Shard {
    pub(crate) fn new(stream: &str, shard: &str) -> Self {
        Self(format!("limelight/{stream}/{shard}"))
    }

    /// The application id of one limb; 0 is the most significant.
    pub(super) fn app_id(&self, limb: usize) -> String {
        format!("{}/{limb}", self.0)
    }

    /// The actions that set the watermark.
    pub(super) fn transactions(&self, watermark: SequenceNumber, now: Timestamp) -> Vec<Transaction> {
        let limb = |(number, value)| {
            Transaction::new_with_last_update(self.app_id(number), value, Some(now.as_millis()))
        };
        watermark.limbs().into_iter().enumerate().map(limb).collect()
    }

    /// The shard and limb that an application id names; none if it is not one of ours.
    fn parse(app_id: &str) -> Option<(Self, usize)> {
        let (shard, limb) = app_id.rsplit_once('/')?;
        let limb = limb.parse().ok().filter(|limb| *limb < LIMBS)?;
        shard.starts_with("limelight/").then(|| (Self(shard.to_owned()), limb))
    }
}

/// The watermarks that one commit sets.
pub(super) fn watermarks<'a>(
    transactions: impl IntoIterator<Item = &'a Transaction>,
) -> Vec<(Shard, SequenceNumber)> {
    let mut found: Vec<(Shard, [i64; LIMBS])> = Vec::new();
    for transaction in transactions {
        let Some((shard, limb)) = Shard::parse(&transaction.app_id) else { continue };
        match found.iter_mut().find(|(known, _)| *known == shard) {
            Some((_, limbs)) => limbs[limb] = transaction.version,
            None => {
                let mut limbs = [0; LIMBS];
                limbs[limb] = transaction.version;
                found.push((shard, limbs));
            }
        }
    }
    found.into_iter().filter_map(|(shard, limbs)| Some((shard, SequenceNumber::from_limbs(limbs)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watermark_is_read_back_from_its_actions() {
        let shard =
            Shard::new("arn:aws:kinesis:eu-west-1:123456789012:stream/telemetry", "shardId-000000000001");
        let sequence = "49590338271490256608559692538361571095921575989136588898".parse().unwrap();
        let mut transactions = shard.transactions(sequence, Timestamp::EPOCH);
        transactions.push(Transaction::new("somebody-else", 7));
        assert_eq!(watermarks(&transactions), [(shard, sequence)]);
    }
}

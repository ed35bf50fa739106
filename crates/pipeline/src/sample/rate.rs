//! The share of healthy invocations that is kept, and which ones: decided by the trace id alone, so that all functions
//! of one trace agree, and those with a higher rate keep what those with a lower one keep.

use model::TraceId;

/// A probability. Decides as OpenTelemetry's consistent sampling does (trace SDK specification, "Probability
/// sampling"; W3C Trace Context level 2, "random trace id"): by the last 56 bits of the trace id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    probability: f64,
    /// Trace ids whose last 56 bits are below this are left out.
    threshold: u64,
}

/// Not a probability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateError;

/// 2^56
const RANGE: f64 = 72_057_594_037_927_936.0;

impl Rate {
    /// From 0 (none) to 1 (all).
    ///
    /// # Errors
    /// When it is not in that range.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 2^56, which an f64 holds exactly"
    )]
    pub fn new(probability: f64) -> Result<Self, RateError> {
        if !(0.0..=1.0).contains(&probability) {
            return Err(RateError);
        }
        let threshold = ((1.0 - probability) * RANGE).round() as u64;
        Ok(Self { probability, threshold })
    }

    /// True if every invocation is kept.
    pub fn keeps_all(self) -> bool {
        self.threshold == 0
    }

    /// For how many a chosen one stands; none if this one is not chosen.
    pub(crate) fn interval(self, trace_id: TraceId) -> Option<f64> {
        let random =
            trace_id.as_bytes().iter().skip(9).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        (random >= self.threshold).then(|| 1.0 / self.probability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trace(text: &str) -> TraceId {
        text.parse().unwrap()
    }

    #[test]
    fn the_last_56_bits_decide() {
        let half = Rate::new(0.5).unwrap();
        assert_eq!(half.interval(trace("ffffffffffffffffff80000000000000")), Some(2.0));
        assert_eq!(half.interval(trace("ffffffffffffffffff7fffffffffffff")), None);
        assert_eq!(Rate::new(0.0).unwrap().interval(trace("ffffffffffffffffffffffffffffffff")), None);
        assert!(Rate::new(1.0).unwrap().keeps_all());
        assert_eq!(Rate::new(0.1).unwrap().interval(trace("ffffffffffffffffffffffffffffffff")), Some(10.0));
    }

    #[test]
    fn only_probabilities_are_rates() {
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Rate::new(wrong), Err(RateError));
        }
    }

    proptest! {
        #[test]
        fn what_a_lower_rate_keeps_a_higher_one_keeps(bytes in any::<[u8; 16]>(), a in 0.0..=1.0, b in 0.0..=1.0) {
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            if let Some(id) = TraceId::from_bytes(bytes) {
                let (low, high) = (Rate::new(low).unwrap(), Rate::new(high).unwrap());
                prop_assert!(low.interval(id).is_none() || high.interval(id).is_some());
            }
        }
    }

    #[test]
    fn of_many_traces_about_the_rate_is_kept() {
        let rate = Rate::new(0.2).unwrap();
        let traces = (0..5_000).map(|number| crate::assemble::identity::trace_id(&number.to_string()));
        let kept = traces.filter(|id| rate.interval(*id).is_some()).count();
        assert!((900..1_100).contains(&kept), "{kept}");
    }
}

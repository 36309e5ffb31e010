//! The sampling decision, taken once, before anything is built.

/// 2^63: the part of a trace id that decides has 63 bits.
const HALF: f64 = 9_223_372_036_854_775_808.0;

/// A head sampler, as `OTEL_TRACES_SAMPLER` names them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sampler {
    /// Whether the caller's decision wins when there is a caller.
    pub(crate) parent_based: bool,
    /// Share of traces that are sampled, 0 to 1.
    pub(crate) ratio: f64,
}

impl Sampler {
    /// The decision for the low half of a trace id: it counts without its last bit, against the ratio. This is the formula of
    /// OpenTelemetry's own SDKs, so that every service with the same ratio decides alike.
    pub(crate) fn decide(self, low: u64, parent: Option<bool>) -> bool {
        if let (true, Some(sampled)) = (self.parent_based, parent) {
            return sampled;
        }
        if self.ratio >= 1.0 {
            return true;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below 2^63, and not negative")]
        let limit = (self.ratio.max(0.0) * HALF) as u64;
        low >> 1 < limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_decides_when_it_may() {
        let never = Sampler { parent_based: true, ratio: 0.0 };
        assert!(never.decide(1, Some(true)) && !never.decide(1, None));
        let always = Sampler { parent_based: false, ratio: 1.0 };
        assert!(always.decide(u64::MAX, Some(false)));
        let half = Sampler { parent_based: false, ratio: 0.5 };
        assert!(half.decide(1, None) && !half.decide(u64::MAX, None));
    }

    #[test]
    fn ratios_decide_like_the_opentelemetry_sdk() {
        use opentelemetry::trace::{SpanKind, TraceId};
        use opentelemetry_sdk::trace::{SamplingDecision, ShouldSample as _};
        for ratio in [0.0, 0.1, 0.5, 0.999, 1.0] {
            let ours = Sampler { parent_based: false, ratio };
            let theirs = opentelemetry_sdk::trace::Sampler::TraceIdRatioBased(ratio);
            // Multiples of an odd number reach every part of the range.
            for step in 1..10_000_u128 {
                let id = step.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
                let decision = theirs.should_sample(None, TraceId::from(id), "", &SpanKind::Server, &[], &[]).decision;
                let low = u64::try_from(id & u128::from(u64::MAX)).unwrap();
                assert_eq!(ours.decide(low, None), decision == SamplingDecision::RecordAndSample, "{id:032x} {ratio}");
            }
        }
    }
}

//! The sampling decision, taken once, before anything is built.

/// The bits of a trace id that decide.
const BITS: u128 = (1 << 56) - 1;

/// A head sampler, as `OTEL_TRACES_SAMPLER` names them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sampler {
    /// Whether the caller's decision wins when there is a caller.
    pub(crate) parent_based: bool,
    /// Share of traces that are sampled, 0 to 1.
    pub(crate) ratio: f64,
}

impl Sampler {
    /// The decision for a trace id. By its lower 56 bits, so that every service with the same ratio decides alike
    /// (OpenTelemetry's TraceIdRatioBased).
    pub(crate) fn decide(self, trace_id: u128, parent: Option<bool>) -> bool {
        if let (true, Some(sampled)) = (self.parent_based, parent) {
            return sampled;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a ratio in 0..=1 of 2^56")]
        let limit = (self.ratio.clamp(0.0, 1.0) * (1u64 << 56) as f64) as u128;
        (trace_id & BITS) < limit
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
        assert!(always.decide(u128::MAX, Some(false)));
        let half = Sampler { parent_based: false, ratio: 0.5 };
        assert!(half.decide(1, None) && !half.decide((1 << 56) - 1, None));
    }
}

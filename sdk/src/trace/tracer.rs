//! Begins and ends the contexts of requests.

use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

use http::HeaderMap;
use opentelemetry::InstrumentationScope;

use super::span::{RequestEnd, request_span};
use super::traceparent::{self, Malformed, Parent};
use super::{Exporter, RequestContext, Sampler};
use crate::signal::health::Health;

/// Whose `traceparent` is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Everybody's: right behind a gateway of yours.
    All,
    /// Nobody's: every request begins a trace.
    None,
    /// Peers in these networks, as address and prefix length.
    Networks(Vec<(IpAddr, u8)>),
}

/// Traces of one instance.
#[derive(Debug)]
pub(crate) struct Tracer {
    pub(crate) sampler: Sampler,
    pub(crate) trust: Trust,
    /// `None`: ids for logs only.
    pub(crate) exporter: Option<Exporter>,
    pub(crate) scope: InstrumentationScope,
}

impl Tracer {
    /// The context of a request: its caller's trace when there is one to believe, else a new one.
    // Inlined with what it calls: it returns eight words, which would be copied at each return.
    #[inline]
    pub(crate) fn begin(
        &self,
        health: &Health,
        headers: &HeaderMap,
        peer: impl Fn() -> Option<IpAddr>,
    ) -> RequestContext {
        let caller = traceparent::incoming(headers).and_then(|said| match said {
            Ok(parent) if self.trust.believes(&peer) => Some(parent),
            Ok(_) => {
                health.traceparent_ignored("untrusted");
                None
            }
            Err(Malformed) => {
                health.traceparent_ignored("malformed");
                None
            }
        });
        self.continue_or_begin(caller)
    }

    /// A context in the trace of this caller, or else in a new one.
    #[inline]
    pub(crate) fn continue_or_begin(&self, caller: Option<Parent>) -> RequestContext {
        let span_id = random() | 1;
        let (trace, parent_id, parent) = match caller {
            Some((trace, parent, sampled)) => (trace, parent, Some(sampled)),
            None => ((random(), random() | 1), 0, None),
        };
        let sampled = self.exporter.is_some() && self.sampler.decide(trace.1, parent);
        let pass_on = sampled || (self.exporter.is_none() && parent == Some(true));
        RequestContext { trace, span_id, parent_id, sampled, pass_on }
    }

    /// Writes the span of a sampled request; whether it is on its way.
    pub(crate) fn finish(&self, context: RequestContext, end: RequestEnd<'_>) -> bool {
        self.exporter.as_ref().is_some_and(|it| it.queue(request_span(context, end, &self.scope)))
    }
}

impl Trust {
    fn believes(&self, peer: &impl Fn() -> Option<IpAddr>) -> bool {
        match self {
            Trust::All => true,
            Trust::None => false,
            Trust::Networks(networks) => peer().is_some_and(|peer| networks.iter().any(|it| contains(*it, peer))),
        }
    }
}

/// Whether a network holds an address. IPv4 addresses that arrive as IPv6 count as IPv4.
fn contains((network, prefix): (IpAddr, u8), peer: IpAddr) -> bool {
    let high_bits = |bits: u128, width: u32| bits.checked_shr(width - u32::from(prefix).min(width)).unwrap_or(0);
    match (network, peer.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(peer)) => {
            high_bits(u32::from(network).into(), 32) == high_bits(u32::from(peer).into(), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(peer)) => high_bits(network.into(), 128) == high_bits(peer.into(), 128),
        _ => false,
    }
}

/// Sixty-four random bits: a counter per thread from a random seed, mixed by `SplitMix64`. Ids need be unique, not secret.
pub(super) fn random() -> u64 {
    thread_local!(static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0x6b69_6c74_6572_u64)));
    let state = STATE.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
    STATE.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_hold_their_addresses() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for (network, prefix, peer, inside) in [
            ("10.0.0.0", 8, "10.200.1.1", true),
            ("10.0.0.0", 8, "11.0.0.1", false),
            ("0.0.0.0", 0, "9.9.9.9", true),
            ("10.0.0.0", 8, "::ffff:10.1.1.1", true),
            ("fd00::", 8, "fd12::1", true),
            ("fd00::", 8, "10.0.0.1", false),
        ] {
            assert_eq!(contains((ip(network), prefix), ip(peer)), inside, "{peer} in {network}/{prefix}");
        }
    }

    #[test]
    fn ids_differ() {
        let ids: std::collections::BTreeSet<u64> = (0..10_000).map(|_| random()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}

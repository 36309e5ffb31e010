//! Circuit breakers: their state, its changes, and the calls that they rejected.

use std::sync::atomic::{AtomicU8, Ordering};

use kilter_contract::resilience::{
    CIRCUIT_BREAKER_STATE, CIRCUIT_BREAKER_TRANSITIONS, DEPENDENCY_REJECTED, REJECT_REASONS, STATES,
};

use crate::Telemetry;
use crate::core::Core;

/// The breaker before a dependency. Copy it to wherever it is told something; [`Telemetry::breaker`] makes one.
#[derive(Debug, Clone, Copy)]
pub struct Breaker {
    core: &'static Core,
    dependency: &'static str,
    position: &'static Position,
}

/// A state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls are made.
    Closed,
    /// A few calls are made, to see whether the dependency is back.
    HalfOpen,
    /// Every call is rejected.
    Open,
}

/// Why a call was rejected before it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The breaker is open, or half open and has enough calls to judge by.
    CircuitOpen,
    /// As many calls as are allowed are in progress.
    Limit,
    /// So little is left of the caller's deadline that the call would be in vain.
    Deadline,
}

/// The state that all handles of a dependency share.
#[derive(Debug, Default)]
pub(crate) struct Position(AtomicU8);

impl Telemetry {
    /// The breaker before this dependency, closed until it is told otherwise. Its series exist from now on.
    ///
    /// Any breaker will do that tells its changes of state and its rejections. Rejected calls are errors of the
    /// dependency in its SLOs: a page must not resolve because the breaker has opened. Give it the name that the calls
    /// have.
    ///
    /// ```
    /// use kilter::{BreakerState, Rejection};
    ///
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let breaker = telemetry.breaker("identity");
    /// breaker.state_changed(BreakerState::Open);
    /// breaker.rejected(Rejection::CircuitOpen);
    /// let open = "circuit_breaker_state{dependency=\"identity\",state=\"open\"}";
    /// assert_eq!(telemetry.value(open), Some(1.0));
    /// ```
    pub fn breaker(&self, dependency: &'static str) -> Breaker {
        let core = self.core();
        let position = core.breakers.of(dependency);
        let families = &core.families;
        for state in STATES {
            families.of(&CIRCUIT_BREAKER_TRANSITIONS).born(&[Some(dependency), Some(state)]);
        }
        for reason in REJECT_REASONS {
            families.of(&DEPENDENCY_REJECTED).born(&[Some(dependency), Some(reason)]);
        }
        let levels = STATES.iter().map(|it| families.of(&CIRCUIT_BREAKER_STATE).series(&[Some(dependency), Some(it)]));
        let levels: Vec<_> = levels.collect();
        // One value that is read once a page, so that on every page exactly one state is 1.
        core.collectors.set(format!("breaker {dependency}"), move || {
            let now = usize::from(position.0.load(Ordering::Acquire));
            levels.iter().enumerate().for_each(|(at, it)| it.level().set(f64::from(u8::from(at == now))));
        });
        Breaker { core, dependency, position }
    }
}

impl Breaker {
    /// Tells the state that the breaker is in now. To hear the same state again is no transition.
    pub fn state_changed(self, to: BreakerState) {
        let to = to as u8;
        if self.position.0.swap(to, Ordering::AcqRel) != to {
            let state = STATES.get(usize::from(to)).copied();
            self.core.families.of(&CIRCUIT_BREAKER_TRANSITIONS).series(&[Some(self.dependency), state]).add(1);
        }
    }

    /// Counts a call that was not made.
    pub fn rejected(self, reason: Rejection) {
        let reason = REJECT_REASONS.get(reason as usize).copied();
        self.core.families.of(&DEPENDENCY_REJECTED).series(&[Some(self.dependency), reason]).add(1);
    }

    /// Makes a breaker of the crate `tower-resilience-circuitbreaker` tell everything: pass its builder through here.
    ///
    /// One breaker for a dependency: a layer that wraps several services makes several breakers, unless it was built
    /// with `build_with_handle`.
    ///
    /// ```
    /// use kilter::tower_resilience_circuitbreaker::CircuitBreakerLayer;
    ///
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// let breaker = telemetry.breaker("identity").tower_resilience(CircuitBreakerLayer::standard()).build().unwrap();
    /// # let _ = breaker;
    /// ```
    #[cfg(feature = "tower-resilience-0-14")]
    pub fn tower_resilience<C>(
        self,
        builder: tower_resilience_circuitbreaker::CircuitBreakerConfigBuilder<C>,
    ) -> tower_resilience_circuitbreaker::CircuitBreakerConfigBuilder<C> {
        builder
            .name(self.dependency)
            .on_state_transition(move |_, to| self.state_changed(to.into()))
            .on_call_rejected(move || self.rejected(Rejection::CircuitOpen))
    }
}

#[cfg(feature = "tower-resilience-0-14")]
impl From<tower_resilience_circuitbreaker::CircuitState> for BreakerState {
    fn from(state: tower_resilience_circuitbreaker::CircuitState) -> Self {
        use tower_resilience_circuitbreaker::CircuitState;
        match state {
            CircuitState::Closed => Self::Closed,
            CircuitState::Open => Self::Open,
            CircuitState::HalfOpen => Self::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::testing::TestTelemetry;

    fn values(page: &str, family: &str) -> Vec<f64> {
        let start = format!("{family}{{dependency=\"identity\"");
        page.lines()
            .filter(|it| it.starts_with(&start))
            .map(|it| it.rsplit_once(' ').unwrap().1.parse().unwrap())
            .collect()
    }

    #[test]
    fn the_texts_are_those_of_the_contract() {
        for (state, text) in
            [(BreakerState::Closed, "closed"), (BreakerState::HalfOpen, "half_open"), (BreakerState::Open, "open")]
        {
            assert_eq!(STATES[state as usize], text);
        }
        for (reason, text) in
            [(Rejection::CircuitOpen, "circuit_open"), (Rejection::Limit, "limit"), (Rejection::Deadline, "deadline")]
        {
            assert_eq!(REJECT_REASONS[reason as usize], text);
        }
    }

    #[test]
    fn on_every_page_exactly_one_state_is_1_and_every_transition_is_counted() {
        const CHANGES: u32 = 5_000;
        let telemetry = TestTelemetry::new(crate::service!());
        let breaker = telemetry.breaker("identity");
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        let page = telemetry.page();
                        let mut states = values(&page, "circuit_breaker_state");
                        states.sort_by(f64::total_cmp);
                        assert_eq!(states, [0.0, 0.0, 1.0], "{page}");
                    }
                });
            }
            for _ in 0..CHANGES {
                breaker.state_changed(BreakerState::Open);
                // A second handle is of the same breaker, and the same state again is no transition.
                telemetry.breaker("identity").state_changed(BreakerState::Open);
                breaker.state_changed(BreakerState::HalfOpen);
                breaker.state_changed(BreakerState::Closed);
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(values(&telemetry.page(), "circuit_breaker_transitions_total"), [f64::from(CHANGES); 3]);
    }
}

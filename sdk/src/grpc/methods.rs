//! The methods that a server is known to have. Read without a lock, insert-only, bounded.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::signal::http::hash;

/// Slots of the table: twice the budget, so that probing stays short.
const SLOTS: usize = 1_024;
/// Most methods that are told apart; the rest are `_OTHER`.
const BUDGET: usize = SLOTS / 2;

/// Full names of methods.
#[derive(Debug)]
pub(crate) struct Methods {
    slots: Box<[OnceLock<Box<str>>]>,
    known: Mutex<usize>,
}

impl Default for Methods {
    fn default() -> Self {
        Self { slots: std::iter::repeat_with(OnceLock::new).take(SLOTS).collect(), known: Mutex::default() }
    }
}

impl Methods {
    /// The method, when it is known.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        let start = hash(name.as_bytes());
        (0..SLOTS)
            .map_while(|step| self.slots[(start + step) % SLOTS].get())
            .find(|it| ***it == *name)
            .map(AsRef::as_ref)
    }

    /// Knows a method from now on. `None` when there are too many.
    #[cold]
    pub(super) fn learn(&self, name: &str) -> Option<&str> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.find(name) {
            return Some(found);
        }
        if *known >= BUDGET {
            return None;
        }
        *known += 1;
        let start = hash(name.as_bytes());
        (0..SLOTS)
            .map(|step| &self.slots[(start + step) % SLOTS])
            .find(|slot| slot.set(name.into()).is_ok())?
            .get()
            .map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_methods_are_known_and_a_flood_is_not() {
        let methods = Methods::default();
        assert_eq!(methods.find("a.B/C"), None);
        assert_eq!(methods.learn("a.B/C"), Some("a.B/C"));
        for n in 0..2_000 {
            methods.learn(&format!("a.B/M{n}"));
        }
        assert_eq!(methods.find("a.B/C"), Some("a.B/C"));
        assert_eq!(methods.find("a.B/M510"), Some("a.B/M510"));
        assert_eq!((methods.find("a.B/M511"), methods.learn("a.B/M511")), (None, None));
    }
}

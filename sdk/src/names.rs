//! Names that handles hold: owned once, however many handles have them. So a handle can be copied, and its name can come
//! from the service's configuration.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use kilter_contract::error_type::OTHER;

/// Names beyond this are made up as the service runs, which names must not be.
const MOST: usize = 10_000;

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The same name, for as long as the process lives; `_OTHER` when there are too many.
pub(crate) fn keep(name: &str) -> &'static str {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    match names.get(name) {
        Some(kept) => kept,
        None if names.len() >= MOST => OTHER,
        None => {
            let kept: &'static str = Box::leak(name.into());
            names.insert(kept);
            kept
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_not_without_end() {
        let orders = keep("orders");
        assert!(std::ptr::eq(orders, keep("orders")));
        let all: BTreeSet<&str> = (0..2 * MOST).map(|n| keep(&format!("made-up-{n}"))).collect();
        assert!(all.len() <= MOST && all.contains(OTHER));
        assert!(std::ptr::eq(orders, keep("orders")), "those that are known stay");
    }
}

//! What has become of each build.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How many builds are remembered; the oldest is forgotten first.
const KEPT: usize = 10_000;

/// A build, as its users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Build {
    pub(crate) id: u64,
    pub(crate) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// No worker has taken it yet.
    Waiting,
    Running,
    Succeeded,
    /// By its own fault: what it ran said so.
    Failed,
    /// By ours: it could not be run to its end.
    Broken,
}

/// The builds of this process.
#[derive(Debug, Default)]
pub(crate) struct Builds {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    last: u64,
    builds: BTreeMap<u64, State>,
}

impl Builds {
    /// A new one, which waits.
    pub(crate) fn add(&self) -> Build {
        let mut known = self.known();
        known.last += 1;
        let build = Build { id: known.last, state: State::Waiting };
        known.builds.insert(build.id, build.state);
        if known.builds.len() > KEPT {
            known.builds.pop_first();
        }
        build
    }

    pub(crate) fn remove(&self, id: u64) {
        self.known().builds.remove(&id);
    }

    pub(crate) fn get(&self, id: u64) -> Option<Build> {
        self.known().builds.get(&id).map(|state| Build { id, state: *state })
    }

    /// One that is forgotten stays so.
    pub(crate) fn set(&self, id: u64, state: State) {
        if let Some(known) = self.known().builds.get_mut(&id) {
            *known = state;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Builds, KEPT, State};

    #[test]
    fn the_oldest_is_forgotten_first() {
        let builds = Builds::default();
        let first = builds.add();
        builds.set(first.id, State::Running);
        assert_eq!(builds.get(first.id).unwrap().state, State::Running);
        for _ in 0..KEPT {
            builds.add();
        }
        assert_eq!(builds.get(first.id), None);
        builds.set(first.id, State::Succeeded);
        assert_eq!(builds.get(first.id), None);
        assert_eq!(builds.get(first.id + 1).unwrap().state, State::Waiting);
    }
}

//! What all handles of one name share, however often a service asks for the handle.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A value per name. Names come from code, so there are few.
#[derive(Debug)]
pub(crate) struct Named<T: 'static>(Mutex<BTreeMap<&'static str, &'static T>>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Default> Named<T> {
    /// The value of this name, made when it is asked for first. It lives as long as the instance, and so as the process.
    pub(crate) fn of(&self, name: &'static str) -> &'static T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_insert_with(|| Box::leak(Box::default()))
    }
}

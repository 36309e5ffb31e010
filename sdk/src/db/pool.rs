//! Gauges of connection pools, read when the page is rendered. The service's own pool stays what it is.

use kilter_contract::db::{CONNECTION_COUNT, CONNECTION_MAX, IDLE, USED};

use crate::Telemetry;

/// A pool of connections that can be asked for its size. It must not block.
pub trait Pool: Send + Sync + 'static {
    /// Open connections.
    fn size(&self) -> u32;

    /// Those of them that nobody uses.
    fn idle(&self) -> u32;

    /// The most that it opens.
    fn max(&self) -> u32;

    /// Whether it was closed: then it is shown no longer.
    fn is_closed(&self) -> bool {
        false
    }

    /// The database system, as the semantic conventions name it, when the type tells.
    fn system(&self) -> Option<&'static str> {
        None
    }
}

/// What a pool holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolUsage {
    /// Open connections.
    pub size: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
    /// The most that it opens.
    pub max: u32,
}

impl Telemetry {
    /// Shows connections in use, idle, and at most, of a pool of this name. Its clone is kept and read at each rendering;
    /// a later pool of the same name takes its place.
    ///
    /// Waits and timeouts are not in any pool's sight: [`Database::acquire`](crate::Database::acquire) counts them.
    pub fn pool<P: Pool + Clone>(&self, name: &'static str, pool: &P) {
        if let Some(system) = pool.system() {
            // The first pool of a name decides: a name is one database.
            let _ = self.core().databases.of(name).system.set(system);
        }
        let pool = pool.clone();
        self.show(name, move || {
            (!pool.is_closed()).then(|| PoolUsage { size: pool.size(), idle: pool.idle(), max: pool.max() })
        });
    }

    /// The same for any pool.
    ///
    /// ```
    /// use kilter::PoolUsage;
    ///
    /// let telemetry = kilter::testing::TestTelemetry::new(kilter::service!());
    /// telemetry.pool_with("main", || PoolUsage { size: 5, idle: 3, max: 10 });
    /// let used = "db_client_connection_count{db_client_connection_pool_name=\"main\",db_client_connection_state=\"used\"}";
    /// assert_eq!(telemetry.value(used), Some(2.0));
    /// ```
    pub fn pool_with(&self, name: &'static str, read: impl Fn() -> PoolUsage + Send + Sync + 'static) {
        self.show(name, move || Some(read()));
    }

    fn show(&self, name: &'static str, read: impl Fn() -> Option<PoolUsage> + Send + Sync + 'static) {
        let families = &self.core().families;
        let count = |state| families.of(&CONNECTION_COUNT).series(&[Some(name), Some(state)]).level();
        let (idle, used) = (count(IDLE), count(USED));
        let max = families.of(&CONNECTION_MAX).series(&[Some(name)]).level();
        self.core().collectors.set(format!("pool {name}"), move || match read() {
            Some(now) => {
                // The two are read one after the other: a connection that was given back in between is idle.
                let free = now.idle.min(now.size);
                idle.set(f64::from(free));
                used.set(f64::from(now.size - free));
                max.set(f64::from(now.max));
            }
            None => [idle, used, max].into_iter().for_each(crate::signal::level::Level::clear),
        });
    }
}

//! The process (USE): what the kernel says of it, of its control group and of disks, read at each rendering.

#[cfg(target_os = "linux")]
mod cgroup;
mod disk;
#[cfg(target_os = "linux")]
mod linux;

use crate::Telemetry;

impl Telemetry {
    /// Shows the process and the limits of its control group: `process_*`, and `resource_usage` and `resource_limit` of
    /// `memory` and `cpu` with the name `cgroup`. `init` and `build` call it. On systems other than Linux, what is not
    /// known is absent.
    pub fn watch_process(&self) {
        #[cfg(target_os = "linux")]
        {
            linux::watch(self.core());
            cgroup::watch(self.core());
        }
    }
}

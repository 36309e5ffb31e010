//! `/proc/self`.

use kilter_contract::process;
use procfs::process::{LimitValue, Process};

use crate::core::Core;
use crate::signal::family::Series;

/// Reads the process at each rendering.
pub(super) fn watch(core: &'static Core) {
    let [resident, virtual_memory, open_fds, max_fds, threads, born] = [
        process::RESIDENT_MEMORY,
        process::VIRTUAL_MEMORY,
        process::OPEN_FDS,
        process::MAX_FDS,
        process::THREADS,
        process::START_TIME,
    ]
    .map(|signal| core.families.of(&signal).series(&[]));
    let cpu = core.families.of(&process::CPU).series(&[]);
    // Read once: the kernel derives it from the clock on the wall, which is adjusted, and a change of it is a restart.
    born.level().set(started().unwrap_or(f64::NAN));
    core.collectors.set("process".to_owned(), move || {
        let me = Process::myself().ok();
        let stat = me.as_ref().and_then(|it| it.stat().ok());
        let show = |series: &Series, value: Option<f64>| series.level().set(value.unwrap_or(f64::NAN));
        show(resident, stat.as_ref().map(|it| it.rss as f64 * procfs::page_size() as f64));
        show(virtual_memory, stat.as_ref().map(|it| it.vsize as f64));
        show(threads, stat.as_ref().map(|it| it.num_threads as f64));
        show(open_fds, me.as_ref().and_then(|it| it.fd_count().ok()).map(|it| it as f64));
        let limit = me.as_ref().and_then(|it| it.limits().ok()).map(|it| it.max_open_files.soft_limit);
        show(
            max_fds,
            limit.and_then(|it| match it {
                LimitValue::Value(n) => Some(n as f64),
                LimitValue::Unlimited => None,
            }),
        );
        if let Some(stat) = stat {
            cpu.raise(seconds(stat.utime + stat.stime));
        }
    });
}

/// Unix time at which the process started.
fn started() -> Option<f64> {
    let stat = Process::myself().ok()?.stat().ok()?;
    Some(procfs::boot_time_secs().ok()? as f64 + seconds(stat.starttime))
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / procfs::ticks_per_second() as f64
}

//! Control groups, version 1 and 2: how much memory and processor time the process may use, with all others in its group.
//!
//! A group is limited by the groups that it is in as well, as far up as they can be seen. The tightest limit counts, with
//! the use of the group that has it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use procfs::process::Process;

use crate::core::Core;
use crate::resource::{Usage, observe_alone};
use crate::signal::clock;

/// The name of the resources.
const NAME: &str = "cgroup";
/// Version 1 says "no limit" with the largest number of pages.
const NO_LIMIT: u64 = 1 << 62;
/// Processor time is averaged over at least this long, however many scrape.
const SHORTEST: u64 = 5_000_000_000;

/// Reads the limits at each rendering. A resource without one is absent.
pub(super) fn watch(core: &'static Core) {
    let Some(groups) = Groups::of_this_process() else { return };
    if let Some(memory) = groups.memory {
        observe_alone(core, ("memory", NAME), move || memory.memory());
    }
    if let Some(cpu) = groups.cpu {
        let meter = Mutex::new(Meter::default());
        let read = move || {
            let (group, cpus) = cpu.tightest(Group::cpus)?;
            let mut meter = meter.lock().unwrap_or_else(PoisonError::into_inner);
            Some(Usage::exact(meter.average(clock::now(), group.cpu_seconds()?)?, cpus))
        };
        // The first reading begins the first average.
        read();
        observe_alone(core, ("cpu", NAME), read);
    }
}

/// Where the process is in the hierarchies of control groups.
struct Groups {
    memory: Option<Group>,
    cpu: Option<Group>,
}

/// One control group.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    version: Version,
    /// As far up as this system shows it.
    top: PathBuf,
    path: PathBuf,
    /// Version 1 counts processor time in a hierarchy that may be another.
    accounting: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

impl Groups {
    fn of_this_process() -> Option<Self> {
        let me = Process::myself().ok()?;
        let (memberships, mounts) = (me.cgroups().ok()?.0, me.mountinfo().ok()?.0);
        // The hierarchy of a controller, or of version 2 without one: its top, and the group in it.
        let find = |controller: Option<&str>| {
            let it = memberships.iter().find(|it| match controller {
                Some(name) => it.controllers.iter().any(|it| it == name),
                None => it.hierarchy == 0,
            })?;
            let mount = mounts.iter().find(|mount| match controller {
                Some(name) => mount.fs_type == "cgroup" && mount.super_options.contains_key(name),
                None => mount.fs_type == "cgroup2",
            })?;
            Some((mount.mount_point.clone(), mount.mount_point.join(below(&it.pathname, &mount.root))))
        };
        let group = |controller: &str, file: &str| {
            let one = find(Some(controller)).map(|it| (Version::One, it));
            let (version, (top, path)) = one.or_else(|| find(None).map(|it| (Version::Two, it)))?;
            let accounting = find(Some("cpuacct")).map(|(top, path)| if path.exists() { path } else { top });
            let group = Group { version, top, path, accounting };
            // In a container the path may be that of the host, which this system does not show.
            let shown = group.path.join(file).exists() || group.version == Version::Two && group.path.exists();
            Some(if shown { group } else { Group { path: group.top.clone(), ..group } })
        };
        Some(Self { memory: group("memory", "memory.limit_in_bytes"), cpu: group("cpu", "cpu.cfs_quota_us") })
    }
}

/// The path of a group below what is mounted.
fn below(path: &str, root: &str) -> PathBuf {
    let below = Path::new(path).strip_prefix(root).unwrap_or(Path::new(""));
    below.components().filter(|it| matches!(it, std::path::Component::Normal(_))).collect()
}

impl Group {
    /// Itself, then the groups that it is in.
    fn up(&self) -> impl Iterator<Item = Self> + '_ {
        let depth = |path: &Path| path.strip_prefix(&self.top).map_or(0, |it| it.components().count());
        (0..=depth(&self.path)).filter_map(|steps| {
            let up = |path: &Path| path.ancestors().nth(steps).map(Path::to_path_buf);
            let accounting = self.accounting.as_deref().and_then(up);
            Some(Self { version: self.version, top: self.top.clone(), path: up(&self.path)?, accounting })
        })
    }

    /// The group with the tightest limit, and that.
    fn tightest(&self, limit: impl Fn(&Self) -> Option<f64>) -> Option<(Self, f64)> {
        let limited = self.up().filter_map(|group| limit(&group).map(|limit| (group, limit)));
        limited.min_by(|one, other| one.1.total_cmp(&other.1))
    }

    /// Memory that cannot be taken back at once, out of the tightest limit. Files that nobody has read lately are taken
    /// back when memory is short, so they are not counted: a service that reads many would seem full for ever.
    fn memory(&self) -> Option<Usage> {
        let (group, limit) = self.tightest(Self::memory_limit)?;
        let (usage, idle) = match self.version {
            Version::One => ("memory.usage_in_bytes", "total_inactive_file"),
            Version::Two => ("memory.current", "inactive_file"),
        };
        let (usage, idle) = (group.number(usage)?, group.field("memory.stat", idle).unwrap_or(0));
        Some(Usage::exact(usage.saturating_sub(idle) as f64, limit))
    }

    fn memory_limit(&self) -> Option<f64> {
        let file = match self.version {
            Version::One => "memory.limit_in_bytes",
            Version::Two => "memory.max",
        };
        self.number(file).filter(|it| *it < NO_LIMIT).map(|it| it as f64)
    }

    /// How many processors it may keep busy.
    fn cpus(&self) -> Option<f64> {
        let (quota, period) = match self.version {
            Version::One => (self.number("cpu.cfs_quota_us")?, self.number("cpu.cfs_period_us")?),
            Version::Two => {
                let text = self.text("cpu.max")?;
                let (quota, period) = text.trim().split_once(' ')?;
                (quota.parse().ok()?, period.parse().ok()?)
            }
        };
        (period > 0).then_some(quota as f64 / period as f64)
    }

    fn cpu_seconds(&self) -> Option<f64> {
        match self.version {
            Version::One => {
                let text = fs::read_to_string(self.accounting.as_ref()?.join("cpuacct.usage")).ok()?;
                Some(text.trim().parse::<u64>().ok()? as f64 / 1e9)
            }
            Version::Two => Some(self.field("cpu.stat", "usage_usec")? as f64 / 1e6),
        }
    }

    fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.path.join(file)).ok()
    }

    /// A file that holds one number; `max` and -1 are none.
    fn number(&self, file: &str) -> Option<u64> {
        self.text(file)?.trim().parse().ok()
    }

    fn field(&self, file: &str, key: &str) -> Option<u64> {
        let text = self.text(file)?;
        text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.parse().ok())
    }
}

/// Turns processor time into processors that were busy on average since the last reading.
#[derive(Debug, Default)]
struct Meter {
    /// When, and how much time it was then.
    last: Option<(u64, f64)>,
    average: Option<f64>,
}

impl Meter {
    fn average(&mut self, now: u64, seconds: f64) -> Option<f64> {
        let (then, before) = *self.last.get_or_insert((now, seconds));
        let since = now.saturating_sub(then);
        if since >= SHORTEST {
            self.average = Some((seconds - before).max(0.0) / (since as f64 / 1e9));
            self.last = Some((now, seconds));
        }
        self.average
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn group(top: &Path, path: &str, version: Version) -> Group {
        let accounting = (version == Version::One).then(|| top.join("cpuacct").join(path));
        let top = if version == Version::One { top.join("cpu") } else { top.to_path_buf() };
        Group { version, path: top.join(path), top, accounting }
    }

    #[test]
    fn the_tightest_limit_counts_with_the_use_of_its_group() {
        let folder = tree(&[
            ("pod/memory.max", "1000\n"),
            ("pod/memory.current", "900\n"),
            ("pod/memory.stat", "anon 300\nfile 600\ninactive_file 250\nactive_file 350\n"),
            ("pod/cpu.max", "max 100000\n"),
            ("pod/app/memory.max", "max\n"),
            ("pod/app/memory.current", "500\n"),
            ("pod/app/memory.stat", "inactive_file 100\n"),
            ("pod/app/cpu.max", "150000 100000\n"),
            ("pod/app/cpu.stat", "usage_usec 2500000\nuser_usec 1\n"),
        ]);
        let app = group(folder.path(), "pod/app", Version::Two);
        assert_eq!(app.memory(), Some(Usage::exact(650.0, 1000.0)), "the pod's: its container has none");
        let (limited, cpus) = app.tightest(Group::cpus).unwrap();
        assert_eq!((cpus, limited.cpu_seconds()), (1.5, Some(2.5)));
        fs::write(folder.path().join("pod/app/memory.max"), "800\n").unwrap();
        assert_eq!(app.memory(), Some(Usage::exact(400.0, 800.0)), "its own is tighter now");
        let pod = group(folder.path(), "pod", Version::Two);
        assert_eq!(pod.tightest(Group::cpus), None);
    }

    #[test]
    fn version_one_has_other_files_and_says_no_limit_with_a_number() {
        let folder = tree(&[
            ("cpu/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cpu/a/memory.limit_in_bytes", "4096\n"),
            ("cpu/a/memory.usage_in_bytes", "3000\n"),
            ("cpu/a/memory.stat", "inactive_file 1\ntotal_inactive_file 1000\n"),
            ("cpu/cpu.cfs_quota_us", "-1\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("cpu/a/cpu.cfs_quota_us", "50000\n"),
            ("cpu/a/cpu.cfs_period_us", "100000\n"),
            ("cpuacct/a/cpuacct.usage", "7500000000\n"),
        ]);
        let it = group(folder.path(), "a", Version::One);
        assert_eq!(it.memory(), Some(Usage::exact(2000.0, 4096.0)));
        let (limited, cpus) = it.tightest(Group::cpus).unwrap();
        assert_eq!((cpus, limited.cpu_seconds()), (0.5, Some(7.5)));
        assert_eq!(group(folder.path(), "", Version::One).memory(), None);
        assert_eq!(group(folder.path(), "", Version::One).tightest(Group::cpus), None);
    }

    #[test]
    fn paths_are_those_below_what_is_mounted() {
        for (path, root, expected) in [
            ("/", "/", ""),
            ("/system.slice/app.service", "/", "system.slice/app.service"),
            ("/docker/1f", "/docker/1f", ""),
            ("/docker/1f/inner", "/docker/1f", "inner"),
            ("/elsewhere", "/docker/1f", ""),
            ("/../../other", "/", "other"),
        ] {
            assert_eq!(below(path, root), PathBuf::from(expected), "{path} below {root}");
        }
    }

    /// However many scrape, and however often.
    #[test]
    fn processor_time_is_an_average() {
        let mut meter = Meter::default();
        let second = 1_000_000_000;
        assert_eq!(meter.average(second, 10.0), None);
        assert_eq!(meter.average(2 * second, 11.0), None);
        assert_eq!(meter.average(11 * second, 15.0), Some(0.5));
        assert_eq!(meter.average(12 * second, 99.0), Some(0.5));
        assert_eq!(meter.average(21 * second, 35.0), Some(2.0));
    }
}

//! The process and its runtime: the page says what the kernel and Tokio say.

use std::time::{Duration, Instant};

use kilter::testing::TestTelemetry;

use crate::promtool;
use crate::service::{OWN_SERVER, Service, WORKERS};

/// A field of `/proc/<pid>/status`, in its own unit.
fn status(pid: u32, key: &str) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Processor time in hundredths of a second, as the kernel counts it for every program.
fn cpu_ticks(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
}

/// A real service, whose page is held against what the kernel tells everybody.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_what_the_kernel_says() {
    let now = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let before = now();
    let service = Service::start(&[]);
    let after = now();
    let pid = service.pid();
    while service.admin("/readyz").await.0 != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (_, page) = service.admin("/metrics").await;
    let value = |series: &str| -> f64 {
        let line = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {series}:\n{page}")).parse().unwrap()
    };
    let near = |one: f64, other: f64, most: f64| assert!((one - other).abs() <= most, "{one} is not {other}");
    near(value("process_resident_memory_bytes"), status(pid, "VmRSS") * 1024.0, 4e6);
    near(value("process_virtual_memory_bytes"), status(pid, "VmSize") * 1024.0, 2e8);
    near(value("process_threads"), status(pid, "Threads"), 0.0);
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    // The connection of this client, and the folder that is read.
    near(value("process_open_fds"), open as f64, 3.0);
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let limit = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    near(value("process_max_fds"), limit.split_whitespace().nth(3).unwrap().parse().unwrap(), 0.0);

    let started = value("process_start_time_seconds");
    // The kernel's boot time has whole seconds.
    assert!((before - 1.5..=after + 1.5).contains(&started), "{started} is not in {before} to {after}");

    // A restart is a change of the start time, so it must not change by itself.
    let mut used = 0.0;
    while used == 0.0 {
        service.get("/broken", &[]).await;
        used = cpu_ticks(pid);
    }
    let (_, later) = service.admin("/metrics").await;
    let start =
        |page: &str| page.lines().find(|line| line.starts_with("process_start_time_seconds ")).map(str::to_owned);
    assert_eq!(start(&page), start(&later));
    let cpu = service.value("process_cpu_seconds_total").await.unwrap();
    let at_most = cpu_ticks(pid);
    assert!((used..=at_most).contains(&(cpu * 100.0).round()), "{cpu} seconds, {used} to {at_most} ticks");
    near(value("tokio_workers"), 1.0, 0.0);
    assert!(value("tokio_alive_tasks") >= 1.0);
    assert!(service.value("tokio_worker_busy_seconds_total").await.unwrap() > 0.0);
    value("tokio_global_queue_depth");
}

/// A service with a server of its own is watched from `init` on, when that is called within its runtime.
#[tokio::test(flavor = "multi_thread")]
async fn the_runtime_is_watched_whoever_serves() {
    let service = Service::start(&[(OWN_SERVER, "1"), (WORKERS, "2")]);
    service.get("/broken", &[]).await;
    let mut probes = 0.0;
    while probes < 3.0 {
        probes = service.value("tokio_scheduling_delay_seconds_count").await.unwrap();
    }
    assert_eq!(service.value("tokio_workers").await, Some(2.0));
    assert_eq!(service.admin("/healthz").await.0, 200);
    promtool::check_metrics(&service.admin("/metrics").await.1);
}

/// Whatever limits the control group has here are on the page, and none that it has not.
#[test]
fn limits_of_the_control_group() {
    let telemetry = TestTelemetry::new(kilter::service!());
    telemetry.watch_process();
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap();
    let limit = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let (folder, file) = match controllers {
            "" => ("/sys/fs/cgroup".to_owned(), "memory.max"),
            _ if controllers.split(',').any(|it| it == "memory") => {
                (format!("/sys/fs/cgroup/{controllers}"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let mut limits = Vec::new();
        let own = std::path::PathBuf::from(format!("{folder}{path}"));
        let own = if own.join(file).exists() { own } else { folder.clone().into() };
        for group in own.ancestors().take_while(|it| it.starts_with(&folder)) {
            let text = std::fs::read_to_string(group.join(file)).unwrap_or_default();
            limits.extend(text.trim().parse::<u64>().ok().filter(|it| *it < 1 << 62));
        }
        limits.into_iter().min()
    });
    let series =
        |what: &str| telemetry.value(&format!("resource_{what}{{resource_type=\"memory\",resource_name=\"cgroup\"}}"));
    let limit = limit.min().map(|it| it as f64);
    assert_eq!(series("limit"), limit);
    assert_eq!(series("usage").is_some(), limit.is_some());
    assert!(series("usage").is_none_or(|it| it > 0.0 && Some(it) <= limit));
}

/// Probes of this runtime that ran more than 100 ms late, and all of them.
fn late(telemetry: TestTelemetry) -> (f64, f64) {
    let count = |le: &str| telemetry.value(&format!("tokio_scheduling_delay_seconds_bucket{{le=\"{le}\"}}")).unwrap();
    (count("+Inf") - count("0.1"), count("+Inf"))
}

/// What blocks every worker shows as delay, for each time that the probe would have run.
#[test]
fn blocked_workers_show_as_scheduling_delay() {
    let block = || std::thread::sleep(Duration::from_millis(550));
    for workers in [0, 1, 2] {
        let mut builder = match workers {
            0 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = builder.worker_threads(workers.max(1)).enable_all().build().unwrap();
        let telemetry = TestTelemetry::new(kilter::service!());
        runtime.block_on(async {
            telemetry.watch_runtime();
            telemetry.watch_runtime();
            tokio::time::sleep(Duration::from_millis(120)).await;
        });
        let (late_before, before) = late(telemetry);
        assert_eq!(telemetry.value("tokio_workers"), Some(workers.max(1) as f64));
        let since = Instant::now();
        runtime.block_on(async {
            // A task for each worker; on the current thread, the one that everything runs on.
            let all: Vec<_> = (0..workers.max(1)).map(|_| tokio::spawn(async move { block() })).collect();
            for it in all {
                it.await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        });
        let (late_after, after) = late(telemetry);
        assert!(late_after - late_before >= 2.0, "{late_before} to {late_after} late, {workers} workers");
        let expected = since.elapsed().as_secs_f64() * 10.0;
        assert!((after - before - expected).abs() <= 2.0, "{after} after {before}: none is left out");
        // The time that they were blocked is time that they were busy.
        let busy = telemetry.value("tokio_worker_busy_seconds_total").unwrap();
        let asked = 0.5 * workers.max(1) as f64;
        assert!(busy >= asked, "{busy} of {asked} seconds, {workers} workers");
        drop(runtime);
        assert_eq!(telemetry.value("tokio_workers"), None, "it has ended");
        assert_eq!(telemetry.value("tokio_worker_busy_seconds_total"), Some(busy));
        let again = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        again.block_on(async { telemetry.watch_runtime() });
        assert_eq!(telemetry.value("tokio_workers"), Some(1.0), "another takes its place");
        assert!(telemetry.value("tokio_worker_busy_seconds_total").unwrap() >= busy, "a counter never falls");
    }
}

#[test]
fn outside_of_a_runtime_nothing_is_watched() {
    let telemetry = TestTelemetry::new(kilter::service!());
    telemetry.watch_runtime();
    assert!(!telemetry.page().contains("tokio_"));
}

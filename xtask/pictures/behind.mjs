// The services behind, for their panels of databases, pools, messages and jobs: the replicas go unused for a while, so that
// the primary has all reads and its pool is full; and a worker is slow, so that builds wait.
import { STEP, noise, recorder, tide, write } from "./data.mjs";

/** Writes what scrapes of `repositories` and `pipelines` find from `start` to `end`. The incident begins at `end - since`. */
export async function behind(path, { start, end, since }) {
  const random = noise(11);
  const scrape = recorder();
  for (let t = start; t <= end; t += STEP) {
    const bad = t > end - since;
    repositories(scrape, { job: "repositories", instance: "10.0.3.5:9464" }, t, bad, random);
    pipelines(scrape, { job: "pipelines", instance: "10.0.4.2:9464" }, t, bad, random);
  }
  await write(path, scrape.families);
}

function lives({ add }, own, t, start) {
  add("up", "gauge", own, t, 1);
  add("build", "info", { ...own, service_name: own.job, service_version: "2.3.1", contract_version: "1" }, t, ["_info", 1]);
  add("target", "info", { ...own, service_name: own.job, service_version: "2.3.1", service_instance_id: own.instance, deployment_environment_name: "production" }, t, ["_info", 1]);
  add("process_start_time_seconds", "gauge", own, t, start);
}

function repositories(scrape, own, t, bad, random) {
  const { add, counter, histogram } = scrape;
  lives(scrape, own, t, 1_700_000_000);
  const [reads, writes] = [Math.round(tide(t) * 40 * STEP * (0.9 + 0.2 * random())), Math.round(tide(t) * 3 * STEP)];
  const [fresh, pinned] = [Math.round(reads * (bad ? 0.02 : 0.94)), Math.round(reads * 0.06)];
  const late = Math.round(reads * (bad ? 0.08 : 0));
  const operation = (name, role, count, median, error) =>
    histogram("db_client_operation_duration_seconds", { ...own, db_system_name: "postgresql", db_namespace: "repositories", db_operation_name: name, db_role: role, ...(error && { error_type: error }) }, t, count, median);
  operation("select_repository", "replica", fresh, 0.004);
  operation("select_repository", "primary", reads - fresh - late, bad ? 0.12 : 0.005);
  operation("select_repository", "primary", late, 2, "timeout");
  operation("insert_push", "primary", writes, bad ? 0.2 : 0.012);
  const read = (role, reason, count) => counter("replica_reads_total", { ...own, db_namespace: "repositories", db_role: role, reason }, t, count);
  read("replica", "preferred", fresh);
  read("primary", "consistency", pinned);
  read("primary", "unavailable", bad ? reads - fresh - pinned : 0);
  for (const [replica, base] of [["replica-1", 0.4], ["replica-2", 0.7]]) {
    add("replica_lag_seconds", "gauge", { ...own, db_namespace: "repositories", replica }, t, base * (0.6 + random()) + (bad ? 9 : 0));
  }
  for (const [pool, used, most] of [["main", bad ? 10 : 2 + 2 * random(), 10], ["replica-1", bad ? 0 : 3 + 2 * random(), 10], ["replica-2", bad ? 0 : 3 + 2 * random(), 10]]) {
    const tags = { ...own, db_client_connection_pool_name: pool };
    add("db_client_connection_count", "gauge", { ...tags, db_client_connection_state: "used" }, t, Math.round(used));
    add("db_client_connection_count", "gauge", { ...tags, db_client_connection_state: "idle" }, t, most - Math.round(used));
    add("db_client_connection_max", "gauge", tags, t, most);
    const full = bad && pool === "main";
    add("db_client_connection_pending_requests", "gauge", tags, t, full ? 14 + Math.round(10 * random()) : 0);
    counter("db_client_connection_timeouts_total", tags, t, full ? Math.round(20 * random()) : 0);
    histogram("db_client_connection_wait_time_seconds", tags, t, Math.round(used * 30), full ? 0.7 : 0.001);
  }
}

function pipelines(scrape, own, t, bad, random) {
  const { add, counter, histogram } = scrape;
  lives(scrape, own, t, 1_700_000_000);
  const builds = Math.round(tide(t) * 1.2 * STEP * (0.8 + 0.4 * random()));
  const failed = bad ? Math.round(builds * 0.3) : 0;
  const message = { ...own, messaging_system: "postgresql", messaging_destination_name: "builds" };
  histogram("messaging_process_duration_seconds", message, t, builds - failed, bad ? 6 : 1.4);
  histogram("messaging_process_duration_seconds", { ...message, error_type: "timeout" }, t, failed, 9);
  const minute = Math.floor(t / 60);
  for (const [name, every, median] of [["artifact-cleanup", 15, 2.2], ["digest", 60, 8]]) {
    const runs = t % 60 < STEP && minute % every === 0 ? 1 : 0;
    const lost = bad && name === "digest";
    histogram("job_run_duration_seconds", { ...own, job_name: name }, t, lost ? 0 : runs, median);
    histogram("job_run_duration_seconds", { ...own, job_name: name, error_type: "timeout" }, t, lost ? runs : 0, median);
    const last = lost ? null : t - (t % (every * 60));
    add("job_last_success_timestamp_seconds", "gauge", { ...own, job_name: name }, t, last ?? scrape.succeeded ?? t);
    if (name === "digest" && last !== null) scrape.succeeded = last;
    add("job_active_runs", "gauge", { ...own, job_name: name }, t, runs);
  }
  const queue = { ...own, resource_type: "queue", resource_name: "builds" };
  add("resource_usage", "gauge", queue, t, bad ? Math.min(100, 20 + (t % 3600) / 30) : Math.round(4 * random()));
  add("resource_limit", "gauge", queue, t, 100);
  const slots = { ...own, resource_type: "thread_pool", resource_name: "builders" };
  add("resource_usage", "gauge", slots, t, bad ? 4 : Math.round(1 + 2 * random()));
  add("resource_limit", "gauge", slots, t, 4);
  add("resource_pending", "gauge", slots, t, bad ? 6 + Math.round(5 * random()) : 0);
  counter("resource_errors_total", slots, t, 0);
}

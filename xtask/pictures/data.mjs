// The last hours of a service with an incident, as OpenMetrics: what was scraped, and the pairs of its SLOs for the month
// before. Everything else is computed from these by Prometheus, with the generated rules.
import { createWriteStream } from "node:fs";
import { once } from "node:events";

export const STEP = 30;
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Always the same noise. */
export function noise(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}

const labels = (of) => Object.entries(of).map(([key, value]) => `${key}="${value}"`).join(",");
/** Busy by day, calm at night. */
export const tide = (t) => 1 + 0.35 * Math.sin((t / 86400) * 2 * Math.PI - 1);

/** What is scraped, family by family. */
export function recorder() {
  const families = new Map();
  const add = (name, type, tags, t, value) => {
    if (!families.has(name)) families.set(name, { type, series: new Map() });
    const { series } = families.get(name);
    const key = labels(tags);
    if (!series.has(key)) series.set(key, []);
    series.get(key).push([t, value]);
  };
  const counters = new Map();
  const counter = (name, tags, t, increase) => {
    const key = name + labels(tags);
    const value = (counters.get(key) ?? 0) + increase;
    counters.set(key, value);
    add(name.replace(/_total$/, ""), "counter", tags, t, value);
  };
  const histogram = (name, tags, t, count, median, bounds = BOUNDS) => {
    // A log-normal distribution by its quantiles: close enough to what services do.
    const below = (x) => 1 / (1 + Math.exp(-2.6 * Math.log(x / median)));
    const key = name + labels(tags);
    const old = counters.get(key) ?? { buckets: bounds.map(() => 0), count: 0, sum: 0 };
    bounds.forEach((bound, i) => (old.buckets[i] += Math.round(count * below(bound))));
    old.count += count;
    old.sum += count * median * 1.2;
    counters.set(key, old);
    bounds.forEach((bound, i) =>
      add(name, "histogram", { ...tags, le: Number.isInteger(bound) ? `${bound}.0` : `${bound}` }, t, ["_bucket", Math.min(old.buckets[i], old.count)]));
    add(name, "histogram", { ...tags, le: "+Inf" }, t, ["_bucket", old.count]);
    add(name, "histogram", tags, t, ["_count", old.count]);
    add(name, "histogram", tags, t, ["_sum", old.sum]);
  };
  return { families, add, counter, histogram };
}

/** Writes what a scrape of `job` finds from `start` to `end`. The incident begins at `end - since`. */
export async function scraped(path, { start, end, since, job, instances }) {
  const random = noise(7);
  const { families, add, counter, histogram } = recorder();
  const routes = [
    ["/{workspace}/{repo}/git-upload-pack", "POST", 9, 0.42],
    ["/{workspace}/{repo}/info/refs", "GET", 14, 0.035],
    ["/{workspace}/{repo}/git-receive-pack", "POST", 2, 0.6],
  ];
  for (let t = start; t <= end; t += STEP) {
    const age = t - (end - since);
    const bad = age > 0;
    const blip = Math.abs(t - (end - 4 * 3600)) < 240;
    for (const [number, pair] of instances.entries()) {
      // The new version comes to one instance first; each is a new instance in the place of an old one.
      const rollout = number === 0 ? -300 : 900;
      const fresh = age > rollout;
      const instance = pair[fresh ? 1 : 0];
      const own = { job, instance };
      const version = fresh ? "1.5.0" : "1.4.2";
      add("up", "gauge", own, t, 1);
      add("build", "info", { ...own, service_name: job, service_version: version, contract_version: "1" }, t, ["_info", 1]);
      add("target", "info", { ...own, service_name: job, service_version: version, service_instance_id: instance, deployment_environment_name: "production" }, t, ["_info", 1]);
      const born = fresh ? end - since + rollout : start - 86400 * 6;
      add("process_start_time_seconds", "gauge", own, t, born);
      let busy = 0;
      for (const [route, method, rate, median] of routes) {
        const pack = route.endsWith("upload-pack");
        const calm = tide(t) * rate * STEP * (0.9 + 0.2 * random()) / instances.length;
        const share = pack && fresh && bad ? 0.09 + 0.03 * random() : blip ? 0.02 : 0.0003;
        const failed = Math.round(calm * share);
        const slow = pack && bad ? 1.9 : 1;
        const tags = { ...own, http_request_method: method, http_route: route };
        histogram("http_server_request_duration_seconds", { ...tags, http_response_status_code: "200" }, t, Math.round(calm) - failed, median * slow);
        histogram("http_server_request_duration_seconds", { ...tags, http_response_status_code: "500", error_type: "upload_pack_failed" }, t, pack ? failed : 0, 0.9);
        histogram("http_server_request_duration_seconds", { ...tags, http_response_status_code: "504", error_type: "timeout" }, t, pack ? 0 : failed, 5);
        histogram("http_server_request_duration_seconds", { ...tags, error_type: "client_disconnect" }, t, Math.round(calm * 0.004), median);
        add("http_server_active_requests", "gauge", { http_request_method: method, http_route: route, ...own }, t, Math.round((calm / STEP) * median * slow * 3 * random() + (pack ? 2 : 0)));
        busy += (calm / STEP) * median * slow;
      }
      const hooks = Math.round(tide(t) * 9 * STEP * 0.6 / instances.length);
      counter("hooks_total", own, t, hooks);
      counter("hooks_failed_total", own, t, random() < 0.02 ? 1 : 0);
      for (const [dependency, rate, median] of [["identity", 20, 0.012], ["repositories", 12, 0.03]]) {
        const calls = Math.round(tide(t) * rate * STEP / instances.length);
        const failed = dependency === "repositories" && fresh && bad ? Math.round(calls * 0.05) : 0;
        const tags = { ...own, http_request_method: "GET", dependency };
        histogram("http_client_request_duration_seconds", { ...tags, http_response_status_code: "200" }, t, calls - failed, median * (bad && dependency === "repositories" ? 3 : 1));
        histogram("http_client_request_duration_seconds", { ...tags, http_response_status_code: "503", error_type: "503" }, t, failed, 0.4);
        add("http_client_active_requests", "gauge", tags, t, Math.round(2 * random()));
        const open = dependency === "repositories" && bad && fresh && age % 900 < 150;
        for (const state of ["closed", "half_open", "open"]) {
          add("circuit_breaker_state", "gauge", { ...own, dependency, state }, t, (state === "open") === open && state !== "half_open" ? 1 : 0);
        }
        counter("dependency_rejected_total", { ...own, dependency, reason: "circuit_open" }, t, open ? 40 : 0);
      }
      const use = (type, name, usage, limit, pending) => {
        const tags = { ...own, resource_type: type, resource_name: name };
        add("resource_usage", "gauge", tags, t, usage);
        add("resource_limit", "gauge", tags, t, limit);
        if (pending !== undefined) {
          add("resource_pending", "gauge", tags, t, pending);
          counter("resource_errors_total", tags, t, pending > 6 && random() < 0.2 ? 1 : 0);
          histogram("resource_wait_time_seconds", tags, t, Math.round(tide(t) * 9 * STEP / instances.length), pending > 0 ? 0.08 : 0.002);
        }
      };
      const packs = Math.min(16, Math.round(busy * 2 + 3 * random()));
      use("semaphore", "packs", packs, 16, packs >= 15 ? Math.round(8 * random()) : 0);
      use("memory", "cgroup", 3.1e8 + 4e7 * random() + (bad ? 1.2e8 : 0), 1073741824);
      use("cpu", "cgroup", 0.5 + 0.1 * random() + busy / 20, 2);
      counter("process_cpu_seconds_total", own, t, (0.3 + busy / 25 + 0.05 * random()) * STEP);
      add("process_resident_memory_bytes", "gauge", own, t, 2.6e8 + 4e7 * random() + (bad ? 1.2e8 : 0));
      add("process_open_fds", "gauge", own, t, 60 + Math.round(busy * 4));
      add("process_max_fds", "gauge", own, t, 1024);
      add("tokio_workers", "gauge", own, t, 2);
      add("tokio_alive_tasks", "gauge", own, t, 40 + Math.round(busy * 6 * random()));
      add("tokio_global_queue_depth", "gauge", own, t, random() < 0.1 ? 1 : 0);
      counter("tokio_worker_busy_seconds_total", own, t, (0.25 + busy / 22) * STEP);
      histogram("tokio_scheduling_delay_seconds", own, t, 300, bad ? 0.0012 : 0.0006, [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 10]);
      for (const reason of ["queue_full", "export_failed", "shutdown"]) counter("telemetry_spans_dropped_total", { ...own, reason }, t, 0);
      counter("telemetry_export_failures_total", own, t, 0);
    }
    for (const group of [`slo-${job}`, `slo-${job}-budget`, "slo-estate"]) {
      const tags = { job: "prometheus", instance: "prometheus:9090", rule_group: `/etc/prometheus/rules/${job}.rules.yaml;${group}` };
      add("prometheus_rule_group_last_duration_seconds", "gauge", tags, t, 0.02 + 0.01 * random());
      add("prometheus_rule_group_interval_seconds", "gauge", tags, t, 30);
      counter("prometheus_rule_evaluation_failures_total", tags, t, 0);
      counter("prometheus_rule_group_iterations_missed_total", tags, t, 0);
    }
  }
  await write(path, families);
}

/**
 * The pairs of SLOs for the month before, five minutes apart, and what was left of their budgets. Of services that were not
 * `scraped` the pairs go on until `now`.
 */
export async function history(path, { start, end, now, scraped, slos }) {
  const families = new Map();
  const put = (name, tags, t, value) => {
    if (!families.has(name)) families.set(name, { type: "gauge", series: new Map() });
    const { series } = families.get(name);
    const key = labels(tags);
    if (!series.has(key)) series.set(key, []);
    series.get(key).push([t, value]);
  };
  slos.forEach(({ service, slo, budget, per }, number) => {
    const random = noise(number + 3);
    const points = [];
    // Two months, so that the first of the last has one before it.
    for (let t = start - (end - start); t <= end; t += 300) {
      const total = tide(t) * per * (0.95 + 0.1 * random());
      const incident = [4.2, 11.6, 19.3, 25.1].some((day, i) => (i + number) % 3 === 0 && Math.abs(t - (start + day * 86400)) < 1800 + 900 * i);
      points.push([t, total, total * budget * (incident ? 22 : 0.25 + 0.2 * random())]);
    }
    const window = Math.round((end - start) / 300);
    let [all, bad] = [0, 0];
    points.forEach(([t, total, error], i) => {
      all += total;
      bad += error;
      if (i >= window) {
        all -= points[i - window][1];
        bad -= points[i - window][2];
        const tags = { service, slo };
        put("slo:total:rate5m", tags, t, total);
        put("slo:error:rate5m", tags, t, error);
        if (i % 2 === 0) put("slo:error_budget_remaining:ratio", tags, t, 1 - bad / all / budget);
        if (i % 2 === 0) put("slo:objective:ratio", tags, t, 1 - budget);
      }
    });
    if (service !== scraped) {
      for (let t = end + 60; t <= now; t += 60) {
        const total = tide(t) * per * (0.95 + 0.1 * random());
        put("slo:total:rate5m", { service, slo }, t, total);
        put("slo:error:rate5m", { service, slo }, t, total * budget * (0.25 + 0.2 * random()));
      }
    }
  });
  await write(path, families);
}

export async function write(path, families) {
  const out = createWriteStream(path);
  for (const [name, { type, series }] of families) {
    let text = `# TYPE ${name} ${type}\n`;
    for (const [tags, points] of series) {
      for (const [t, value] of points) {
        const [form, number] = Array.isArray(value) ? value : [type === "counter" ? "_total" : "", value];
        text += `${name}${form}{${tags}} ${number} ${t}\n`;
      }
      if (text.length > 1 << 20) {
        if (!out.write(text)) await once(out, "drain");
        text = "";
      }
    }
    if (!out.write(text)) await once(out, "drain");
  }
  out.end("# EOF\n");
  await once(out, "finish");
}

// A Prometheus that holds the data and what the generated rules make of them: each rule is evaluated over the past, those
// that it reads before it, and alerts as Prometheus would have had them.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { behind } from "./behind.mjs";
import { history, scraped, write } from "./data.mjs";

const HOURS = 6.5;
const PORT = 19099;
/** The service whose metrics there are. */
const JOB = "git-https";
export const URL = `http://127.0.0.1:${PORT}`;

function promtool(...args) {
  const ran = spawnSync("promtool", args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (ran.status !== 0) throw new Error(`promtool ${args.join(" ")}: ${ran.stderr}`);
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function start(folder) {
  writeFileSync(join(folder, "prometheus.yml"), "global: {}\n");
  const args = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/tsdb`, `--web.listen-address=127.0.0.1:${PORT}`, "--storage.tsdb.retention.time=100d", "--web.cors.origin=.*"];
  const child = spawn("prometheus", args, { stdio: "ignore" });
  for (let i = 0; i < 240; i += 1) {
    if (await fetch(`${URL}/-/ready`).then((it) => it.ok, () => false)) return child;
    await sleep(250);
  }
  throw new Error("Prometheus does not become ready");
}

async function stop(child) {
  const ended = new Promise((done) => child.once("exit", done));
  child.kill();
  await ended;
}

export async function query(path, params) {
  const answer = await fetch(`${URL}/api/v1/${path}`, { method: "POST", body: new URLSearchParams(params) });
  const body = await answer.json();
  if (body.status !== "success") throw new Error(`${body.error}: ${params.query}`);
  return body.data.result ?? body.data;
}

/** Seconds of a duration such as 1h or 5m. */
const seconds = (text) => (text ? Number.parseInt(text, 10) * { s: 1, m: 60, h: 3600, d: 86400 }[text.slice(-1)] : 0);

/** What `ALERTS` would have been: pending for a time, firing, and firing on for a time. */
async function alerts(path, rules, from, to) {
  const families = new Map([["ALERTS", { type: "gauge", series: new Map() }]]);
  for (const rule of rules) {
    for (const series of await query("query_range", { query: rule.expr, start: from, end: to, step: 30 })) {
      const { __name__, ...own } = series.metric;
      const at = new Set(series.values.map(([t]) => t));
      let [since, last] = [null, null];
      for (let t = from; t <= to; t += 30) {
        if (at.has(t)) {
          since ??= t;
          if (t - since >= seconds(rule.for)) last = t;
        } else if (last === null || t - last > seconds(rule.keep_firing_for)) {
          [since, last] = [null, null];
          continue;
        }
        const tags = { ...own, ...rule.labels, alertname: rule.alert, alertstate: last === null ? "pending" : "firing" };
        const key = Object.entries(tags).map(([k, v]) => `${k}="${v}"`).join(",");
        const { series: all } = families.get("ALERTS");
        if (!all.has(key)) all.set(key, []);
        all.get(key).push([t, 1]);
      }
    }
  }
  await write(path, families);
}

/** Starts it with everything in it; `end` is the last moment. */
export async function serve({ folder, rules, modules }) {
  const yaml = createRequire(join(modules, "package.json"))("yaml");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "tsdb"), { recursive: true });
  const end = Math.floor(Date.now() / 60_000) * 60 - 60;
  const from = end - HOURS * 3600;
  const groups = readdirSync(rules).filter((it) => it.endsWith(".rules.yaml")).flatMap((it) => yaml.parse(readFileSync(join(rules, it), "utf8")).groups);
  const all = groups.flatMap((it) => it.rules);
  const fill = (name) => promtool("tsdb", "create-blocks-from", "--max-block-duration=768h", "openmetrics", join(folder, name), join(folder, "tsdb"));

  const slos = all.filter((it) => it.record === "slo:error_budget:ratio").map(({ labels, expr }) => {
    const per = { "clone-availability": 9, "clone-latency": 9, "hook-delivery": 5 }[labels.slo] ?? 14;
    return { service: labels.service, slo: labels.slo, budget: Number.parseFloat(expr.replace("vector(", "")), per };
  });
  await history(join(folder, "history.om"), { start: end - 30 * 86400, end: from + 900, now: end, scraped: JOB, slos });
  await scraped(join(folder, "scraped.om"), { start: from, end, since: 35 * 60, job: JOB, instances: [["10.0.1.4:9464", "10.0.1.9:9464"], ["10.0.2.7:9464", "10.0.2.8:9464"]] });
  await behind(join(folder, "behind.om"), { start: from, end, since: 50 * 60 });
  ["history.om", "scraped.om", "behind.om"].forEach(fill);

  const own = (it) => it.labels?.service === JOB;
  const first = ["slo:objective:ratio", "slo:error_budget:ratio", "slo:info", "slo:last_success:timestamp"];
  const passes = [
    (it) => first.includes(it.record) || (it.record === "slo:total:rate5m" && own(it)),
    (it) => it.record === "slo:error:rate5m" && own(it),
    (it) => it.record?.startsWith("slo:burn_rate:") || it.record?.startsWith("slo:period"),
    (it) => it.record === "slo:error_budget_remaining:ratio",
  ];
  let child = await start(folder);
  for (const [n, pass] of passes.entries()) {
    const file = join(folder, `pass${n}.yaml`);
    writeFileSync(file, yaml.stringify({ groups: [{ name: "all", rules: all.filter(pass) }] }));
    promtool("tsdb", "create-blocks-from", "rules", `--start=${from + 900}`, `--end=${end}`, "--eval-interval=30s", `--url=${URL}`, `--output-dir=${folder}/tsdb`, file);
    await stop(child);
    child = await start(folder);
  }
  await alerts(join(folder, "alerts.om"), all.filter((it) => it.alert), from + 1200, end);
  fill("alerts.om");
  await stop(child);
  return { child: await start(folder), end };
}

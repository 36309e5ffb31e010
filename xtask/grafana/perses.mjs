// Holds Perses dashboards against the types that Perses publishes: the dashboard, and the options of each plugin in it.
// Usage: node perses.mjs DASHBOARD.json...
import { createGenerator } from "ts-json-schema-generator";
import Ajv from "ajv";
import { readFileSync } from "node:fs";

const at = (path) => `node_modules/@perses-dev/${path}.d.ts`;
const TYPES = {
  Dashboard: [at("core/dist/model/dashboard"), "DashboardResource"],
  StatChart: [at("stat-chart-plugin/lib/stat-chart-model"), "StatChartOptions"],
  TimeSeriesChart: [at("timeseries-chart-plugin/lib/time-series-chart-model"), "TimeSeriesChartOptions"],
  StatusHistoryChart: [at("status-history-chart-plugin/lib/status-history-model"), "StatusHistoryChartOptions"],
  Table: [at("table-plugin/lib/table-model"), "TableOptions"],
  PrometheusTimeSeriesQuery: [
    at("prometheus-plugin/lib/plugins/prometheus-time-series-query/time-series-query-model"), "PrometheusTimeSeriesQuerySpec",
  ],
};
const checks = Object.fromEntries(Object.entries(TYPES).map(([name, [path, type]]) => {
  const generator = createGenerator({ path, type, skipTypeCheck: true, additionalProperties: false });
  return [name, new Ajv({ allErrors: true, strict: false }).compile(generator.createSchema(type))];
}));

// The checks themselves: what is no such thing must not pass.
for (const [name, wrong] of [["Dashboard", { kind: "Dashboard" }], ["StatChart", {}], ["TimeSeriesChart", { yaxis: {} }], ["PrometheusTimeSeriesQuery", { expr: "up" }]]) {
  if (checks[name](wrong)) throw new Error(`the schema of ${name} accepts anything`);
}

const files = process.argv.slice(2);
let wrong = 0;
for (const file of files) {
  const board = JSON.parse(readFileSync(file, "utf8"));
  const said = [];
  const hold = (name, value, place) => {
    if (!checks[name]) said.push(`${place} is no known plugin: ${name}`);
    else if (!checks[name](value)) said.push(...checks[name].errors.map((it) => `${place}${it.instancePath} ${it.message} ${JSON.stringify(it.params)}`));
  };
  hold("Dashboard", board, "");
  for (const [key, { spec }] of Object.entries(board.spec.panels)) {
    hold(spec.plugin.kind, spec.plugin.spec, `${key}: `);
    for (const query of spec.queries) hold(query.spec.plugin.kind, query.spec.plugin.spec, `${key}: query: `);
  }
  if (said.length === 0) continue;
  wrong += 1;
  console.log([file, ...said.slice(0, 10).map((it) => `  ${it}`)].join("\n"));
}
console.log(`${files.length} dashboards, ${wrong} that Perses' types refuse`);
process.exit(wrong > 0 || files.length === 0 ? 1 : 0);

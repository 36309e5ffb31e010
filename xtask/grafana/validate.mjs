// Holds dashboards against Grafana's own published types, as a JSON Schema that is made on the spot.
// Usage: node validate.mjs DASHBOARD.json...
import { createGenerator } from "ts-json-schema-generator";
import Ajv from "ajv";
import { readFileSync } from "node:fs";

// Keys that Grafana's editor writes itself, but that its types of the core do not have.
const ELSEWHERE = [
  ["annotations", ["expr", "titleFormat"]], // of the Prometheus data source
  ["templating", ["definition"]], // how the editor shows the query of a variable
];

// Each kind of panel has types of its own for its options and for how its fields are drawn.
const PANELS = { heatmap: "heatmap", stat: "stat", "state-timeline": "statetimeline", table: "table", timeseries: "timeseries" };
const PARTS = { Options: (panel) => panel.options, FieldConfig: (panel) => panel.fieldConfig.defaults.custom };

const raw = "node_modules/@grafana/schema/dist/types/raw";
const schema = (path, type) => createGenerator({ path, type, skipTypeCheck: true, additionalProperties: false }).createSchema(type);
const compiled = (path, type) => new Ajv({ allErrors: true, strict: false }).compile(schema(path, type));
const validate = compiled(`${raw}/dashboard/x/types.gen.d.ts`, "Dashboard");
const parts = {};
for (const [kind, folder] of Object.entries(PANELS)) {
  const path = `${raw}/composable/${folder}/panelcfg/x/types.gen.d.ts`;
  const declared = readFileSync(path, "utf8");
  // A kind without a FieldConfig has none to draw.
  const types = Object.keys(PARTS).filter((type) => declared.includes(`export interface ${type} `));
  parts[kind] = types.map((type) => [type, compiled(path, type)]);
}
// What a panel leaves out, Grafana fills with its defaults; everything else must be as its types say.
const wrongs = (check, value) => (check(value) ? [] : check.errors.filter((it) => it.keyword !== "required"));
const named = (errors, place) => errors.map((it) => ({ ...it, instancePath: place + it.instancePath }));
function inPanels(board) {
  return board.panels.flatMap((panel, at) => {
    if (panel.type === "row") return [];
    if (!parts[panel.type]) return [{ instancePath: `/panels/${at}`, message: `no types of ${panel.type}`, params: {} }];
    return parts[panel.type].flatMap(([type, check]) => {
      const place = `/panels/${at} (${panel.type}, ${panel.title}) ${type}`;
      return named(wrongs(check, PARTS[type](panel) ?? {}), place);
    });
  });
}

// The check itself: a dashboard with a text where a number belongs must not pass.
if (validate({ schemaVersion: "42" })) throw new Error("the schema accepts anything");
for (const [kind, checks] of Object.entries(parts)) {
  const accepts = checks.some(([, check]) => wrongs(check, { nosuch: 1 }).length === 0);
  if (accepts || checks.length === 0) throw new Error(`the schema of ${kind} accepts anything`);
}

const files = process.argv.slice(2);
let wrong = 0;
for (const file of files) {
  const board = JSON.parse(readFileSync(file, "utf8"));
  for (const [key, names] of ELSEWHERE) {
    for (const item of board[key].list) names.forEach((name) => delete item[name]);
  }
  const errors = [...(validate(board) ? [] : validate.errors), ...inPanels(board)];
  if (errors.length === 0) continue;
  wrong += 1;
  console.log(file);
  for (const error of errors.slice(0, 10)) {
    console.log(`  ${error.instancePath || "/"} ${error.message} ${JSON.stringify(error.params)}`);
  }
}
console.log(`${files.length} dashboards, ${wrong} that Grafana's types refuse`);
process.exit(wrong > 0 || files.length === 0 ? 1 : 0);

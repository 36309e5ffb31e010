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

const path = "node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen.d.ts";
const generator = createGenerator({ path, type: "Dashboard", skipTypeCheck: true, additionalProperties: false });
const validate = new Ajv({ allErrors: true, strict: false }).compile(generator.createSchema("Dashboard"));

// The check itself: a dashboard with a text where a number belongs must not pass.
if (validate({ schemaVersion: "42" })) throw new Error("the schema accepts anything");

const files = process.argv.slice(2);
let wrong = 0;
for (const file of files) {
  const board = JSON.parse(readFileSync(file, "utf8"));
  for (const [key, names] of ELSEWHERE) {
    for (const item of board[key].list) names.forEach((name) => delete item[name]);
  }
  if (validate(board)) continue;
  wrong += 1;
  console.log(file);
  for (const error of validate.errors.slice(0, 10)) {
    console.log(`  ${error.instancePath || "/"} ${error.message} ${JSON.stringify(error.params)}`);
  }
}
console.log(`${files.length} dashboards, ${wrong} that Grafana's types refuse`);
process.exit(wrong > 0 || files.length === 0 ? 1 : 0);

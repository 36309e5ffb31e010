// Takes every picture. Usage: node run.mjs ROOT
import { join } from "node:path";
import { serve, URL as prometheus } from "./server.mjs";
import { shoot, site } from "./shoot.mjs";

const root = process.argv[2];
const target = join(root, "target/pictures");
const { child, end } = await serve({ folder: join(target, "data"), rules: join(root, "rules"), modules: join(target, "grafana") });
const { server, url } = await site([join(target, "grafana/dist"), root]);
const perses = await site([join(target, "perses/dist"), root]);
try {
  const page = (board, more) => `${url}/?${new URLSearchParams({ board: `${url}/dashboards/${board}.json`, prometheus, end, ...more })}`;
  const drawn = (board, more) => `${perses.url}/?${new URLSearchParams({ board: `${perses.url}/perses/${board}.json`, prometheus, end, ...more })}`;
  const clone = { slo: "clone-availability" };
  // Perses looks back from now, so its pictures are taken before the data are old.
  for (const [name, address, height] of [
    ["perses-overview", drawn("slo-overview", { only: "Every SLO" }), 700],
    ["perses", drawn("git-https", { only: "The promise" }), 1190],
    ["overview", page("slo-overview", { only: "Every SLO|What happened" }), 1060],
    ["promise", page("git-https", { ...clone, only: "The promise" }), 1190],
    ["spenders", page("git-https", { ...clone, only: "Who spends|Serving" }), 1570],
    ["resources", page("git-https", { ...clone, only: "Resources|Processes" }), 1390],
    ["database", page("repositories", { slo: "read-availability", only: "Database|Resources" }), 1390],
    ["jobs", page("pipelines", { slo: "build-success", only: "Messages|Jobs" }), 1390],
  ]) {
    await shoot(address, join(root, `docs/pictures/${name}.png`), 1600, height);
    console.log(`docs/pictures/${name}.png`);
  }
} finally {
  server.close();
  perses.server.close();
  child.kill();
}
process.exit(0);

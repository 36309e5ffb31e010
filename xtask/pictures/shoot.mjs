// Serves a built page with its dashboard, and takes its picture with headless Chromium.
import { spawn } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml" };

/** Serves these folders, the first that has a file; the address. */
export function site(folders) {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new globalThis.URL(request.url, "http://localhost").pathname));
    const found = folders.map((it) => join(it, path === "/" ? "index.html" : path)).find((it) => existsSync(it));
    if (!found) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(found)] ?? "application/octet-stream" });
    createReadStream(found).pipe(response);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done({ server, url: `http://127.0.0.1:${server.address().port}` })));
}

/** One picture of an address. */
export function shoot(url, path, width, height) {
  const profile = mkdtempSync(join(tmpdir(), "pictures-"));
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", `--user-data-dir=${profile}`, `--window-size=${width},${height}`, "--virtual-time-budget=40000", `--screenshot=${path}`, url];
  return new Promise((done, failed) => {
    const child = spawn("chromium", args, { stdio: "ignore" });
    const late = setTimeout(() => child.kill("SIGKILL"), 240_000);
    child.once("exit", () => {
      clearTimeout(late);
      rmSync(profile, { recursive: true, force: true });
      if (existsSync(path)) done();
      else failed(new Error(`Chromium took no picture of ${url}`));
    });
  });
}

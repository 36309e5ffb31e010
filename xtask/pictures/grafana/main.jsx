// A classic dashboard with Grafana's own components. What is no part of its packages (core panels) is put together here:
// fields with their configuration, the grid, the rows of a state timeline, and the cells of a heat map.
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import {
  FieldType, ThemeContext, ThresholdsMode, createTheme, dateTime, getDisplayProcessor, standardTransformers,
  standardTransformersRegistry, toDataFrame, transformDataFrame,
} from "@grafana/data";
import { BigValue, GlobalStyles, PanelChrome, TimeSeries } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { interpolateCividis } from "d3-scale-chromatic";
import { lastValueFrom } from "rxjs";

const page = new URLSearchParams(location.search);
const theme = createTheme({ colors: { mode: page.get("theme") ?? "dark" } });
const end = Number(page.get("end"));
const [WIDTH, ROW, GAP] = [1560, 30, 8];
const variables = { slo: page.get("slo") ?? "", instance: ".*", datasource: "prometheus" };

// Two names of one are there.
const transformers = new Map(Object.values(standardTransformers).map((it) => [it.id, { id: it.id, name: it.name, transformation: async () => it }]));
standardTransformersRegistry.setInit(() => [...transformers.values()]);

const filled = (text, step) =>
  text.replaceAll("$__rate_interval", `${Math.max(120, step + 30)}s`).replace(/\$\{?(\w+)\}?/g, (whole, name) => variables[name] ?? whole);

async function ask(path, params) {
  const answer = await fetch(`${page.get("prometheus")}/api/v1/${path}`, { method: "POST", body: new URLSearchParams(params) });
  const body = await answer.json();
  if (body.status !== "success") throw new Error(`${body.error}: ${params.query}`);
  return body.data.result;
}

function named(target, metric) {
  if (target.legendFormat && target.legendFormat !== "__auto") {
    return target.legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? "").trim() || "Value";
  }
  const { __name__, ...rest } = metric;
  const text = Object.entries(rest).map(([key, value]) => `${key}="${value}"`).join(", ");
  return text ? `${__name__ ?? ""}{${text}}` : target.expr;
}

const seconds = (text) => Number.parseFloat(text) * { s: 1, m: 60, h: 3600, d: 86400 }[text.slice(-1)];

async function frames(panel, from) {
  const table = panel.type === "table";
  const step = Math.max(30, Math.ceil((end - from) / ((panel.gridPos.w / 24) * 800) / 30) * 30);
  const all = await Promise.all(panel.targets.map(async (target) => {
    const query = filled(target.expr, step);
    if (table) {
      const rows = await ask("query", { query, time: end });
      const names = [...new Set(rows.flatMap((it) => Object.keys(it.metric)))].filter((it) => it !== "__name__");
      const fields = names.map((name) => ({ name, type: FieldType.string, values: rows.map((it) => it.metric[name]), config: {} }));
      const value = { name: `Value #${target.refId}`, type: FieldType.number, values: rows.map((it) => Number(it.value[1])), config: {} };
      return rows.length ? [toDataFrame({ refId: target.refId, fields: [...fields, value] })] : [];
    }
    const found = target.instant
      ? (await ask("query", { query, time: end })).map((it) => ({ metric: it.metric, values: [it.value] }))
      : await ask("query_range", { query, start: from, end, step });
    return found.map(({ metric, values }) => {
      // Holes stay holes.
      const at = new Map(values.map(([t, v]) => [t, Number(v)]));
      const times = target.instant ? [end] : Array.from({ length: Math.floor((end - from) / step) + 1 }, (_, i) => from + i * step);
      return toDataFrame({ refId: target.refId, fields: [
        { name: "Time", type: FieldType.time, values: times.map((t) => t * 1000), config: {} },
        { name: "Value", type: FieldType.number, labels: metric, values: times.map((t) => at.get(t) ?? (target.instant ? Number(values[0][1]) : null)), config: { displayNameFromDS: named(target, metric) } },
      ] });
    });
  }));
  let flat = all.flat();
  if (panel.transformations) flat = await lastValueFrom(transformDataFrame(panel.transformations, flat));
  return flat;
}

function matches({ id, options }, frame, name) {
  if (id === "byFrameRefID") return options === frame.refId;
  if (id === "byRegexp") return new RegExp(options.slice(1, -1)).test(name);
  return options === name;
}

/** Defaults and overrides, as Grafana's own function would: that one is not exported in working order. */
function configured(panel, list) {
  const { defaults, overrides } = panel.fieldConfig;
  let index = 0;
  for (const frame of list) {
    for (const field of frame.fields) {
      const config = structuredClone({ ...defaults, custom: { ...defaults.custom } });
      const name = field.config.displayName ?? field.name;
      for (const { matcher, properties } of overrides) {
        if (!matches(matcher, frame, field.config.displayNameFromDS ?? name)) continue;
        for (const { id, value } of properties) {
          const path = id.split(".");
          const last = path.pop();
          path.reduce((of, key) => (of[key] ??= {}), config)[last] = value;
        }
      }
      if (field.type === FieldType.string || field.type === FieldType.time) delete config.unit;
      if (config.thresholds) config.thresholds.steps.forEach((it) => (it.value ??= -Infinity));
      config.thresholds ??= { mode: ThresholdsMode.Absolute, steps: [] };
      field.config = { ...config, ...field.config };
      field.state = { ...field.state, seriesIndex: field.type === FieldType.number ? index++ : 0, displayName: field.config.displayNameFromDS ?? name };
      field.getLinks = () => (field.config.links ?? []).map((it) => ({ title: it.title, href: it.url }));
      field.display = getDisplayProcessor({ field, theme });
    }
  }
  return list;
}

function Stats({ panel, data, width, height }) {
  if (data.length === 0) return <Empty panel={panel} height={height} />;
  const each = (width - 6 * (data.length - 1)) / data.length;
  return (
    <div style={{ display: "flex", gap: 6 }}>
      {data.map((frame, i) => {
        const field = frame.fields[1];
        const value = field.display(field.values.at(-1));
        const many = panel.options.textMode === "value_and_name";
        const quiet = value.color === "transparent" ? { color: theme.colors.background.secondary } : {};
        return <BigValue key={i} theme={theme} width={each} height={height} value={{ ...value, ...quiet, title: many ? field.state.displayName : undefined }}
          colorMode={panel.options.colorMode} graphMode="none" justifyMode="center" textMode={many ? "value_and_name" : "value"} />;
      })}
    </div>
  );
}

const Empty = ({ panel, height }) => (
  <div style={{ height, display: "grid", placeItems: "center", color: theme.colors.text.secondary }}>{panel.fieldConfig.defaults.noValue}</div>
);

function States({ panel, data, width, height, from }) {
  const left = Math.min(width / 2, 24 + 6.9 * Math.max(...data.map((it) => it.fields[1].state.displayName.length)));
  const row = Math.min(34, (height - 24) / data.length);
  const x = (t) => left + ((t / 1000 - from) / (end - from)) * (width - left - 8);
  const ticks = Array.from({ length: 7 }, (_, i) => from + ((end - from) * i) / 6);
  return (
    <svg width={width} height={height} fontFamily={theme.typography.fontFamily} fontSize={12}>
      {data.map((frame, n) => {
        const [time, field] = frame.fields;
        const runs = [];
        field.values.forEach((value, i) => {
          if (value === null) return;
          const last = runs.at(-1);
          if (last && last.value === value && last.to === i) last.to = i + 1;
          else runs.push({ value, from: i, to: i + 1 });
        });
        return (
          <g key={n} transform={`translate(0 ${n * row})`}>
            <text x={left - 8} y={row / 2 + 4} textAnchor="end" fill={theme.colors.text.primary}>{field.state.displayName}</text>
            {runs.map((run, i) => {
              const shown = field.display(run.value);
              const [a, b] = [x(time.values[run.from]), x(time.values[Math.min(run.to, time.values.length - 1)])];
              return (
                <g key={i}>
                  <rect x={a} width={Math.max(1, b - a)} y={2} height={row - 4} fill={shown.color} opacity={0.85} />
                  {b - a > 7 * shown.text.length && <text x={a + 5} y={row / 2 + 4} fill={theme.colors.getContrastText(shown.color)}>{shown.text}</text>}
                </g>
              );
            })}
          </g>
        );
      })}
      {ticks.map((t, i) => <text key={i} x={x(t * 1000)} y={height - 6} textAnchor={i === 0 ? "start" : i === 6 ? "end" : "middle"} fill={theme.colors.text.secondary}>{dateTime(t * 1000).format("HH:mm")}</text>)}
    </svg>
  );
}

/** Buckets count what the smaller ones count too: a cell is the difference. */
function Heat({ panel, data, width, height, from }) {
  const bound = (it) => Number(it.fields[1].labels.le.replace("+Inf", "Infinity"));
  const rows = [...data].sort((a, b) => bound(a) - bound(b));
  const values = rows.map((it, n) => it.fields[1].values.map((value, i) => Math.max(0, value - (n ? rows[n - 1].fields[1].values[i] : 0))));
  const most = Math.max(...values.flat());
  const { scale, exponent } = panel.options.color;
  const share = (value) => (scale === "exponential" ? (value / most) ** exponent : value / most);
  const [left, bottom] = [56, 22];
  const [times, each] = [values[0].length, (height - 22) / rows.length];
  const wide = (width - left - 8) / times;
  const ticks = Array.from({ length: 5 }, (_, i) => from + ((end - from) * i) / 4);
  return (
    <svg width={width} height={height} fontFamily={theme.typography.fontFamily} fontSize={11} fill={theme.colors.text.secondary}>
      {rows.map((it, n) => (
        <g key={n} transform={`translate(0 ${height - bottom - (n + 1) * each})`}>
          {(n % Math.ceil(16 / each) === 0) && <text x={left - 6} y={each / 2 + 4} textAnchor="end">{bound(it) < 1 ? `${bound(it) * 1000} ms` : Number.isFinite(bound(it)) ? `${bound(it)} s` : "more"}</text>}
          {values[n].map((value, i) => value > panel.options.filterValues.le && (
            <rect key={i} x={left + i * wide} y={0} width={Math.max(0.5, wide - 0.5)} height={Math.max(1, each - 1)} fill={interpolateCividis(share(value))} />
          ))}
        </g>
      ))}
      {ticks.map((t, i) => <text key={i} x={left + ((width - left - 8) * i) / 4} y={height - 6} textAnchor={i === 0 ? "start" : i === 4 ? "end" : "middle"}>{dateTime(t * 1000).format("HH:mm")}</text>)}
    </svg>
  );
}

function Body({ panel, width, height }) {
  const from = end - seconds(panel.timeFrom ?? "6h");
  const [data, setData] = useState(null);
  useEffect(() => {
    frames(panel, from).then((it) => setData(configured(panel, it)), (error) => setData({ error }));
  }, []);
  if (data === null) return null;
  if (data.error) return <pre style={{ color: "red" }}>{data.error.stack}</pre>;
  if (data.length === 0 || (panel.type !== "table" && data.every((it) => it.fields[1].values.every((value) => value === null || Number.isNaN(value))))) {
    return <Empty panel={panel} height={height} />;
  }
  const timeRange = { from: dateTime(from * 1000), to: dateTime(end * 1000), raw: { from: "now-6h", to: "now" } };
  switch (panel.type) {
    case "stat": return <Stats {...{ panel, data, width, height }} />;
    case "state-timeline": return <States {...{ panel, data, width, height, from }} />;
    case "heatmap": return <Heat {...{ panel, data, width, height, from }} />;
    case "table": {
      const [frame] = data;
      frame.fields = frame.fields.filter((it) => !it.config.custom.hidden);
      return <TableNG data={frame} width={width} height={height} sortBy={panel.options.sortBy} cellHeight="sm" timeRange={timeRange} structureRev={1} />;
    }
    default: return <TimeSeries frames={data} structureRev={1} timeRange={timeRange} timeZone="utc" width={width} height={height}
      legend={panel.options.legend} options={panel.options} />;
  }
}

function Board({ board, only }) {
  const wanted = only ? board.panels.filter((it) => only.some((part) => it.section?.includes(part))) : board.panels;
  const unit = (WIDTH + GAP) / 24;
  let [shift, before] = [0, 0];
  const top = (panel) => {
    // What is left out leaves no hole.
    if (panel.type === "row" && panel.gridPos.y > before + shift) shift = panel.gridPos.y - before;
    return panel.gridPos.y - shift;
  };
  const placed = wanted.map((panel) => {
    const y = top(panel);
    before = Math.max(before, y + panel.gridPos.h);
    return { panel, y };
  });
  return (
    <div style={{ width: WIDTH, padding: 16, background: theme.colors.background.canvas, fontFamily: theme.typography.fontFamily, color: theme.colors.text.primary }}>
      <div style={{ fontSize: 20, marginBottom: 12 }}>
        {board.title}
        {variables.slo && <span style={{ fontSize: 14, marginLeft: 24, color: theme.colors.text.secondary }}>SLO: {variables.slo} &nbsp; instance: All</span>}
        <span style={{ float: "right", fontSize: 14 }}>{board.links.map((it) => <span key={it.title} style={{ marginLeft: 16, color: theme.colors.text.link }}>{it.title}</span>)}</span>
      </div>
      <div style={{ position: "relative", height: before * (ROW + GAP) }}>
        {placed.map(({ panel, y }) => {
          const { x, w, h } = panel.gridPos;
          const [width, height] = [w * unit - GAP, h * (ROW + GAP) - GAP];
          const place = { position: "absolute", left: x * unit, top: y * (ROW + GAP), width, height };
          if (panel.type === "row") return <div key={panel.id} style={{ ...place, fontSize: 16, fontWeight: 500, paddingTop: 6 }}>⌄ {filled(panel.title, 0)}</div>;
          return (
            <div key={panel.id} style={place}>
              <PanelChrome title={panel.title} description={panel.description} width={width} height={height} padding="md"
                titleItems={panel.timeFrom ? [<span key="t" style={{ fontSize: 12, padding: "6px 4px", color: theme.colors.text.secondary }}>Last {panel.timeFrom}</span>] : undefined}>
                {(innerWidth, innerHeight) => <Body panel={panel} width={innerWidth} height={innerHeight} />}
              </PanelChrome>
            </div>
          );
        })}
      </div>
    </div>
  );
}

const board = await (await fetch(page.get("board"))).json();
let section = "";
for (const panel of board.panels) {
  if (panel.type === "row") section = panel.title;
  panel.section = section;
}
createRoot(document.getElementById("root")).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <Board board={board} only={page.get("only")?.split("|")} />
  </ThemeContext.Provider>,
);

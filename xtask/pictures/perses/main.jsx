// A dashboard in Perses' own view, with its own plugins.
import { createRoot } from "react-dom/client";
import { CssBaseline, ThemeProvider } from "@mui/material";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { BrowserRouter } from "react-router-dom";
import { QueryParamProvider } from "use-query-params";
import { ReactRouter6Adapter } from "use-query-params/adapters/react-router-6";
import { ChartsProvider, SnackbarProvider, generateChartsTheme, getTheme } from "@perses-dev/components";
import { PluginRegistry, TimeRangeProvider, ValidationProvider, dynamicImportPluginLoader } from "@perses-dev/plugin-system";
import { ViewDashboard } from "@perses-dev/dashboards";
import * as prometheus from "@perses-dev/prometheus-plugin";
import * as lines from "@perses-dev/timeseries-chart-plugin";
import * as stat from "@perses-dev/stat-chart-plugin";
import * as states from "@perses-dev/status-history-chart-plugin";
import * as table from "@perses-dev/table-plugin";

const page = new URLSearchParams(location.search);
const end = new Date(Number(page.get("end")) * 1000);
const board = await (await fetch(page.get("board"))).json();
const only = page.get("only")?.split("|");
if (only) board.spec.layouts = board.spec.layouts.filter((it) => only.some((part) => it.spec.display.title.includes(part)));

const source = {
  kind: "GlobalDatasource", metadata: { name: "prometheus" },
  spec: { default: true, plugin: { kind: "PrometheusDatasource", spec: { directUrl: page.get("prometheus") } } },
};
const datasources = {
  getDatasource: async () => undefined, getGlobalDatasource: async () => source,
  listDatasources: async () => [], listGlobalDatasources: async () => [source],
};
const loader = dynamicImportPluginLoader([prometheus, lines, stat, states, table].map((it) => ({ resource: it.getPluginModule(), importPlugin: async () => it })));
const theme = getTheme("dark");
const range = { start: new Date(end.getTime() - 6 * 3600_000), end };
const client = new QueryClient({ defaultOptions: { queries: { refetchOnWindowFocus: false, retry: 0 } } });

createRoot(document.getElementById("root")).render(
  <ThemeProvider theme={theme}>
    <CssBaseline />
    <ChartsProvider chartsTheme={generateChartsTheme(theme, {})} enablePinning={false}>
      <SnackbarProvider>
        <BrowserRouter>
          <QueryParamProvider adapter={ReactRouter6Adapter}>
            <PluginRegistry pluginLoader={loader} defaultPluginKinds={{ Panel: "TimeSeriesChart", TimeSeriesQuery: "PrometheusTimeSeriesQuery" }}>
              <QueryClientProvider client={client}>
                <ValidationProvider>
                  <TimeRangeProvider timeRange={range}>
                    <ViewDashboard dashboardResource={board} datasourceApi={datasources} isReadonly isVariableEnabled isDatasourceEnabled={false} />
                  </TimeRangeProvider>
                </ValidationProvider>
              </QueryClientProvider>
            </PluginRegistry>
          </QueryParamProvider>
        </BrowserRouter>
      </SnackbarProvider>
    </ChartsProvider>
  </ThemeProvider>,
);

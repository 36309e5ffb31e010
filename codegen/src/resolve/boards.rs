//! What dashboards are made for, and where their data come from.

use super::estate::link;
use super::{Code, Findings, items, scalar};
use crate::model::{Board, Datasources, Estate, TraceStore};
use crate::yaml::Node;

/// The keys `dashboards` and `datasources`.
pub(super) fn read(tree: &Node, estate: &mut Estate, findings: &mut Findings<'_>) {
    if tree.get("dashboards").is_some() {
        let named = items(tree.get("dashboards")).iter().filter_map(scalar);
        let board = |(name, _): (&str, &Node)| match name {
            "grafana" => Some(Board::Grafana),
            "perses" => Some(Board::Perses),
            _ => None,
        };
        estate.boards = named.filter_map(board).collect();
    }
    let mut sources = Datasources::default();
    if let Some(of) = tree.get("datasources") {
        let mut at = |key: &str| link(of, key, findings);
        let [prometheus, tempo, jaeger, loki] = ["prometheus", "tempo", "jaeger", "loki"].map(&mut at);
        if let (Some(_), Some(_), Some(second)) = (&tempo, &jaeger, of.get("jaeger")) {
            findings.error(
                Code::TwoTraceStores,
                second.range,
                "tempo and jaeger are both named, but an exemplar leads to one trace",
                "keep the one that holds the traces; another data source can be provisioned in a file of your own",
            );
        }
        let jaeger = || jaeger.map(|it| (TraceStore::Jaeger, it));
        let traces = tempo.map(|it| (TraceStore::Tempo, it)).or_else(jaeger);
        sources = Datasources { prometheus, traces, loki };
    }
    sources.prometheus = sources.prometheus.or_else(|| estate.links.prometheus.clone());
    estate.datasources = sources;
}

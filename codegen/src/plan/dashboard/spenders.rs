//! Who spends the budget: the queries of the runbooks, one panel for each question, which follow the chosen SLO.

use kilter_contract::slo;

use super::super::context::Context;
use super::super::expr::{equal, select};
use super::super::runbook::queries::{Spender, spenders};
use super::model::{Drawing, Panel, Query, Section, Unit};
use super::status::Scope;

/// A section, unless no SLO of the service has such a query.
pub(super) fn section(context: &Context<'_>) -> Option<Section> {
    let scope = Scope::chosen(context.estate, context.service.name.as_str());
    let mut panels: Vec<Panel> = Vec::new();
    for slo in &context.service.slos {
        // Only what the chosen SLO is about has values.
        let own = [scope.matchers(), vec![equal(slo::SLO_LABEL, slo.name.as_str())]].concat();
        let chosen = select(slo::OBJECTIVE, &own);
        for Spender { what, promql, legend, unit } in spenders(context, slo) {
            // What is not by a label is what the SLI itself reads; what is in brackets is about the runbook's text.
            let own = legend.is_empty();
            let what = if own { "What the SLI reads" } else { what.split(" (").next().unwrap_or(what) };
            let query = Query::over_time(format!("({promql}) and on () {chosen}"), &legend);
            match panels.iter_mut().find(|it| it.title == what) {
                Some(panel) => {
                    panel.queries.push(query);
                    if panel.unit != unit {
                        panel.unit = Unit::Plain;
                    }
                }
                None => panels.push(panel(what, unit, own).asks(query)),
            }
        }
    }
    let title = "Who spends the budget of $slo".to_owned();
    (!panels.is_empty()).then_some(Section { title, panels })
}

fn panel(what: &str, unit: Unit, own: bool) -> Panel {
    let (drawing, empty) = if own { (Drawing::Lines, "counts requests") } else { (Drawing::Stack, "nothing") };
    let about = if own {
        "What the SLI of the chosen SLO reads where it is not of the contract; the queries are those of the runbook."
    } else {
        "Bad events by what the SLO leaves open: that is where it hurts. The query is that of the runbook."
    };
    Panel::new(what, about, drawing, unit, (8, 7)).or_empty(empty).zero_based()
}

//! A division inside `events` can be 0/0, which is NaN and counts as no error.

use promql_parser::parser::Expr;

use super::slo_node;
use crate::diagnostic::{Code, Diagnostic, Findings};
use crate::load::Sources;
use crate::model::{Estate, EventSide, Sli};
use crate::promql;

pub(super) fn check(estate: &Estate, sources: &Sources) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for (service, slo) in estate.services.iter().flat_map(|it| it.slos.iter().map(move |slo| (it, slo))) {
        let Sli::Events { side, total } = &slo.sli else { continue };
        let (key, part) = match side {
            EventSide::Errors(text) => ("errors", text),
            EventSide::Good(text) => ("good", text),
        };
        for (key, text) in [(key, part), ("total", total)] {
            let divides = promql::parse(text).is_ok_and(|it| divides(&it));
            let place = slo_node(sources, &service.source, slo.name.as_str())
                .and_then(|(index, node)| Some((index, node.get("sli")?.get("events")?.get(key)?.range)));
            if let Some((index, range)) = place.filter(|_| divides) {
                let message = format!("`{key}` divides, so it is NaN while its divisor is zero");
                let help = "name the counters of bad and of all events: Kilter divides, and guards the zero";
                Findings::new(index, sources, &mut all).warning(Code::Division, range, message, help);
            }
        }
    }
    all
}

fn divides(expr: &Expr) -> bool {
    match expr {
        Expr::Binary(it) => it.op.to_string() == "/" || divides(&it.lhs) || divides(&it.rhs),
        Expr::Aggregate(it) => divides(&it.expr),
        Expr::Paren(it) => divides(&it.expr),
        Expr::Unary(it) => divides(&it.expr),
        Expr::Call(it) => it.args.args.iter().any(|it| divides(it)),
        _ => false,
    }
}

//! What an estate promises and who hears when it breaks, for people: one HTML page, and for a pull request what changes.
//!
//! | file | what it makes |
//! |---|---|
//! | `page` | the page's data, from the estate, its plan, and what a Prometheus says when one is asked |
//! | `slo` | the part of one SLO |
//! | `detection` | when a fault is noticed and when that is over, by the evaluator of `kilter simulate` |
//! | `history` | what its alerts would have done, from a backtest |
//! | `now` | what a Prometheus says of each SLO |
//! | `simulation` | an outage, drawn |
//! | `markup` | runbooks and texts of SLO files as HTML that runs nothing and fetches nothing |
//! | `change` | the change report of a pull request |
//! | `routed` | which alerts begin or end with a change |
//!
//! Words and HTML are in `templates/report/`. Pure; nothing here has the time, so the same files make the same bytes.

pub mod change;
pub mod detection;
pub mod history;
pub mod markup;
pub mod now;
pub mod page;
pub mod routed;
pub mod simulation;
pub mod slo;

use crate::render::engine::{TemplateError, Templates};
use page::Page;

/// The page as HTML.
pub fn html(page: &Page, templates: &Templates) -> Result<String, TemplateError> {
    templates.render("report/page", page)
}

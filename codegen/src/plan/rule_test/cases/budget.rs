//! The spent budget. A month of data does not fit into a test, so the recorded budget itself is fed; what it must be is
//! asked for after burns (`ladder`). Maintenance does not touch it.

use kilter_contract::slo as names;

use super::super::file::selector;
use super::super::stage::{Grid, Made, Stage};
use super::super::subject::{EXHAUSTED, Subject};
use super::super::text::{Numbers, expected};
use crate::model::Duration;
use crate::render::engine::TemplateError;

/// Below and above zero.
const LEFT: [f64; 2] = [0.05, -0.05];
/// How long the ticket stays.
const KEPT: Duration = Duration::from_mins(24 * 60);

/// It tickets at once, and stays for a day.
pub(super) fn made(subjects: &[Subject<'_>], pins: bool) -> Result<Vec<Made>, TemplateError> {
    let Some(context) = subjects.first().map(|it| it.context) else { return Ok(vec![]) };
    let minutes = Duration::from_mins;
    let mut all = Vec::new();
    if let Some(mut stage) = Stage::between(context, &[], Grid::Fine, "a spent budget tickets", minutes(8)) {
        feed(&mut stage, subjects, &format!("{}+0x15 {}+0x20", LEFT[0], LEFT[1]));
        for it in subjects {
            stage.asks(it, &it.alert(EXHAUSTED), minutes(3), None);
            stage.asks(it, &it.alert(EXHAUSTED), minutes(5), Some(1.0));
        }
        if pins {
            let numbers = Numbers { budget_left: LEFT[1], ..Numbers::default() };
            let text = |it: &Subject<'_>| {
                expected(it.context, it.templates, EXHAUSTED, Some(it.slo), it.owned(EXHAUSTED), numbers)
            };
            let texts = subjects.iter().map(text).collect::<Result<_, _>>()?;
            stage.pins(EXHAUSTED.alert, minutes(6), texts);
        }
        all.extend(stage.done());
    }
    let (hour, end) = (Grid::Days.step(), KEPT.plus(Grid::Days.step().times(4)));
    if let Some(mut stage) = Stage::between(context, &[], Grid::Days, "a spent budget tickets for a day", end) {
        let count = stage.count(hour.times(2));
        let values = format!("{}+0x{count} {}+0x{}", LEFT[1], LEFT[0], stage.count(end));
        feed(&mut stage, subjects, &values);
        for it in subjects {
            stage.asks(it, &it.alert(EXHAUSTED), KEPT, Some(1.0));
            stage.asks(it, &it.alert(EXHAUSTED), end, None);
        }
        all.extend(stage.done());
    }
    Ok(all)
}

fn feed(stage: &mut Stage<'_>, subjects: &[Subject<'_>], values: &str) {
    for it in subjects {
        stage.feeds(selector(names::BUDGET_REMAINING, &it.recorded()), None, values);
    }
}

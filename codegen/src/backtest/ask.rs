//! Asks many questions with few at a time. A piece that is too much for the server is asked again in halves; one that
//! cannot be answered ends the run, with the server's own words.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::questions::{FEWEST_POINTS, Question};
use crate::prometheus::{Failure, Labels, Point, PromError, Series};

/// Whoever answers range queries.
pub type Ask<'a> = dyn Fn(&Question) -> Result<Vec<Series>, PromError> + Sync + 'a;

/// How the questions are asked.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// The server.
    pub server: &'a Ask<'a>,
    /// Queries at a time.
    pub at_once: usize,
    /// Hears how many queries are answered.
    pub heard: &'a (dyn Fn(usize) + Sync),
}

impl std::fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking").field("at_once", &self.at_once).finish_non_exhaustive()
    }
}

/// Asks every question in pieces of so many points; the answers in the order of the questions, each series whole.
pub fn all(questions: &[(&Question, usize)], asking: Asking<'_>) -> Result<Vec<Vec<Series>>, PromError> {
    let pieces: Vec<(usize, Question)> = (questions.iter().enumerate())
        .flat_map(|(index, (question, most))| question.pieces(*most).into_iter().map(move |it| (index, it)))
        .collect();
    let next = AtomicUsize::new(0);
    let done: Mutex<Result<Vec<(usize, Vec<Series>)>, PromError>> = Mutex::new(Ok(Vec::new()));
    let failed = || done.lock().map_or(true, |it| it.is_err());
    let work = || {
        while let Some((index, piece)) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            if failed() {
                return;
            }
            let answer = patiently(piece, asking.server);
            (asking.heard)(1);
            let Ok(mut done) = done.lock() else { return };
            match (answer, done.as_mut()) {
                (Ok(series), Ok(all)) => all.push((*index, series)),
                (Err(error), Ok(_)) => *done = Err(error),
                (_, Err(_)) => return,
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..asking.at_once.clamp(1, pieces.len().max(1)) {
            scope.spawn(work);
        }
    });
    let answers = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)?;
    let mut whole: Vec<BTreeMap<Labels, Vec<Point>>> = vec![BTreeMap::new(); questions.len()];
    for (index, series) in answers {
        for it in series {
            whole[index].entry(it.labels).or_default().extend(it.points);
        }
    }
    let joined = |all: BTreeMap<Labels, Vec<Point>>| {
        let series = all.into_iter().map(|(labels, mut points)| {
            points.sort_by_key(|it| it.at);
            Series { labels, points }
        });
        series.collect()
    };
    Ok(whole.into_iter().map(joined).collect())
}

/// One piece, in halves where it is too much.
fn patiently(piece: &Question, server: &Ask<'_>) -> Result<Vec<Series>, PromError> {
    match server(piece) {
        Err(error) if can_be_less(error.failure) && piece.points() >= 2 * FEWEST_POINTS => {
            let halves = piece.pieces(piece.points().div_ceil(2));
            halves.iter().map(|it| patiently(it, server)).collect::<Result<Vec<_>, _>>().map(|it| it.concat())
        }
        other => other,
    }
}

const fn can_be_less(failure: Failure) -> bool {
    matches!(failure, Failure::Timeout | Failure::TooMuch | Failure::TooLarge)
}

//! Asks many questions with few at a time. A piece that is too much for the server is asked again in halves; one that
//! cannot be answered ends the run, with the server's own words.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::questions::{FEWEST_POINTS, Question};
use crate::prometheus::{Failure, Labels, Point, PromError, Series};

/// Whoever answers range queries.
pub type Ask<'a> = dyn Fn(&Question) -> Result<Vec<Series>, PromError> + Sync + 'a;

/// Whoever says how many elements an instant query gives at a time: `count(...)`.
pub type Count<'a> = dyn Fn(&str, i64) -> Result<usize, PromError> + Sync + 'a;

/// How the questions are asked.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    /// Range queries.
    pub range: &'a Ask<'a>,
    /// Counts.
    pub count: &'a Count<'a>,
    /// Queries at a time.
    pub at_once: usize,
    /// Hears of each query that is answered.
    pub heard: &'a (dyn Fn() + Sync),
}

impl fmt::Debug for Asking<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking").field("at_once", &self.at_once).finish_non_exhaustive()
    }
}

impl Asking<'_> {
    /// Every question in pieces of so many points: the answers in the order of the questions, each series whole.
    pub(super) fn all(&self, questions: &[(&Question, usize)]) -> Result<Vec<Vec<Series>>, PromError> {
        let pieces: Vec<(usize, Question)> = (questions.iter().enumerate())
            .flat_map(|(index, (question, most))| question.pieces(*most).into_iter().map(move |it| (index, it)))
            .collect();
        let answers = self.each(&pieces, |(_, piece)| patiently(piece, self.range))?;
        let mut whole: Vec<BTreeMap<Labels, Vec<Point>>> = vec![BTreeMap::new(); questions.len()];
        for ((index, _), series) in pieces.iter().zip(answers) {
            for it in series {
                whole[*index].entry(it.labels).or_default().extend(it.points);
            }
        }
        let series = |(labels, points)| Series { labels, points };
        Ok(whole.into_iter().map(|all| all.into_iter().map(series).collect()).collect())
    }

    /// One answer for each item, in their order; the first failure ends all.
    pub(super) fn each<T: Sync, R: Send>(
        &self,
        items: &[T],
        ask: impl Fn(&T) -> Result<R, PromError> + Sync,
    ) -> Result<Vec<R>, PromError> {
        let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = || {
            let mut mine = Vec::new();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = items.get(index).filter(|_| !failed.load(Ordering::Relaxed)) else { return mine };
                let answer = ask(item);
                failed.fetch_or(answer.is_err(), Ordering::Relaxed);
                (self.heard)();
                mine.push((index, answer));
            }
        };
        let mut all: Vec<(usize, Result<R, PromError>)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..self.at_once.clamp(1, items.len().max(1))).map(|_| scope.spawn(work)).collect();
            threads
                .into_iter()
                .flat_map(|it| it.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        all.sort_by_key(|(index, _)| *index);
        all.into_iter().map(|(_, answer)| answer).collect()
    }
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

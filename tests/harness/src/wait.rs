//! Waiting with a deadline.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::bail;

/// How long to rest between two looks.
const REST: Duration = Duration::from_millis(100);

/// Looks until `look` finds something. `Ok(None)` and `Err` both mean "not yet"; the error of the last look is told
/// when the deadline passes.
pub fn until<T>(
    what: &str,
    deadline: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        let seen = match look() {
            Ok(Some(found)) => return Ok(found),
            Ok(None) => String::new(),
            Err(error) => format!("; the last look: {error:#}"),
        };
        if started.elapsed() >= deadline {
            bail!("waited {:.0} s for {what}{seen}", deadline.as_secs_f64());
        }
        sleep(REST);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::until;

    #[test]
    fn a_missed_deadline_tells_what_was_seen_last() {
        let error = until::<()>("a unicorn", Duration::from_millis(1), || anyhow::bail!("only a horse")).unwrap_err();
        assert_eq!(error.to_string(), "waited 0 s for a unicorn; the last look: only a horse");
    }

    #[test]
    fn looks_again_after_an_error() {
        let mut looks = 0;
        let found = until("the third look", Duration::from_secs(5), || {
            looks += 1;
            anyhow::ensure!(looks > 1, "too early");
            Ok((looks > 2).then_some(looks))
        });
        assert_eq!(found.unwrap(), 3);
    }
}

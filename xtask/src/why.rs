//! Why a test run failed, gathered from all that the test runner prints, so that the end of a long log says it again.

/// What failing tests said.
#[derive(Default)]
pub(crate) struct Why {
    /// Its lines, without backtraces: those are long, and stand above.
    pub(crate) said: Vec<String>,
    /// Within what a failing test said.
    within: bool,
    /// Within the backtrace of it.
    backtrace: bool,
}

impl Why {
    /// Takes the next line of the output.
    pub(crate) fn read(&mut self, line: &str) {
        let begins = line.starts_with("---- ") && line.ends_with(" ----");
        let ends = line == "failures:" || line.starts_with("test result:");
        self.within = begins || self.within && !ends;
        // ` 12: function` and `at file`, and at last a note.
        let goes_on = line.starts_with([' ', '\t']) || line.starts_with("note: ");
        self.backtrace = line == "stack backtrace:" || self.backtrace && goes_on;
        if self.within && !self.backtrace && !line.trim().is_empty() {
            self.said.push(line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Why;

    #[test]
    fn what_failing_tests_said_is_kept_and_nothing_else() {
        let output = "\
running 3 tests
test good ... ok
test bad ... FAILED

failures:

---- bad stdout ----

thread 'bad' (7) panicked at src/lib.rs:1:1:
2 is not 3
stack backtrace:
   0: std::panicking::begin_panic
             at /rustc/library/std/src/panicking.rs:689:5
note: Some details are omitted
---- worse stdout ----
it hangs


failures:
    bad
    worse

test result: FAILED. 1 passed; 2 failed; 0 ignored
";
        let mut why = Why::default();
        output.lines().for_each(|line| why.read(line));
        let said = [
            "---- bad stdout ----",
            "thread 'bad' (7) panicked at src/lib.rs:1:1:",
            "2 is not 3",
            "---- worse stdout ----",
            "it hangs",
        ];
        assert_eq!(why.said, said);
    }
}

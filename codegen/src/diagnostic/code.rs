//! Every code with its title and explanation: one table.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $title:literal;)+) => {
        /// A stable diagnostic code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// `KLT0003`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code),+ }
            }

            /// A few words, shown under the caret.
            pub const fn title(self) -> &'static str {
                match self { $(Code::$name => $title),+ }
            }

            /// Why it is wrong and what to do, in sentences.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),+).trim()),+ }
            }
        }
    };
}

codes! {
    /// The file cannot be read as YAML: the syntax is broken, a key stands twice, it is nested too deeply, or it holds more than one document.
    Yaml = "KLT0001", "not readable as YAML";
    /// The file cannot be read as text: it is not UTF-8, too large, or empty.
    Text = "KLT0002", "not a text to read";
    /// The key is not one of this mapping's. The help names the keys that are, and the nearest when it looks misspelt.
    UnknownKey = "KLT0003", "unknown key";
    /// A key that must be there is missing. The help says what it is for and gives an example.
    MissingKey = "KLT0004", "a key is missing here";
    /// The value has another type than this key takes, such as a list where a text belongs.
    WrongType = "KLT0005", "wrong type";
    /// The value has the right type but none that this key takes.
    BadValue = "KLT0006", "not a value of this key";
    /// Names of services, SLOs and teams are 1 to 40 lower-case letters, digits and inner dashes, so that they are safe in labels, file names, URLs and Grafana uids.
    BadName = "KLT0007", "not a name";
    /// An objective lies strictly between 0% and 100%. 100% leaves no error budget, so every failure would alert for ever; 0% can never be missed.
    BadObjective = "KLT0008", "not an objective";
    /// Two SLOs of a service, or two services of an estate, have one name: they would record the same series.
    Duplicate = "KLT0009", "already used";
    /// The latency threshold is no bucket bound of the signal. A histogram knows only how many requests were below its bounds, so any other threshold would be a guess.
    OffBounds = "KLT0010", "not a bucket bound";
    /// The expression is not valid PromQL, or not of the type that is needed here.
    PromQl = "KLT0011", "invalid PromQL";
    /// The expression has a fixed range, or none, where `$window` belongs.
    Window = "KLT0012", "`$window` belongs here";
    /// The metric belongs to the contract, but has no such label, or the label can never have this value: the selector would match nothing, and the alert would be silent.
    NoSuchLabel = "KLT0013", "matches nothing that a service emits";
    /// A `by` label that Kilter or Prometheus uses itself, or that the signal does not have.
    BadBy = "KLT0014", "cannot group by this";
    /// The team has no receivers in kilter.yaml, so its alerts would reach nobody.
    UnknownTeam = "KLT0015", "no such team";
    /// The key is known but this version of Kilter does not have it yet.
    NotYet = "KLT0016", "not in this version";
    /// A route has an availability SLO but no latency SLO. Requests that hang until their clients give up are no availability errors: only a latency SLO sees them.
    NoLatency = "KLT0101", "a hang here would be silent";
    /// A division inside `events`: 0/0 is NaN, which counts as no error. Name the two counters instead; Kilter divides.
    Division = "KLT0102", "can be 0/0";
    /// Error and total queries keep different labels, so an error can never be set against its total.
    DifferentBy = "KLT0103", "labels differ from the total's";
    /// A counter without `rate` only ever grows, so its value says nothing about now.
    CounterWithoutRate = "KLT0104", "a counter needs rate()";
    /// The metric's name differs from one of the contract's by a letter or two. A misspelt metric matches nothing: the SLO would have no data.
    NearContract = "KLT0105", "nearly a metric of the contract";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

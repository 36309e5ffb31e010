//! What a code is. The codes themselves are in `code/table.rs`, one entry each.

use std::fmt;
use std::str::FromStr;

pub use table::Code;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $title:literal, $bad:literal, $good:literal;)+) => {
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

            /// A text that has the problem, and the same text mended.
            pub const fn example(self) -> (&'static str, &'static str) {
                match self { $(Code::$name => ($bad, $good)),+ }
            }

            /// Why it is wrong and what to do, in sentences.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),+).trim()),+ }
            }
        }
    };
}

mod table;

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Code {
    type Err = String;

    /// `KLT0003`, `klt0003`, `3` or `0003`.
    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.trim().to_ascii_uppercase();
        let digits = upper.strip_prefix("KLT").unwrap_or(&upper);
        let known = |it: &&Code| format!("KLT{digits:0>4}") == it.as_str();
        Self::ALL.iter().find(known).copied().ok_or_else(|| {
            let (first, last) = (Self::ALL.first().map_or("", |it| it.as_str()), "docs/reference/diagnostics.md");
            format!("there is no code `{text}`: codes look like {first}, and {last} lists them")
        })
    }
}

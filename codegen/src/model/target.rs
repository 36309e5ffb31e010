//! What the rules run on: an engine and its version. A table says what each accepts; nothing else asks which it is.

use std::fmt;
use std::str::FromStr;

/// An engine that evaluates rules, and the oldest version of it that must accept them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    engine: &'static Engine,
    version: Version,
}

/// `2.42`; of `3.x` the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Before the point.
    pub major: u32,
    /// Behind it.
    pub minor: u32,
}

/// What an engine accepts, and how it evaluates.
#[derive(Debug, PartialEq, Eq)]
pub struct Engine {
    /// As users name it.
    pub name: &'static str,
    /// Versions that are supported, by major version: the first and the last minor version. No last one: it goes on.
    pub versions: &'static [(u32, u32, Option<u32>)],
    /// The version when none is named.
    pub usual: Version,
}

const fn version(major: u32, minor: u32) -> Version {
    Version { major, minor }
}

/// Every engine, the usual one first.
pub const ENGINES: &[Engine] = &[
    Engine { name: "prometheus", versions: &[(2, 42, Some(55)), (3, 0, None)], usual: version(2, 42) },
    Engine { name: "operator", versions: &[(0, 64, None)], usual: version(0, 64) },
    Engine { name: "mimir", versions: &[(2, 7, None), (3, 0, None)], usual: version(2, 7) },
    Engine { name: "thanos", versions: &[(0, 31, None)], usual: version(0, 31) },
    Engine { name: "vmalert", versions: &[(1, 79, None)], usual: version(1, 94) },
];

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No engine has this name.
    #[error("no engine is called `{0}`")]
    Engine(String),
    /// The engine has no such version, or rules for it cannot be made.
    #[error("there are no rules for version `{version}` of {}; supported are {}", engine.name, engine.supported())]
    Version {
        /// The engine.
        engine: &'static Engine,
        /// What was written.
        version: String,
    },
}

impl Target {
    /// Ways of writing a target, for help and suggestions.
    pub const EXAMPLES: &'static [&'static str] =
        &["prometheus=2.42", "prometheus=3.x", "operator", "mimir", "thanos", "vmalert"];

    /// The engine.
    pub const fn engine(self) -> &'static Engine {
        self.engine
    }

    /// The oldest version that must accept the rules.
    pub const fn version(self) -> Version {
        self.version
    }
}

impl Default for Target {
    fn default() -> Self {
        Self { engine: &ENGINES[0], version: ENGINES[0].usual }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let (name, wanted) = text.split_once('=').map_or((text, None), |(name, wanted)| (name, Some(wanted)));
        let engine =
            ENGINES.iter().find(|it| it.name == name).ok_or_else(|| TargetError::Engine(name.to_owned()))?;
        let Some(wanted) = wanted else { return Ok(Self { engine, version: engine.usual }) };
        let version = engine.version(wanted);
        let version = version.ok_or_else(|| TargetError::Version { engine, version: wanted.to_owned() })?;
        Ok(Self { engine, version })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}.{}", self.engine.name, self.version.major, self.version.minor)
    }
}

impl Engine {
    /// `2.42`, or `3.x` for the oldest of a major version.
    fn version(&self, text: &str) -> Option<Version> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "x"));
        let number = |text: &str| text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse::<u32>().ok()).flatten();
        let major = number(major)?;
        let (_, first, last) = *self.versions.iter().find(|it| it.0 == major)?;
        let minor = if minor == "x" { first } else { number(minor)? };
        (minor >= first && last.is_none_or(|last| minor <= last)).then_some(Version { major, minor })
    }

    /// `2.42 to 2.55, 3.0 and later`.
    fn supported(&self) -> String {
        let one = |(major, first, last): &(u32, u32, Option<u32>)| match last {
            Some(last) => format!("{major}.{first} to {major}.{last}"),
            None => format!("{major}.{first} and later"),
        };
        self.versions.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_versions() {
        let read = |text: &str| text.parse::<Target>().map(|it| it.to_string()).map_err(|it| it.to_string());
        assert_eq!(read("prometheus"), Ok("prometheus=2.42".to_owned()));
        assert_eq!(read("prometheus=2.55"), Ok("prometheus=2.55".to_owned()));
        assert_eq!(read("prometheus=3.x"), Ok("prometheus=3.0".to_owned()));
        assert_eq!(read("prometheus=3"), Ok("prometheus=3.0".to_owned()));
        assert_eq!(read("prometheus=3.11"), Ok("prometheus=3.11".to_owned()));
        for text in ["prometheus=2.41", "prometheus=2.56", "prometheus=1.8", "prometheus=", "prometheus=3.", "vmalert=1.+79"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(
            read("prometheus=2.41").unwrap_err(),
            "there are no rules for version `2.41` of prometheus; supported are 2.42 to 2.55, 3.0 and later"
        );
        assert_eq!(read("cortex").unwrap_err(), "no engine is called `cortex`");
        for text in Target::EXAMPLES {
            assert!(read(text).is_ok(), "{text}");
        }
    }
}

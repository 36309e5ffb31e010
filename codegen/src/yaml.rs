//! The one home of the YAML library.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a value. Strings that YAML 1.1 readers would take for something else are quoted; longer texts become blocks.
pub fn to_string(value: &impl Serialize) -> Result<String, String> {
    serde_saphyr::to_string(value).map_err(|error| error.to_string())
}

/// Reads our own data files and what we wrote ourselves; user's files go through the spanned tree instead.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

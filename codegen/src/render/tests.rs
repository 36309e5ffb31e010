//! A promtool test file as YAML: one document, banner first, only fields that promtool 2.42 knows.

use super::rules::banner;
use crate::model::TimeScale;
use crate::plan::rule_test::TestFile;
use crate::yaml;

/// The text of a test file.
pub fn text(file: &TestFile, scale: TimeScale) -> Result<String, String> {
    Ok(format!("{}{}", banner("# ", &file.source, scale), yaml::to_string(file)?))
}

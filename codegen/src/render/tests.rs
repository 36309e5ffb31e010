//! A promtool test file as YAML: one document, banner first, only fields that promtool 2.42 knows.

use super::rules::banner;
use crate::model::TimeScale;
use crate::plan::rule_test::{MEASURE, TestFile};
use crate::yaml;

/// The text of a test file. What is to be measured follows the tests as comments.
pub fn text(file: &TestFile, scale: TimeScale) -> Result<String, String> {
    let mut text = format!("{}{}", banner("# ", &file.source, scale), yaml::to_string(file)?);
    for measure in &file.measures {
        text.push_str(MEASURE);
        text.push_str(&serde_json::to_string(measure).map_err(|error| error.to_string())?);
        text.push('\n');
    }
    Ok(text)
}

//! JUnit's XML, which every CI server reads: a file is a case, its errors are failures.

use super::super::{Diagnostic, Severity};
use super::{position, sorted};
use crate::load::Sources;

/// One suite of all files that were read. Warnings are output of their case.
pub fn junit(all: &[Diagnostic], sources: &Sources) -> String {
    let all = sorted(all);
    let cases = sources.files.iter().enumerate().map(|(index, file)| {
        let of = |severity| {
            let own = all.iter().filter(move |it| it.span.file == index && it.severity == severity);
            own.map(|it| {
                let (line, column) = position(&file.text, it.span.range.start);
                let text = format!("{}:{line}:{column}: {}\nNext: {}", file.path, it.message, it.help);
                (format!("{} {}", it.code, it.code.title()), text)
            })
        };
        let warnings = of(Severity::Warning).map(|(code, text)| format!("{code}\n{text}\n")).collect();
        Case { name: file.path.clone(), failures: of(Severity::Error).collect(), output: warnings }
    });
    suite("kilter lint", &cases.collect::<Vec<_>>())
}

/// One case with what went wrong in it: kind and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Failures.
    pub failures: Vec<(String, String)>,
    /// What else there is to say.
    pub output: String,
}

/// A suite as a whole document.
pub fn suite(name: &str, cases: &[Case]) -> String {
    let failed = cases.iter().filter(|it| !it.failures.is_empty()).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\"", cases.len());
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"{}\" {counts}>\n",
        escaped(name)
    );
    for case in cases {
        text.push_str(&format!("    <testcase classname=\"{}\" name=\"{}\">\n", escaped(name), escaped(&case.name)));
        for (kind, said) in &case.failures {
            let first = said.lines().next().unwrap_or_default();
            text.push_str(&format!(
                "      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
                escaped(kind),
                escaped(first),
                escaped(said)
            ));
        }
        if !case.output.is_empty() {
            text.push_str(&format!("      <system-out>{}</system-out>\n", escaped(&case.output)));
        }
        text.push_str("    </testcase>\n");
    }
    text + "  </testsuite>\n</testsuites>\n"
}

/// Text in an element or attribute. Characters that XML 1.0 does not have are left out.
pub fn escaped(text: &str) -> String {
    let legal = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let plain: String = text.chars().filter(legal).collect();
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\n', "&#10;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_xml_has_stays() {
        assert_eq!(super::escaped("a<b>&\"c\"\u{0}\u{1b}\n"), "a&lt;b&gt;&amp;&quot;c&quot;&#10;");
    }
}

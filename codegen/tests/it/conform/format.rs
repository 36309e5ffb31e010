//! What Prometheus 2.42 takes and what it refuses, line by line: each page was served to one, with the Content-Type of its
//! format, and `up` noted.

use std::path::PathBuf;

use kilter_codegen::conform::{self, Checked, Given, Settings};
use kilter_codegen::diagnostic::{Code, Severity, any_error};
use kilter_codegen::exposition::Form;
use kilter_codegen::load::Sources;

/// Pages in the text format, and a part of what is wrong; nothing when Prometheus takes them.
const TEXT: &[(&str, &str)] = &[
    ("a{__name__=\"x\"} 1\n", "gives its name twice"),
    (" a 1\n", "begins with a blank"),
    ("\ta 1\n", "begins with a blank"),
    ("a 1\n   \nb 1\n", ""),
    (" # TYPE a counter\na 1\n", ""),
    ("a 1 1.5\n", "no whole number of milliseconds"),
    ("a 1 -5\n", "no whole number of milliseconds"),
    ("a 1 99999999999999999999\n", "no whole number of milliseconds"),
    ("a 1 soon\n", "no timestamp"),
    ("a 1 1700000000000 2\n", "goes on where it should end"),
    ("a 1e400\n", "too large for a number"),
    ("a -1e400\n", "too large for a number"),
    ("a 1e-400\n", ""),
    ("a -Infinity\n", ""),
    ("a +NaN\n", "no number"),
    ("a 1\u{a0}\n", "no number"),
    ("a 1 \t\n", ""),
    ("#  TYPE  a counter\na 1\n", ""),
    ("# TYPE a  counter\na 1\n", "more blanks around its type"),
    ("# TYPE a counter \na 1\n", "more blanks around its type"),
    ("# HELP a  A text. \na 1\n", ""),
    ("# TYPE\n# UNIT\na 1\n", ""),
    ("# HELP \na 1\n", "names no metric"),
    ("# UNIT a seconds\na 1\n", ""),
    ("a 1\n# EOF\nb 1\n", ""),
    ("a_total 1 # {t=\"1\"} 1\n", "an exemplar, which only OpenMetrics has"),
    ("a{b=\"x\ny\",c=\"\n\"} 1\n", ""),
    ("a{b=\"x\\\ny\"} 1\n", "a label value that does not end"),
    ("a{b=\"1\" c=\"2\"} 1\n", ""),
    ("a{b=\"1\",,c=\"2\"} 1\n", "a comma without a label"),
    ("\u{feff}a 1\n", "begins with a byte-order mark"),
    ("\u{feff}# TYPE a gauge\na 1\n", "begins with a byte-order mark"),
];

/// The same of OpenMetrics.
const OPEN: &[(&str, &str)] = &[
    ("# TYPE a counter\na_total{b=\"x  ,y\"} 1 2.5 # {t=\"1\"} 1 2.5\n# EOF\n", ""),
    ("# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1 -5\n# EOF\n", ""),
    ("a 1\n", "does not end in `# EOF`"),
    ("a 1\n# EOF\nb 1\n", "goes on after `# EOF`"),
    ("a 1\n# EOF\n\n", "no empty lines"),
    ("a 1\n\n# EOF\n", "no empty lines"),
    ("# hello\na 1\n# EOF\n", "no comments"),
    ("a 1\n# EOF \n", "nothing else"),
    ("a  1\n# EOF\n", "one blank between"),
    (" a 1\n# EOF\n", "begins with a blank"),
    ("a 1 \n# EOF\n", "one blank between"),
    ("a{b=\"1\", c=\"2\"} 1\n# EOF\n", "one blank between"),
    ("a{b=\"1\",} 1\n# EOF\n", "one blank between"),
    ("a{b=\"1\"c=\"2\"} 1\n# EOF\n", "lacks a comma"),
    ("# TYPE  a gauge\na 1\n# EOF\n", "one blank between"),
    ("# HELP a\na 1\n# EOF\n", "one blank between"),
    ("a 1 1e400\n# EOF\n", "no timestamp"),
    ("a{b=\"x\ny\"} 1\n# EOF\n", "does not end"),
    ("a{__name__=\"x\"} 1\n# EOF\n", "gives its name twice"),
    ("\u{feff}a 1\n# EOF\n", "begins with a byte-order mark"),
];

fn checked(text: &str, form: Option<Form>) -> Checked {
    let page = Given { from: "page".to_owned(), text: text.to_owned(), form };
    conform::check(vec![page], Sources::in_folder(PathBuf::from("/")), None, &Settings::default())
}

#[test]
fn what_prometheus_refuses_is_an_error_and_what_it_takes_is_none() {
    for (form, pages) in [(Form::Text, TEXT), (Form::OpenMetrics, OPEN)] {
        for (page, wrong) in pages {
            let all = checked(page, Some(form)).diagnostics;
            let errors: Vec<&str> =
                all.iter().filter(|it| it.severity == Severity::Error).map(|it| it.message.as_str()).collect();
            let told = errors.iter().any(|it| it.contains(wrong));
            assert_eq!((errors.is_empty(), told), (wrong.is_empty(), !wrong.is_empty()), "{page:?}: {errors:?}");
        }
    }
    // It is one thing that is wrong, so it is told once.
    assert_eq!(checked("\u{feff}# TYPE a gauge\na 1\n", None).diagnostics.len(), 1);
}

#[test]
fn what_no_one_says_the_format_of_is_what_its_lines_say() {
    for (page, format) in [
        ("a 1\n", "text"),
        ("# UNIT a seconds\na 1\n", "text"),
        ("a 1\n# EOF\nb 1\n", "text"),
        ("a{b=\" # {\"} 1\n", "text"),
        ("a 1\n# EOF\n", "openmetrics"),
        ("a_total 1 # {t=\"1\"} 1\n", "openmetrics"),
    ] {
        assert_eq!(checked(page, None).pages[0].format, format, "{page:?}");
    }
}

/// Prometheus keeps samples of a series whose timestamps rise; of all others the first.
#[test]
fn a_series_may_stand_there_again_at_a_later_time() {
    for (first, second, lost) in [
        ("1 123456", "2 123457", false),
        ("1 123456", "2", false),
        ("1 123457", "2 123456", true),
        ("1 123456", "2 123456", true),
        ("1", "2 123456", true),
        ("1", "2", true),
    ] {
        let page = format!("a{{b=\"c\",d=\"\"}} {first}\na{{b=\"c\"}} {second}\n");
        let checked = checked(&page, None);
        let twice = checked.diagnostics.iter().any(|it| it.code == Code::SeriesTwice);
        assert_eq!((twice, any_error(&checked.diagnostics)), (lost, lost), "{page}");
        assert!(lost || checked.pages[0].series == 1, "{page}");
    }
}

#[test]
fn bounds_in_milliseconds_are_one_finding() {
    let bucket = |le: &str| {
        format!(
            "http_server_request_duration_seconds_bucket{{http_request_method=\"GET\",http_response_status_code=\"200\",le=\"{le}\"}} 1\n"
        )
    };
    // Those of a library's own; the contract also has 0.075, 0.75 and 7.5.
    let page: String =
        ["5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000", "10000", "+Inf"].map(bucket).concat();
    let all = checked(&page, None).diagnostics;
    let of = |code: Code| all.iter().filter(|it| it.code == code).count();
    assert_eq!((of(Code::ContractUnit), of(Code::ContractBounds)), (1, 0), "{all:#?}");
    assert!(all.iter().any(|it| it.message.contains("milliseconds") && it.help.contains("seconds")), "{all:#?}");
}

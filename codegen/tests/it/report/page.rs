//! The page in a real browser: what it shows, that everybody can read it, and that it asks nobody for anything.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::browser::Browser;
use crate::cli::{kilter, said};

/// Two services, one of which tries to be markup.
const SHOP: &str = r#"apiVersion: kilter/v1
service: shop
team: store
runbook: {mitigations: shop.md}
depends_on: [{service: bank, silences: tickets}]
slos:
  - name: buys
    description: Orders *succeed* <script>alert(1)</script> & "arrive".
    impact: Nobody can buy.
    objective: 99.9%
    no_data: bad
    maintenance: {while: 'max(moving{job="shop"}) == 1', schedule: [{days: [sunday, friday], from: "23:30", to: "00:30"}]}
    sli: {http_server: {routes: ["/orders/{id}"]}}
  - name: fast
    description: Orders are quick.
    objective: 95%
    tier: low
    sli: {http_server: {routes: ["/orders/{id}"], slower_than: 250ms}}
"#;
const BANK: &str = r#"apiVersion: kilter/v1
service: bank
team: money
slos:
  - name: up
    description: The bank answers.
    objective: 99.95%
    sli: {uptime: {up: 'probe_success{job="bank"}'}}
"#;
const ESTATE: &str = r#"services: ["*.slo.yaml"]
teams:
  store: {page: store-pager, ticket: store-tickets, escalation: leads, office_hours: {days: [monday, friday], from: "09:00", to: "17:00", location: Europe/Berlin}}
  money: {page: bank-pager, ticket: bank-tickets}
"#;
const MITIGATIONS: &str = "## Do this\n\n| a | b |\n|---|---|\n| <img src=http://evil.example/x> | [quick](fast.md), [bank](../bank/up.md) |\n\n![picture](http://evil.example/y.png)\n";

fn estate() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (file, text) in [("kilter.yaml", ESTATE), ("a.slo.yaml", SHOP), ("b.slo.yaml", BANK), ("shop.md", MITIGATIONS)]
    {
        fs::write(folder.path().join(file), text).expect("a file");
    }
    folder
}

fn report(folder: &Path, args: &[&str]) -> String {
    let out = kilter(&[&["report"], args].concat(), folder);
    assert_eq!(out.status.code(), Some(0), "{}", said(&out));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

/// The accessibility engine, as `cargo xtask tools` installs it.
fn axe() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/axe/node_modules/axe-core/axe.min.js");
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; install it with: cargo xtask tools", path.display()))
}

/// What axe finds, each in a line.
fn violations(browser: &mut Browser) -> Vec<String> {
    let found = browser.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then(it => it.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 120) + ' ' + n.failureSummary)))",
    );
    found.as_array().expect("a list").iter().map(|it| it.as_str().unwrap_or_default().to_owned()).collect()
}

/// Texts within drawings, which axe does not look at, whose contrast to the page is below 4.5 (WCAG 2, AA).
const DRAWN: &str = r"(() => {
  const rgb = it => (it.match(/[\d.]+/g) || []).map(Number);
  const light = it => { const [r, g, b] = rgb(it).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  const ratio = it => { const own = light(getComputedStyle(it).fill); return (Math.max(own, paper) + 0.05) / (Math.min(own, paper) + 0.05); };
  const texts = [...document.querySelectorAll('svg text')];
  return {texts: texts.length, low: texts.filter(it => ratio(it) < 4.5).map(it => it.textContent + ' ' + getComputedStyle(it).fill)};
})()";

/// Links that lead nowhere, ids that are there twice, and header cells that do not say what they head.
const STRUCTURE: &str = r"(() => {
  const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
  const links = [...document.links];
  return {
    twice: ids.filter((it, at) => ids.indexOf(it) !== at),
    dead: links.filter(it => it.getAttribute('href').startsWith('#') && !document.getElementById(decodeURIComponent(it.hash.slice(1)))).map(it => it.outerHTML),
    files: links.filter(it => it.protocol === 'file:' && !it.getAttribute('href').startsWith('#')).map(it => decodeURIComponent(it.pathname)),
    unscoped: [...document.querySelectorAll('th:not([scope])')].length,
    tables: document.querySelectorAll('table').length,
    scripts: document.scripts.length + [...document.querySelectorAll('*')].filter(it => [...it.attributes].some(at => at.name.startsWith('on'))).length,
    headings: [...document.querySelectorAll('h1, h2, h3')].map(it => it.tagName + ' ' + it.textContent.trim()),
    text: document.body.innerText,
  };
})()";

#[test]
fn everybody_can_read_the_page_and_it_asks_nobody() {
    let folder = estate();
    let path = folder.path();
    report(path, &["--out", "out/report.html"]);
    let page = path.join("out/report.html");
    let first = fs::read_to_string(&page).expect("a page");
    report(path, &["--out", "out/report.html"]);
    assert_eq!(fs::read_to_string(&page).expect("a page"), first, "the same files make the same bytes");

    assert!(first.contains("No alert fires. The outage spends ") && !first.contains(".  The"), "{first}");
    let mut browser = Browser::start();
    browser.look("light", "screen", 1200);
    // Nothing of the page may need a script.
    browser.call("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
    browser.open(&page);
    let requested: Vec<PathBuf> = browser.told("Network.requestWillBeSent").iter().map(|it| address(it)).collect();
    assert!(requested.iter().all(|it| *it == page || it.starts_with("data:")), "{requested:?}");
    for complaint in ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"] {
        assert!(browser.told(complaint).is_empty(), "{:?}", browser.told(complaint));
    }
    browser.call("Emulation.setScriptExecutionDisabled", &json!({"value": false}));
    let shown = browser.evaluate(STRUCTURE);
    structure(&shown);

    // The keyboard reaches the link over everything first, it can be seen, and it leads to the content.
    browser.press("Tab");
    let focus = browser.evaluate(
        "(() => { const it = document.activeElement; return [it.className, it.getBoundingClientRect().top >= 0, getComputedStyle(it).outlineStyle]; })()",
    );
    assert_eq!(focus, json!(["skip", true, "solid"]));
    browser.press("Enter");
    assert_eq!(browser.evaluate("document.activeElement.id"), "main");

    browser.evaluate(&axe());
    browser.evaluate("document.querySelectorAll('details').forEach(it => it.open = true)");
    for (scheme, media, width) in
        [("light", "screen", 1200), ("dark", "screen", 1200), ("light", "screen", 390), ("dark", "print", 800)]
    {
        browser.look(scheme, media, width);
        let place = format!("{scheme}, {media}, {width}");
        let wide = browser.evaluate("document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(width.into()), "{place}: it is {wide} wide");
        browser.picture(&format!("{scheme}-{media}-{width}"));
        if width != 390 {
            assert_eq!(violations(&mut browser), Vec::<String>::new(), "{place}");
            let drawn = browser.evaluate(DRAWN);
            assert!(drawn["texts"].as_u64() > Some(20) && drawn["low"] == json!([]), "{place}: {drawn}");
        }
    }
    // Paper has no scroll bars, no navigation and no runbooks, and black text.
    let hidden = browser.evaluate(
        "['nav', 'details', '.skip'].map(it => getComputedStyle(document.querySelector(it)).display).concat(getComputedStyle(document.body).backgroundColor)",
    );
    assert_eq!(hidden, json!(["none", "none", "none", "rgb(255, 255, 255)"]));
    // On paper an SLO is no higher than a page: US letter has 720 x 960 pixels within its margins.
    browser.look("light", "print", 720);
    let heights = browser
        .evaluate("[...document.querySelectorAll('.slo')].map(it => Math.round(it.getBoundingClientRect().height))");
    let all = heights.as_array().expect("a list");
    assert!(all.len() == 3 && all.iter().all(|it| it.as_u64() <= Some(960)), "{heights}");
}

fn address(request: &Value) -> PathBuf {
    let url = request["request"]["url"].as_str().expect("an address");
    PathBuf::from(url.strip_prefix("file://").unwrap_or(url))
}

/// What the page says and how it hangs together.
fn structure(shown: &Value) {
    for nothing in ["twice", "dead"] {
        assert_eq!(shown[nothing], json!([]), "{nothing}");
    }
    assert_eq!((&shown["unscoped"], &shown["scripts"]), (&json!(0), &json!(0)));
    for file in shown["files"].as_array().expect("a list") {
        let file = Path::new(file.as_str().expect("a path"));
        assert!(file.exists(), "{}", file.display());
    }
    assert_eq!(
        shown["headings"],
        json!([
            "H1 SLOs of 2 services",
            "H2 At a glance",
            "H2 bank",
            "H3 bank/up",
            "H2 shop",
            "H3 shop/buys",
            "H3 shop/fast"
        ])
    );
    let text = shown["text"].as_str().expect("a text");
    for needed in [
        "Orders succeed <script>alert(1)</script> & \"arrive\".",
        "43 min 12 s per 30d",
        "1 of 1,000 requests",
        "25,920 of 25,920,000 per 30d",
        "1 d 12 h per 30d",
        "not counted: sunday and friday, 23:30 to 00:30 UTC",
        "not counted: while there is a value above zero of max(moving{job=\"shop\"}) == 1",
        "count as errors",
        "need at least 5 errors in their long window",
        "need at least 10 errors in their long window",
        "need at least 5 bad seconds in their long window",
        "store-pager",
        "leads, after 30 min",
        "Tickets are delivered monday and friday, 09:00 to 17:00 Europe/Berlin",
        "bank-pager",
        "no page",
    ] {
        assert!(text.contains(needed), "{needed} is not in\n{text}");
    }
}

#[test]
fn detection_is_what_the_workbook_says() {
    let folder = estate();
    let text = report(folder.path(), &["--format", "json"]);
    let page: Value = serde_json::from_str(&text).expect("JSON");
    let buys = &page["services"][1]["slos"][0];
    assert_eq!((&buys["name"], &buys["objective"]), (&json!("buys"), &json!("99.9%")));
    // (1 - SLO) / error ratio x window x burn rate (SRE workbook, chapter 5), the earliest of the pairs of a severity; rates
    // over five minutes see what just began up to ten minutes late, and long windows end on a grid of them.
    let pairs = |severity: &str| match severity {
        "page" => [(14.4, 3_600.0), (6.0, 21_600.0)],
        _ => [(3.0, 86_400.0), (1.0, 259_200.0)],
    };
    let mut fired = 0;
    for row in buys["detection"].as_array().expect("rows") {
        let ratio = row["ratio"].as_f64().expect("a ratio");
        for severity in ["page", "ticket"] {
            let reached = pairs(severity).into_iter().filter(|(burn, _)| ratio > burn * 0.001 + 1e-9);
            let theory = reached.map(|(burn, window)| 0.001 / ratio * window * burn).reduce(f64::min);
            let shown = row[severity]["after_seconds"].as_f64();
            let agrees = match (theory, shown) {
                (Some(theory), Some(shown)) => (theory - 120.0..=theory + 600.0).contains(&shown),
                (theory, shown) => theory == shown,
            };
            assert!(agrees, "{severity} of {ratio}: {theory:?}, not {shown:?}");
            if let Some(after) = shown {
                let spent = row[severity]["spent_share"].as_f64().expect("a share");
                assert!((spent - ratio / 0.001 * after / 2_592_000.0).abs() < 1e-9, "{row}");
                assert!(row[severity]["over_seconds"].as_f64() > Some(0.0), "{row}");
                fired += 1;
            }
        }
    }
    assert_eq!(fired, 6, "two pages and four tickets: {buys}");
    // Whenever an outage begins, its alerts come no later, and once as late.
    let begun: Vec<[f64; 2]> = (0..10).map(|it| noticed(folder.path(), 30 * it)).collect();
    for (at, severity) in ["page", "ticket"].into_iter().enumerate() {
        let told = buys["detection"][0][severity]["after_seconds"].as_f64();
        let latest = begun.iter().map(|it| it[at]).reduce(f64::max);
        assert_eq!(latest, told, "{severity}: {begun:?}");
    }
    assert!(begun.iter().any(|it| it[1] < begun[0][1]), "it never mattered when it began: {begun:?}");
    // Its rule on lost traffic leaves out who counts only what is slow.
    let lost =
        |slo: &Value| slo["alerts"].as_array().is_some_and(|it| it.iter().any(|it| it["name"] == "SLOTrafficLost"));
    assert!(lost(buys) && !lost(&page["services"][1]["slos"][1]), "{page}");
    // A low tier makes tickets only.
    let fast = &page["services"][1]["slos"][1];
    let rows = fast["detection"].as_array().expect("rows");
    assert!(rows.len() > 1 && rows.iter().all(|it| it["page"].is_null() && !it["ticket"].is_null()), "{fast}");
}

/// Seconds until the page and the ticket, when everything begins to fail so long after a moment at which windows are read.
fn noticed(folder: &Path, late: u64) -> [f64; 2] {
    let steps = if late == 0 { "100% for 30m".to_owned() } else { format!("healthy for {late}s then 100% for 30m") };
    // No alert window is longer.
    fs::write(folder.join("late.yaml"), format!("history: 73h\nafter: 1h\nsteps: [{steps}]\n")).expect("a file");
    let args = ["simulate", "--slo", "buys", "--format", "json", "--scenario", "late.yaml"];
    let said: Value = serde_json::from_slice(&kilter(&args, folder).stdout).expect("JSON");
    let alerts = said["slos"][0]["alerts"].as_array().expect("alerts");
    ["page", "ticket"].map(|severity| {
        let alert = alerts.iter().find(|it| it["alert"] == "ErrorBudgetBurn" && it["severity"] == severity);
        alert.and_then(|it| it["firings"][0]["fires"].as_f64()).expect("an alert") - late as f64
    })
}

#[test]
fn a_report_never_goes_in_the_place_of_something_else() {
    let folder = estate();
    fs::write(folder.path().join("mine.html"), "<p>mine").expect("a file");
    let out = kilter(&["report", "--out", "mine.html"], folder.path());
    assert!(out.status.code() == Some(2) && said(&out).contains("was not written by kilter"), "{}", said(&out));
    fs::write(folder.path().join("b.slo.yaml"), BANK.replace("99.95%", "100%")).expect("a file");
    let out = kilter(&["report", "--out", "new.html"], folder.path());
    assert!(out.status.code() == Some(1) && said(&out).contains("there is no report"), "{}", said(&out));
    assert!(!folder.path().join("new.html").exists());
}

/// A template of the estate's own takes the place of Kilter's, and what is wrong with one is told with its place.
#[test]
fn templates_of_the_estate_are_used() {
    let folder = estate();
    let path = folder.path();
    fs::write(path.join("kilter.yaml"), format!("{ESTATE}templates: texts\n")).expect("a file");
    fs::create_dir_all(path.join("texts/report")).expect("a folder");
    let own = path.join("texts/report/slo.hbs");
    fs::write(&own, "<h3 id=\"{{id}}\">{{name}}: {{{description_html}}} {{budget.time}} {{objective}}</h3>\n")
        .expect("a file");
    let html = report(path, &["--out", "-"]);
    assert!(html.contains("<h3 id=\"shop.buys\">buys: Orders <em>succeed</em> &lt;script&gt;"), "{html}");
    fs::write(&own, "ok\n{{nonsense}}\n").expect("a file");
    let out = kilter(&["report", "--out", "-"], path);
    let text = said(&out);
    assert!(out.status.code() == Some(2) && text.contains("there is no variable `nonsense`"), "{text}");
    assert!(text.contains("texts/report/slo.hbs:2:1"), "{text}");
}

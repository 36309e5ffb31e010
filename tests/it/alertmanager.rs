//! The generated routing in a real Alertmanager: who hears of what, what silences what, and what waits for office hours.
//! Waits run at a sixtieth, so a ticket's five minutes are five seconds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kilter_harness::{Alertmanager, Signal, Webhook, binary, post, until};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_mins(1);
const WEEK: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];

/// A day of the week that is neither today, yesterday nor tomorrow, in UTC. The epoch began on a Thursday.
fn another_day() -> &'static str {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    WEEK[usize::try_from((seconds / 86_400 + 3) % 7).expect("a day")]
}

/// Three services: `depot` cannot work without `shop`, and `yard` is on its own. The team `store` has office hours.
fn write(folder: &Path, webhook: &Webhook, days: &str) {
    for (service, team, more) in
        [("shop", "store", ""), ("depot", "depot", "depends_on: [{service: shop}]\n"), ("yard", "depot", "")]
    {
        let text = format!(
            "apiVersion: kilter/v1\nservice: {service}\nteam: {team}\n{more}slos:\n  - name: works\n    description: It works.\n    objective: 99.9%\n    sli: {{http_server: {{}}}}\n"
        );
        fs::write(folder.join(format!("{service}.slo.yaml")), text).expect("a file");
    }
    let receivers: String = ["default", "watchdog", "page", "ticket", "leads"]
        .map(|name| format!("  - {{name: {name}, webhook_configs: [{{url: \"{}\"}}]}}\n", webhook.url(name)))
        .concat();
    fs::write(folder.join("base.yaml"), format!("receivers:\n{receivers}")).expect("a file");
    let estate = format!(
        "version: 0.1\nservices: ['*.slo.yaml']\nalertmanager: {{base: base.yaml}}\nteams:\n  store: {{page: page, ticket: ticket, escalation: leads, office_hours: {{days: [{days}], from: 00:00, to: 24:00}}}}\n  depot: {{page: page, ticket: ticket}}\n"
    );
    fs::write(folder.join("kilter.yaml"), estate).expect("a file");
    let out = Command::new(binary("kilter").expect("the command is built"))
        .args(["generate", "--time-scale", "1/60"])
        .current_dir(folder)
        .output()
        .expect("the command starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn alert(name: &str, severity: &str, service: &str) -> Value {
    let team = if service == "shop" { "store" } else { "depot" };
    let mut labels = json!({"alertname": name, "severity": severity, "service": service, "team": team, "slo": "works"});
    if name == "ServiceDown" {
        labels.as_object_mut().expect("labels").remove("slo");
    }
    json!({"labels": labels, "annotations": {}})
}

fn fire(alertmanager: &Alertmanager, alerts: &[Value]) {
    let url = format!("{}/api/v2/alerts", alertmanager.url());
    let answer = post(&url, "application/json", json!(alerts).to_string().as_bytes()).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// `receiver: alert severity service` of everything that was delivered.
fn delivered(webhook: &Webhook) -> BTreeSet<String> {
    let all = webhook.received().into_iter().flat_map(|it| {
        let receiver = it.path.clone();
        it.alerts.into_iter().map(move |alert| {
            let words = ["alertname", "severity", "service"].map(|key| alert.label(key).to_owned());
            format!("{receiver}: {}", words.join(" "))
        })
    });
    all.collect()
}

fn set(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn pages_silence_what_follows_from_them_and_tickets_wait_for_office_hours() {
    let folder = tempfile::tempdir().expect("a folder");
    let webhook = Webhook::start(folder.path()).expect("a webhook");
    write(folder.path(), &webhook, another_day());
    let config = folder.path().join("rules/alertmanager.yaml");
    let alertmanager = Alertmanager::start(folder.path(), &config).expect("Alertmanager starts");

    let (burn, spent) = ("ErrorBudgetBurn", "ErrorBudgetExhausted");
    fire(&alertmanager, &[alert(burn, "page", "shop"), alert("ServiceDown", "page", "yard")]);
    until("the pages", SOON, || Ok((delivered(&webhook).len() == 2).then_some(()))).expect("both");
    fire(
        &alertmanager,
        &[
            alert(burn, "ticket", "shop"),           // its page fires
            alert(spent, "ticket", "shop"),          // another alert of the SLO: waits for office hours, no more
            alert(burn, "ticket", "depot"),          // its dependency burns
            alert(burn, "page", "depot"),            // a page is never silenced by another team's, unless declared
            alert(spent, "ticket", "depot"),         // not about burning
            alert(burn, "page", "yard"),             // the service is down
            alert("SLODataMissing", "page", "yard"), // likewise
            alert("SLOTrafficLost", "page", "yard"),
            alert("PageUnanswered", "escalation", "shop"),
        ],
    );
    let mut expected = set(&[
        "/page: ErrorBudgetBurn page shop",
        "/page: ServiceDown page yard",
        "/page: ErrorBudgetBurn page depot",
        "/page: SLOTrafficLost page yard",
        "/ticket: ErrorBudgetExhausted ticket depot",
        "/leads: PageUnanswered escalation shop",
    ]);
    until("what is not silenced", SOON, || Ok((delivered(&webhook) == expected).then_some(()))).expect("all of it");
    // Longer than a ticket waits for its first and for its next notification together.
    std::thread::sleep(Duration::from_secs(25));
    assert_eq!(delivered(&webhook), expected, "nothing more, while it is out of office hours");

    write(folder.path(), &webhook, "saturday:friday");
    alertmanager.process().signal(Signal::Hangup).expect("a reload");
    expected.insert("/ticket: ErrorBudgetExhausted ticket shop".to_owned());
    // With a reload inhibitions begin anew, and may not know of the pages yet: what was silent may be told now too.
    let silenced = set(&[
        "/ticket: ErrorBudgetBurn ticket shop",
        "/ticket: ErrorBudgetBurn ticket depot",
        "/page: ErrorBudgetBurn page yard",
        "/page: SLODataMissing page yard",
    ]);
    until("the ticket that waited", SOON, || Ok((&delivered(&webhook) - &silenced == expected).then_some(())))
        .unwrap_or_else(|error| panic!("{error:#}: {}", webhook.summary()));
}

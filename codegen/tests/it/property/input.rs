//! Estates by chance: everything that an SLO file can say, most of it legal, with texts that quote badly.

use serde_json::{Map, Value, json};

use crate::bad_input::Numbers;

/// A file: its path and its text.
pub(super) type Files = Vec<(String, String)>;

/// Texts of people. Each has once broken somebody's YAML, PromQL, template, Markdown, JSON or shell.
pub(super) const TEXTS: &[&str] = &[
    "Orders succeed.",
    "\"Quoted\", 'twice', and `thrice`",
    "a: b # c",
    "{{ $labels.x }} and {{printf \"%s\" .Value}}",
    "{{/if}} {{#each queries}}",
    "100% of $HOME and ${datasource} and $window",
    "back\\slash \\n \\\" \\{{x}}",
    "Ünïcödé 🦀 \u{202e}",
    "<script>alert(1)</script> & <b>",
    "| a | table |",
    "- [ ] ](javascript:x)",
    "yes",
    "1e3",
    "null",
    "~",
    "line one\nline two",
    "tab\tand trailing space ",
    "%d %s %{x}",
];
const ROUTES: &[&str] = &["/", "/orders/{id}", "/a.b+c", "/{*rest}", "/a|b", "/(x)", "/~user/$1", "/ü", "/it's"];
const NAMES: &[&str] = &["main", "repository-gc", "a.b", "eu/1", "it's", "q\"uote", "back\\slash", "{x}", "a|b", "ü"];
const PEOPLE: &[&str] = &["source-control", "a", "team-with-a-name-of-forty-characters-42-"];

/// Chances.
pub(crate) struct Dice(Numbers);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        // xorshift stays at zero for ever.
        Self(Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1))
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound)
    }

    /// One time in so many.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// One to three different ones.
    fn some(&mut self, of: &[&str]) -> Value {
        let mut all: Vec<&str> = (0..=self.below(3)).map(|_| self.one(of)).collect();
        all.sort_unstable();
        all.dedup();
        json!(all)
    }

    fn label_map(&mut self) -> Value {
        let keys = ["tenant", "chat", "cost_center", "Zone"];
        let plain: Vec<&str> = TEXTS.iter().copied().filter(|it| !it.contains(['{', '\n', '\t'])).collect();
        (0..=self.below(2)).map(|_| (self.one(&keys).to_owned(), json!(self.one(&plain)))).collect::<Map<_, _>>().into()
    }
}

/// An estate of one to three services.
pub(super) fn estate(dice: &mut Dice) -> Files {
    let names: Vec<String> = (0..=dice.below(3)).map(|number| format!("svc-{number}")).collect();
    let teams: Vec<&str> = (0..=dice.below(2)).map(|number| PEOPLE[number]).collect();
    let mut config = Map::new();
    let files: Vec<String> = names.iter().map(|name| format!("{name}.yaml")).collect();
    config.insert("services".to_owned(), json!(files));
    if !dice.once_in(4) {
        let mut all = Map::new();
        for team in &teams {
            let mut it = json!({"page": "pager", "ticket": "tickets"});
            if dice.once_in(2) {
                it["escalation"] = json!("leads");
            }
            if dice.once_in(3) {
                it["office_hours"] = json!({"days": ["monday:friday"], "from": "09:00", "to": "17:00"});
            }
            all.insert((*team).to_owned(), it);
        }
        config.insert("teams".to_owned(), all.into());
    }
    if dice.once_in(3) {
        config.insert("identity".to_owned(), json!({"environment": dice.one(&["prod", "it's \"b\\c\" 5%"])}));
    }
    if dice.once_in(4) {
        config.insert("selector".to_owned(), json!("app=\"{{service}}\",zone!~\"test|\""));
    }
    if dice.once_in(2) {
        let base = "https://x.example";
        config.insert("links".to_owned(), json!({"grafana": base, "runbooks": base, "prometheus": base}));
    }
    if dice.once_in(5) {
        config.insert("severities".to_owned(), json!({"page": "critical", "ticket": "warning"}));
    }
    if dice.once_in(6) {
        config.insert("compat".to_owned(), json!(["sloth"]));
    }
    shared(dice, &mut config, 5);
    let mut all = vec![("kilter.yaml".to_owned(), Value::from(config).to_string())];
    for (name, file) in names.iter().zip(files) {
        all.push((file, service(dice, name, &teams, &names).to_string()));
    }
    all
}

/// Keys that an estate, a service and an SLO share.
fn shared(dice: &mut Dice, into: &mut Map<String, Value>, rarely: usize) {
    if dice.once_in(rarely) {
        into.insert("labels".to_owned(), dice.label_map());
    }
    if dice.once_in(rarely) {
        into.insert("annotations".to_owned(), dice.label_map());
    }
    if dice.once_in(rarely) {
        let whole = json!({"schedule": [{"days": ["sunday", "monday"], "from": "23:00", "to": "01:30"}]});
        let either = [whole, json!({"while": "maintenance_mode{zone=~\"a|b\"} == 1"})];
        into.insert("maintenance".to_owned(), either[dice.below(2)].clone());
    }
}

fn service(dice: &mut Dice, name: &str, teams: &[&str], names: &[String]) -> Value {
    let mut it = Map::new();
    it.insert("apiVersion".to_owned(), json!("kilter/v1"));
    it.insert("service".to_owned(), json!(name));
    it.insert("team".to_owned(), json!(dice.one(teams)));
    if let Some(other) = names.iter().find(|other| *other != name).filter(|_| dice.once_in(3)) {
        let silences = dice.one(&["tickets", "pages"]);
        it.insert("depends_on".to_owned(), json!([{"service": other, "silences": silences}]));
    }
    shared(dice, &mut it, 4);
    if dice.once_in(4) {
        it.insert("tier".to_owned(), json!(dice.one(&["critical", "high", "low", "background"])));
    }
    let slos: Vec<Value> = (0..=dice.below(4)).map(|number| slo(dice, number)).collect();
    it.insert("slos".to_owned(), slos.into());
    if dice.once_in(3) {
        let name = dice.one(NAMES);
        let either = [
            json!({"type": "db_pool", "name": name, "saturated_for": "15m", "near_limit": "80%"}),
            json!({"type": "disk", "name": name, "fills_within": "1d", "off": ["near_limit"]}),
            json!({"type": "replica", "name": name, "lag": "2m"}),
        ];
        it.insert("resources".to_owned(), json!([either[dice.below(3)]]));
    }
    it.into()
}

fn slo(dice: &mut Dice, number: usize) -> Value {
    const OBJECTIVES: &[&str] =
        &["50%", "80%", "90%", "95.5%", "99%", "99.5%", "99.9%", "99.95%", "99.99%", "99.999%", "0.999"];
    let mut it = Map::new();
    it.insert("name".to_owned(), json!(format!("slo-{number}")));
    it.insert("description".to_owned(), json!(dice.one(TEXTS)));
    let objective = dice.one(OBJECTIVES);
    it.insert("objective".to_owned(), json!(objective));
    let by = if dice.once_in(4) { dice.some(&["region", "zone"]) } else { json!([]) };
    let sli = sli(dice, &by);
    let counts = ["ratio", "uptime", "slices"].iter().all(|it| sli.get(it).is_none())
        && sli["job"].get("succeeded_within").is_none();
    it.insert("sli".to_owned(), sli);
    it.insert("by".to_owned(), by);
    if dice.once_in(2) {
        it.insert("window".to_owned(), json!(dice.one(&["7d", "14d", "28d", "30d", "90d"])));
    }
    if dice.once_in(4) {
        it.insert("impact".to_owned(), json!(dice.one(TEXTS)));
    }
    if counts && dice.once_in(4) {
        it.insert("min_errors".to_owned(), json!(dice.below(50)));
    }
    if dice.once_in(3) {
        it.insert("no_data".to_owned(), json!(dice.one(&["page", "ticket", "ignore", "bad"])));
    }
    if objective.starts_with("99.") && dice.once_in(4) {
        let page = json!({"severity": "page", "share": "2%", "long": "1h", "short": "5m"});
        let ticket = json!({"severity": "ticket", "share": "10%", "long": "1d", "short": "2h"});
        let either = [json!([page, ticket]), json!([page]), json!([ticket])];
        it.insert("windows".to_owned(), either[dice.below(3)].clone());
    }
    shared(dice, &mut it, 6);
    it.into()
}

fn sli(dice: &mut Dice, by: &Value) -> Value {
    let by: Vec<&str> = by.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let by = by.join(", ");
    let name = dice.one(NAMES);
    let routes = dice.some(ROUTES);
    let methods = dice.some(&["GET", "POST", "PUT", "_OTHER"]);
    let slow = dice.one(&["250ms", "1s", "2500ms"]);
    let rpc = dice.some(&["users.v1.Users/Get", "a.B/C"]);
    let counted = dice.one(&["all_total", "all_total{code=~\"2..|`5\\\\d`\"}", "{__name__=\"all_total\",a!=\"\"}"]);
    let all = format!("rate({counted}[$window])");
    let kinds = [
        json!({"http_server": {}}),
        json!({"http_server": {"routes": routes, "methods": methods}}),
        json!({"http_server": {"routes": routes, "slower_than": slow}}),
        json!({"http_server": {"routes": routes, "bad": {"status_codes": ["5xx", 429], "error_types": ["timeout"]}}}),
        json!({"http_client": {"dependency": name}}),
        json!({"http_client": {"dependency": name, "slower_than": slow}}),
        json!({"rpc_server": {"methods": rpc, "bad": {"status_codes": ["UNAVAILABLE", "INTERNAL"]}}}),
        json!({"rpc_client": {"dependency": name, "methods": rpc}}),
        json!({"db": {"namespace": name, "role": dice.one(&["primary", "replica"])}}),
        json!({"db": {"slower_than": "1s", "operations": ["SELECT"]}}),
        json!({"messaging": {"destination": name, "consumer_group": name}}),
        json!({"job": {"name": name}}),
        json!({"job": {"name": name, "succeeded_within": dice.one(&["1h", "26h", "7d"])}}),
        json!({"job": {"name": name, "slower_than": "15m"}}),
        json!({"cache": {"name": name}}),
        json!({"events": {"errors": "rate(failed_total[$window])", "total": all}}),
        json!({"events": {"good": format!("sum by ({by}) (rate(ok_total[$window]))"), "total": format!("sum by ({by}) ({all})")}}),
        json!({"ratio": {"error": "avg_over_time(loss_ratio[$window])"}}),
        json!({"ratio": {"good": "1 - avg_over_time(loss_ratio{a=\"it's\"}[$window])"}}),
        json!({"latency": {"histogram": "x_seconds{zone=\"a\"}", "slower_than": slow}}),
        json!({"latency": {"histogram": "x_seconds", "slower_than": "300ms", "type": "native"}}),
        json!({"uptime": {"up": "probe_success{target=\"shop\"}"}}),
        json!({"uptime": {"up": format!("max by ({by}) (backend_up)")}}),
        json!({"slices": {"good": format!("sum by ({by}) ({all}) > bool 1")}}),
    ];
    kinds[dice.below(kinds.len())].clone()
}

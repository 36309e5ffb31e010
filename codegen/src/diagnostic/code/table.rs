//! Every code with its title, its explanation and an example. New ones at the end of their kind.

codes! {
    /// The file cannot be read as YAML: the syntax is broken, a key stands twice, it is nested too deeply, or it holds more than one document.
    Yaml = "KLT0001", "not readable as YAML",
        "slos: []
slos: []",
        "slos: []";
    /// The file cannot be read as text: it is not UTF-8, too large, or empty. It is most likely another file than was meant, or saved in another encoding.
    Text = "KLT0002", "not a text to read",
        "(a file in Latin-1, a picture, or nothing at all)",
        "apiVersion: kilter/v1   # text in UTF-8";
    /// The key is not one of this mapping's. It is refused, not ignored: a misspelt `min_errors` that is silently dropped would change when somebody is woken. The help names the keys that exist, and the nearest when it looks misspelt.
    UnknownKey = "KLT0003", "unknown key",
        "servce: shop",
        "service: shop";
    /// A key that must be there is missing: without it Kilter would have to guess what is promised. The help says what the key is for and gives an example.
    MissingKey = "KLT0004", "a key is missing here",
        "- name: buys
  description: Orders succeed.",
        r#"- name: buys
  description: Orders succeed.
  objective: 99.9%
  sli: {http_server: {routes: ["/orders"]}}"#;
    /// The value has another type than this key takes, such as a text where a list belongs. Often quotes or a dash are missing: YAML then reads something else than was meant.
    WrongType = "KLT0005", "wrong type",
        "http_server: {routes: /orders}",
        r#"http_server: {routes: ["/orders"]}"#;
    /// The value has the right type but is none that this key takes. The help names those that it does take.
    BadValue = "KLT0006", "not a value of this key",
        "no_data: never",
        "no_data: ticket";
    /// Names of services, SLOs and teams are 1 to 40 lower-case letters, digits and inner dashes, so that they are safe in labels, file names, URLs and Grafana uids.
    BadName = "KLT0007", "not a name",
        "service: Git_HTTPS",
        "service: git-https";
    /// An objective lies strictly between 0% and 100%. 100% leaves no error budget, so every failure would alert for ever; 0% can never be missed.
    BadObjective = "KLT0008", "not an objective",
        "objective: 99.9",
        "objective: 99.9%";
    /// Two SLOs of a service, or two services of an estate, have one name: they would record the same series.
    Duplicate = "KLT0009", "already used",
        "- name: buys
  objective: 99.9%
- name: buys
  objective: 99%",
        "- name: buys
  objective: 99.9%
- name: buys-slowly
  objective: 99%";
    /// The latency threshold is no bucket bound of the signal. A histogram knows only how many requests were below its bounds, so any other threshold would be a guess. When nothing else is wrong, `kilter generate` writes the bounds that SLOs need to `rules/<service>.bounds`; the service is built with them, and the next run generates the rest.
    OffBounds = "KLT0010", "not a bucket bound",
        "slower_than: 300ms",
        "slower_than: 250ms   # a bound of the histogram";
    /// The expression is not valid PromQL, or not of the type that is needed here. Prometheus would refuse the whole rule file, with every alert in it.
    PromQl = "KLT0011", "invalid PromQL",
        "total: 'sum(rat(all_total[$window]))'",
        "total: 'sum(rate(all_total[$window]))'";
    /// The expression has a fixed range, or none, where `$window` belongs. Kilter records the rate over one range and derives every longer window from it; a range of another length would make the numbers of the alerts wrong, and a time scale (`--time-scale`) could not shorten it.
    Window = "KLT0012", "`$window` belongs here",
        "total: 'rate(all_total[5m])'",
        "total: 'rate(all_total[$window])'";
    /// The metric belongs to the contract, but has no such label, or the label can never have this value: the selector would match nothing, and the alert would be silent.
    NoSuchLabel = "KLT0013", "matches nothing that a service emits",
        r#"http_server_request_duration_seconds_count{http_request_method="get"}"#,
        r#"http_server_request_duration_seconds_count{http_request_method="GET"}"#;
    /// A `by` label that Kilter or Prometheus uses itself, or that the signal does not have. The group would overwrite what tells SLOs apart, or be empty.
    BadBy = "KLT0014", "cannot group by this",
        "by: [service]",
        "by: [region]";
    /// The team has no receivers in kilter.yaml, so its alerts would fall to the default receiver, which nobody watches at night.
    UnknownTeam = "KLT0015", "no such team",
        "team: stroe",
        "team: store   # one of the teams in kilter.yaml";
    /// The key is known but this version of Kilter does not have it yet: ignoring it would promise what is not done.
    NotYet = "KLT0016", "not in this version",
        "links: {traces: https://traces.example}   # a key of a later version",
        "# without the key, or with a later kilter";
    /// A route has an availability SLO but no latency SLO. Requests that hang until their clients give up are no availability errors: only a latency SLO sees them.
    NoLatency = "KLT0101", "a hang here would be silent",
        r#"- name: buys
  sli: {http_server: {routes: ["/orders"]}}"#,
        r#"- name: buys
  sli: {http_server: {routes: ["/orders"]}}
- name: buys-latency
  sli: {http_server: {routes: ["/orders"], slower_than: 250ms}}"#;
    /// A division inside `events`: 0/0 is NaN, which counts as no error. Name the two counters instead; Kilter divides.
    Division = "KLT0102", "can be 0/0",
        "errors: 'rate(failed_total[$window]) / rate(all_total[$window])'",
        "errors: 'rate(failed_total[$window])'
total: 'rate(all_total[$window])'";
    /// Error and total queries keep different labels, so an error can never be set against its total.
    DifferentBy = "KLT0103", "labels differ from the total's",
        "by: [region]
sli:
  events:
    errors: 'sum by (region) (rate(failed_total[$window]))'
    total: 'sum by (zone) (rate(all_total[$window]))'",
        "by: [region]
sli:
  events:
    errors: 'rate(failed_total[$window])'
    total: 'rate(all_total[$window])'";
    /// A counter without `rate` only ever grows, so its value says nothing about now; after a restart it begins again at zero.
    CounterWithoutRate = "KLT0104", "a counter needs rate()",
        "errors: 'failed_total'",
        "errors: 'rate(failed_total[$window])'";
    /// The metric's name differs from one of the contract's by a letter or two. A misspelt metric matches nothing: the SLO would have no data.
    NearContract = "KLT0105", "nearly a metric of the contract",
        "rate(http_server_requests_duration_seconds_count[$window])",
        "rate(http_server_request_duration_seconds_count[$window])";
    /// A file of another tool has a version or a kind that Kilter cannot read. Guessing at it could lose an alert, so nothing is taken from it.
    ForeignVersion = "KLT0040", "cannot be read",
        "version: prometheus/v9",
        "version: prometheus/v1";
    /// A file of another tool names an object that is neither in it nor in a file beside it. Without it nobody knows what is measured.
    ForeignReference = "KLT0041", "named, but not there",
        "indicatorRef: orders-succed   # no SLI of this name",
        "indicatorRef: orders-succeed";
    /// A query of another tool holds a template that only that tool can fill, or none where the range belongs. Kilter chooses the range and must know where it stands; what other templates stand for is not in the file.
    ForeignTemplate = "KLT0042", "the range cannot be told from this",
        "error_query: sum(rate(failed_total{env=\"{{ .env }}\"}[5m]))",
        "error_query: sum(rate(failed_total{env=\"production\"}[{{.window}}]))";
    /// What an SLO of another tool measures has no counterpart in this version of Kilter: a program, a source that is not Prometheus, or a kind of SLI that is missing here. It is an error and not a warning, because without it nobody would be told when this SLO is missed.
    ForeignSli = "KLT0043", "has no counterpart here",
        "sli: {plugin: {id: our/availability}}",
        "sli:
  events:
    error_query: sum(rate(failed_total[{{.window}}]))
    total_query: sum(rate(all_total[{{.window}}]))";
    /// A file of another tool holds no SLO, so nothing would watch what it is about. Most likely its list is empty, or it is a file that only belongs to others.
    ForeignEmpty = "KLT0044", "no SLO here",
        "version: prometheus/v1
service: shop
slos: []",
        "version: prometheus/v1
service: shop
slos:
  - name: buys
    objective: 99.9";
    /// A file of another tool contradicts its own format, such as two kinds of SLI where one belongs. That tool would refuse it or choose silently; Kilter does not guess which one was meant.
    ForeignShape = "KLT0045", "not what the format says",
        "ratioMetric: {good: {...}, bad: {...}, total: {...}}",
        "ratioMetric: {good: {...}, total: {...}}";
    /// A part of another tool's file has no place in Kilter's, so it is left out. The rules work without it, but something that it did (a label, a route, a text) is gone until you ask for it in Kilter's way.
    NotCarried = "KLT0140", "left out",
        "page_alert: {labels: {pagerduty: team-a}}",
        "labels: {team: team-a}   # kilter.yaml: teams: {team-a: {page: pagerduty-team-a}}";
    /// A part of another tool's file is carried, but means something a little different in Kilter. Read the sentence: it says what differs and what to do when that matters.
    CarriedOtherwise = "KLT0141", "carried, but not as it was",
        "alerting: {name: ShopErrors}   # alerts are named ErrorBudgetBurn",
        "alerting: {name: ErrorBudgetBurn}";
    /// Kilter needs something that another tool's file does not say, so a plain value is taken. The alert works with it; whoever is woken by it would rather read your words and reach your team.
    Assumed = "KLT0142", "not said in this file",
        "service: shop",
        "service: shop
labels: {team: store}";
    /// The other tool ignores this key without a word: it is misspelt, or it stands in the wrong place. What it was meant to say has never been in force.
    IgnoredKey = "KLT0143", "was never read",
        "alertng: {name: ShopErrors}",
        "alerting: {name: ShopErrors}";
    /// A service that `depends_on` names is no other service of this estate, or two services silence each other's pages: then nobody would be woken.
    BadDependency = "KLT0060", "cannot depend on this",
        "service: shop
depends_on: [{service: shop}]",
        "service: shop
depends_on: [{service: identity}]";
    /// A secret stands in the Alertmanager base file as it is. The generated file is committed, so everybody who reads the repository would have it. Alertmanager reads secrets from files (`api_url_file`, `password_file`, ...); a `${VARIABLE}` that your deployment fills in is fine as well.
    LiteralSecret = "KLT0061", "a secret in plain sight",
        "slack_api_url: https://hooks.slack.example/services/T0/B0/xyz",
        "slack_api_url_file: /etc/alertmanager/slack_url";
    /// The Alertmanager base file has another form than Alertmanager takes, so Kilter cannot add its routes to it.
    BadBase = "KLT0062", "not a form of Alertmanager's",
        "receivers: {name: pager}",
        "receivers: [{name: pager}]";
    /// Office hours are days such as `monday:friday`, a start and a later end as `HH:MM`, and a time zone of the IANA database.
    BadHours = "KLT0063", "not office hours",
        "office_hours: {from: 9 am, to: 17:00}",
        "office_hours: {from: 09:00, to: 17:00}";
    /// Alert windows that cannot work: a window that is no multiple of the five minutes over which rates are recorded, a short one that is not shorter, or a share of the budget that no outage can spend within the window. Such an alert would be wrong, or would never fire.
    BadWindows = "KLT0030", "these windows cannot work",
        "objective: 95%
windows:
  - {severity: page, share: 10%, long: 1h, short: 5m}",
        "objective: 95%
windows:
  - {severity: page, share: 2%, long: 1h, short: 5m}";
    /// The tier is none of Kilter's (critical, high, low, background) and none under `tiers` in kilter.yaml. Without it the SLO would silently be watched by the defaults.
    UnknownTier = "KLT0031", "no such tier",
        "tier: critcal",
        "tier: critical";
    /// The rate over five minutes must hold four scrapes, so that one that is lost does not leave the rate without data. With slower scrapes every SLO would flicker between data and none.
    ScrapeTooSlow = "KLT0032", "too few scrapes",
        "scrape_interval: 2m",
        "scrape_interval: 60s";
    /// The label or annotation is one that Kilter or Prometheus sets on alerts itself: it tells SLOs apart, routes the alert, or is its text. Overwriting it would send the alert elsewhere, or make two alerts one.
    TakenLabel = "KLT0033", "taken",
        "labels: {severity: high}",
        "labels: {impact: high}";
    /// Maintenance that cannot be: it never ends, never begins, or is told by data that are missing. Maintenance must be said by a series that is there or by a schedule; otherwise an outage would excuse itself.
    BadMaintenance = "KLT0034", "no maintenance",
        "maintenance: {while: 'absent(up{job=\"shop\"})'}",
        "maintenance: {while: 'maintenance_mode{service=\"shop\"} == 1'}";
    /// A template of yours cannot be used: its name is none that Kilter renders, it is no valid Handlebars, it names a variable that does not exist, or what it renders cannot stand in an alert. Nothing is generated, because a page with a broken text helps nobody at night.
    BadTemplate = "KLT0035", "this template cannot be used",
        "{{service}} burns {{burnrate}} times too fast",
        "{{service}} burns {{burn}} times too fast";
    /// A patch that cannot be applied, or after which the file would no longer be right: PromQL that does not parse, an alert that is lost, a label that routes it changed, a panel without a place. The generated file is left as it was and nothing is written.
    BadPatch = "KLT0036", "this patch breaks what it changes",
        r#"{"rules": []}"#,
        r#"{"limit": 1000}"#;
    /// Compliance windows roll: 30d are always the last thirty days. In a calendar month the budget left cannot be exact before its last day, because nobody knows how many events the rest will bring, and an outage of the 31st would be forgotten on the 1st. 30d and 90d say nearly the same and are exact on every day.
    CalendarWindow = "KLT0037", "compliance windows roll",
        "window: month",
        "window: 30d";
    /// The alert windows that the SLO inherits from its tier or from kilter.yaml ask for more errors than there can be with its objective. As with Kilter's own windows, such a pair is held at half of what a total outage burns: it fires earlier than its share of the budget says.
    HeldWindows = "KLT0130", "held at half of a total outage",
        "windows: [{severity: page, share: 10%, long: 1h, short: 5m}]   # in kilter.yaml
objective: 95%",
        "objective: 95%
windows: [{severity: page, share: 2%, long: 1h, short: 5m}]   # of the SLO's own";
    /// A quarter of the week and more is maintenance: nothing is measured then, so the objective says little about what users see. Users count all hours.
    LongMaintenance = "KLT0131", "much is not measured",
        "schedule: [{from: \"20:00\", to: \"08:00\"}]",
        "schedule: [{days: [sunday], from: \"02:00\", to: \"04:00\"}]";
    /// Two keys that mean different things for the same SLI or resource. Kilter would have to drop one of them.
    Conflict = "KLT0020", "excludes another key",
        "http_server: {bad: {status_codes: [5xx]}, slower_than: 250ms}",
        "http_server: {slower_than: 250ms}   # and a second SLO with `bad`";
    /// A comparison without `bool` keeps what holds and drops the rest. A bad minute would then be missing and not bad: it would spend nothing, and the alert for missing data would speak instead.
    NoBool = "KLT0021", "gives nothing instead of 0",
        "good: 'sum(rate(sold_total[$window])) > 1'",
        "good: 'sum(rate(sold_total[$window])) > bool 1'";
    /// A latency SLI counts the buckets of one histogram, so it takes the name of the histogram with matchers. Kilter chooses the form (`_bucket`, `_count`) and the bound itself.
    NotAHistogram = "KLT0022", "not the name of a histogram",
        r#"histogram: 'sum(rate(hook_duration_seconds_bucket{le="0.25"}[5m]))'"#,
        r#"histogram: 'hook_duration_seconds{job="hooks"}'"#;
    /// The key has no meaning for this type of resource: a semaphore does not lag, a replica has no limit, and a pool that is used up and freed again all day cannot be predicted.
    NotOfResource = "KLT0023", "this type of resource has no such trouble",
        "resources: [{type: replica, name: eu, saturated_for: 5m}]",
        "resources: [{type: replica, name: eu, lag: 2m}]";
    /// The ratio divides one counter by another. As `ratio` every moment weighs the same, so an hour with ten requests counts as much as one with a million, and an idle moment is 0/0 and so missing. As `events` every event weighs the same, and idle is idle.
    CounterRatio = "KLT0120", "two counters could be `events`",
        "ratio: {error: 'sum(rate(failed_total[$window])) / sum(rate(all_total[$window]))'}",
        "events: {errors: 'rate(failed_total[$window])', total: 'rate(all_total[$window])'}";
    /// Calls that an open breaker rejected were never made, so they have no method. They are errors of the dependency: an SLO of some of its methods counts all of them.
    RejectedMethods = "KLT0121", "rejected calls have no method",
        "http_client: {dependency: identity, methods: [GET]}",
        "http_client: {dependency: identity}";
    /// A quantile of nothing and a division of zero by zero are NaN, and a comparison with NaN does not hold. So a minute without traffic is a bad minute, and every quiet night spends budget.
    IdleMinute = "KLT0122", "an idle minute would be bad",
        "good: 'histogram_quantile(0.99, sum by (le) (rate(x_bucket[$window]))) < bool 0.5'",
        "good: '(histogram_quantile(0.99, sum by (le) (rate(x_bucket[$window]))) >= 0) < bool 0.5'";
    /// The text of a mitigations file becomes part of runbooks, which are published elsewhere, so a path that holds beside the file does not hold there. Only runbooks of the estate are there. The page of an SLO that was renamed or removed is gone too.
    StaleLink = "KLT0160", "leads nowhere from a runbook",
        "See [the clones](../../docs/clones.md).",
        "See [the clones](clone-latency.md), or [the guide](https://docs.example/clones).";
    /// The target is no engine that Kilter knows, or a version of it that its rules do not run on. Each engine gets only what it accepts, so Kilter must know it; the help names the engines, the message the versions.
    UnknownTarget = "KLT0070", "no such target",
        "target: prometheus=2.30",
        "target: prometheus=2.42";
    /// The engine that the rules run on cannot evaluate this SLI. VictoriaMetrics stores no native histograms, so their functions are unknown to it and the rule would fail at every evaluation.
    NotOnTarget = "KLT0071", "the target cannot evaluate this",
        "target: vmalert   # with {latency: {histogram: hook_duration_seconds, slower_than: 250ms, type: native}}",
        "target: vmalert   # with {latency: {histogram: hook_duration_seconds, slower_than: 250ms}}";
    /// The estate has more rule groups than a tenant of Mimir takes by default. Mimir refuses those above the limit, and whatever they watch is not watched. The limit is the tenant's: raise it there and say so here.
    ManyGroups = "KLT0170", "more groups than a tenant takes",
        "target: mimir",
        "target: mimir
targets: {mimir: {max_groups: 500}}   # with ruler_max_rule_groups_per_tenant: 500 in Mimir";
    /// Kilter's own files, rule groups and dashboards have this name, or it makes two groups of one name. One would overwrite the other, or a patch would not know which one is meant.
    TakenName = "KLT0024", "a name of Kilter's own files",
        "service: kilter",
        "service: kilter-web";
    /// Retention, traffic or another number about the estate that cannot be read. It is only used to warn, so guessing would warn of the wrong things.
    BadAmount = "KLT0025", "not such an amount",
        "traffic: 50 per hour",
        "traffic: 50/h";
    /// Prometheus would refuse this rule file, with every alert in it: a field that it does not know, a rule that is neither a recording nor an alert, a name or a duration of another form.
    RuleFile = "KLT0050", "Prometheus refuses this",
        "- alert: Down
  expresion: up == 0",
        "- alert: Down
  expr: up == 0";
    /// The target of `--target` does not have this function or field, or no longer has it, and would refuse the whole file.
    NotInDialect = "KLT0051", "not on this target",
        "expr: holt_winters(x[1h], 0.5, 0.5)   # with --target prometheus=3.0",
        "expr: double_exponential_smoothing(x[1h], 0.5, 0.5)   # and its feature flag";
    /// A rate of an aggregate. `rate` recognises a restart by a counter that falls; in a sum of counters the restart of one is hidden, or looks like a restart of all. So every restart makes a spike of errors that never were, or hides those that are. First `rate`, then aggregate.
    RateOfAggregate = "KLT0106", "rate() must come first",
        "rate(sum(requests_total)[5m:])",
        "sum(rate(requests_total[5m]))";
    /// The label `le` is aggregated away, but it is what tells the buckets of a histogram apart. `histogram_quantile` gives nothing without it, and a sum over all buckets counts each event many times.
    MissingLe = "KLT0107", "`le` is missing",
        "histogram_quantile(0.99, sum(rate(x_bucket[5m])))",
        "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m])))";
    /// A regular expression without any sign that only regular expressions have. It matches what `=` matches, but is slower, and whoever reads it looks for a reason.
    NeedlessRegex = "KLT0108", "`=` says the same",
        "up{job=~\"shop\"}",
        "up{job=\"shop\"}";
    /// An equality with what looks like a regular expression: `=` compares letter by letter, so it matches nothing, and what matches nothing never alerts.
    RegexInEquality = "KLT0109", "`=` takes no regular expression",
        "requests_total{code=\"5..\"}",
        "requests_total{code=~\"5..\"}";
    /// Somebody who is woken finds no instructions: the estate does not say where its runbooks are published, so alerts link none; or a service that pages names no mitigations, so its runbooks say what is wrong but not what to do.
    NoRunbook = "KLT0110", "no instructions at night",
        "service: shop
team: store",
        "service: shop
team: store
runbook: {mitigations: docs/shop.md}";
    /// The estate has no teams, so every alert falls to the default receiver, which most likely nobody watches at night.
    NoTeams = "KLT0111", "nobody is told",
        "services: [\"*/slo.yaml\"]",
        "services: [\"*/slo.yaml\"]
teams: {store: {page: store-pager, ticket: store-tickets}}";
    /// An inhibition compares a label that alerts need not have. Alertmanager takes a label that is missing on both sides for equal, so one alert silences others that have nothing to do with it.
    WideInhibition = "KLT0112", "missing on both sides is equal",
        "- source_matchers: ['severity=\"critical\"']
  target_matchers: ['severity=~\"page|ticket\"']
  equal: [cluster]",
        "- source_matchers: ['severity=\"critical\"', 'cluster!=\"\"']
  target_matchers: ['severity=~\"page|ticket\"']
  equal: [cluster]";
    /// Prometheus forgets what the compliance window still counts: the budget is then that of the retention, and an outage is forgiven before its time.
    ShortRetention = "KLT0113", "longer than Prometheus remembers",
        "retention: 15d
# and in slo.yaml: window: 30d",
        "retention: 35d";
    /// At the traffic that the SLO states, its budget is one failure or less. No service keeps such a promise, and every single failure is an incident.
    TinyBudget = "KLT0114", "one failure spends the budget",
        "objective: 99.99%
traffic: 10/h",
        "objective: 99.9%
traffic: 10/h";
    /// At the traffic that the SLO states, a total outage makes fewer errors within a long alert window than `min_errors` asks for, so this window can never alert.
    TooFewEvents = "KLT0115", "a total outage is too small for this",
        "traffic: 2/h
min_errors: 5",
        "traffic: 2/h
min_errors: 1";
    /// The label's name differs from one of the signal's by a letter or two. A label that no series has matches nothing, or groups nothing.
    NearLabel = "KLT0116", "nearly a label of the signal",
        "sum by (http_rout) (rate(http_server_request_duration_seconds_count[5m]))",
        "sum by (http_route) (rate(http_server_request_duration_seconds_count[5m]))";
    /// A range that holds fewer than four scrapes. A rate needs two, so one that is lost or late leaves it without data, and an alert on it resolves in the middle of an outage.
    ShortRange = "KLT0144", "fewer than four scrapes",
        "rate(failed_total[1m])   # scraped every 30s",
        "rate(failed_total[2m])";
    /// A rule file with several documents. Prometheus loads the first and says nothing about the others, so none of their alerts exists.
    SecondDocument = "KLT0146", "never loaded",
        "groups: [...]
---
groups: [...]",
        "groups: [..., ...]";
    /// Two rules have the same name and the same labels. Two recordings of one series fight, and one of two alerts looks like the other.
    DuplicateRule = "KLT0150", "the same rule twice",
        "- {alert: Down, expr: up == 0, labels: {severity: page}}
- {alert: Down, expr: up < 1, labels: {severity: page}}",
        "- {alert: Down, expr: up == 0, labels: {severity: page}}";
    /// An alert without `for` on a value of this moment. One failed scrape, or the restart of Prometheus, is enough to wake somebody, and the alert is gone before they look.
    NoHold = "KLT0151", "one scrape is enough",
        "alert: Down
expr: up == 0",
        "alert: Down
expr: up == 0
for: 2m";
    /// Routes tell pages from tickets by `severity`. An alert without it goes wherever the last route leads, which may be nobody.
    NoSeverity = "KLT0152", "no `severity`",
        "alert: Down
expr: up == 0
for: 2m",
        "alert: Down
expr: up == 0
for: 2m
labels: {severity: page}";
    /// An alert with neither a runbook nor a description: whoever is woken by it knows its name and nothing else.
    NoAdvice = "KLT0153", "neither runbook nor description",
        "alert: Down
labels: {severity: page}",
        "alert: Down
labels: {severity: page}
annotations: {runbook_url: \"https://runbooks.example/down\"}";
    /// The text names a label that the expression does not give: it was aggregated away, or never there. Prometheus puts nothing in its place, so the page does not say what it is about.
    LostLabel = "KLT0154", "this label is not left",
        "expr: sum by (job) (rate(failed_total[5m])) > 1
annotations: {summary: \"{{ $labels.instance }} fails\"}",
        "expr: sum by (job, instance) (rate(failed_total[5m])) > 1
annotations: {summary: \"{{ $labels.instance }} fails\"}";
    /// The comparison can never hold, so the alert can never fire. `count` of nothing is nothing and not 0; `absent` is 1 or nothing; `up` is 0 or 1; a rate is never negative.
    NeverTrue = "KLT0155", "can never be true",
        "count(up{job=\"shop\"} == 1) == 0",
        "absent(up{job=\"shop\"} == 1)";
    /// `absent` of several series is silent while one of them is there: with a choice such as `a|b` it only notices when all are gone.
    AbsentOfMany = "KLT0156", "silent while one of them is there",
        "absent(up{job=~\"shop|mall\"})",
        "absent(up{job=\"shop\"}) or absent(up{job=\"mall\"})";
    /// Prometheus 3 stores the bounds of histograms and the quantiles of summaries as `1.0` where Prometheus 2 stored what was exposed, most often `1`. A matcher on `1` then matches nothing.
    WholeBound = "KLT0157", "`1.0` in Prometheus 3",
        "x_bucket{le=\"1\"}",
        "x_bucket{le=~\"1(\\\\.0)?\"}   # before and after";
    /// In Prometheus 3 a range leaves its oldest end out. A range of one step held two values when they fell on its ends, and now holds one: a rate of it is gone, a count is one smaller.
    LeftOpen = "KLT0158", "one value less in Prometheus 3",
        "rate(x[1m])   # scraped every 1m",
        "rate(x[4m])";
    /// In Prometheus 3 the dot of a regular expression also matches a line end. Labels that hold free text can have some, so more series match than before.
    DotNewline = "KLT0159", "`.` matches line ends in Prometheus 3",
        "errors_total{message=~\"timeout.*\"}",
        "errors_total{message=~\"timeout[^\\n]*\"}";
    /// The file that `contract` names is no contract of a service, or one of another version. The service's own test writes it with the SDK, so that SLOs are checked against what the code really has.
    ServiceContract = "KLT0017", "not the contract of a service",
        "contract: Cargo.toml",
        "contract: kilter.contract.json";
    /// The service does not have this: a route, a method of it, a dependency, a database, a job, a cache, a resource or a kind of error that its contract does not list. An SLO on it would never have data, so it would never alert.
    NotOfService = "KLT0018", "not of this service",
        r#"http_server: {routes: ["/order/{id}"]}"#,
        r#"http_server: {routes: ["/orders/{id}"]}"#;
    /// The contract file says that it is of another service. Most likely the line was copied with the rest of the file: SLOs would be checked against code that they are not about.
    OtherService = "KLT0145", "of another service",
        "service: shop
contract: ../billing/kilter.contract.json",
        "service: shop
contract: kilter.contract.json";
    /// The bounds file has the bound of this threshold, but the service was not built with it, so no instance exposes it and the SLO would have no data. Embed the file with `kilter::service!(bounds: ..)`, and let the service's test write its contract anew.
    NotBuilt = "KLT0072", "the service was not built with it",
        "kilter::service!()",
        r#"kilter::service!(bounds: "../rules/shop.bounds")"#;
    /// A histogram holds at most 30 bounds, those of the contract among them. Each costs a series per label set, so a service cannot have one for every threshold that anybody thinks of.
    ManyBounds = "KLT0073", "more bounds than a histogram holds",
        "slower_than: 301ms   # beside 302ms, 303ms and so on",
        "slower_than: 300ms";
    /// A scenario is steps in plain words, one after the other with `then` or a comma between them. A step says what happens and for how long, so that everybody who reads it sees the same incident; `kilter simulate --help` shows every form.
    Scenario = "KLT0149", "not a scenario",
        "--scenario '100 for 20 minutes'",
        "--scenario '100% for 20m'";
    /// Prometheus cannot read this line. It then takes nothing of the whole page: every series of the instance is gone, and `up` is 0.
    PageLine = "KLT0165", "Prometheus cannot read this",
        "orders_total{region=eu} 3",
        "orders_total{region=\"eu\"} 3";
    /// One series stands on the page twice. Prometheus keeps one of the two values and warns in its own log only, so a counter jumps between them and every rate of it is wrong. Labels in another order, or with an empty value, make no other series.
    SeriesTwice = "KLT0166", "this series is here already",
        "orders_total{region=\"eu\"} 3
orders_total{region=\"eu\"} 4",
        "orders_total{region=\"eu\"} 7";
    /// The lines of one family stand apart, or it is announced twice. OpenMetrics forbids it; of the older format some readers keep only what is together. Most often two libraries write a metric of one name.
    FamilyTorn = "KLT0167", "the family is in pieces",
        "a_total 1
b_total 2
a_total{region=\"eu\"} 1",
        "a_total 1
a_total{region=\"eu\"} 1
b_total 2";
    /// A histogram that contradicts itself: no `+Inf` bucket, a bound that is none, a count that is smaller than that of a smaller bound, or a `_count` that is not that of `+Inf`. What is counted as slow is then wrong or nothing.
    PageBuckets = "KLT0168", "not a histogram",
        "x_bucket{le=\"0.1\"} 5
x_bucket{le=\"0.5\"} 3",
        "x_bucket{le=\"0.1\"} 3
x_bucket{le=\"0.5\"} 5
x_bucket{le=\"+Inf\"} 5";
    /// By its name a counter ends in `_total` and nothing else does. Who reads a query must know whether it needs `rate`; OpenMetrics puts the ending there by itself, so that the series has another name in each format.
    CounterName = "KLT0169", "a counter ends in _total, nothing else does",
        "# TYPE orders counter",
        "# TYPE orders_total counter";
    /// This value cannot be: counters, buckets and counts are numbers of events, so they are neither NaN nor infinite nor negative. A rate over such a value is nothing or nonsense.
    OddValue = "KLT0190", "cannot be its value",
        "orders_total NaN",
        "orders_total 0";
    /// The values of this label look as if there were no end of them: ids, addresses, paths with an id inside. Each makes series that stay until the process ends, in the service, in Prometheus and in every query. A label says what kind of thing it was; which one it was belongs into logs and traces.
    Unbounded = "KLT0171", "no end of such values",
        "requests_total{path=\"/orders/4711\"} 1",
        "requests_total{path=\"/orders/{id}\"} 1";
    /// There are more series than the budget. Each costs memory and work in Prometheus and in every query over the family; the labels with the most values are named, worst first.
    ManySeries = "KLT0172", "more series than the budget",
        "latency_seconds_bucket{customer=\"...\"}   # 20,000 customers",
        "latency_seconds_bucket{tier=\"...\"}   # 3 tiers";
    /// The type is not that of the contract. Rules take rates of counters and bounds of histograms, so of another type they would read nothing, or nonsense.
    ContractType = "KLT0173", "not the type of the contract",
        "# TYPE http_server_request_duration_seconds summary",
        "# TYPE http_server_request_duration_seconds histogram";
    /// The unit is not that of the name. The contract is in seconds and bytes, as Prometheus advises; milliseconds in a metric of seconds make every request look a thousand times as slow.
    ContractUnit = "KLT0174", "not this unit",
        "http_server_request_duration_seconds_bucket{le=\"250\"} 3",
        "http_server_request_duration_seconds_bucket{le=\"0.25\"} 3";
    /// The HELP text is missing, or is not that of the contract. No rule depends on it; people do who look at the metric for the first time.
    ContractHelp = "KLT0175", "not the help of the contract",
        "# TYPE http_server_active_requests gauge",
        "# HELP http_server_active_requests HTTP server requests in flight.
# TYPE http_server_active_requests gauge";
    /// A label of the contract that every series of this family has is missing, so selectors on it match nothing: an SLO on one dependency or method would have no data.
    ContractLabel = "KLT0176", "a label of the contract is missing",
        "http_server_active_requests{method=\"GET\"} 2",
        "http_server_active_requests{http_request_method=\"GET\"} 2";
    /// A label that the contract does not have. Rules add it away, but it multiplies the series; `job` and `instance` are Prometheus' own, and it renames those of the page.
    ExtraLabel = "KLT0177", "not a label of the contract",
        "http_server_active_requests{http_request_method=\"GET\",url_scheme=\"http\"} 2",
        "http_server_active_requests{http_request_method=\"GET\"} 2";
    /// The contract does not have this value for the label. Rules that select the values that it does have do not count these series.
    ContractValue = "KLT0178", "not a value of the contract",
        "http_server_active_requests{http_request_method=\"get\"} 2",
        "http_server_active_requests{http_request_method=\"GET\"} 2";
    /// The bounds of the histogram are not those of the contract. A latency SLO counts the bucket of its threshold: where that is missing it has no data, and bounds of more than one kind cannot be added up.
    ContractBounds = "KLT0179", "not the bounds of the contract",
        "http_server_request_duration_seconds_bucket{le=\"0.3\"} 5",
        "http_server_request_duration_seconds_bucket{le=\"0.25\"} 5";
    /// The contract has this signal under another name, most often a newer one of OpenTelemetry's conventions. Nothing is wrong, but nothing that is generated from the contract sees it: SLOs on it are written with `events` or `latency`, until the service uses the name of the contract.
    FormerName = "KLT0180", "the contract names it otherwise",
        "http_server_duration_milliseconds",
        "http_server_request_duration_seconds";
    /// The name of the family differs from one of the contract's by a letter or two. Rules ask for the name of the contract and would find nothing.
    NearName = "KLT0181", "nearly a name of the contract",
        "http_server_request_durations_seconds",
        "http_server_request_duration_seconds";
    /// The SLO counts on series that the page does not have, so there it would have no data. A service that has done nothing yet may not have them either: let it do once what the SLO is about, or let it declare its routes, before the page is checked.
    SloUnmet = "KLT0182", "the page does not have this",
        "http_server: {routes: [\"/orders/{id}\"]}   # the page has /order/{id}",
        "http_server: {routes: [\"/order/{id}\"]}";
    /// The threshold of this latency SLO is none of the bounds that the histogram has on the page. A histogram knows only how many were below its bounds, so the SLO would have no data.
    SloBound = "KLT0183", "not a bound on the page",
        "slower_than: 300ms   # the page has 0.25 and 0.5",
        "slower_than: 250ms";
    /// The page is OpenMetrics and breaks one of its rules, such as the `# EOF` that ends it: without that a reader takes the page for cut off and drops all of it.
    OpenMetrics = "KLT0184", "not as OpenMetrics has it",
        "# TYPE orders counter
orders_total 3",
        "# TYPE orders counter
orders_total 3
# EOF";
    /// A time of an incident cannot be read, or the incident ends before it begins. Alerts are judged by when users noticed something, so a wrong time makes a good alert look bad.
    BadIncident = "KLT0161", "no time of an incident",
        "start: yesterday at nine",
        "start: 2026-11-03T09:12:00Z";
    /// The incident names a service or an SLO that this estate does not have, so no alert could ever have told of it.
    IncidentOfNobody = "KLT0162", "not of this estate",
        "service: chekout",
        "service: checkout";
    /// A what-if changes keys of SLOs that do not change what is measured: `objective`, `window`, `min_errors`, `tier`, `no_data`, and `windows`, as severity, share, long and short window: `page:2%:1h:5m+ticket:10%:3d:6h`. Several are joined by commas; each `--what-if` is a variant of its own.
    BadWhatIf = "KLT0163", "no what-if",
        "--what-if objektive=99.5%",
        "--what-if objective=99.5%,window=7d";
    /// The SLO is measured by a label (`by`) that none of the series it counts has on the page. All of them would be one group, without a name: an outage of one region, tenant or route is then averaged away, and no alert says where it is. Labels that most scrapes add (such as `region` or `cluster`) are not asked for.
    SloGroup = "KLT0194", "the page does not have this label",
        "by: [tenant]   # orders_total{customer=\"a\"}",
        "by: [customer]";
    /// The service declares this signal in its own contract, and its page does not have it. Either the contract file is of another build, or the service makes the series only when something first happens: rules cannot tell that from a metric that is gone, and the first event is lost to `rate()`.
    OwnMissing = "KLT0195", "a signal of this contract is not on the page",
        "contract: kilter.contract.json   # declares orders_placed_total",
        "orders_placed_total{channel=\"web\"} 0";
    /// Tempo and Jaeger are both named as the place of traces. An exemplar is a link to one trace, and the provisioned data source must know where that is.
    TwoTraceStores = "KLT0200", "two stores of traces",
        "datasources: {tempo: http://tempo:3200, jaeger: http://jaeger:16686}",
        "datasources: {tempo: http://tempo:3200}";
    /// The leadership would hear of pages of so many teams at once, and the estate has not so many teams that own services: an alert that cannot fire.
    CannotSpread = "KLT0205", "more teams than there are",
        "leadership: {receiver: leadership, teams: 5}   # two teams own services",
        "leadership: {receiver: leadership}";
}

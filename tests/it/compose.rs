//! `examples/compose.yaml` against what it mounts, what is generated, and the services' own defaults. It is read, not run:
//! that needs a container engine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::tidy::root;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A list of texts, or nothing.
fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// `host:port` of an address, whatever is before and after it.
fn host(address: &str) -> &str {
    let from_host = address.rsplit_once("://").map_or(address, |(_, rest)| rest);
    let from_host = from_host.rsplit_once('@').map_or(from_host, |(_, rest)| rest);
    from_host.split('/').next().expect("a host")
}

/// The compose file, and who listens where in it.
struct Compose {
    services: BTreeMap<String, Value>,
}

impl Compose {
    fn read() -> Self {
        let file = yaml("examples/compose.yaml");
        let services = file["services"].as_object().expect("services");
        Self { services: services.iter().map(|(name, it)| (name.clone(), it.clone())).collect() }
    }

    fn environment(&self, service: &str) -> BTreeMap<String, String> {
        let plain = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
        let variables = self.services[service]["environment"].as_object().into_iter().flatten();
        variables.map(|(name, it)| (name.clone(), plain(it))).collect()
    }

    /// What a service is told, as arguments and as variables: the value of one such.
    fn told(&self, service: &str, flag: &str, variable: &str) -> Option<String> {
        let start = format!("--{flag}=");
        let argument = texts(&self.services[service]["command"]).into_iter().find_map(|it| it.strip_prefix(&start));
        argument.map(str::to_owned).or_else(|| self.environment(service).remove(variable))
    }

    /// What a service mounts: where from, as a path from the root of the workspace or the name of a volume, and where to.
    fn mounts(&self, service: &str) -> Vec<(String, String)> {
        let mounts = texts(&self.services[service]["volumes"]).into_iter();
        let parts = mounts.map(|it| it.trim_end_matches(":ro").split_once(':').expect("from:to"));
        let from = |it: &str| match it.strip_prefix("../") {
            Some(above) => above.to_owned(),
            None => it.strip_prefix("./").map_or_else(|| it.to_owned(), |here| format!("examples/{here}")),
        };
        parts.map(|(source, to)| (from(source), to.to_owned())).collect()
    }

    fn mounted(&self, service: &str, from: &str) -> String {
        let found = self.mounts(service).into_iter().find(|(source, _)| source == from);
        found.unwrap_or_else(|| panic!("{service} does not mount {from}")).1
    }

    /// Whose network a service is in.
    fn network<'a>(&'a self, service: &'a str) -> &'a str {
        let mode = self.services[service]["network_mode"].as_str();
        mode.map_or(service, |it| it.strip_prefix("service:").expect("the network of a service"))
    }

    /// Every name by which others find a service: its own, unless it is in another's network, which then has an alias.
    fn owner(&self, name: &str) -> Option<&str> {
        let alias = |it: &Value| texts(&it["networks"]["default"]["aliases"]).contains(&name);
        let own = self.services.get_key_value(name).filter(|(_, it)| it["network_mode"].is_null());
        own.or_else(|| self.services.iter().find(|(_, it)| alias(it))).map(|(name, _)| name.as_str())
    }
}

/// Programs of the fleet: folder, name, its file, flag and variable for the address where it listens, if it has one.
const PROGRAMS: [(&str, &str, &str, &str); 7] = [
    ("git-https", "git-https", "main.rs", ""),
    ("identity", "identity", "main.rs", "IDENTITY_LISTEN"),
    ("identity", "platform", "bin/platform.rs", ""),
    ("pipelines", "pipelines", "main.rs", ""),
    ("repositories", "repositories", "main.rs", "REPOSITORIES_LISTEN"),
    ("faults", "fleet-faults", "main.rs", ""),
    ("load", "fleet-load", "main.rs", ""),
];

/// Ports of programs of others, as their manuals have them: of PostgreSQL, Prometheus, Alertmanager.
const OTHERS: [(&str, &str); 5] = [
    ("primary", "5432"),
    ("replica-1", "5432"),
    ("replica-2", "5432"),
    ("prometheus", "9090"),
    ("alertmanager", "9093"),
];

/// Every `(network, port)` that somebody listens on.
fn listening(compose: &Compose) -> BTreeSet<(String, String)> {
    let port = |address: &str| address.rsplit_once(':').expect("a port").1.to_owned();
    let mut all: BTreeSet<(String, String)> =
        OTHERS.map(|(name, port)| (name.to_owned(), port.to_owned())).into_iter().collect();
    for (name, service) in &compose.services {
        let network = compose.network(name).to_owned();
        let program = texts(&service["command"]).first().copied().unwrap_or_default();
        for relay in texts(&service["command"]).iter().filter_map(|it| it.strip_prefix("--relay=")) {
            all.insert((network.clone(), port(relay.split('=').nth(1).expect("where it listens"))));
        }
        let Some((folder, _, file, variable)) = PROGRAMS.iter().find(|it| it.1 == program) else { continue };
        let source = text(&format!("examples/{folder}/src/{file}"));
        let Some(listen) = compose.told(name, "listen", variable) else {
            assert!(
                !source.contains("value_name = \"ADDRESS\")]\n    listen: SocketAddr"),
                "{name} listens on the loopback interface of its container"
            );
            continue;
        };
        let usual = format!("default_value = \"127.0.0.1:{}\"", port(&listen));
        assert!(listen.starts_with("0.0.0.0:") && source.contains(&usual), "{name}: {listen}, which is not usual");
        all.insert((network.clone(), port(&listen)));
        if let Some(admin) = compose.told(name, "", "KILTER_ADMIN_ADDR") {
            assert!(admin.starts_with("0.0.0.0:"), "nobody can scrape {name}: {admin}");
            assert!(all.insert((network, port(&admin))), "{name}: somebody else listens on {admin}");
        } else {
            assert!(!source.contains("kilter::init"), "{name} has no admin address that others reach");
        }
    }
    let collector = yaml("examples/compose/collector.yaml");
    for protocol in collector["receivers"]["otlp"]["protocols"].as_object().expect("protocols").values() {
        all.insert(("collector".to_owned(), port(protocol["endpoint"].as_str().expect("an endpoint"))));
    }
    let tempo = yaml("examples/compose/tempo.yaml");
    all.insert(("tempo".to_owned(), tempo["server"]["http_listen_port"].to_string()));
    let grpc = &tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"];
    all.insert(("tempo".to_owned(), port(grpc.as_str().expect("an endpoint"))));
    all
}

/// Every address that somebody is told to connect to: who, and `host:port`.
fn connections(compose: &Compose) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, service) in &compose.services {
        let mut add = |address: &str| all.push((name.clone(), host(address).to_owned()));
        compose
            .environment(name)
            .values()
            .flat_map(|it| it.split(','))
            .filter(|it| it.contains("://"))
            .for_each(&mut add);
        for argument in texts(&service["command"]) {
            if let Some(relay) = argument.strip_prefix("--relay=") {
                add(relay.rsplit('=').next().expect("a target"));
            } else if let Some((_, url)) = argument.split_once('=').filter(|(_, it)| it.contains("://")) {
                add(url);
            }
        }
    }
    let mut tell =
        |who: &str, address: &Value| all.push((who.to_owned(), host(address.as_str().expect("text")).to_owned()));
    let prometheus = yaml("examples/compose/prometheus.yaml");
    let receivers = prometheus["alerting"]["alertmanagers"].as_array().expect("Alertmanager").iter();
    for part in receivers.chain(prometheus["scrape_configs"].as_array().expect("jobs")) {
        let targets = part["static_configs"][0]["targets"].as_array().expect("targets");
        targets.iter().for_each(|it| tell("prometheus", it));
    }
    tell("collector", &yaml("examples/compose/collector.yaml")["exporters"]["otlp"]["endpoint"]);
    for source in yaml("dashboards/provisioning/datasources.yaml")["datasources"].as_array().expect("data sources") {
        tell("grafana", &source["url"]);
    }
    all
}

#[test]
fn whoever_is_called_in_the_compose_file_listens_there() {
    let compose = Compose::read();
    let listening = listening(&compose);
    let connections = connections(&compose);
    assert!(connections.len() >= 25, "{connections:?}");
    for (who, address) in connections {
        let (name, port) = address.rsplit_once(':').expect("a port");
        let inside = ["127.0.0.1", "localhost"].contains(&name);
        let network = if inside { Some(compose.network(&who)) } else { compose.owner(name) };
        let network = network.unwrap_or_else(|| panic!("{who} calls {address}: there is no {name}"));
        let there = (network.to_owned(), port.to_owned());
        assert!(listening.contains(&there), "{who} calls {address}, where nobody listens: {listening:?}");
    }
    // A relay looks up where it leads to when it starts.
    let faults = &compose.services["fleet-faults"];
    for relay in texts(&faults["command"]).iter().filter_map(|it| it.strip_prefix("--relay=")) {
        let target = relay.rsplit(['=', ':']).nth(1).expect("a host");
        assert!(!faults["depends_on"][target].is_null(), "the relays start without {target}");
    }
    // Those who trace do so through somebody who takes it by the protocol that they speak.
    for name in compose.services.keys() {
        let variables = compose.environment(name);
        let traced = variables.get("OTEL_EXPORTER_OTLP_PROTOCOL").map(String::as_str);
        let speaks = variables.contains_key("KILTER_ADMIN_ADDR").then_some("http/protobuf");
        assert_eq!(traced, speaks, "{name}");
    }
}

#[test]
fn the_compose_file_has_every_program_and_mounts_what_there_is() {
    let compose = Compose::read();
    let image = text("examples/Dockerfile");
    let mut programs = BTreeSet::new();
    for entry in fs::read_dir(root().join("examples")).expect("examples") {
        let folder = entry.expect("an entry").path();
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else { continue };
        let names = manifest.lines().filter_map(|it| it.strip_prefix("name = \"")?.strip_suffix('"'));
        programs.extend(names.map(str::to_owned).filter(|it| !it.contains('_')));
    }
    assert_eq!(programs, PROGRAMS.iter().map(|it| it.1.to_owned()).collect(), "a program is not known here");
    for program in &programs {
        let runs = |it: &Value| texts(&it["command"]).first() == Some(&program.as_str());
        assert!(compose.services.values().any(runs), "nobody runs {program}");
        assert!(image.contains(&format!("/kilter/target/release/{program} ")), "{program} is not in the image");
    }
    let volumes = yaml("examples/compose.yaml")["volumes"].clone();
    for (name, service) in &compose.services {
        let version = service["image"].as_str().expect("an image").split_once(':').expect("a version").1;
        let numbered =
            version.trim_start_matches('v').starts_with(|it: char| it.is_ascii_digit()) && version.contains('.');
        let exact = numbered || (version == "local" && !service["build"].is_null());
        assert!(exact, "{name}: {version} is not an exact version");
        for (from, to) in compose.mounts(name) {
            let there = if from.contains('/') || from == "rules" || from == "dashboards" {
                root().join(&from).exists()
            } else {
                !volumes[&from].is_null()
            };
            assert!(there && Path::new(&to).is_absolute(), "{name} mounts {from} at {to}");
        }
        let ports = texts(&service["ports"]);
        assert!(ports.iter().all(|it| it.starts_with("127.0.0.1:")), "{name}: {ports:?} is open to the network");
        for (variable, source) in compose.environment(name).keys().filter_map(|it| Some((it, variable_home(it)?))) {
            assert!(text(source).contains(variable.as_str()), "{name}: {source} knows no {variable}");
        }
        for word in texts(&service["command"]).into_iter().chain(texts(&service["entrypoint"])) {
            let file = word.rsplit_once('=').map_or(word, |(_, it)| it);
            let mounted = compose.mounts(name).into_iter().any(|(_, to)| file.starts_with(&to));
            let ours = Path::new(file).extension().is_some_and(|it| it == "yaml" || it == "sh");
            assert!(!ours || mounted, "{name} reads {file}, which is not mounted");
        }
    }
}

/// Where a variable of ours is read.
fn variable_home(variable: &str) -> Option<&'static str> {
    let known = [
        ("KILTER_", "sdk/src/env/mod.rs"),
        ("OTEL_", "sdk/src/env/mod.rs"),
        ("IDENTITY_", "examples/identity/src/main.rs"),
        ("GIT_HTTPS_", "examples/git-https/src/main.rs"),
        ("REPOSITORIES_URL", "examples/compose/seed.sh"),
        ("REPOSITORIES_", "examples/repositories/src/main.rs"),
        ("DATABASE_", "examples/repositories/src/main.rs"),
    ];
    known.iter().find(|(start, _)| variable.starts_with(start)).map(|(_, home)| *home)
}

#[test]
fn what_watches_in_the_compose_file_reads_what_is_generated() {
    let compose = Compose::read();
    let prometheus = yaml("examples/compose/prometheus.yaml");
    // Paths of the configuration are relative to it.
    let config = compose.mounted("prometheus", "examples/compose/prometheus.yaml");
    let rules = compose.mounted("prometheus", "rules");
    let folder = Path::new(&config).parent().expect("a folder");
    let patterns: Vec<_> = texts(&prometheus["rule_files"]).iter().map(|it| folder.join(it)).collect();
    assert_eq!(patterns, [Path::new(&rules).join("*.rules.yaml")]);
    // A job for each service with an SLO file, which is what `selector` of the estate asks for.
    let estate = yaml("kilter.yaml");
    assert_eq!(estate["selector"], "job=\"{{service}}\"");
    let jobs: BTreeSet<&str> = prometheus["scrape_configs"]
        .as_array()
        .expect("jobs")
        .iter()
        .map(|it| it["job_name"].as_str().expect("a name"))
        .filter(|it| *it != "prometheus")
        .collect();
    let promised: BTreeSet<&str> =
        PROGRAMS.iter().map(|it| it.0).filter(|it| root().join(format!("examples/{it}/slo.yaml")).exists()).collect();
    assert_eq!(jobs, promised);
    let interval = prometheus["global"]["scrape_interval"].as_str().expect("an interval");
    for name in compose.services.keys() {
        let said = compose.environment(name).remove("KILTER_SCRAPE_INTERVAL");
        assert!(said.as_deref().is_none_or(|it| it == interval), "{name} is scraped every {interval}, not {said:?}");
    }

    let routes = compose.mounted("alertmanager", "rules/alertmanager.yaml");
    assert!(texts(&compose.services["alertmanager"]["command"]).contains(&format!("--config.file={routes}").as_str()));
    assert_eq!(compose.network("pager"), "alertmanager");
    let pager = text("examples/compose/pager.conf");
    for receiver in yaml("rules/alertmanager.yaml")["receivers"].as_array().expect("receivers") {
        let address = host(receiver["webhook_configs"][0]["url"].as_str().expect("a webhook"));
        assert!(pager.contains(&format!("listen {address};")), "nobody takes what {receiver} is told at {address}");
    }

    for provisioned in ["dashboards", "datasources"] {
        let to = compose.mounted("grafana", &format!("dashboards/provisioning/{provisioned}.yaml"));
        assert_eq!(Path::new(&to).parent(), Some(Path::new(&format!("/etc/grafana/provisioning/{provisioned}"))));
    }
    let provider = yaml("dashboards/provisioning/dashboards.yaml");
    assert_eq!(provider["providers"][0]["options"]["path"], compose.mounted("grafana", "dashboards").as_str());
}

//! Arguments, with the help that teaches them.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::diagnostic::Code;
use crate::model::{Compat, Duration, Name, Target, TargetError, TimeScale};
use crate::render::Kind;
use crate::rulefile::Dialect;
use crate::status::FailOn;

/// Turns SLO files into Prometheus rules, the tests that prove them, Alertmanager routes, dashboards and runbooks.
#[derive(Debug, Parser)]
#[command(name = "kilter", version, after_help = "Exit status: 0 fine, 1 findings, 2 could not run.")]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Write a first slo.yaml, and kilter.yaml when there is none.
    #[command(after_help = INIT_HELP)]
    Init(Init),
    /// Write every output, or check that what is committed is fresh.
    #[command(after_help = GENERATE_HELP)]
    Generate(Generate),
    /// Tell everything that is wrong in SLO files and in Prometheus rule files, and where.
    #[command(after_help = LINT_HELP)]
    Lint(Lint),
    /// Tell what a code of a finding means, why it matters and how to mend it.
    Explain {
        /// Such as KLT0010.
        #[arg(required_unless_present = "all")]
        code: Option<Code>,
        /// The reference page of every code, in Markdown.
        #[arg(long, conflicts_with = "code")]
        all: bool,
        /// JSON is for programs; with --all it is a list.
        #[arg(long, value_enum, default_value = "human")]
        format: TextFormat,
    },
    /// Prove the generated alerts with promtool and the routes with amtool.
    #[command(after_help = "Examples:\n  kilter test\n  kilter test deploy/     the folder that holds rules/")]
    Test(Test),
    /// Tell how every SLO is on a Prometheus; a gate for deployments; whether its rules are the generated ones.
    #[command(after_help = STATUS_HELP)]
    Status(Status),
    /// Play a scenario to the alerts, without a Prometheus: when each fires and resolves, and what it costs.
    #[command(after_help = SIMULATE_HELP)]
    Simulate(Simulate),
    /// Check metrics pages, whatever wrote them, against the contract and against what SLOs count on.
    #[command(after_help = CONFORM_HELP)]
    Conform(Conform),
    /// Tell which alerts would have fired over the history that a Prometheus holds, and judge them by incidents.
    #[command(after_help = super::backtest::HELP)]
    Backtest(super::backtest::Backtest),
    /// Turn SLO files of Sloth, OpenSLO or Pyrra into Kilter's.
    #[command(after_help = IMPORT_HELP)]
    Import(Import),
    /// Write SLO files in another tool's format.
    #[command(
        after_help = "Examples:\n  kilter export slo.yaml --to openslo > openslo.yaml\n  kilter export --to openslo     everything that kilter.yaml names"
    )]
    Export(Export),
    /// Write one page about every SLO, or tell what a pull request changes.
    #[command(after_help = REPORT_HELP)]
    Report(Report),
    /// Print the JSON Schema of an input file, for editors.
    Schema {
        /// Which file.
        #[arg(value_enum, default_value = "slo")]
        of: SchemaOf,
    },
    /// Print the contract: every signal, label, bucket and generated name.
    Contract(Contract),
    /// Print what makes a shell complete kilter's commands and options.
    #[command(
        after_help = "Examples:\n  kilter completions bash > /etc/bash_completion.d/kilter\n  kilter completions zsh > ~/.zfunc/_kilter"
    )]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Shell,
    },
    /// Print the manual page of kilter, or write one for each command.
    #[command(after_help = "Examples:\n  kilter man | man -l -\n  kilter man --out /usr/local/share/man/man1")]
    Man {
        /// Write kilter.1, kilter-generate.1 and so on into this folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

const INIT_HELP: &str = "Examples:
  kilter init                                         all requests, whatever their route
  kilter init --route '/orders/{id}' --team store     availability and latency of a route
  kilter init --from http://localhost:9464/metrics    what a running service shows, with its numbers
  kilter init --from page.txt --out -                 a saved page; look, and write nothing
  curl -s https://shop.example/metrics | kilter init --from -

Nothing that exists is overwritten, and what is written passes `kilter lint` and `kilter generate`.";

#[derive(Debug, ClapArgs)]
pub(super) struct Init {
    /// A metrics page to look at: http://..., https://..., a file, or - for the standard input. It need not be of Kilter's SDK.
    #[arg(long, value_name = "PAGE")]
    pub(super) from: Option<String>,
    /// The service. Default: as the page, Cargo.toml or the folder says.
    #[arg(long, value_name = "NAME")]
    pub(super) service: Option<Name>,
    /// The team that is told. Default: the first of kilter.yaml, or the service's name.
    #[arg(long, value_name = "NAME")]
    pub(super) team: Option<Name>,
    /// A route as written in the code; may be given several times, as all of these.
    #[arg(long, value_name = "TEMPLATE")]
    pub(super) route: Vec<String>,
    /// A service that is called over HTTP.
    #[arg(long, value_name = "NAME")]
    pub(super) dependency: Vec<String>,
    /// A database.
    #[arg(long, value_name = "NAMESPACE")]
    pub(super) database: Vec<String>,
    /// A background job.
    #[arg(long, value_name = "NAME")]
    pub(super) job: Vec<String>,
    /// A cache.
    #[arg(long, value_name = "NAME")]
    pub(super) cache: Vec<String>,
    /// The file; - prints it.
    #[arg(long, value_name = "FILE", default_value = "slo.yaml")]
    pub(super) out: PathBuf,
}

const GENERATE_HELP: &str = "Examples:
  kilter generate                        everything that kilter.yaml names
  kilter generate services/git/slo.yaml  one service
  kilter generate --check                for CI: exit 1 and a diff when a file is stale
  kilter generate --diff                 what would change, in words and as a diff
  kilter generate --diff --format markdown > comment.md
  kilter generate - --out preview < slo.yaml
  kilter generate --only rules,tests --out /tmp/preview
  kilter generate --only backfill        rules for promtool that fill the history of new SLOs: docs/backfill.md
  kilter generate --target operator      PrometheusRule objects beside the rules that are proven
  kilter generate sloth.yaml --compat sloth   rules of ours, with Sloth's series beside them
  kilter generate --time-scale 1/20 --out demo   the same alerts, twenty times as fast";

const LINT_HELP: &str = "Examples:
  kilter lint                            everything that kilter.yaml names
  kilter lint slo.yaml --fix             what is mechanical is mended
  kilter lint prometheus/rules/          rule files that others wrote: told by their content
  kilter lint rules.yaml --target prometheus=3.x   what Prometheus 3 would do otherwise";

const IMPORT_HELP: &str = "Examples:
  kilter import sloth.yaml > slo.yaml         what is left out is told on stderr and in comments
  kilter import sloth.yaml windows/7d.yaml    with Sloth's own alert windows
  kilter import openslo/*.yaml --service shop one service of several
  kubectl get slo -o yaml api-errors | kilter import -
  kilter generate sloth.yaml                  these files are also read directly

Exit status: 0 all is carried or told, 1 something cannot be, 2 could not run.";

#[derive(Debug, ClapArgs)]
pub(super) struct Import {
    /// Files of the other tool; - is the standard input.
    #[arg(value_name = "FILE", required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Whose files they are.
    #[arg(long, value_name = "FORMAT", default_value = "auto", value_parser = format_names())]
    pub(super) from: String,
    /// Only this service, when the files hold several.
    #[arg(long, value_name = "NAME")]
    pub(super) service: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Export {
    #[command(flatten)]
    pub(super) input: Input,
    /// Which format.
    #[arg(long, value_enum)]
    pub(super) to: ExportFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// OpenSLO openslo/v1: a document per service and per SLO.
    Openslo,
}

const REPORT_HELP: &str = "Examples:
  kilter report --out report.html                     every SLO that kilter.yaml names, on one page
  kilter report services/git/slo.yaml --out git.html  one service
  kilter report --prometheus http://localhost:9090 --out now.html    with what is left of each budget
  kilter report --prometheus http://localhost:9090 --since 30d --out now.html    and what would have paged
  git worktree add ../base origin/main
  kilter report --markdown --base ../base > comment.md    what this branch changes, for its pull request

The page needs no network and no script, and the same files make the same bytes.";

#[derive(Debug, ClapArgs)]
pub(super) struct Report {
    #[command(flatten)]
    pub(super) input: Input,
    /// The page; - prints it. A file that kilter did not write is left alone.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["base", "format", "markdown"])]
    pub(super) out: Option<PathBuf>,
    /// Print what changes against the SLO files in --base, as Markdown.
    #[arg(long)]
    pub(super) markdown: bool,
    /// A folder like the current one with the earlier files, such as a worktree of the base branch.
    #[arg(long, value_name = "DIR", requires = "markdown")]
    pub(super) base: Option<PathBuf>,
    /// JSON is the data of the page or of the change report, for programs.
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: TextFormat,
    #[command(flatten)]
    pub(super) reach: Reach,
    /// Also which alerts would have fired over so much of what --prometheus has scraped.
    #[arg(long, value_name = "DURATION", requires = "prometheus")]
    pub(super) since: Option<Duration>,
    /// The same, from the outcome of kilter backtest --format json.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["since", "markdown"])]
    pub(super) backtest: Option<PathBuf>,
    /// Tell only what is wrong.
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// `auto` and every format that can be read.
fn format_names() -> PossibleValuesParser {
    PossibleValuesParser::new(std::iter::once("auto").chain(crate::formats::READERS.iter().map(|it| it.name)))
}

#[derive(Debug, ClapArgs)]
pub(super) struct Input {
    /// SLO files, or folders of them; - is the standard input. Default: what kilter.yaml names.
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// The estate. Default: kilter.yaml in the current folder, if there is one.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

const STATUS_HELP: &str = "Examples:
  kilter status --prometheus http://localhost:9090        the most urgent first
  kilter status services/shop/slo.yaml --format json
  kilter status --fail-on page,exhausted                  for CI: exit 1 when one of these is the case
  kilter status --gate --service shop && ./deploy shop    no deployment while a page fires, the budget is spent or
                                                          data are missing
  kilter status --rules                                   what the server runs otherwise than generated
  kilter status --prometheus https://mimir.example/prometheus --prometheus-header 'X-Scope-OrgID: shop' \\
      --prometheus-token-file ~/.mimir-token

Columns: the SLI over the compliance window and its objective; the budget that is left, also as minutes in which everything
fails and as failed requests; the burn rate that is nearest to an alert, with its window; when the budget is spent at
this burn.

Exit status: 0 fine, 1 what --gate or --fail-on names is the case, 2 could not run, or an input is wrong: nobody knows.";

#[derive(Debug, ClapArgs)]
pub(super) struct Status {
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    pub(super) reach: Reach,
    /// Only this service; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(super) service: Vec<Name>,
    /// Exit 1 when one of these is the case. Default: never; with --gate page, exhausted and missing.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,...")]
    pub(super) fail_on: Vec<FailOn>,
    /// Tell in a line per SLO whether a deployment may go on; exit 1 when one may not.
    #[arg(long)]
    pub(super) gate: bool,
    /// Compare the rules that the server runs with the generated ones.
    #[arg(long, conflicts_with = "gate")]
    pub(super) rules: bool,
    /// JSON is for programs.
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: TextFormat,
    /// The scale with which the rules were generated.
    #[arg(long, value_name = "1/N", default_value = "1/1", value_parser = time_scale)]
    pub(super) time_scale: TimeScale,
}

/// A Prometheus, and how it is reached: one set of options for every command that asks one.
#[derive(Debug, ClapArgs)]
pub(super) struct Reach {
    /// Prometheus, or Mimir, Thanos, VictoriaMetrics with their prefix: https://mimir.example/prometheus.
    #[arg(long, value_name = "URL", env = "KILTER_PROMETHEUS", hide_env_values = true)]
    pub(super) prometheus: Option<String>,
    /// A header of every request, such as 'X-Scope-OrgID: shop'; may be given several times.
    #[arg(long = "prometheus-header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// A file with a bearer token. Or the token in the variable KILTER_PROMETHEUS_TOKEN.
    #[arg(long = "prometheus-token-file", value_name = "FILE", conflicts_with = "user")]
    pub(super) token_file: Option<PathBuf>,
    /// The user of basic authentication.
    #[arg(long = "prometheus-user", value_name = "NAME", env = "KILTER_PROMETHEUS_USER", hide_env_values = true)]
    pub(super) user: Option<String>,
    /// A file with the user's password. Or the password in the variable KILTER_PROMETHEUS_PASSWORD.
    #[arg(long = "prometheus-password-file", value_name = "FILE", requires = "user")]
    pub(super) password_file: Option<PathBuf>,
    /// Certificates (PEM) to trust in place of the system's.
    #[arg(long = "prometheus-ca", value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// How long an answer may take.
    #[arg(long = "prometheus-timeout", value_name = "DURATION", default_value = "30s")]
    pub(super) timeout: Duration,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Generate {
    #[command(flatten)]
    pub(super) input: Input,
    /// Where rules/ and dashboards/ go. Default: the folder of kilter.yaml, or the current one.
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Only these outputs; backfill is made only when it stands here.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "KIND,...")]
    pub(super) only: Vec<Kind>,
    /// Write nothing; exit 1 with a diff when anything is stale.
    #[arg(long)]
    pub(super) check: bool,
    /// Write nothing; tell in words and as a diff what would change. Exit 0, unless --check is there too.
    #[arg(long)]
    pub(super) diff: bool,
    /// How the outcome is printed; markdown, for a pull request, goes with --diff.
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: OutcomeFormat,
    /// Tell only what is wrong.
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Divide every window and interval, for demos and game days.
    #[arg(long, value_name = "1/N", default_value = "1/1", value_parser = time_scale)]
    pub(super) time_scale: TimeScale,
    /// What the rules run on: prometheus=2.42 to prometheus=3.x, operator, mimir, thanos or vmalert. Default: what
    /// kilter.yaml says, else prometheus=2.42.
    #[arg(long, value_name = "NAME[=VERSION]", value_parser = target)]
    pub(super) target: Option<Target>,
    /// Also record another tool's series, so that its dashboards go on working.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "TOOL")]
    pub(super) compat: Vec<Compat>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Lint {
    #[command(flatten)]
    pub(super) input: Input,
    /// How findings are printed.
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: ReportFormat,
    /// Write the changes that are mechanical; comments and formatting stay.
    #[arg(long)]
    pub(super) fix: bool,
    /// Also tell what this version does otherwise: prometheus=2.42, prometheus=3.x and so on.
    #[arg(long, value_name = "prometheus=VERSION")]
    pub(super) target: Option<Dialect>,
    /// The longest distance of two scrapes, for ranges in rule files. Default: that of kilter.yaml.
    #[arg(long, value_name = "DURATION")]
    pub(super) scrape_interval: Option<Duration>,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Test {
    /// The folder that holds rules/.
    #[arg(value_name = "DIR", default_value = ".")]
    pub(super) folder: PathBuf,
    /// How the outcome is printed.
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: ReportFormat,
    /// Tell only what failed.
    #[arg(long, short)]
    pub(super) quiet: bool,
}

const SIMULATE_HELP: &str = "Examples:
  kilter simulate slo.yaml                                a total outage of twenty minutes
  kilter simulate slo.yaml --slo checkout --scenario '1% for 6h'
  kilter simulate --scenario 'ramp 0% to 10% over 1h then healthy for 2h'
  kilter simulate slo.yaml --scenario '100% for 10m' --traffic 30/h     whole failures of a quiet service
  kilter simulate slo.yaml --slo checkout --scenario incident.yaml --format svg > incident.svg

Steps, one after the other with `then` or a comma between them:
  100% for 20m                             so many events are bad
  ramp 0% to 10% over 1h                   more and more, or fewer
  flapping 100% for 2m every 10m over 3h   again and again
  daily 0% to 0.5% for 3d                  least at the beginning, most half a day later
  no traffic for 1h                        series that count nothing
  no data for 15m                          nothing can be scraped
  healthy for 10m                          nothing is wrong
  deploy                                   every counter begins at zero again

Times count from the beginning of the steps. Before them lies a healthy compliance window.";

#[derive(Debug, ClapArgs)]
pub(super) struct Simulate {
    #[command(flatten)]
    pub(super) input: Input,
    /// Only this SLO; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(super) slo: Vec<Name>,
    /// What happens: steps in plain words, or a file with them.
    #[arg(long, value_name = "STEPS|FILE", default_value = "100% for 20m", allow_hyphen_values = true)]
    pub(super) scenario: String,
    /// Events, which are whole then: 50/s, 30/h, 'daily 10/s to 100/s'. Default: those of the file, else 100/s.
    #[arg(long, value_name = "RATE", allow_hyphen_values = true)]
    pub(super) traffic: Option<String>,
    /// How the outcome is printed; svg is a drawing of one SLO.
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: SimulateFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SimulateFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// A drawing that everybody can read.
    Svg,
}

const CONFORM_HELP: &str = "Examples:
  kilter conform http://localhost:9464/metrics                  is it what the contract says?
  kilter conform localhost.prom --slo slo.yaml                  does it have what the SLOs count on?
  kilter conform http://localhost:9464 --openmetrics            the other format of the same page
  kilter conform a.prom b.prom --slo slo.yaml                   an SLO may count on either
  curl -s https://shop.example/metrics | kilter conform - --strict --format github
  kilter conform page.prom --page-series 5000                   more series are an error

Errors are what Prometheus refuses, what rules would read wrongly, and SLOs that would have no data; they end it with
status 1, warnings with --strict, notes never. Every code: kilter explain CODE.";

#[derive(Debug, ClapArgs)]
pub(super) struct Conform {
    /// Metrics pages: http://..., a file, or - for the standard input.
    #[arg(value_name = "PAGE", required = true)]
    pub(super) pages: Vec<String>,
    /// SLO files whose data must be on one of the pages; may be given several times.
    #[arg(long, value_name = "FILE")]
    pub(super) slo: Vec<PathBuf>,
    /// The estate of the SLO files. Default: kilter.yaml in the current folder, if there is one.
    #[arg(long, value_name = "FILE", requires = "slo")]
    pub(super) config: Option<PathBuf>,
    /// Ask services for OpenMetrics, not for the text format 0.0.4.
    #[arg(long)]
    pub(super) openmetrics: bool,
    /// The most series of a family; more is an error. Default: a warning from 20,000 on.
    #[arg(long, value_name = "N")]
    pub(super) family_series: Option<usize>,
    /// The most series of a page; more is an error. Default: a warning from 50,000 on.
    #[arg(long, value_name = "N")]
    pub(super) page_series: Option<usize>,
    /// Warnings count as errors.
    #[arg(long)]
    pub(super) strict: bool,
    /// How findings are printed.
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: ReportFormat,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Contract {
    /// JSON for programs, Markdown for people.
    #[arg(long, value_enum, default_value = "json")]
    pub(super) format: ContractFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// An SLO file.
    Slo,
    /// kilter.yaml.
    Estate,
    /// A scenario of `kilter simulate`.
    Scenario,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people: a finding with its line and a caret, a check in a line.
    Human,
    /// JSON: an array; conform has an object of its `pages` and its `findings`.
    Json,
    /// Annotations of GitHub Actions.
    Github,
    /// SARIF 2.1.0, for code hosting services.
    Sarif,
    /// JUnit's XML, for CI servers.
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum OutcomeFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
    /// For a pull request.
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TextFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ContractFormat {
    /// For programs.
    Json,
    /// For people.
    Markdown,
}

pub(super) fn time_scale(text: &str) -> Result<TimeScale, String> {
    let divisor = text.strip_prefix("1/").and_then(|it| it.parse().ok());
    divisor
        .and_then(TimeScale::one_in)
        .ok_or_else(|| "a scale is 1/N, where N divides 15000, such as 1/20 or 1/60".to_owned())
}

fn target(text: &str) -> Result<Target, String> {
    text.parse().map_err(|error: TargetError| format!("{error}; {}", error.help()))
}

//! USE: saturated, near its limit, erroring, predicted to fill. Every resource of the contract, pools, the process' file
//! descriptors and the runtime's workers.

use kilter_contract::{db, process, resource};

use super::super::context::Context;
use super::super::expr::{equal, none_of, one_of};
use super::settings::Settings;
use super::{DB_POOL, NAME, PROCESS, TOKIO, TYPE, joined, own};
use crate::model::{Check, Duration, Resource};

const POOL: &str = db::POOL.key;

/// Requests waited at every scrape of the time, and did so when it began.
pub(super) fn saturated(context: &Context<'_>, settings: &Settings) -> String {
    let time = |it: &Resource| it.saturated_for.map(|it| context.estate.time_scale.apply(it));
    let waits = |series: String, by: String, held: Duration| {
        format!("max by ({by}) (min_over_time({series}[{held}]) > 0 and {series} offset {held} > 0)")
    };
    let by = format!("{TYPE}, {NAME}");
    let mut branches =
        generic(context, Check::Saturated, resource::PENDING.name, time, settings.saturated_for, |series, held| {
            waits(series, by.clone(), held)
        });
    branches.extend(pools(context, Check::Saturated, time, settings.saturated_for, |more, held| {
        waits(own(context, db::CONNECTION_PENDING.name, more), POOL.to_owned(), held)
    }));
    joined(&branches)
}

/// Usage as a share of the limit. A limit of zero is no limit.
pub(super) fn near_limit(context: &Context<'_>, settings: &Settings) -> String {
    let share = |it: &Resource| it.near_limit;
    let by = format!("{TYPE}, {NAME}");
    let limit = |usage: &str, limit: &str, ignoring: &str| format!("{usage} / {ignoring}({limit} > 0)");
    let mut branches =
        generic(context, Check::NearLimit, resource::USAGE.name, share, settings.near_limit, |usage, above| {
            let all = usage.replacen(resource::USAGE.name, resource::LIMIT.name, 1);
            format!("max by ({by}) ({}) > {above}", limit(&usage, &all, ""))
        });
    branches.extend(pools(context, Check::NearLimit, share, settings.near_limit, |more, above| {
        let used = [more, &[equal(db::CONNECTION_STATE.key, "used")]].concat();
        let ignoring = format!("ignoring ({}) ", db::CONNECTION_STATE.key);
        let used = own(context, db::CONNECTION_COUNT.name, &used);
        let most = own(context, db::CONNECTION_MAX.name, more);
        format!("max by ({POOL}) ({}) > {above}", limit(&used, &most, &ignoring))
    }));
    branches.extend(single(context, Check::NearLimit, PROCESS, share, settings.near_limit, |above| {
        let (open, most) = (own(context, process::OPEN_FDS.name, &[]), own(context, process::MAX_FDS.name, &[]));
        format!("max({}) > {above}", limit(&open, &most, ""))
    }));
    branches.extend(single(context, Check::NearLimit, TOKIO, share, settings.near_limit, |above| {
        let busy = format!("rate({}[{}])", own(context, process::TOKIO_BUSY.name, &[]), context.timing.rate);
        format!("max({}) > {above}", limit(&busy, &own(context, process::TOKIO_WORKERS.name, &[]), ""))
    }));
    joined(&branches)
}

/// Refusals and timeouts.
pub(super) fn erroring(context: &Context<'_>) -> String {
    let by = format!("{TYPE}, {NAME}");
    let rises = |series: &str, by: &str| format!("sum by ({by}) (increase({series}[{}])) > 0", context.timing.rate);
    let mut branches =
        generic(context, Check::Erroring, resource::ERRORS.name, |_| None::<()>, (), |series, ()| rises(&series, &by));
    branches.extend(pools(
        context,
        Check::Erroring,
        |_| None::<()>,
        (),
        |more, ()| rises(&own(context, db::CONNECTION_TIMEOUTS.name, more), POOL),
    ));
    joined(&branches)
}

/// A line through the recent past meets the limit; only for what fills and does not empty by itself.
pub(super) fn filling(context: &Context<'_>, settings: &Settings) -> String {
    let ahead = |it: &Resource| it.fills_within.map(|it| context.estate.time_scale.apply(it));
    let fills = |by: &str, usage: &str, limit: &str, within: Duration| {
        let share = format!("{usage} / ({limit} > 0) > {}", settings.filling_above);
        let line = format!("predict_linear({usage}[{}], {})", settings.filling_range, within.secs_text());
        let of = format!("({share}\n  and {line} > {limit})");
        if by.is_empty() { format!("max{of}") } else { format!("max by ({by}) {of}") }
    };
    let by = format!("{TYPE}, {NAME}");
    let types: Vec<&str> = resource::TYPES.iter().copied().filter(|it| Check::Filling.concerns(it)).collect();
    let fill = [one_of(TYPE, &types)];
    let mut branches = narrowed(
        context,
        Check::Filling,
        resource::USAGE.name,
        &fill,
        ahead,
        settings.fills_within,
        |usage, within| fills(&by, &usage, &usage.replacen(resource::USAGE.name, resource::LIMIT.name, 1), within),
    );
    branches.extend(single(context, Check::Filling, PROCESS, ahead, settings.fills_within, |within| {
        let (open, most) = (own(context, process::OPEN_FDS.name, &[]), own(context, process::MAX_FDS.name, &[]));
        fills("", &open, &most, within)
    }));
    joined(&branches)
}

/// One branch for every resource of a family, and one for each exception.
fn generic<T: Copy>(
    context: &Context<'_>,
    check: Check,
    series: &str,
    own_value: impl Fn(&Resource) -> Option<T>,
    default: T,
    branch: impl Fn(String, T) -> String,
) -> Vec<String> {
    narrowed(context, check, series, &[], own_value, default, branch)
}

fn narrowed<T: Copy>(
    context: &Context<'_>,
    check: Check,
    series: &str,
    more: &[String],
    own_value: impl Fn(&Resource) -> Option<T>,
    default: T,
    branch: impl Fn(String, T) -> String,
) -> Vec<String> {
    let apart: Vec<&Resource> = apart(context, check, &own_value)
        .into_iter()
        .filter(|it| resource::TYPES.contains(&it.kind.as_str()))
        .filter(|it| ![PROCESS, TOKIO].contains(&(it.kind.as_str(), it.name.as_str())))
        .collect();
    let named = |it: &Resource| own(context, series, &[equal(TYPE, &it.kind), equal(NAME, &it.name)]);
    let mut default = branch(own(context, series, more), default);
    if !apart.is_empty() {
        let others: Vec<String> = apart.iter().map(|it| named(it)).collect();
        default = format!("{default}\nunless on ({TYPE}, {NAME}) ({})", others.join(" or "));
        default = format!("({default})");
    }
    let mut branches = vec![default];
    branches.extend(apart.iter().filter_map(|it| Some(branch(named(it), own_value(it)?))));
    branches
}

/// The same for database pools, whose names are in a label of their own.
fn pools<T: Copy>(
    context: &Context<'_>,
    check: Check,
    own_value: impl Fn(&Resource) -> Option<T>,
    default: T,
    branch: impl Fn(&[String], T) -> String,
) -> Vec<String> {
    let apart: Vec<&Resource> = apart(context, check, &own_value).into_iter().filter(|it| it.kind == DB_POOL).collect();
    let names: Vec<&str> = apart.iter().map(|it| it.name.as_str()).collect();
    let others: Vec<String> = none_of(POOL, &names).into_iter().collect();
    let labelled = |of: String| {
        let of = format!("label_replace({of}, \"{NAME}\", \"$1\", \"{POOL}\", \"(.*)\")");
        let of = format!("label_replace({of}, \"{TYPE}\", \"{DB_POOL}\", \"\", \"\")");
        // The last word on its labels: a resource, as any other.
        format!("max by ({TYPE}, {NAME}) ({of})")
    };
    let mut branches = vec![labelled(branch(&others, default))];
    branches.extend(apart.iter().filter_map(|it| Some(labelled(branch(&[equal(POOL, &it.name)], own_value(it)?)))));
    branches
}

/// The same for a resource of which a process has one.
fn single<T: Copy>(
    context: &Context<'_>,
    check: Check,
    (kind, name): (&str, &str),
    own_value: impl Fn(&Resource) -> Option<T>,
    default: T,
    branch: impl Fn(T) -> String,
) -> Option<String> {
    let said = context.service.resources.iter().find(|it| it.kind == kind && it.name == name);
    if said.is_some_and(|it| it.off.contains(&check)) {
        return None;
    }
    let of = branch(said.and_then(own_value).unwrap_or(default));
    let of = format!("label_replace({of}, \"{NAME}\", \"{name}\", \"\", \"\")");
    Some(format!("label_replace({of}, \"{TYPE}\", \"{kind}\", \"\", \"\")"))
}

/// Exceptions that change or turn off this check.
fn apart<'a, T>(context: &Context<'a>, check: Check, own_value: &impl Fn(&Resource) -> Option<T>) -> Vec<&'a Resource> {
    let changes = |it: &&Resource| own_value(it).is_some() || it.off.contains(&check);
    context.service.resources.iter().filter(changes).collect()
}

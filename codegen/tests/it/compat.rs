//! Sloth's series beside ours: right numbers under old names, and nothing of ours reads them.

use kilter_codegen::model::Compat;

use super::support::{artifacts, estate, events, slo, tool, written};

/// 2% of events fail; the objective is 99%, so everything burns at twice the budget.
const TEST: &str = r#"
rule_files: [rules/shop.rules.yaml]
evaluation_interval: 5m
tests:
  - interval: 5m
    input_series:
      - {series: 'failed_total{job="shop"}', values: '0+6x120'}
      - {series: 'all_total{job="shop"}', values: '0+300x120'}
    promql_expr_test:
      - expr: 'round(slo:sli_error:ratio_rate5m, 0.000001)'
        eval_time: 8h
        exp_samples: [{labels: '{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks", sloth_window="5m"}', value: 0.02}]
      - expr: 'round(slo:sli_error:ratio_rate6h, 0.000001)'
        eval_time: 8h
        exp_samples: [{labels: '{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks", sloth_window="6h"}', value: 0.02}]
      - expr: 'round(slo:sli_error:ratio_rate4w, 0.000001)'
        eval_time: 8h
        exp_samples: [{labels: '{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks", sloth_window="4w"}', value: 0.02}]
      - expr: 'slo:objective:ratio{sloth_service="shop"}'
        eval_time: 8h
        exp_samples: [{labels: 'slo:objective:ratio{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks"}', value: 0.99}]
      - expr: 'slo:error_budget:ratio{sloth_service="shop"}'
        eval_time: 8h
        exp_samples: [{labels: 'slo:error_budget:ratio{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks"}', value: 0.01}]
      - expr: 'slo:time_period:days'
        eval_time: 8h
        exp_samples: [{labels: 'slo:time_period:days{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks"}', value: 28}]
      - expr: 'round(slo:current_burn_rate:ratio, 0.0001)'
        eval_time: 8h
        exp_samples: [{labels: '{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks"}', value: 2}]
      - expr: 'round(slo:period_burn_rate:ratio{sloth_slo="hooks"}, 0.0001)'
        eval_time: 8h
        exp_samples: [{labels: '{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks"}', value: 2}]
      # 8 hours of 28 days at twice the budget: 2 * 96 / 8064 of it are spent.
      - expr: 'round(slo:period_error_budget_remaining:ratio, 0.001)'
        eval_time: 8h
        exp_samples: [{labels: '{sloth_id="shop-hooks", sloth_service="shop", sloth_slo="hooks"}', value: 0.976}]
      - expr: 'count(sloth_slo_info{sloth_id="shop-hooks", sloth_objective="99", sloth_spec="kilter/v1"})'
        eval_time: 8h
        exp_samples: [{labels: '{}', value: 1}]
      # What is both ours and Sloth's: once each, and ours as without Sloth's.
      - expr: 'count(slo:error_budget:ratio)'
        eval_time: 8h
        exp_samples: [{labels: '{}', value: 2}]
      - expr: 'round(slo:burn_rate:1h, 0.0001)'
        eval_time: 8h
        exp_samples: [{labels: '{service="shop", slo="hooks"}', value: 2}]
      - expr: 'count({__name__=~"slo:.*|sloth_.*", service!="", sloth_id!=""})'
        eval_time: 8h
        exp_samples: []
"#;

#[test]
fn old_dashboards_see_right_numbers() {
    let mut hooks = slo("hooks", "0.99", events("rate(failed_total[$window])", "rate(all_total[$window])"));
    hooks.window = "28d".parse().expect("a duration");
    let mut estate = estate(vec![hooks]);
    let without = artifacts(&estate);
    estate.compat.insert(Compat::Sloth);
    let with = artifacts(&estate);
    let folder = written(&with);
    std::fs::write(folder.path().join("test.yaml"), TEST).expect("a file");
    let (fine, said) = tool("promtool", &["test", "rules", "test.yaml"], folder.path());
    assert!(fine, "{said}");
    let (fine, said) = tool("promtool", &["check", "rules", "rules/shop.rules.yaml"], folder.path());
    assert!(fine, "{said}");
    let text = |all: &[kilter_codegen::render::Artifact]| {
        all.iter().find(|it| it.path == "rules/shop.rules.yaml").map(|it| it.text.clone()).expect("rules")
    };
    assert!(text(&with).starts_with(&text(&without)), "Sloth's series change ours");
}

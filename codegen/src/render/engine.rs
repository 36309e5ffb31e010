//! Handlebars for prose: alert annotations and runbooks. Structured text never comes from a template.
//!
//! Strict, so that a misspelt variable fails; nothing is escaped, because PromQL and Markdown are not HTML. Go-template
//! placeholders such as `{{ $labels.slo }}` reach a template as data, never as its own text.

use handlebars::{Handlebars, no_escape};
use serde::Serialize;

/// A template failed: a bug in one of ours, or a mistake in a user's.
#[derive(Debug, thiserror::Error)]
#[error("template {name}: {source}")]
pub struct TemplateError {
    /// Name of the template.
    pub name: String,
    /// What Handlebars says.
    #[source]
    pub source: Box<handlebars::RenderError>,
}

/// Every template, parsed once.
#[derive(Debug)]
pub struct Templates {
    engine: Handlebars<'static>,
}

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => { &[$(($name, include_str!(concat!("../../templates/", $name, ".hbs")))),+] };
}

const EMBEDDED: &[(&str, &str)] = embedded!(
    "alerts/burn.summary",
    "alerts/burn.description",
    "alerts/exhausted.summary",
    "alerts/exhausted.description",
    "alerts/missing.summary",
    "alerts/missing.description",
    "alerts/traffic.summary",
    "alerts/traffic.description",
    "alerts/down.summary",
    "alerts/down.description",
    "alerts/saturated.summary",
    "alerts/saturated.description",
    "alerts/near_limit.summary",
    "alerts/near_limit.description",
    "alerts/erroring.summary",
    "alerts/erroring.description",
    "alerts/filling.summary",
    "alerts/filling.description",
    "alerts/breaker.summary",
    "alerts/breaker.description",
    "alerts/lag.summary",
    "alerts/lag.description",
    "alerts/restarts.summary",
    "alerts/restarts.description",
    "alerts/telemetry.summary",
    "alerts/telemetry.description",
    "alerts/rules.summary",
    "alerts/rules.description",
    "alerts/escalation.summary",
    "alerts/escalation.description",
    "alerts/watchdog.summary",
    "alerts/watchdog.description",
    "runbook/causes",
    "runbook/slo",
);

impl Templates {
    /// Our own templates.
    pub fn new() -> Self {
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_escape_fn(no_escape);
        for (name, text) in EMBEDDED {
            if let Err(error) = engine.register_template_string(name, text) {
                unreachable!("a template of ours does not parse: {error}");
            }
        }
        Self { engine }
    }

    /// The names of all templates.
    pub fn names() -> Vec<&'static str> {
        EMBEDDED.iter().map(|(name, _)| *name).collect()
    }

    /// Puts another text in the place of one of ours.
    pub fn replace(&mut self, name: &str, text: &str) -> Result<(), Box<handlebars::TemplateError>> {
        self.engine.register_template_string(name, text).map_err(Box::new)
    }

    /// Ours again.
    pub fn restore(&mut self, name: &str) {
        for (own, text) in EMBEDDED.iter().filter(|(own, _)| *own == name) {
            if let Err(error) = self.engine.register_template_string(own, text) {
                unreachable!("a template of ours does not parse: {error}");
            }
        }
    }

    /// Renders a template. Line ends inside a paragraph of prose are the template's own layout: see [`Templates::line`].
    pub fn render(&self, name: &str, data: &impl Serialize) -> Result<String, TemplateError> {
        self.engine
            .render(name, data)
            .map_err(|source| TemplateError { name: name.to_owned(), source: Box::new(source) })
    }

    /// Renders an annotation: one paragraph, its line ends folded into spaces.
    pub fn line(&self, name: &str, data: &impl Serialize) -> Result<String, TemplateError> {
        Ok(self.render(name, data)?.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

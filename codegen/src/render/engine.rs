//! Handlebars for prose: alert annotations, runbooks and reports. Structured text never comes from a template.
//!
//! Strict, so that a misspelt variable fails. Annotations and runbooks are not escaped, because PromQL and Markdown are not
//! HTML; the page of `kilter report` is, as HTML, and its change report as Markdown. Go-template placeholders such as
//! `{{ $labels.slo }}` reach a template as data, never as its own text.

use std::collections::HashMap;

use handlebars::{Handlebars, html_escape, no_escape};
use serde::Serialize;

use super::escape;

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
    /// Annotations and runbooks.
    engine: Handlebars<'static>,
    /// The page of a report, whose templates include each other.
    html: Handlebars<'static>,
    /// The change report of a pull request.
    markdown: Handlebars<'static>,
    /// Those that are no more than texts and variables, by name: thousands of alerts need not ask the engine.
    plain: HashMap<String, Plain>,
}

/// A template of texts and variables.
#[derive(Debug)]
struct Plain {
    /// A text, and the variable behind it.
    parts: Vec<(String, String)>,
    /// The text behind the last variable.
    end: String,
}

impl Plain {
    /// `None` for a template with anything else in it.
    fn read(text: &str) -> Option<Self> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, after) = behind.split_once("}}")?;
            let named = !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
            if !named || after.starts_with('}') || before.ends_with('\\') {
                return None;
            }
            parts.push((squeezed(before), name.to_owned()));
            rest = after;
        }
        Some(Self { parts, end: squeezed(rest) })
    }
}

/// The text with one blank for each stretch of them.
fn squeezed(text: &str) -> String {
    let (mut out, mut gap) = (String::new(), false);
    fold(&mut out, &mut gap, text);
    let blank = |is: bool| if is { " " } else { "" };
    [blank(text.starts_with(char::is_whitespace)), &out, blank(gap && !out.is_empty())].concat()
}

/// Appends words, one blank between any two; `gap` is whether a blank is due.
fn fold(out: &mut String, gap: &mut bool, text: &str) {
    *gap |= text.starts_with(char::is_whitespace);
    let inner = text.trim();
    // Most texts are as they should be already.
    let plain = inner.bytes().all(|it| matches!(it, b' '..=b'~')) && !inner.contains("  ");
    let once = std::iter::once(inner).filter(|it| plain && !it.is_empty());
    for word in once.chain(if plain { "" } else { inner }.split_whitespace()) {
        if *gap && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        *gap = true;
    }
    if !text.is_empty() {
        *gap = text.ends_with(char::is_whitespace);
    }
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
    "alerts/widespread.summary",
    "alerts/widespread.description",
    "alerts/watchdog.summary",
    "alerts/watchdog.description",
    "runbook/causes",
    "runbook/slo",
    "report/page",
    "report/style",
    "report/overview",
    "report/slo",
    "report/change",
);

impl Templates {
    /// Our own templates.
    pub fn new() -> Self {
        let plain = EMBEDDED.iter().filter(|(name, _)| !name.starts_with("report/"));
        let plain = plain.filter_map(|(name, text)| Some(((*name).to_owned(), Plain::read(text)?))).collect();
        let mut all =
            Self { engine: strict(no_escape), html: strict(html_escape), markdown: strict(escape::markdown), plain };
        EMBEDDED.iter().for_each(|(name, _)| all.restore(name));
        all
    }

    /// The engine that a template belongs to.
    fn engine_of(&self, name: &str) -> &Handlebars<'static> {
        match name {
            "report/change" => &self.markdown,
            name if name.starts_with("report/") => &self.html,
            _ => &self.engine,
        }
    }

    fn engine_of_mut(&mut self, name: &str) -> &mut Handlebars<'static> {
        match name {
            "report/change" => &mut self.markdown,
            name if name.starts_with("report/") => &mut self.html,
            _ => &mut self.engine,
        }
    }

    /// The names of all templates.
    pub fn names() -> Vec<&'static str> {
        EMBEDDED.iter().map(|(name, _)| *name).collect()
    }

    /// Puts another text in the place of one of ours.
    pub fn replace(&mut self, name: &str, text: &str) -> Result<(), Box<handlebars::TemplateError>> {
        // The engine decides what another text means.
        self.plain.remove(name);
        self.engine_of_mut(name).register_template_string(name, text).map_err(Box::new)
    }

    /// Ours again.
    pub fn restore(&mut self, name: &str) {
        for (own, text) in EMBEDDED.iter().filter(|(own, _)| *own == name) {
            if let Err(error) = self.engine_of_mut(own).register_template_string(own, text) {
                unreachable!("a template of ours does not parse: {error}");
            }
        }
    }

    /// Renders a template. Line ends inside a paragraph of prose are the template's own layout: see [`Templates::line`].
    pub fn render(&self, name: &str, data: &impl Serialize) -> Result<String, TemplateError> {
        self.engine_of(name).render(name, data).map_err(|source| {
            // Of templates that include each other, the one that failed.
            let name = source.template_name.clone().unwrap_or_else(|| name.to_owned());
            TemplateError { name, source: Box::new(source) }
        })
    }

    /// Renders an annotation: one paragraph, its line ends folded into spaces.
    pub fn line(&self, name: &str, data: &impl Serialize) -> Result<String, TemplateError> {
        Ok(self.render(name, data)?.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// The same, of data whose variables can be asked for one by one.
    pub fn line_of<'a>(
        &self,
        name: &str,
        data: &'a impl Serialize,
        variable: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<String, TemplateError> {
        let plain = self.plain.get(name).filter(|it| it.parts.iter().all(|(_, name)| variable(name).is_some()));
        let Some(plain) = plain else { return self.line(name, data) };
        let (mut out, mut gap) = (String::with_capacity(256), false);
        for (text, name) in &plain.parts {
            fold(&mut out, &mut gap, text);
            fold(&mut out, &mut gap, variable(name).unwrap_or_default());
        }
        fold(&mut out, &mut gap, &plain.end);
        Ok(out)
    }
}

fn strict(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(escape);
    engine
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::words::Words;

    #[test]
    fn plain_templates_say_what_the_engine_says() {
        let (templates, mut words) = (Templates::new(), Words::example());
        assert!(templates.plain.len() > 20, "the texts of alerts are plain");
        for service in ["shop", " a  b\n", ""] {
            words.service = service.to_owned();
            for name in Templates::names().into_iter().filter(|it| it.starts_with("alerts/")) {
                let line = templates.line_of(name, &words, |it| words.get(it)).unwrap();
                assert_eq!(line, templates.line(name, &words).unwrap(), "{name}");
            }
        }
    }

    #[test]
    fn what_is_more_than_variables_is_left_to_the_engine() {
        for text in [
            "{{#if a}}b{{/if}}",
            "{{{a}}}",
            "\\{{a}}",
            "{{a b}}",
            "{{~a}}",
            "{{!a}}",
            "{{> a}}",
            "{{a",
            "{{}}",
            "{{a.b}}",
        ] {
            assert!(Plain::read(text).is_none(), "{text}");
        }
        assert!(Plain::read("a }} b").is_some_and(|it| it.end == "a }} b"));
    }
}

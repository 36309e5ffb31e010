//! Markdown of runbooks and of SLO files as HTML: no script, no picture from elsewhere, headings that fit below those of
//! the page, tables that a screen reader can follow.

use std::collections::BTreeSet;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::render::templates::anchor;

/// How a text is fitted into the page.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// What every anchor within begins with.
    pub prefix: &'a str,
    /// What links to other files are relative to, with a slash at its end.
    pub base: &'a str,
    /// The level of the heading that stands above: those within are below it.
    pub below: usize,
    /// The service whose runbook it is.
    pub service: &'a str,
    /// Anchors of the SLOs on the page: links to their runbooks stay on it.
    pub here: &'a BTreeSet<String>,
}

/// A whole text. Its first heading of the first level is left out: the page has its own.
pub fn block(text: &str, place: Place<'_>) -> String {
    let parsed: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut events = Vec::with_capacity(parsed.len());
    let (mut title, mut heading, mut taken) = (false, None, BTreeSet::new());
    for (index, event) in parsed.iter().enumerate() {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }) => title = true,
            Event::End(TagEnd::Heading(HeadingLevel::H1)) => title = false,
            _ if title => {}
            Event::Start(Tag::Heading { level, .. }) => {
                let id = unique(format!("{}{}", place.prefix, slug(&parsed[index..])), &mut taken);
                heading = Some(lower(*level, place.below));
                let level = lower(*level, place.below);
                let tag = Tag::Heading { level, id: Some(id.into()), classes: Vec::new(), attrs: Vec::new() };
                events.push(Event::Start(tag));
            }
            Event::End(TagEnd::Heading(level)) => {
                events.push(Event::End(TagEnd::Heading(heading.take().unwrap_or(*level))));
            }
            other => events.extend(safe(other.clone(), place)),
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    let scrolls = "<div class=\"scroll\" role=\"group\" aria-label=\"Table of the runbook\" tabindex=\"0\"><table>";
    // Texts are escaped by now, so these are tags.
    out.replace("<th>", "<th scope=\"col\">")
        .replace("<th style", "<th scope=\"col\" style")
        .replace("<table>", scrolls)
        .replace("</table>", "</table></div>")
        .replace("<pre>", "<pre tabindex=\"0\">")
}

/// A sentence, without a paragraph around it.
pub fn inline(text: &str) -> String {
    let here = BTreeSet::new();
    let place = Place { prefix: "", base: "", below: 6, service: "", here: &here };
    let kept = |event: &Event<'_>| {
        !matches!(event, Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph)) && is_inline(event)
    };
    let events = Parser::new(text).filter(kept).filter_map(|event| safe(event, place));
    let mut out = String::new();
    html::push_html(&mut out, events);
    out.trim().to_owned()
}

/// Whether it can stand within a sentence.
const fn is_inline(event: &Event<'_>) -> bool {
    match event {
        Event::Start(tag) => matches!(tag, Tag::Emphasis | Tag::Strong | Tag::Link { .. } | Tag::Image { .. }),
        Event::End(tag) => matches!(tag, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link | TagEnd::Image),
        Event::Rule => false,
        _ => true,
    }
}

/// What neither runs nor fetches anything.
fn safe<'a>(event: Event<'a>, place: Place<'_>) -> Option<Event<'a>> {
    let link = |url: CowStr<'a>, title, id| {
        let tag = Tag::Link { link_type: pulldown_cmark::LinkType::Inline, dest_url: target(url, place), title, id };
        Some(Event::Start(tag))
    };
    match event {
        // A comment says nothing to readers; everything else is shown as it was written.
        Event::Html(text) | Event::InlineHtml(text) if text.trim_start().starts_with("<!--") => None,
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        // A picture becomes a link: a page that is opened tells nobody.
        Event::Start(Tag::Link { dest_url, title, id, .. } | Tag::Image { dest_url, title, id, .. }) => {
            link(dest_url, title, id)
        }
        Event::End(TagEnd::Image) => Some(Event::End(TagEnd::Link)),
        other => Some(other),
    }
}

/// Where a link leads: only to the web, to mail, to this page, or to a file beside the text.
fn target<'a>(url: CowStr<'a>, place: Place<'_>) -> CowStr<'a> {
    let scheme = url.split(['/', '?', '#']).next().and_then(|it| it.split_once(':')).map(|(it, _)| it.to_lowercase());
    match scheme.as_deref() {
        Some("http" | "https" | "mailto") => url,
        Some(_) => "#main".into(),
        None if url.starts_with("//") => format!("https:{url}").into(),
        None if url.starts_with('/') => url,
        None => match url.strip_prefix('#') {
            Some(own) => format!("#{}{own}", place.prefix).into(),
            None => neighbour(&url, place).map_or_else(|| format!("{}{url}", place.base).into(), CowStr::from),
        },
    }
}

/// The anchor of a runbook that is on the page too: `<slo>.md` or `../<service>/<slo>.md`.
fn neighbour(url: &str, place: Place<'_>) -> Option<String> {
    let path = url.split('#').next().unwrap_or_default().strip_suffix(".md")?;
    let (service, slo) = match path.strip_prefix("../") {
        Some(path) => path.split_once('/')?,
        None => (place.service, path),
    };
    let id = super::slo::id(service, slo);
    place.here.contains(&id).then(|| format!("#{id}"))
}

fn lower(level: HeadingLevel, below: usize) -> HeadingLevel {
    // The second level of a runbook is its first of several.
    let level = (level as usize - 1 + below).clamp(1, 6);
    HeadingLevel::try_from(level).unwrap_or(HeadingLevel::H6)
}

/// A second heading of the same text has a number, as Markdown renderers give it.
fn unique(id: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (1..).map(|it| format!("{id}-{it}"));
    let free = std::iter::once(id.clone()).chain(numbered).find(|it| !taken.contains(it)).unwrap_or(id);
    taken.insert(free.clone());
    free
}

/// The anchor of the heading that begins here.
fn slug(events: &[Event<'_>]) -> String {
    let inner = events.iter().take_while(|it| !matches!(it, Event::End(TagEnd::Heading(_))));
    let text: String = inner
        .filter_map(|it| match it {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect();
    anchor(&format!("# {text}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let here = BTreeSet::from(["shop.fast".to_owned(), "bank.up".to_owned()]);
        let base = "rules/runbooks/shop/";
        block(text, Place { prefix: "shop.buys.", base, below: 4, service: "shop", here: &here })
    }

    #[test]
    fn nothing_runs_and_nothing_is_fetched() {
        let text = "# shop/buys\n\n<script>alert(1)</script>\n\n![x](http://evil.example/a.png) [y](javascript:alert(1)) <b onclick=z>w</b>\n\n<!-- made -->\n";
        let html = shown(text);
        for never in ["<script", "<img", "javascript:", "<b ", "made", "<h1", "shop/buys"] {
            assert!(!html.contains(never), "{never} is in {html}");
        }
        assert!(html.contains("&lt;script&gt;") && html.contains("href=\"http://evil.example/a.png\""), "{html}");
        assert_eq!(inline("a `b` <i>c</i> *d*\n\n# e"), "a <code>b</code> &lt;i&gt;c&lt;/i&gt; <em>d</em>e");
    }

    #[test]
    fn headings_tables_and_links_fit_the_page() {
        let html = shown(
            "# t\n\n## ErrorBudgetBurn (page)\n\n### x\n\n| a |\n|---|\n| b |\n\n[c](#x) [d](docs/e.md) [f](mailto:g@h.example) [i](fast.md) [j](../bank/up.md#y)\n",
        );
        for needed in [
            "<h5 id=\"shop.buys.errorbudgetburn-page\">",
            "</h5>",
            "<h6 id=\"shop.buys.x\">",
            "<th scope=\"col\">a",
            "</table></div>",
            "href=\"#shop.buys.x\"",
            "href=\"rules/runbooks/shop/docs/e.md\"",
            "href=\"mailto:g@h.example\"",
            "href=\"#shop.fast\"",
            "href=\"#bank.up\"",
        ] {
            assert!(html.contains(needed), "{needed} is not in {html}");
        }
    }
}

//! From values to SVG.

use std::fmt::Write as _;

use super::marks::marks;
use super::scale::{self, Range};
use super::{Bars, Lines, Look, Panel, Plot};
use crate::diagnostic::report::escaped_for_xml as escaped;

const WIDTH: f64 = 800.0;
const LEFT: f64 = 68.0;
const RIGHT: f64 = 12.0;
/// Height of the lines' area, of a line of text, of a row of bars.
const AREA: f64 = 130.0;
const TEXT: f64 = 16.0;
const ROW: f64 = 24.0;
const GAP: f64 = 18.0;

/// Dashes of the lines, and their colours in the light and in the dark: blue, vermilion, green, purple, brown, grey. Each
/// has a contrast of 4.5 and more to its background.
const LINES: [(&str, &str, &str); 6] = [
    ("", "#0b5cad", "#7ab8f5"),
    ("7 3", "#b3400d", "#f5a26b"),
    ("2 3", "#1c6b3c", "#7fd6a3"),
    ("9 3 2 3", "#7a3b8f", "#d5a6e6"),
    ("4 2", "#6b4e16", "#dcc07a"),
    ("1 4", "#555555", "#bbbbbb"),
];

/// The drawing as an `<svg>` element, which can be a file or a part of a page.
pub fn svg(plot: &Plot) -> String {
    let id: String = plot.id.chars().filter(|it| it.is_ascii_alphanumeric() || *it == '-').collect();
    let canvas = Canvas { id, from: plot.from, until: plot.until.max(plot.from + 1) };
    let (mut body, mut top) = (String::new(), TEXT);
    for panel in &plot.panels {
        top = match panel {
            Panel::Lines(it) => canvas.lines(it, top, &mut body),
            Panel::Bars(it) => canvas.bars(it, top, &mut body),
        };
        top += GAP;
    }
    let height = top - GAP + TEXT + 4.0;
    let mut grid = String::new();
    for (at, name) in scale::moments(plot.axis, plot.from, plot.until) {
        let x = canvas.x(at);
        let _ = write!(
            grid,
            "<line class=\"{0}-grid\" x1=\"{x}\" y1=\"{TEXT}\" x2=\"{x}\" y2=\"{2}\"/>\n<text x=\"{x}\" y=\"{3}\" text-anchor=\"middle\">{1}</text>\n",
            canvas.id,
            escaped(&name),
            n(height - TEXT - 4.0),
            n(height - 4.0)
        );
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" class=\"{id}\" aria-labelledby=\"{id}-title {id}-desc\">\n<title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n{}{grid}{body}</svg>\n",
        n(height),
        escaped(&plot.title),
        escaped(&plot.description),
        canvas.style(),
        id = canvas.id
    )
}

struct Canvas {
    id: String,
    from: i64,
    until: i64,
}

impl Canvas {
    /// Where a moment lies, in pixels with one digit.
    fn x(&self, at: i64) -> String {
        n(self.pixels(at))
    }

    fn pixels(&self, at: i64) -> f64 {
        let share = (at - self.from) as f64 / (self.until - self.from) as f64;
        share.clamp(0.0, 1.0).mul_add(WIDTH - LEFT - RIGHT, LEFT)
    }

    /// Colours for the light, the dark and paper, and what makes each bar itself.
    fn style(&self) -> String {
        let id = &self.id;
        let colours = |pick: fn(&(&str, &'static str, &'static str)) -> &'static str,
                       [ink, paper, grid, page, ticket]: [&str; 5]| {
            let mut all = format!(
                ".{id}{{color:{ink};background:{paper}}}.{id} text{{fill:{ink};stroke:{paper};stroke-width:3;paint-order:stroke}}.{id}-halo{{fill:{paper};fill-opacity:.7}}.{id}-grid{{stroke:{grid}}}.{id}-page{{--c:{page}}}.{id}-ticket{{--c:{ticket}}}.{id}-other{{--c:{ink}}}"
            );
            for (number, line) in LINES.iter().enumerate() {
                let _ = write!(all, ".{id}-{number}{{stroke:{}}}", pick(line));
            }
            all
        };
        let light = colours(|it| it.1, ["#1a1a1a", "#ffffff", "#d0d0d0", "#a3140b", "#7a5200"]);
        let dark = colours(|it| it.2, ["#eeeeee", "#16181c", "#44484f", "#ff9c8f", "#f0c060"]);
        let mut dashes = String::new();
        for (number, (dash, ..)) in LINES.iter().enumerate().filter(|(_, (dash, ..))| !dash.is_empty()) {
            let _ = write!(dashes, ".{id}-{number}{{stroke-dasharray:{dash}}}");
        }
        let patterns: String = [("page", "M0 6L6 0"), ("ticket", "M0 3H6"), ("other", "M3 0V6")]
            .map(|(look, path)| {
                format!("<pattern id=\"{id}-{look}\" class=\"{id}-{look}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><path d=\"{path}\" class=\"{id}-hatch\"/></pattern>")
            })
            .concat();
        format!(
            "<style>\n.{id}{{font:12px system-ui,sans-serif;max-width:100%}}.{id}-grid{{stroke-width:1}}.{id}-line{{fill:none;stroke-width:1.8;stroke-linejoin:round}}.{id}-mark{{stroke:currentColor;stroke-width:1;stroke-dasharray:1 3}}.{id}-hatch{{stroke:var(--c);stroke-width:1.5}}.{id}-bar{{stroke:var(--c);stroke-width:1.5}}.{id} .{id}-head{{font-weight:600}}{dashes}\n{light}\n@media (prefers-color-scheme:dark){{{dark}}}\n@media print{{{light}}}\n</style>\n<defs>{patterns}</defs>\n"
        )
    }

    fn lines(&self, lines: &Lines, top: f64, body: &mut String) -> f64 {
        let id = &self.id;
        let values = lines.series.iter().flat_map(|it| &it.points).filter_map(|(_, value)| *value);
        let range = Range::of(lines.scale, values.chain(lines.thresholds.iter().map(|it| it.value)));
        let floor = top + TEXT + AREA;
        let y = |value: f64| (-range.place(value)).mul_add(AREA, floor);
        head(body, id, &lines.title, top);
        for tick in range.ticks() {
            let _ = write!(
                body,
                "<line class=\"{id}-grid\" x1=\"{LEFT}\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>\n<text x=\"{2}\" y=\"{3}\" text-anchor=\"end\">{4}</text>\n",
                n(y(tick)),
                WIDTH - RIGHT,
                LEFT - 6.0,
                n(y(tick) + 4.0),
                escaped(&scale::value(lines.unit, tick))
            );
        }
        for (number, series) in lines.series.iter().enumerate() {
            let _ = writeln!(
                body,
                "<path class=\"{id}-line {id}-{}\" d=\"{}\"/>",
                number % LINES.len(),
                self.path(&series.points, y)
            );
        }
        let marks = marks(&lines.thresholds, y, (LEFT, WIDTH - RIGHT));
        for mark in &marks {
            let _ = writeln!(
                body,
                "<line class=\"{id}-mark\" x1=\"{LEFT}\" y1=\"{0}\" x2=\"{1}\" y2=\"{0}\"/>",
                n(mark.line),
                WIDTH - RIGHT
            );
        }
        // Above all lines, on a ground of their own: a curve would strike them through.
        for mark in &marks {
            let _ = write!(
                body,
                "<rect class=\"{id}-halo\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"13\"/>\n<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
                n(mark.right - mark.width - 3.0),
                n(mark.base - 10.5),
                n(mark.width + 5.0),
                n(mark.right),
                n(mark.base),
                escaped(&mark.name)
            );
        }
        self.legend(lines, floor + TEXT, body)
    }

    /// A sample of each line with its name; rows as many as needed.
    fn legend(&self, lines: &Lines, top: f64, body: &mut String) -> f64 {
        let id = &self.id;
        let (mut x, mut y) = (LEFT, top);
        for (number, series) in lines.series.iter().enumerate() {
            let room = 7.0_f64.mul_add(series.name.chars().count() as f64, 56.0);
            if x > LEFT && x + room > WIDTH - RIGHT {
                (x, y) = (LEFT, y + TEXT);
            }
            let _ = write!(
                body,
                "<path class=\"{id}-line {id}-{}\" d=\"M{} {}h30\"/>\n<text x=\"{}\" y=\"{}\">{}</text>\n",
                number % LINES.len(),
                n(x),
                n(y - 4.0),
                n(x + 36.0),
                n(y),
                escaped(&series.name)
            );
            x += room;
        }
        if lines.series.is_empty() { top - TEXT } else { y }
    }

    /// A path through the points. Of many that share a pixel only the first, the lowest, the highest and the last are
    /// drawn: nobody sees more, and no peak is lost.
    fn path(&self, points: &[(i64, Option<f64>)], y: impl Fn(f64) -> f64) -> String {
        let (mut path, mut pen_down, mut at) = (String::new(), false, 0);
        let mut go = |down: &mut bool, moment: i64, value: f64| {
            let _ = write!(path, "{}{} {}", if *down { "L" } else { "M" }, self.x(moment), n(y(value)));
            *down = true;
        };
        while let Some((moment, value)) = points.get(at) {
            let Some(value) = value else {
                (pen_down, at) = (false, at + 1);
                continue;
            };
            let pixel = self.pixels(*moment).floor();
            let run =
                points[at..].iter().take_while(|(it, value)| value.is_some() && self.pixels(*it).floor() <= pixel);
            let column: Vec<(i64, f64)> = run.filter_map(|(it, value)| Some((*it, (*value)?))).collect();
            let by = |a: &&(i64, f64), b: &&(i64, f64)| a.1.total_cmp(&b.1);
            let (low, high) = (column.iter().min_by(by).copied(), column.iter().max_by(by).copied());
            let mut kept: Vec<(i64, f64)> = Vec::new();
            kept.extend(column.first().copied().into_iter().chain(low).chain(high).chain(column.last().copied()));
            kept.sort_by_key(|it| it.0);
            kept.dedup();
            let alone = kept.len() == 1 && !pen_down;
            kept.iter().for_each(|(it, value)| go(&mut pen_down, *it, *value));
            at += column.len().max(1);
            // A single point between gaps would be invisible.
            if alone && points.get(at).is_none_or(|(_, next)| next.is_none()) {
                go(&mut pen_down, moment + 1, *value);
            }
        }
        path
    }

    fn bars(&self, bars: &Bars, top: f64, body: &mut String) -> f64 {
        let id = &self.id;
        head(body, id, &bars.title, top);
        let mut y = top + 6.0;
        for row in &bars.rows {
            let look = match row.look {
                Look::Page => "page",
                Look::Ticket => "ticket",
                Look::Other => "other",
            };
            let _ = writeln!(body, "<text x=\"{LEFT}\" y=\"{}\">{}</text>", n(y + 11.0), escaped(&row.name));
            y += TEXT;
            for (number, bar) in row.bars.iter().enumerate() {
                let (from, until) = (self.pixels(bar.from), bar.until.map_or(WIDTH - RIGHT, |it| self.pixels(it)));
                let width = (until - from).max(3.0);
                let _ = writeln!(
                    body,
                    "<rect class=\"{id}-{look} {id}-bar\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"url(#{id}-{look})\"><title>{}</title></rect>",
                    n(from),
                    n(y),
                    n(width),
                    ROW - 8.0,
                    escaped(&format!("{}: {}", row.name, bar.label))
                );
                self.label(row, number, (from, from + width), y, body);
            }
            if row.bars.is_empty() {
                let _ = writeln!(body, "<text x=\"{LEFT}\" y=\"{}\">never</text>", n(y + 12.0));
            }
            y += ROW;
        }
        y - 4.0
    }

    /// The words of a bar: behind it, or before it where there is more room; none where another bar is in the way. What
    /// goes on has no end to stand behind, and is better written within.
    fn label(&self, row: &super::Row, number: usize, (from, until): (f64, f64), y: f64, body: &mut String) {
        let bar = &row.bars[number];
        let room = 6.6_f64.mul_add(bar.label.chars().count() as f64, 8.0);
        let next = row.bars.get(number + 1).map_or(WIDTH - RIGHT, |it| self.pixels(it.from));
        let before = number.checked_sub(1).map_or(LEFT, |it| {
            row.bars[it].until.map_or(WIDTH, |it| self.pixels(it)) + 6.6 * row.bars[it].label.chars().count() as f64
        });
        let fits = until - from >= room;
        let (x, anchor, inside) = if until + room <= next {
            (until + 5.0, "start", false)
        } else if from - room >= before && !(fits && bar.until.is_none()) {
            (from - 5.0, "end", false)
        } else if fits {
            (from + 5.0, "start", true)
        } else {
            return;
        };
        if inside {
            let _ = writeln!(
                body,
                "<rect class=\"{}-halo\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"13\"/>",
                self.id,
                n(x - 2.0),
                n(y + 1.5),
                n(room - 6.0)
            );
        }
        let _ = writeln!(
            body,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\">{}</text>",
            n(x),
            n(y + 12.0),
            escaped(&bar.label)
        );
    }
}

fn head(body: &mut String, id: &str, title: &str, top: f64) {
    let _ = writeln!(body, "<text class=\"{id}-head\" x=\"{LEFT}\" y=\"{}\">{}</text>", n(top + 2.0), escaped(title));
}

/// A pixel with one digit behind the point.
fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::{Axis, Bar, Row, Scale, Series, Threshold, Unit};

    fn plot(name: &str) -> Plot {
        let points = (0..10_000).map(|it| (it * 1_000, (it != 5_000).then_some(if it == 7_000 { 9.0 } else { 1.0 })));
        Plot {
            id: "p1".to_owned(),
            title: name.to_owned(),
            description: name.to_owned(),
            from: 0,
            until: 10_000_000,
            axis: Axis::Since(0),
            panels: vec![
                Panel::Lines(Lines {
                    title: name.to_owned(),
                    unit: Unit::Number("x"),
                    scale: Scale::Linear,
                    series: vec![Series { name: name.to_owned(), points: points.collect() }],
                    thresholds: vec![Threshold { name: name.to_owned(), value: 14.4 }],
                }),
                Panel::Bars(Bars {
                    title: name.to_owned(),
                    rows: vec![Row {
                        name: name.to_owned(),
                        look: Look::Page,
                        bars: vec![Bar { from: 1_000_000, until: None, label: name.to_owned() }],
                    }],
                }),
            ],
        }
    }

    #[test]
    fn texts_are_texts_and_no_peak_is_lost() {
        let drawn = svg(&plot("</title><script>alert(1 & 2)\u{1}\""));
        assert!(!drawn.contains("<script") && !drawn.contains('\u{1}'), "{drawn}");
        assert_eq!(drawn.matches("&lt;script&gt;alert(1 &amp; 2)&quot;").count(), 10);
        let path = drawn.lines().find(|it| it.contains("<path class=\"p1-line")).expect("a path");
        // A gap, and four points a pixel at most.
        assert_eq!(path.matches('M').count(), 2);
        assert!(path.matches('L').count() < 3_000, "{}", path.len());
        let lowest = path.split(['M', 'L']).filter_map(|it| it.split([' ', '"']).nth(1)?.parse::<f64>().ok());
        let peak = lowest.fold(f64::INFINITY, f64::min);
        assert!((peak - (2.0 * TEXT + AREA - 9.0 / 15.0 * AREA)).abs() < 0.06, "{peak}");
    }
}

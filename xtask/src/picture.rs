//! The demo's timeline as a picture: how fast the budget burned, and what happened when.

use std::fmt::Write as _;

/// One line of the chart.
#[derive(Debug)]
pub(crate) struct Curve {
    /// Its name in the legend.
    pub(crate) name: String,
    /// CSS colour; the eight colours of Okabe and Ito can be told apart by everybody.
    pub(crate) color: &'static str,
    /// Dash pattern, so that colour is never the only difference.
    pub(crate) dash: &'static str,
    /// Seconds after the fault, and burn rates.
    pub(crate) points: Vec<(f64, f64)>,
}

/// What happened, in seconds after the fault.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) at: f64,
    pub(crate) text: String,
}

const WIDTH: f64 = 900.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 884.0;
const TOP: f64 = 118.0;
const BOTTOM: f64 = 330.0;
const HEIGHT: f64 = 400.0;
/// Burn rates at the ends of the logarithmic axis.
const LOW: f64 = 0.1;
const HIGH: f64 = 2_000.0;

/// A scale from seconds to pixels.
#[derive(Debug, Clone, Copy)]
struct Time {
    from: f64,
    to: f64,
}

impl Time {
    fn x(self, at: f64) -> f64 {
        LEFT + (at.clamp(self.from, self.to) - self.from) / (self.to - self.from) * (RIGHT - LEFT)
    }
}

fn y(burn: f64) -> f64 {
    let share = (burn.clamp(LOW, HIGH) / LOW).ln() / (HIGH / LOW).ln();
    BOTTOM - share * (BOTTOM - TOP)
}

/// An SVG of its own size, readable on light and dark pages.
pub(crate) fn svg(title: &str, thresholds: &[(f64, &str)], curves: &[Curve], events: &[Event]) -> String {
    let ends = events.iter().map(|it| it.at).chain([-60.0]);
    let time =
        Time { from: ends.clone().fold(f64::INFINITY, f64::min), to: ends.fold(f64::NEG_INFINITY, f64::max) + 12.0 };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\" role=\"img\">\n<title>{}</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"26\" font-size=\"16\" font-weight=\"bold\" fill=\"#1b1f24\">{}</text>\n",
        escaped(title),
        escaped(title)
    );
    axes(&mut out, time, thresholds);
    for curve in curves {
        let points: String =
            curve.points.iter().map(|(at, burn)| format!("{:.1},{:.1} ", time.x(*at), y(*burn))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"{}\"/>",
            points.trim_end(),
            curve.color,
            curve.dash
        );
    }
    marks(&mut out, time, events);
    legend(&mut out, curves);
    out.push_str("</svg>\n");
    out
}

fn axes(out: &mut String, time: Time, thresholds: &[(f64, &str)]) {
    for burn in [0.1, 1.0, 10.0, 100.0, 1_000.0] {
        let at = y(burn);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#e3e6ea\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#57606a\">{burn}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    for (threshold, text) in thresholds {
        let at = y(*threshold);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#1b1f24\" stroke-dasharray=\"2 3\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"12\" fill=\"#1b1f24\">{}</text>",
            LEFT + 4.0,
            at - 4.0,
            escaped(text)
        );
    }
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a demo")]
    let (first, last) = ((time.from / 30.0).ceil() as i64, (time.to / 30.0).floor() as i64);
    for step in first..=last {
        let seconds = step * 30;
        let at = time.x(seconds as f64);
        let _ = writeln!(
            out,
            "<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#57606a\">{seconds} s</text>",
            BOTTOM + 18.0
        );
    }
    let middle = TOP.midpoint(BOTTOM);
    let _ = writeln!(
        out,
        "<text transform=\"translate(16 {middle:.1}) rotate(-90)\" text-anchor=\"middle\" fill=\"#57606a\">burn rate</text>"
    );
}

/// A line for each event; labels of neighbours stand on different heights.
fn marks(out: &mut String, time: Time, events: &[Event]) {
    for (row, event) in events.iter().enumerate() {
        let (x, text_y) = (time.x(event.at), 46.0 + 15.0 * (row % 5) as f64);
        let (anchor, dx) = if x > RIGHT - 160.0 { ("end", -5.0) } else { ("start", 5.0) };
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{BOTTOM}\" stroke=\"#8c959f\"/>\
             <text x=\"{:.1}\" y=\"{text_y:.1}\" text-anchor=\"{anchor}\" fill=\"#1b1f24\">{}</text>",
            text_y - 10.0,
            x + dx,
            escaped(&event.text)
        );
    }
}

fn legend(out: &mut String, curves: &[Curve]) {
    for (number, curve) in curves.iter().enumerate() {
        let x = LEFT + 190.0 * number as f64;
        let at = HEIGHT - 24.0;
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" x2=\"{:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"{}\"/>\
             <text x=\"{:.1}\" y=\"{at:.1}\" fill=\"#1b1f24\">{}</text>",
            x + 28.0,
            at - 4.0,
            at - 4.0,
            curve.color,
            curve.dash,
            x + 34.0,
            escaped(&curve.name)
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_and_curve_is_drawn_within_the_frame() {
        let curve =
            Curve { name: "5m <fast>".to_owned(), color: "#000", dash: "none", points: vec![(-10.0, 0.0), (1e9, 1e9)] };
        let events = [Event { at: 0.0, text: "fault".to_owned() }, Event { at: 200.0, text: "resolved".to_owned() }];
        let picture = svg("t", &[(14.4, "above")], &[curve], &events);
        assert!(picture.contains("5m &lt;fast&gt;") && picture.contains(">fault<") && picture.contains(">resolved<"));
        let points = picture.split("points=\"").nth(1).and_then(|it| it.split('"').next()).unwrap_or_default();
        for pair in points.split(' ') {
            let (x, y) = pair.split_once(',').unwrap();
            let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
            assert!((LEFT..=RIGHT).contains(&x) && (TOP..=BOTTOM).contains(&y), "{pair}");
        }
    }
}

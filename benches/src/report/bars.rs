//! Bars: one metric, a bar for each peer.

use super::svg::{decades, escaped, image};
use crate::command::{Compared, Entry, Row, digits, is_limit, is_own};
use std::fmt::Write;

const WIDTH: f64 = 900.0;
/// Where bars begin, right of the names.
const LEFT: f64 = 130.0;
/// Where they end at the latest, left of the figures.
const RIGHT: f64 = 640.0;
const STEP: f64 = 24.0;
/// Beyond this ratio of most to least, lengths are logarithmic.
const LINEAR: f64 = 30.0;

/// The plot.
pub fn bars(row: &Row, metric: usize) -> String {
    let compared = Compared::of(row, metric);
    let mut inside = String::new();
    let axis = Axis::of(&compared);
    let height = STEP * compared.entries.len() as f64 + 22.0;
    for mark in &axis.marks {
        let (x, bottom) = (axis.x(*mark), height - 22.0);
        let label = digits(*mark);
        // Writing to a string does not fail.
        let _ = writeln!(
            inside,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{bottom}\"/>\
             <text class=\"soft mid\" x=\"{x:.1}\" y=\"{}\">{label}</text>",
            height - 6.0
        );
    }
    for (place, entry) in compared.entries.iter().enumerate() {
        bar(&mut inside, entry, &axis, STEP * place as f64);
    }
    let title = format!("{}: {}", row.scenario.name, row.scenario.metrics[metric]);
    image("bars", &title, WIDTH, height, &inside)
}

fn bar(inside: &mut String, entry: &Entry, axis: &Axis, top: f64) {
    let kind = match entry.peer {
        peer if is_own(peer) => "own",
        peer if is_limit(peer) => "limit",
        _ => "peer",
    };
    let stats = &entry.stats;
    let (end, middle, text) = (axis.x(stats.median), top + 10.0, top + 15.0);
    let (least, most) = (axis.x(stats.min), axis.x(stats.max));
    let best = if entry.best { " class=\"best\"" } else { "" };
    let _ = writeln!(
        inside,
        "<text class=\"end\" x=\"{}\" y=\"{text}\">{}</text>\
         <rect class=\"{kind}\" x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"16\" rx=\"2\"/>\
         <line class=\"whisker\" x1=\"{least:.1}\" x2=\"{most:.1}\" y1=\"{middle}\" y2=\"{middle}\"/>\
         <text{best} x=\"{}\" y=\"{text}\">{}</text>",
        LEFT - 8.0,
        escaped(entry.peer),
        top + 2.0,
        (end - LEFT).max(1.0),
        RIGHT + 20.0,
        figure(entry),
    );
}

/// What stands right of a bar.
fn figure(entry: &Entry) -> String {
    let wide = if entry.stats.is_wide() { "~" } else { "" };
    let mut text = format!("{wide}{}", digits(entry.stats.median));
    if let Some(ratio) = entry.of_own {
        let _ = write!(text, "  {ratio:.2} × polyloop");
    }
    if let Some(ratio) = entry.of_limit {
        let _ = write!(text, "  {ratio:.2} × limit");
    }
    text
}

/// How long a figure is.
struct Axis {
    from: f64,
    to: f64,
    logarithmic: bool,
    marks: Vec<f64>,
}

impl Axis {
    fn of(compared: &Compared) -> Self {
        let stats = compared.entries.iter().map(|entry| &entry.stats);
        let most = stats.clone().map(|stats| stats.max).fold(0.0, f64::max);
        let above_zero = stats.map(|stats| stats.min).filter(|min| *min > 0.0);
        let least = above_zero.fold(f64::INFINITY, f64::min);
        if least.is_finite() && most / least > LINEAR {
            let marks = decades(least, most);
            return Self {
                from: marks[0],
                to: *marks.last().unwrap_or(&most),
                logarithmic: true,
                marks,
            };
        }
        Self {
            from: 0.0,
            to: if most > 0.0 { most } else { 1.0 },
            logarithmic: false,
            marks: Vec::new(),
        }
    }

    fn x(&self, figure: f64) -> f64 {
        let share = if self.logarithmic {
            (figure.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (figure - self.from) / (self.to - self.from)
        };
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
}

//! Curves: distributions and scaling.

use super::svg::{decades, escaped, image};
use crate::command::digits;
use std::fmt::Write;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 740.0;
const BOTTOM: f64 = 280.0;
const TOP: f64 = 14.0;

/// One peer's line.
pub struct Curve {
    /// Who.
    pub peer: &'static str,
    /// The number of its colour's class.
    pub colour: usize,
    /// In order.
    pub points: Vec<(f64, f64)>,
}

/// What places mean.
pub struct Scale {
    x: fn(f64) -> f64,
    x_range: (f64, f64),
    x_marks: Vec<(f64, String)>,
    y_marks: Vec<f64>,
    logarithmic: bool,
}

impl Scale {
    /// Across: how many of the durations, with room for the last ones. Up: how
    /// long, logarithmic.
    pub fn quantiles(curves: &[Curve]) -> Self {
        // Each further nine takes as much room.
        let x = |quantile: f64| -(1.0 - quantile).max(0.00003).log10();
        let mark = |quantile: f64, label: &str| (quantile, label.to_owned());
        let (least, most) = range(curves);
        Self {
            x,
            x_range: (0.0, 4.6),
            x_marks: vec![
                mark(0.0, "least"),
                mark(0.5, "50 %"),
                mark(0.9, "90 %"),
                mark(0.99, "99 %"),
                mark(0.999, "99.9 %"),
                mark(0.9999, "99.99 %"),
                mark(1.0, "most"),
            ],
            y_marks: decades(least.max(1.0), most.max(1.0)),
            logarithmic: true,
        }
    }

    /// Across: loops. Up: a multiple, from zero.
    pub fn loops(curves: &[Curve]) -> Self {
        let points = curves.iter().flat_map(|curve| &curve.points);
        let mut loops: Vec<f64> = points.map(|(loops, _)| *loops).collect();
        loops.sort_by(f64::total_cmp);
        loops.dedup();
        let last = loops.last().copied().unwrap_or(1.0);
        let top = range(curves).1.ceil() as u32;
        Self {
            x: |loops| loops,
            x_range: (0.5, last + 0.5),
            x_marks: loops
                .iter()
                .map(|loops| (*loops, format!("{loops}")))
                .collect(),
            y_marks: (0..=top.max(1)).map(f64::from).collect(),
            logarithmic: false,
        }
    }

    fn x(&self, value: f64) -> f64 {
        let (from, to) = self.x_range;
        LEFT + ((self.x)(value) - from) / (to - from) * (RIGHT - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        let from = self.y_marks.first().copied().unwrap_or(0.0);
        let to = self.y_marks.last().copied().unwrap_or(1.0);
        let share = if self.logarithmic {
            (value.max(from) / from).ln() / (to / from).ln()
        } else {
            (value - from) / (to - from)
        };
        BOTTOM - share.clamp(0.0, 1.0) * (BOTTOM - TOP)
    }
}

fn range(curves: &[Curve]) -> (f64, f64) {
    let points = curves.iter().flat_map(|curve| &curve.points);
    points.fold((f64::INFINITY, 0.0), |(least, most), (_, y)| {
        (least.min(*y), most.max(*y))
    })
}

/// The plot, with the names at the right.
pub fn plot(title: &str, curves: &[Curve], scale: &Scale) -> String {
    let mut inside = String::new();
    for (value, label) in &scale.x_marks {
        let x = scale.x(*value);
        // Writing to a string does not fail.
        let _ = writeln!(
            inside,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{BOTTOM}\"/>\
             <text class=\"soft mid\" x=\"{x:.1}\" y=\"{}\">{label}</text>",
            BOTTOM + 18.0
        );
    }
    for value in &scale.y_marks {
        let y = scale.y(*value);
        let _ = writeln!(
            inside,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"soft end\" x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            digits(*value)
        );
    }
    for (place, curve) in curves.iter().enumerate() {
        let points = curve.points.iter();
        let points = points.map(|(x, y)| format!("{:.1},{:.1}", scale.x(*x), scale.y(*y)));
        let points = points.collect::<Vec<_>>().join(" ");
        let (colour, y) = (curve.colour, TOP + 10.0 + 18.0 * place as f64);
        let _ = writeln!(
            inside,
            "<polyline class=\"c{colour}\" points=\"{points}\"/>\
             <line class=\"c{colour}\" stroke-width=\"3\" x1=\"{}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>\
             <text x=\"{}\" y=\"{}\">{}</text>",
            RIGHT + 16.0,
            RIGHT + 34.0,
            RIGHT + 40.0,
            y + 4.0,
            escaped(curve.peer)
        );
    }
    let height = HEIGHT.max(TOP + 10.0 + 18.0 * curves.len() as f64);
    image("curves", title, WIDTH, height, &inside)
}

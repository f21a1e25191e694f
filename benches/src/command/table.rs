//! The table in the terminal.

use super::stats::{Stats, ratio};
use super::{Measured, Row};
use std::fmt::Write;

/// A block for each metric of each scenario.
pub fn table(measured: &Measured) -> String {
    let mut text = String::new();
    for row in &measured.rows {
        for metric in 0..row.scenario.metrics.len() {
            block(&mut text, row, metric);
        }
    }
    text
}

fn block(text: &mut String, row: &Row, metric: usize) {
    let scenario = row.scenario;
    let _ = writeln!(
        text,
        "{} ({}): {}",
        scenario.name, scenario.about, scenario.metrics[metric]
    );
    let own = row.cells.first().map(|cell| cell.figures(metric));
    for cell in &row.cells {
        let figures = cell.figures(metric);
        if figures.is_empty() {
            let reason = cell.reason.as_deref().unwrap_or("not measured");
            let _ = writeln!(text, "  {:<14} {reason}", cell.peer);
            continue;
        }
        let stats = Stats::of(&figures);
        let mark = if stats.is_wide() { '~' } else { ' ' };
        let ratio = own.as_ref().map_or(f64::NAN, |own| ratio(&figures, own));
        let _ = writeln!(
            text,
            "  {:<14} {mark}{:>11}  ({} – {})  {ratio:.2}",
            cell.peer,
            number(stats.median),
            number(stats.min),
            number(stats.max),
        );
    }
}

/// Three digits where there are few, none after the point where there are many.
pub fn number(figure: f64) -> String {
    if figure.abs() < 100.0 {
        format!("{figure:.2}")
    } else {
        format!("{figure:.0}")
    }
}

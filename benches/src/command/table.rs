//! The table in the terminal.

use super::figures::{Compared, Entry};
use super::{Measured, Row};
use std::fmt::Write;

/// A block for each scenario, a line for each peer, a column for each metric.
pub fn table(measured: &Measured) -> String {
    let mut text = String::from(
        "median of the rounds ± half of what lies between least and most; lower is better\n\
         * the best without the hand-written limit   ~ the rounds lie far apart\n\
         ratios: how many times as much as polyloop, and as the limit\n",
    );
    for row in &measured.rows {
        block(&mut text, row);
    }
    text
}

fn block(text: &mut String, row: &Row) {
    let scenario = row.scenario;
    // Writing to a string does not fail.
    let _ = writeln!(text, "\n{}: {}", scenario.name, scenario.about);
    for (number, metric) in scenario.metrics.iter().enumerate() {
        let compared = Compared::of(row, number);
        let rival = compared.rival.map_or(String::new(), |(peer, ratio)| {
            format!(" (the best peer, {peer}: {ratio:.2}× polyloop)")
        });
        let _ = writeln!(text, "  {metric}{rival}");
        for entry in &compared.entries {
            let _ = writeln!(text, "    {}", line(entry));
        }
    }
    for cell in &row.cells {
        if let Some(reason) = &cell.reason {
            let _ = writeln!(text, "    {:<14} {reason}", cell.peer);
        }
    }
}

fn line(entry: &Entry) -> String {
    let best = if entry.best { '*' } else { ' ' };
    let wide = if entry.stats.is_wide() { '~' } else { ' ' };
    let ratio = |ratio: Option<f64>| ratio.map_or(String::new(), |ratio| format!("{ratio:.2}×"));
    format!(
        "{:<14} {best}{wide}{:>10}  ±{:>3.0} %  {:>8} {:>8}",
        entry.peer,
        digits(entry.stats.median),
        entry.stats.spread() * 100.0,
        ratio(entry.of_own),
        ratio(entry.of_limit),
    )
    .trim_end()
    .to_owned()
}

/// Three digits, and no more than that after the point; thousands with commas.
pub fn digits(figure: f64) -> String {
    match figure.abs() {
        size if size < 10.0 => format!("{figure:.2}"),
        size if size < 100.0 => format!("{figure:.1}"),
        _ => thousands(figure),
    }
}

fn thousands(figure: f64) -> String {
    let plain = format!("{:.0}", figure.abs());
    let mut grouped = String::new();
    for (place, digit) in plain.chars().enumerate() {
        if place > 0 && (plain.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if figure < 0.0 {
        format!("-{grouped}")
    } else {
        grouped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(digits(6.666), "6.67");
        assert_eq!(digits(66.66), "66.7");
        assert_eq!(digits(1_234_567.8), "1,234,568");
        assert_eq!(digits(999.6), "1,000");
        assert_eq!(digits(123.0), "123");
    }
}

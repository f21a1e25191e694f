//! The table that a run ends in.

use crate::measure::{Measured, median};

/// Prints a line for each metric of each scenario: each side's median with the
/// least and the most, and how many times the others' is of the first side's.
pub fn print_table(all: &[Measured]) {
    println!("median (min – max) of the rounds; lower is better; the ratio is peer / polyloop\n");
    for measured in all {
        for (metric, what) in measured.scenario.metrics.iter().enumerate() {
            println!("{}: {what}", measured.scenario.name);
            let own = median(&measured.figures[0][metric]);
            for (side, (name, _)) in measured.scenario.sides.iter().enumerate() {
                let figures = &measured.figures[side][metric];
                let middle = median(figures);
                let ratio = if side == 0 {
                    String::new()
                } else {
                    format!("   ratio {:.2}", middle / own)
                };
                println!(
                    "  {name:<10} {:>11}  ({} – {}){ratio}",
                    number(middle),
                    number(*figures.first().unwrap_or(&f64::NAN)),
                    number(*figures.last().unwrap_or(&f64::NAN)),
                );
            }
        }
    }
}

/// Three digits where there are few, none after the point where there are many.
fn number(figure: f64) -> String {
    if figure.abs() < 100.0 {
        format!("{figure:.2}")
    } else {
        format!("{figure:.0}")
    }
}

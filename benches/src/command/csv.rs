//! `results.csv`: every figure of every round.

use super::Measured;
use std::fmt::Write;

/// A line for each figure, and one for each peer that gave none.
pub fn csv(measured: &Measured) -> String {
    let mut text = String::from("scenario,metric,peer,round,figure,reason\n");
    for row in &measured.rows {
        for cell in &row.cells {
            for (round, answer) in cell.answers.iter().enumerate() {
                for (figure, metric) in answer.figures.iter().zip(row.scenario.metrics) {
                    // Writing to a string does not fail.
                    let _ = writeln!(
                        text,
                        "{},{},{},{round},{figure},",
                        row.scenario.name,
                        quoted(metric),
                        cell.peer,
                    );
                }
            }
            if let Some(reason) = &cell.reason {
                let (name, reason) = (row.scenario.name, quoted(reason));
                let _ = writeln!(text, "{name},,{},,,{reason}", cell.peer);
            }
        }
    }
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Cell, Row};
    use crate::scenario;
    use crate::work::Answer;

    #[test]
    fn every_figure_and_every_reason_has_a_line() {
        let cell = |peer, answers, reason: Option<&str>| Cell {
            peer,
            answers,
            reason: reason.map(str::to_owned),
            failure: None,
        };
        let measured = Measured {
            rows: vec![Row {
                scenario: scenario::all()[0],
                cells: vec![
                    cell("a", vec![Answer::of([1.5]), Answer::of([2.5])], None),
                    cell("b", Vec::new(), Some("it has no \"yield\", alas")),
                ],
            }],
            peers: Vec::new(),
            facts: Vec::new(),
        };
        let text = csv(&measured);
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            [
                "yield-1,\"ns a yield\",a,0,1.5,",
                "yield-1,\"ns a yield\",a,1,2.5,",
                "yield-1,,b,,,\"it has no \"\"yield\"\", alas\"",
            ]
        );
    }
}

//! `report.html`: one page with everything, that needs nothing from anywhere.

mod bars;
mod curves;
mod svg;

use crate::command::{Measured, Row};
use curves::{Curve, Scale};
use std::fmt::Write;
use svg::escaped;

/// The page.
pub fn report(measured: &Measured) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>polyloop beside its peers</title>\n<style>{STYLE}</style>\n\
         <main><h1>polyloop beside its peers</h1>\n"
    );
    facts(&mut page, measured);
    contents(&mut page, measured);
    if let Some(plot) = scaling(measured) {
        let _ = write!(
            page,
            "<section id=\"scaling\"><h2>Scaling</h2>\n<p>Requests that are computed a second, \
             by loops, as a multiple of what one loop of polyloop does.</p>\n{plot}</section>\n"
        );
    }
    for row in &measured.rows {
        section(&mut page, measured, row);
    }
    page.push_str("</main></html>\n");
    page
}

/// Machine, date, command; who took part.
fn facts(page: &mut String, measured: &Measured) {
    // Writing to a string does not fail.
    let _ = writeln!(page, "<dl>");
    for (name, value) in &measured.facts {
        let _ = writeln!(
            page,
            "<dt>{}</dt><dd>{}</dd>",
            escaped(name),
            escaped(value)
        );
    }
    let _ = writeln!(
        page,
        "</dl>\n<p>Lower is better, everywhere. A bar is the median of the rounds, its whisker \
         reaches from the least to the most; ~ marks rounds that lie far apart. Ratios are \
         medians of the rounds' ratios.</p>\n<details><summary>Who took part</summary><dl>"
    );
    for (peer, about) in &measured.peers {
        let _ = writeln!(
            page,
            "<dt>{}</dt><dd>{}</dd>",
            escaped(peer),
            escaped(about)
        );
    }
    let _ = writeln!(page, "</dl></details>");
}

fn contents(page: &mut String, measured: &Measured) {
    let _ = write!(page, "<nav>");
    for row in &measured.rows {
        let name = row.scenario.name;
        let _ = write!(page, "<a href=\"#{name}\">{name}</a> ");
    }
    let _ = writeln!(page, "</nav>");
}

fn section(page: &mut String, measured: &Measured, row: &Row) {
    let scenario = row.scenario;
    let _ = writeln!(
        page,
        "<section id=\"{}\"><h2>{}</h2>\n<p>{}</p>",
        scenario.name,
        scenario.name,
        escaped(scenario.about)
    );
    for (number, metric) in scenario.metrics.iter().enumerate() {
        let plot = bars::bars(row, number);
        let _ = writeln!(page, "<h3>{}</h3>\n{plot}", escaped(metric));
    }
    if let Some(plot) = distribution(measured, row) {
        let _ = writeln!(page, "<h3>How the durations are distributed</h3>\n{plot}");
    }
    let reasons = row
        .cells
        .iter()
        .filter_map(|cell| Some((cell.peer, cell.reason.as_ref()?)));
    for (peer, reason) in reasons {
        let _ = writeln!(page, "<p class=\"without\">{peer}: {}</p>", escaped(reason));
    }
    let _ = writeln!(page, "</section>");
}

/// Everybody's quantiles: the median of the rounds at each.
fn distribution(measured: &Measured, row: &Row) -> Option<String> {
    let curves: Vec<Curve> = row
        .cells
        .iter()
        .filter_map(|cell| {
            let rounds: Vec<_> = cell
                .answers
                .iter()
                .map(|answer| &answer.quantiles)
                .collect();
            let first = rounds.first().filter(|first| !first.is_empty())?;
            let points = first.iter().enumerate().map(|(place, (quantile, _))| {
                let mut nanos: Vec<u64> = rounds.iter().map(|round| round[place].1).collect();
                nanos.sort_unstable();
                (*quantile, nanos[nanos.len() / 2] as f64)
            });
            Some(Curve {
                peer: cell.peer,
                colour: colour(measured, cell.peer),
                points: points.collect(),
            })
        })
        .collect();
    let title = format!(
        "{}: nanoseconds by share of the durations",
        row.scenario.name
    );
    (!curves.is_empty()).then(|| curves::plot(&title, &curves, &Scale::quantiles(&curves)))
}

/// The scenarios `cores-N` as lines; `None` if there are fewer than two.
fn scaling(measured: &Measured) -> Option<String> {
    let loops = |row: &Row| {
        row.scenario
            .name
            .strip_prefix("cores-")?
            .parse::<f64>()
            .ok()
    };
    let rows = measured
        .rows
        .iter()
        .filter_map(|row| Some((loops(row)?, row)));
    let rows: Vec<(f64, &Row)> = rows.collect();
    let median = |row: &Row, peer| {
        let cell = row.cells.iter().find(|cell| cell.peer == peer)?;
        (!cell.answers.is_empty()).then(|| crate::command::Stats::of(&cell.figures(0)).median)
    };
    let one = median(rows.first()?.1, "polyloop")?;
    let curves: Vec<Curve> = measured
        .peers
        .iter()
        .filter_map(|(peer, _)| {
            let points = rows
                .iter()
                .filter_map(|(loops, row)| Some((*loops, one / median(row, peer)?)));
            let points: Vec<_> = points.collect();
            (points.len() > 1).then_some(Curve {
                peer,
                colour: colour(measured, peer),
                points,
            })
        })
        .collect();
    let title = "Scaling: requests a second by loops";
    (!curves.is_empty()).then(|| curves::plot(title, &curves, &Scale::loops(&curves)))
}

/// The class of a peer's colour.
fn colour(measured: &Measured, peer: &str) -> usize {
    let mut peers = measured.peers.iter();
    peers.position(|(known, _)| *known == peer).unwrap_or(0) % COLOURS
}

/// As many as the style sheet has.
const COLOURS: usize = 12;

const STYLE: &str = include_str!("style.css");

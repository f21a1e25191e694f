//! One line of a terminal that says what goes on and how long it still takes.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How many cells the bar has.
const CELLS: usize = 30;

/// A bar with the time left, on standard error; silent where that is no
/// terminal.
#[derive(Debug)]
pub struct Progress {
    began: Instant,
    /// What is to be done, in the unit of `done`.
    all: f64,
    done: f64,
    shown: bool,
}

impl Progress {
    /// Begins now, with so much to do.
    pub fn new(all: f64) -> Self {
        Self {
            began: Instant::now(),
            all,
            done: 0.0,
            shown: std::io::stderr().is_terminal(),
        }
    }

    /// Says what goes on.
    pub fn show(&self, what: &str) {
        if self.shown {
            let line = line(self.share(), self.began.elapsed(), what);
            // Nobody is left to tell when standard error is closed.
            let _ = write!(std::io::stderr(), "\r\x1b[K{line}");
        }
    }

    /// So much more is done.
    pub fn did(&mut self, amount: f64) {
        self.done += amount;
    }

    /// Takes the line away.
    pub fn end(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }

    fn share(&self) -> f64 {
        (self.done / self.all).clamp(0.0, 1.0)
    }
}

fn line(share: f64, elapsed: Duration, what: &str) -> String {
    let full = (share * CELLS as f64) as usize;
    let bar = "█".repeat(full) + &"░".repeat(CELLS - full);
    // The first moments say nothing about the rest.
    let left = if share > 0.01 {
        let left = elapsed.mul_f64((1.0 - share) / share).as_secs();
        format!("{}:{:02} left", left / 60, left % 60)
    } else {
        "…".to_owned()
    };
    format!("{bar} {:>3.0} % {left}  {what}", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_much_is_left() {
        let line = line(0.5, Duration::from_secs(75), "yield-1");
        assert!(line.ends_with(" 50 % 1:15 left  yield-1"), "{line}");
        assert_eq!(line.matches('█').count(), line.matches('░').count());
    }

    #[test]
    fn the_ends_of_the_bar_are_whole() {
        let empty = line(0.0, Duration::ZERO, "");
        assert_eq!(
            (empty.matches('░').count(), empty.contains("left")),
            (CELLS, false)
        );
        let full = line(1.0, Duration::from_secs(9), "");
        assert!(full.contains("0:00 left") && full.matches('█').count() == CELLS);
    }
}

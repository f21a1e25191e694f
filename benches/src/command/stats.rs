//! What becomes of the rounds' figures.

/// One metric of one peer, over the rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stats {
    /// The middle one.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

/// A spread beyond this is marked.
const WIDE: f64 = 0.15;

impl Stats {
    /// Of at least one figure.
    pub fn of(figures: &[f64]) -> Self {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self {
            median: median(&sorted),
            min: *sorted.first().unwrap_or(&f64::NAN),
            max: *sorted.last().unwrap_or(&f64::NAN),
        }
    }

    /// How far the rounds lie apart, as a share of the median: half of the
    /// distance from the least to the most.
    pub fn spread(&self) -> f64 {
        if self.median == 0.0 {
            return 0.0;
        }
        (self.max - self.min) / 2.0 / self.median
    }

    /// Is the spread too wide for the figure to be taken at its word?
    pub fn is_wide(&self) -> bool {
        self.spread() > WIDE
    }
}

/// The middle one of sorted figures; the mean of the two in the middle.
fn median(sorted: &[f64]) -> f64 {
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// The median of ratios, round by round: what disturbed a whole round disturbed
/// both sides of its pair.
pub fn ratio(figures: &[f64], base: &[f64]) -> f64 {
    let mut pairs: Vec<f64> = figures
        .iter()
        .zip(base)
        .map(|(figure, base)| figure / base)
        .collect();
    pairs.sort_by(f64::total_cmp);
    median(&pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(Stats::of(&[9.0, 1.0, 2.0]).median, 2.0);
        assert_eq!(Stats::of(&[1.0, 9.0, 2.0, 4.0]).median, 3.0);
        assert!(Stats::of(&[]).median.is_nan());
    }

    #[test]
    fn rounds_far_apart_are_wide() {
        assert!(!Stats::of(&[100.0, 105.0, 110.0]).is_wide());
        assert!(Stats::of(&[100.0, 105.0, 200.0]).is_wide());
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The second round was twice as slow for both.
        assert_eq!(ratio(&[10.0, 20.0, 10.0], &[5.0, 10.0, 5.0]), 2.0);
    }
}

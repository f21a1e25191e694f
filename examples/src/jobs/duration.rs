//! Durations as people write them: `500ms`, `10s`, `1m30s`, `24h`.

use std::time::Duration;

/// Reads a duration made of numbers with a unit: `ms`, `s`, `m`, `h` or `d`.
///
/// Parts may follow each other, with or without a space: `1h 30m`.
///
/// # Errors
///
/// A sentence that says what was expected.
pub fn parse(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(format!("is empty; {EXPECTED}"));
    }
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = count(rest, |c| c.is_ascii_digit());
        let letters = count(&rest[digits..], |c| c.is_ascii_alphabetic());
        let (number, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        let unit_ms = UNITS.iter().find(|(name, _)| *name == unit);
        let (Ok(number), Some((_, unit_ms))) = (number.parse::<u64>(), unit_ms) else {
            return Err(format!("{text:?} is not a duration; {EXPECTED}"));
        };
        let part = number.checked_mul(*unit_ms).map(Duration::from_millis);
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| format!("{text:?} is too long"))?;
        rest = rest[digits + letters..].trim_start();
    }
    Ok(total)
}

/// Writes a duration the way [`parse`] reads it, leaving out what is zero.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut rest_ms = duration.as_millis();
    if rest_ms == 0 {
        return "0ms".to_owned();
    }
    let mut text = String::new();
    for (name, unit_ms) in UNITS.iter().rev() {
        let whole = rest_ms / u128::from(*unit_ms);
        if whole > 0 {
            text.push_str(&format!("{whole}{name}"));
            rest_ms %= u128::from(*unit_ms);
        }
    }
    text
}

fn count(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.find(|c| !wanted(c)).unwrap_or(text.len())
}

const EXPECTED: &str =
    "write a number with its unit, such as \"500ms\", \"10s\", \"5m\", \"1h30m\" or \"1d\"";

/// Units and their length in milliseconds, shortest first.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit_and_their_sums() {
        for (text, ms) in [
            ("1ms", 1),
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            (" 1h 30m ", 5_400_000),
            ("1d", 86_400_000),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_duration() {
        for text in [
            "", " ", "10", "s", "1.5s", "-1s", "10 s", "10sec", "1s;", "٣s",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert!(parse("99999999999999999999s").is_err());
        assert!(
            parse("18446744073709551615d")
                .unwrap_err()
                .contains("too long")
        );
    }

    #[test]
    fn writes_what_it_reads() {
        for text in ["0ms", "1ms", "1s500ms", "2m", "1h30m", "1d"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
    }
}

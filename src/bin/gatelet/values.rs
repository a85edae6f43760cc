//! Values of options.

use gatelet::data::Missing;
use std::ops::Range;

/// A whole number that is not zero.
pub fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count > 0).ok_or_else(|| "expected a whole number, at least 1".into())
}

/// A finite number above zero.
pub fn positive(text: &str) -> Result<f64, String> {
    number(text, |x: f64| x > 0.0 && x.is_finite(), "a number above 0")
}

/// A finite number above zero, or zero for nothing.
pub fn positive_or_zero(text: &str) -> Result<f64, String> {
    number(text, |x: f64| x >= 0.0 && x.is_finite(), "a number above 0, or 0 for none")
}

/// A part of the whole that is neither nothing nor all.
pub fn fraction(text: &str) -> Result<f64, String> {
    number(text, |x| x > 0.0 && x < 1.0, "a fraction above 0 and below 1, such as 0.2")
}

/// A number from zero to below one.
pub fn momentum(text: &str) -> Result<f32, String> {
    number(text, |x| (0.0..1.0).contains(&x), "a number from 0 to below 1, such as 0.9")
}

/// A part of the whole that may be nothing.
pub fn share(text: &str) -> Result<f64, String> {
    number(text, |x| (0.0..1.0).contains(&x), "a number from 0 to below 1, such as 0.2")
}

fn number<T: std::str::FromStr + Copy>(text: &str, fits: impl Fn(T) -> bool, what: &str) -> Result<T, String> {
    text.parse().ok().filter(|&x| fits(x)).ok_or_else(|| format!("expected {what}"))
}

/// What to do about missing cells.
pub fn missing(text: &str) -> Result<Missing, String> {
    match text {
        "error" => Ok(Missing::Error),
        "previous" => Ok(Missing::Previous),
        "drop" => Ok(Missing::Drop),
        _ => Err("expected error, previous or drop".into()),
    }
}

/// A range of rows such as `0..20000`, the end excluded.
pub fn row_range(text: &str) -> Result<Range<usize>, String> {
    let parsed = text.split_once("..").and_then(|(start, end)| Some(start.parse().ok()?..end.parse().ok()?));
    match parsed {
        Some(range) if !range.is_empty() => Ok(range),
        _ => Err("expected the first row and the row behind the last one, such as 20000..26000".into()),
    }
}

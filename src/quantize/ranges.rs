//! What is known of the numbers between layers.

use serde::{Deserialize, Serialize};

/// How the range of int16 numbers is found from the numbers that calibration data give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ranges {
    /// All of these; the one that gives outputs nearest to single precision's. With every kind of range, weights are rounded in
    /// several ways, and the best is taken.
    #[default]
    Auto,
    /// No number of the calibration is cut off.
    MinMax,
    /// One in ten thousand is.
    Percentile,
    /// As many as make the mean squared error least.
    MeanSquare,
}

impl Ranges {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Ranges::Auto => "auto",
            Ranges::MinMax => "min-max",
            Ranges::Percentile => "percentile",
            Ranges::MeanSquare => "mean-square",
        }
    }
}

/// Sizes of numbers, in steps of an eighth of an octave.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    largest: f64,
    /// How many numbers are of a size from 2^(i/8 - 64) on.
    counts: Vec<u64>,
    count: u64,
}

const STEPS: f64 = 8.0;
const LEAST: f64 = -64.0;

impl Sizes {
    pub(super) fn of<'a>(numbers: impl IntoIterator<Item = &'a f32>) -> Self {
        let mut sizes = Sizes { largest: 0.0, counts: vec![0; 1024], count: 0 };
        for &x in numbers {
            let size = f64::from(x.abs());
            sizes.largest = sizes.largest.max(size);
            sizes.count += 1;
            let step = ((size.log2() - LEAST) * STEPS).clamp(0.0, 1023.0);
            sizes.counts[step as usize] += 1;
        }
        sizes
    }

    pub(super) fn largest(&self) -> f64 {
        self.largest
    }

    /// The most fraction bits, 15 at most, with which a number of 16 bits holds so large ones.
    fn bits_for(largest: f64) -> Option<i32> {
        (0..=15).rev().find(|&bits| largest * 2f64.powi(bits) <= 32_767.5)
    }

    /// Fraction bits, from 0 to 15; `None` if the range does not allow any.
    pub(super) fn fraction_bits(&self, ranges: Ranges) -> Option<i32> {
        let all = Self::bits_for(self.largest)?;
        let size = |step: usize| 2f64.powf(LEAST + (step as f64 + 0.5) / STEPS);
        Some(match ranges {
            Ranges::Auto | Ranges::MinMax => all,
            Ranges::Percentile => {
                let mut beyond = 0;
                let cut = self.counts.iter().rposition(|count| {
                    beyond += count;
                    beyond * 10_000 > self.count
                });
                cut.and_then(|step| Self::bits_for(size(step).min(self.largest))).unwrap_or(all)
            }
            Ranges::MeanSquare => {
                let error = |bits: i32| -> f64 {
                    let unit = 2f64.powi(-bits);
                    let of = |step: usize| (size(step) - 32_767.0 * unit).max(0.0).powi(2).max(unit * unit / 12.0);
                    self.counts.iter().enumerate().map(|(step, &count)| count as f64 * of(step)).sum()
                };
                (all..=15).min_by(|&a, &b| error(a).total_cmp(&error(b))).unwrap_or(all)
            }
        })
    }
}

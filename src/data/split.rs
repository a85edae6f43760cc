//! Splitting a data set into a part to train on and a part to keep for validation or test.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{DataError, Dataset, Series};

/// Every split returns (rest, chosen), each in the order of the whole, neither empty.
///
/// Windows next to a cut between rows share input rows, but never the row of the last target.
impl Dataset {
    /// Chooses the series of the given groups.
    ///
    /// # Errors
    /// If a group does not exist or either side would be empty.
    pub fn split_groups(self, groups: &[String]) -> Result<(Self, Self), DataError> {
        let known: BTreeSet<_> = self.series.iter().filter_map(Series::group).collect();
        if known.is_empty() {
            return Err(DataError::NoGroups);
        }
        if let Some(unknown) = groups.iter().find(|group| !known.contains(group.as_str())) {
            let known = super::labels::in_order(known.into_iter().map(String::from).collect());
            return Err(DataError::UnknownGroup { group: unknown.clone(), known });
        }
        self.split(|_, series| series.group().is_some_and(|group| groups.iter().any(|g| g == group)))
    }

    /// Chooses the series whose [`Series::row`] is in `rows`.
    ///
    /// # Errors
    /// If either side would be empty.
    pub fn split_rows(self, rows: Range<usize>) -> Result<(Self, Self), DataError> {
        self.split(|_, series| rows.contains(&series.row()))
    }

    /// Chooses the given fraction of the recordings at random, the same for the same `seed`. All windows of a recording
    /// go to one side, since they overlap. Of a single recording the last fraction of its windows is chosen instead.
    ///
    /// # Errors
    /// If `fraction` is not between 0 and 1 or either side would be empty.
    pub fn split_fraction(self, fraction: f64, seed: u64) -> Result<(Self, Self), DataError> {
        if !(fraction > 0.0 && fraction < 1.0) {
            return Err(DataError::Fraction { fraction });
        }
        let part = |of: usize| (fraction * of as f64).round() as usize;
        let (sources, source_count) = sources(&self.series);
        if source_count == 1 {
            let rest = self.series.len() - part(self.series.len());
            return self.split(|at, _| at >= rest);
        }
        let mut order: Vec<_> = (0..source_count).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let chosen: BTreeSet<_> = order.into_iter().take(part(source_count)).collect();
        self.split(|at, _| sources.get(at).is_some_and(|source| chosen.contains(source)))
    }

    fn split(self, choose: impl Fn(usize, &Series) -> bool) -> Result<(Self, Self), DataError> {
        let Self { features, targets, series, skipped } = self;
        let (mut rest, mut chosen) = (Vec::new(), Vec::new());
        for (at, series) in series.into_iter().enumerate() {
            let side = if choose(at, &series) { &mut chosen } else { &mut rest };
            side.push(series);
        }
        if rest.is_empty() || chosen.is_empty() {
            return Err(DataError::EmptySide { rest: rest.len(), chosen: chosen.len() });
        }
        let rest = Self { features: features.clone(), targets: targets.clone(), series: rest, skipped };
        Ok((rest, Self { features, targets, series: chosen, skipped: 0 }))
    }
}

/// The number of the recording every series is from, and how many there are.
fn sources(series: &[Series]) -> (Vec<usize>, usize) {
    // Windows of one recording, and only they, share its rows.
    let mut numbers = HashMap::new();
    let sources = series
        .iter()
        .map(|series| {
            let next = numbers.len();
            *numbers.entry(Arc::as_ptr(&series.recording)).or_insert(next)
        })
        .collect();
    (sources, numbers.len())
}

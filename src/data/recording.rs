//! From whole recordings to series: decimation, horizon and windows.

use std::path::Path;
use std::sync::Arc;

use super::series::Target;
use super::{DataError, Dataset, Options, Series, Targets};

/// The rows of one recording, as a file has them.
pub(super) struct Recording {
    pub name: Arc<str>,
    /// (rows, features)
    pub inputs: Vec<f32>,
    /// The number of every row in the file.
    pub rows: Vec<usize>,
    /// The group of every row, or nothing.
    pub groups: Vec<Arc<str>>,
    pub target: Target,
}

/// The data set that `options` cut from the recordings. There is at least one feature.
pub(super) fn cut(
    path: &Path,
    features: Vec<String>,
    targets: Targets,
    recordings: Vec<Recording>,
    options: &Options,
) -> Result<Dataset, DataError> {
    // Without a target nothing is needed ahead of the inputs.
    let horizon = if targets == Targets::None { 0 } else { options.horizon };
    let mut series = Vec::new();
    let mut skipped = 0;
    let mut longest = 0;
    for recording in recordings {
        let recording = recording.decimate(options.decimate, features.len());
        longest = longest.max(recording.rows.len());
        let steps = recording.rows.len().saturating_sub(horizon);
        let window = options.window.unwrap_or(steps);
        if window == 0 || window > steps {
            skipped += 1;
        } else {
            recording.windows(features.len(), window, horizon, options.stride, &mut series);
        }
    }
    if series.is_empty() {
        return Err(DataError::NoWindow { path: path.into(), longest, window: options.window.unwrap_or(1), horizon });
    }
    Ok(Dataset { features, targets, series, skipped })
}

impl Recording {
    fn decimate(self, factor: usize, features: usize) -> Self {
        if factor == 1 {
            return self;
        }
        Self {
            name: self.name,
            inputs: every(factor, features, &self.inputs),
            rows: every(factor, 1, &self.rows),
            groups: every(factor, 1, &self.groups),
            target: match self.target {
                Target::Classes { all, .. } => Target::classes(every(factor, 1, &all)),
                Target::ValuesPerStep { dim, all, .. } => Target::values_per_step(dim, every(factor, dim, &all)),
                whole => whole,
            },
        }
    }

    /// Appends the windows that have a row for every target; at least `window + horizon` rows exist.
    fn windows(self, features: usize, window: usize, horizon: usize, stride: usize, series: &mut Vec<Series>) {
        let recording: Arc<[f32]> = self.inputs.into();
        let last_rows = self.rows.iter().enumerate().skip(window + horizon - 1).step_by(stride);
        for (last, &row) in last_rows {
            let ahead = last + 1 - window..last + 1;
            series.push(Series {
                name: self.name.clone(),
                group: self.groups.get(last).cloned(),
                row,
                features,
                recording: recording.clone(),
                range: (ahead.start - horizon) * features..(ahead.end - horizon) * features,
                target: self.target.rows(ahead),
            });
        }
    }
}

/// Every `factor`-th row of `width` values, from the first on.
fn every<T: Clone>(factor: usize, width: usize, values: &[T]) -> Vec<T> {
    values.chunks_exact(width).step_by(factor).flatten().cloned().collect()
}

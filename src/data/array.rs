//! A `.npy` array as a data set.

use std::ops::Range;
use std::path::Path;

use super::columns::{channel_names, select_channels};
use super::options::refuse;
use super::recording::{Recording, cut};
use super::segments::{Segment, read_index, read_labels, refuse_columns};
use super::series::Target;
use super::{Array, DataError, Dataset, Missing, Options, Targets, read_npy};

pub(super) fn read(path: &Path, options: &Options, with_targets: bool) -> Result<Dataset, DataError> {
    let set = [("missing", options.missing != Missing::Error)];
    refuse(&set, "a .npy file has no empty cells; replace NaN before saving the array")?;
    let mut options = options.clone();
    if !with_targets {
        options.label = None;
        options.target.clear();
    }
    let array = read_npy(path)?;
    let shape_error = |expected: &str| {
        Err(DataError::Shape { path: path.into(), shape: array.shape.clone(), expected: expected.into() })
    };
    if array.values.is_empty() {
        return shape_error("at least one value");
    }

    let channels = channel_names(array.shape.last().copied().unwrap_or_default());
    let ((mut targets, segments), rows_per_number) = match *array.shape {
        [rows, _] => {
            let set = [("labels", options.labels.is_some())];
            refuse(&set, "it goes with a 3-D array; describe the series of a 2-D one by an `index`")?;
            let segments = match &options.index {
                Some(index) => read_index(index, rows, &channels, &options)?,
                None => {
                    refuse_columns(&options, "a 2-D array has such columns in its `index`; give the index too")?;
                    let name = path.file_stem().unwrap_or_default().to_string_lossy();
                    (Targets::None, vec![Segment::new(&name, 0..rows)])
                }
            };
            (segments, 1)
        }
        [series, steps, _] => {
            let set = [("index", options.index.is_some())];
            refuse(&set, "it goes with a 2-D array; describe the series of a 3-D one by `labels`")?;
            if options.labels.is_none() {
                refuse_columns(&options, "a 3-D array has such columns in a CSV file of `labels`; give it too")?;
            }
            let segments = match &options.labels {
                Some(labels) if with_targets => read_labels(labels, series, steps, &channels, &options)?,
                _ => (Targets::None, (0..series).map(|at| Segment::of_batch(at, steps)).collect()),
            };
            (segments, steps)
        }
        _ => return shape_error("(rows, features) or (series, time steps, features)"),
    };
    let selected = select_channels(path, &channels, &options.features)?;
    // The targets that no table has are channels.
    let mut target_channels = Vec::new();
    if targets == Targets::None && !options.target.is_empty() {
        target_channels = select_channels(path, &channels, &options.target)?;
        targets = Targets::Values(options.target.clone());
    }

    let mut recordings = Vec::with_capacity(segments.len());
    for Segment { name, group, rows, target } in segments {
        recordings.push(Recording {
            name,
            inputs: gather(path, &array, rows.clone(), &selected)?,
            rows: rows.clone().map(|row| row / rows_per_number).collect(),
            groups: group.map_or(Vec::new(), |group| vec![group; rows.len()]),
            target: match target_channels.len() {
                0 => target,
                dim => Target::values_per_step(dim, gather(path, &array, rows, &target_channels)?),
            },
        });
    }
    let features = selected.into_iter().filter_map(|channel| channels.get(channel).cloned()).collect();
    cut(path, features, targets, recordings, &options)
}

/// Some channels of some rows, time-major.
fn gather(path: &Path, array: &Array, rows: Range<usize>, channels: &[usize]) -> Result<Vec<f32>, DataError> {
    let width = array.shape.last().copied().unwrap_or_default();
    let mut gathered = Vec::with_capacity(rows.len() * channels.len());
    for row in rows {
        for &channel in channels {
            let at = row * width + channel;
            match array.values.get(at) {
                Some(value) if value.is_finite() => gathered.push(*value),
                value => {
                    return Err(DataError::ArrayValue {
                        path: path.into(),
                        at: array.position(at),
                        value: value.copied().unwrap_or(f32::NAN),
                        expected: "a finite number",
                    });
                }
            }
        }
    }
    Ok(gathered)
}

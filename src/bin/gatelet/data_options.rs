//! Options that say how data are read.

use crate::failure::{Failure, note};
use clap::Args;
use gatelet::data::{self, DataError, Dataset, Missing};
use gatelet::network::{Model, Provenance};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// How to read data.
#[derive(Args, Default)]
#[command(next_help_heading = "Reading data")]
pub struct DataOptions {
    /// Columns that are the network's inputs (default: all that are not used otherwise)
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    pub features: Option<Vec<String>>,
    /// Column with the class label
    #[arg(long, value_name = "COLUMN", conflicts_with = "target")]
    pub label: Option<String>,
    /// Columns whose numbers are to be predicted
    #[arg(long, value_delimiter = ',', value_name = "COLUMNS")]
    pub target: Option<Vec<String>>,
    /// Predict the target this many rows ahead
    #[arg(long, value_name = "ROWS")]
    pub horizon: Option<usize>,
    /// Column that names the series a row belongs to (default: the file is one series)
    #[arg(long, value_name = "COLUMN")]
    pub series: Option<String>,
    /// Column that names the group a series or row belongs to, for splits by group
    #[arg(long, value_name = "COLUMN")]
    pub group: Option<String>,
    /// Cut series into windows of this many rows
    #[arg(long, value_name = "ROWS")]
    pub window: Option<usize>,
    /// Rows from one window's start to the next one's
    #[arg(long, value_name = "ROWS")]
    pub stride: Option<usize>,
    /// Keep every k-th row
    #[arg(long, value_name = "K")]
    pub decimate: Option<usize>,
    /// What to do about missing cells: error, previous (row's value), drop (the row)
    #[arg(long, value_name = "HOW", value_parser = missing)]
    pub missing: Option<Missing>,
    /// CSV file that says which rows of a 2-D .npy file are which series
    #[arg(long, value_name = "FILE")]
    pub index: Option<PathBuf>,
    /// Labels or target values of the series of a 3-D .npy file (.npy or .csv)
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
}

fn missing(text: &str) -> Result<Missing, String> {
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

impl DataOptions {
    /// What is given here, and `stored` for what is not.
    pub fn over(&self, stored: &data::Options) -> data::Options {
        let mut options = stored.clone();
        let DataOptions { features, label, target, horizon, series, group, window, stride, decimate, .. } = self;
        replace(&mut options.features, features);
        replace(&mut options.horizon, horizon);
        replace(&mut options.stride, stride);
        replace(&mut options.decimate, decimate);
        replace(&mut options.missing, &self.missing);
        // A label in place of a target, and the other way round.
        if label.is_some() || target.is_some() {
            options.label.clone_from(label);
            options.target = target.clone().unwrap_or_default();
        }
        for (to, from) in [(&mut options.series, series), (&mut options.group, group)] {
            if from.is_some() {
                to.clone_from(from);
            }
        }
        for (to, from) in [(&mut options.index, &self.index), (&mut options.labels, &self.labels)] {
            if from.is_some() {
                to.clone_from(from);
            }
        }
        if window.is_some() {
            options.window = *window;
        }
        options
    }
}

fn replace<T: Clone>(to: &mut T, from: &Option<T>) {
    if let Some(from) = from {
        to.clone_from(from);
    }
}

/// The data that `model` is to be evaluated on: those kept out of its training if there are any and not `all` are wanted.
pub fn read_for_evaluation(model: &Model, path: &Path, options: &DataOptions, all: bool) -> Result<Dataset, Failure> {
    let provenance = model.metadata.data.clone().unwrap_or_default();
    let data = data::read(path, &options.over(&stored_for(&provenance, path)))?;
    let data = if model.labels.is_empty() { data } else { data.with_classes_of(&model.labels)? };
    if all || (provenance.test_groups.is_empty() && provenance.test_rows.is_none()) {
        return Ok(data);
    }
    let (_, test) = split_test(data, &provenance).map_err(|error| {
        Failure::Failed(format!(
            "{error}\nthe model's training kept a part of its data for the test; add --all to evaluate on the whole file"
        ))
    })?;
    note("evaluating on the part that training kept for the test; --all takes the whole file");
    Ok(test)
}

/// The options of training as far as they can apply to this kind of file.
pub fn stored_for(provenance: &Provenance, path: &Path) -> data::Options {
    let extension = |path: &Path| path.extension().map(|extension| extension.to_ascii_lowercase());
    let stored = &provenance.options;
    if extension(path) == extension(Path::new(&provenance.file)) {
        stored.clone()
    } else {
        // Columns of another kind of file mean nothing in this one.
        data::Options::default()
    }
}

/// (rest, test) as the provenance says.
pub fn split_test(data: Dataset, provenance: &Provenance) -> Result<(Dataset, Dataset), DataError> {
    match &provenance.test_rows {
        Some(rows) => data.split_rows(rows.clone()),
        None => data.split_groups(&provenance.test_groups),
    }
}

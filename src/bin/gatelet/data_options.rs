//! Options that say how data are read.

use crate::values::{count, missing};
use clap::Args;
use gatelet::data::{Missing, Options};
use std::path::PathBuf;

/// How to read data.
#[derive(Args)]
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
    #[arg(long, value_name = "ROWS", value_parser = count)]
    pub window: Option<usize>,
    /// Rows from one window's start to the next one's
    #[arg(long, value_name = "ROWS", value_parser = count)]
    pub stride: Option<usize>,
    /// Keep every k-th row
    #[arg(long, value_name = "K", value_parser = count)]
    pub decimate: Option<usize>,
    /// What to do about missing cells: error, previous (take the row before's), drop (the row)
    #[arg(long, value_name = "HOW", value_parser = missing)]
    pub missing: Option<Missing>,
    /// CSV file that says which rows of a 2-D .npy file are which series
    #[arg(long, value_name = "FILE")]
    pub index: Option<PathBuf>,
    /// Labels or target values of the series of a 3-D .npy file (.npy or .csv)
    #[arg(long, value_name = "FILE")]
    pub labels: Option<PathBuf>,
}

impl DataOptions {
    /// What is given here, and `stored` for what is not.
    pub fn over(&self, stored: &Options) -> Options {
        let or_stored = |given: &Option<_>, stored: &Option<_>| given.clone().or_else(|| stored.clone());
        // A label in place of a target, and the other way round.
        let (label, target) = match (&self.label, &self.target) {
            (None, None) => (stored.label.clone(), stored.target.clone()),
            (label, target) => (label.clone(), target.clone().unwrap_or_default()),
        };
        Options {
            features: self.features.clone().unwrap_or_else(|| stored.features.clone()),
            label,
            target,
            series: or_stored(&self.series, &stored.series),
            group: or_stored(&self.group, &stored.group),
            horizon: self.horizon.unwrap_or(stored.horizon),
            window: self.window.or(stored.window),
            stride: self.stride.unwrap_or(stored.stride),
            decimate: self.decimate.unwrap_or(stored.decimate),
            missing: self.missing.unwrap_or(stored.missing),
            index: self.index.clone().or_else(|| stored.index.clone()),
            labels: self.labels.clone().or_else(|| stored.labels.clone()),
        }
    }
}

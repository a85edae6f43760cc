//! How to read a file: which columns mean what, and how recordings are cut into series.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::DataError;

/// How a data file is read. Kept in the model file, so that evaluation reads data as training did.
///
/// Rows are used in this order: rows with [missing](Options::missing) cells are filled or dropped, then every
/// [`decimate`](Options::decimate)-th row is kept, then [`horizon`](Options::horizon) and
/// [`window`](Options::window) count in the rows that are left.
///
/// An option that has no meaning for a file is an error rather than ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Columns that are the network's inputs, in this order. Empty: every column not used otherwise.
    ///
    /// The channels of a `.ts` or `.npy` file are named `x0`, `x1`, …; `0`, `1`, … mean the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Column with the class label: any text. Excludes [`target`](Options::target).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Columns whose numbers are to be predicted. Excludes [`label`](Options::label). May name features too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    /// Column that names the series a row belongs to. Rows of one series need not be adjacent; they are taken in file
    /// order. Without it a CSV file is one series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub series: Option<String>,
    /// Column whose text is the group (subject, month, machine …) a series belongs to, for [`super::Dataset::split_groups`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The target is taken this many rows ahead of the inputs, within the same series. 0: from the same row.
    #[serde(skip_serializing_if = "is_zero")]
    pub horizon: usize,
    /// Cuts every recording into series of this many rows. Without it a recording is one series.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Rows from the start of one window to the start of the next; needs [`window`](Options::window).
    #[serde(skip_serializing_if = "is_one")]
    pub stride: usize,
    /// Keeps every k-th row of a recording, from the first on. It picks rows, it does not average them: filter first
    /// what is faster than half the new rate.
    #[serde(skip_serializing_if = "is_one")]
    pub decimate: usize,
    /// What to do about missing cells.
    #[serde(skip_serializing_if = "is_error")]
    pub missing: Missing,
    /// For a 2-D `.npy` file: a CSV file with one series per row, whose columns `row_start` (0-based) and `rows` say
    /// where the series is in the array; `label`, `target`, `series` and `group` name columns of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<PathBuf>,
    /// For a 3-D `.npy` file (series, time, features), its labels, in the order of the series: a 1-D `.npy` file of class
    /// numbers, a 2-D one of target values (series, values), a 3-D one (series, time, values), or a CSV file with one
    /// row per series, of which `label`, `target`, `series` and `group` name columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
}

/// What to do about a cell that is empty or `NA` (`?` in a `.ts` file).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Fail, and say where the cell is.
    #[default]
    Error,
    /// Take the value of the row before, in the same series. Rows at the start of a series that have no such value are
    /// dropped.
    Previous,
    /// Leave out the whole row.
    Drop,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            features: Vec::new(),
            label: None,
            target: Vec::new(),
            series: None,
            group: None,
            horizon: 0,
            window: None,
            stride: 1,
            decimate: 1,
            missing: Missing::Error,
            index: None,
            labels: None,
        }
    }
}

impl Options {
    /// Refuses what cannot be meant, whatever the file.
    pub(super) fn check(&self) -> Result<(), DataError> {
        let problem = |option, problem: &str| Err(DataError::Option { option, problem: problem.into() });
        if self.label.is_some() && !self.target.is_empty() {
            return problem("label", "it excludes `target`: give a class column or value columns, not both");
        }
        if self.window == Some(0) {
            return problem("window", "it is 0, but a window has at least one row");
        }
        if self.stride == 0 {
            return problem("stride", "it is 0, but windows start at least one row apart");
        }
        if self.stride != 1 && self.window.is_none() {
            return problem(
                "stride",
                "it is the distance of windows, but there is no `window`: give its length in rows",
            );
        }
        if self.decimate == 0 {
            return problem("decimate", "it is 0, but it keeps every k-th row: give 1 to keep all");
        }
        Ok(())
    }
}

/// Refuses options that are set although a file like this has no use for them.
pub(super) fn refuse(set: &[(&'static str, bool)], reason: &str) -> Result<(), DataError> {
    match set.iter().find(|(_, is_set)| *is_set) {
        Some((option, _)) => Err(DataError::Option { option, problem: reason.into() }),
        None => Ok(()),
    }
}

fn is_zero(value: &usize) -> bool {
    *value == 0
}

fn is_one(value: &usize) -> bool {
    *value == 1
}

fn is_error(missing: &Missing) -> bool {
    *missing == Missing::Error
}

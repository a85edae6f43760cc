//! Data for a model that is trained: read as its training read them, unless options say otherwise.

use crate::data_options::DataOptions;
use crate::failure::Failure;
use crate::output::note;
use gatelet::data::{self, DataError, Dataset, Options, Targets};
use gatelet::network::{Model, Provenance};
use gatelet::train::TrainError;
use std::path::{Path, PathBuf};

/// The data that `model` is to be evaluated on: of the file it was trained on, the part that was kept for the test, if there
/// is one and not `all` are wanted.
pub fn read_for_evaluation(model: &Model, path: &Path, given: &DataOptions, all: bool) -> Result<Dataset, Failure> {
    let provenance = model.metadata.data.clone().unwrap_or_default();
    let options = Stored { provenance: &provenance, path, given, with_targets: true }.options()?;
    let data = data::read(path, &options)?;
    check_features(model, &data)?;
    let data = match (&data.targets, model.labels.is_empty()) {
        (Targets::Classes(_), false) => data.with_classes_of(&model.labels)?,
        (Targets::Values(_), true) => data,
        (_, is_regression) => {
            let what = if is_regression {
                "values: name their columns with --target"
            } else {
                "classes: name their column with --label"
            };
            let labels = if has_extension(path, "npy") { ", or their file with --labels" } else { "" };
            let path = path.display();
            return Err(Failure::Failed(format!("{path}: no targets to compare with; the model gives {what}{labels}")));
        }
    };
    let has_test = !provenance.test_groups.is_empty() || provenance.test_rows.is_some();
    if !is_training_file(&provenance, path) {
        return Ok(data);
    }
    if all || !has_test {
        note("the model was trained on data of a file of this name; new data tell more");
        return Ok(data);
    }
    let (_, test) = split_test(data, &provenance).map_err(|error| {
        Failure::Failed(format!(
            "{error}\ntraining kept a part of {} for the test; --all takes the whole file",
            provenance.file
        ))
    })?;
    note("evaluating on the part that training kept for the test; --all takes the whole file");
    Ok(test)
}

/// How `model`'s training read its data, unless options say otherwise.
pub fn options_of_training(model: &Model, path: &Path, given: &DataOptions) -> Result<Options, Failure> {
    let provenance = model.metadata.data.clone().unwrap_or_default();
    Stored { provenance: &provenance, path, given, with_targets: true }.options()
}

/// The inputs in a file.
pub fn read_inputs(model: &Model, path: &Path, given: &DataOptions) -> Result<(Dataset, Options), Failure> {
    let provenance = model.metadata.data.clone().unwrap_or_default();
    let options = Stored { provenance: &provenance, path, given, with_targets: false }.options()?;
    let data = data::read_inputs(path, &options)?;
    check_features(model, &data)?;
    Ok((data, options))
}

/// Data to calibrate with, and those that were kept for the test if it is the file that the model was trained on.
pub fn read_for_calibration(
    model: &Model,
    path: &Path,
    given: &DataOptions,
) -> Result<(Dataset, Option<Dataset>), Failure> {
    let provenance = model.metadata.data.clone().unwrap_or_default();
    let has_test = !provenance.test_groups.is_empty() || provenance.test_rows.is_some();
    if !is_training_file(&provenance, path) || !has_test {
        return Ok((read_inputs(model, path, given)?.0, None));
    }
    let options = Stored { provenance: &provenance, path, given, with_targets: true }.options()?;
    let data = data::read(path, &options)?;
    check_features(model, &data)?;
    let (rest, test) = split_test(data, &provenance)?;
    note("calibrating without the part that training kept for the test");
    Ok((rest, Some(test)))
}

fn check_features(model: &Model, data: &Dataset) -> Result<(), Failure> {
    let (features, inputs) = (data.features.len(), model.network.inputs());
    if features == inputs { Ok(()) } else { Err(TrainError::Features { features, inputs }.into()) }
}

/// (rest, test) as the provenance says.
pub fn split_test(data: Dataset, provenance: &Provenance) -> Result<(Dataset, Dataset), DataError> {
    match &provenance.test_rows {
        Some(rows) => data.split_rows(rows.clone()),
        None => data.split_groups(&provenance.test_groups),
    }
}

pub fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Paths are not kept in a model, so that it is the same wherever it is trained.
fn is_training_file(provenance: &Provenance, path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy() == *provenance.file)
}

/// What training says about reading a file.
struct Stored<'a> {
    provenance: &'a Provenance,
    path: &'a Path,
    given: &'a DataOptions,
    with_targets: bool,
}

impl Stored<'_> {
    fn options(&self) -> Result<Options, Failure> {
        let trained_on = Path::new(&self.provenance.file).extension().unwrap_or_default().to_string_lossy();
        if !has_extension(self.path, &trained_on) {
            // Columns of another kind of file mean nothing in this one.
            return Ok(self.given.over(&Options::default()));
        }
        let mut options = self.provenance.options.clone();
        let index = self.beside("index", options.index.take())?;
        let labels = self.beside("labels", options.labels.take())?;
        let had_table = self.provenance.options.index.is_some() || self.provenance.options.labels.is_some();
        let tables = [&index, &labels, &self.given.index, &self.given.labels];
        if had_table && !tables.into_iter().flatten().any(|file| has_extension(file, "csv")) {
            // Columns of a table that is not there.
            (options.label, options.series, options.group) = (None, None, None);
            options.target.clear();
        }
        Ok(self.given.over(&Options { index, labels, ..options }))
    }

    /// The file that went with the training data. Another array needs another one.
    fn beside(&self, option: &str, stored: Option<PathBuf>) -> Result<Option<PathBuf>, Failure> {
        let Some(stored) = stored else { return Ok(None) };
        if self.given.index.is_some() || self.given.labels.is_some() {
            return Ok(None);
        }
        let beside = self.path.with_file_name(stored.file_name().unwrap_or_default());
        if is_training_file(self.provenance, self.path) && beside.is_file() {
            return Ok(Some(beside));
        }
        if !self.with_targets {
            if option == "index" {
                note("without --index, an array of two dimensions is one series");
            }
            return Ok(None);
        }
        let (trained_on, stored, path) = (&self.provenance.file, stored.display(), self.path.display());
        Err(Failure::Failed(if is_training_file(self.provenance, self.path) {
            format!(
                "training read {trained_on} with --{option} {stored}, which is not beside {path}: name it with --{option}"
            )
        } else {
            format!(
                "training read {trained_on} with --{option} {stored}: name the file that goes with {path} with --{option}"
            )
        }))
    }
}

//! The data of a training run: what to train on, what to validate on, and what to keep for the test.

use crate::data_options::DataOptions;
use crate::failure::Failure;
use crate::model_data::{has_extension, options_of_training, split_test};
use crate::output::note;
use crate::values::{fraction, row_range};
use clap::Args;
use gatelet::data::{self, Dataset, Options, Targets};
use gatelet::network::{Model, Provenance};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What not to train on.
#[derive(Args)]
#[command(next_help_heading = "Splitting data")]
pub struct Split {
    /// Data to validate on after each epoch
    #[arg(long, value_name = "FILE", conflicts_with_all = ["split", "validation_groups", "index", "labels"])]
    pub validation: Option<PathBuf>,
    /// Fraction of the series to validate on, chosen by the seed
    #[arg(long, value_name = "FRACTION", conflicts_with = "validation_groups", value_parser = fraction, allow_negative_numbers = true)]
    pub split: Option<f64>,
    /// Groups to validate on
    #[arg(long, value_delimiter = ',', value_name = "GROUPS")]
    pub validation_groups: Vec<String>,
    /// Groups to keep for the test: neither trained nor validated on, used by `gatelet eval`
    #[arg(long, value_delimiter = ',', value_name = "GROUPS")]
    pub test_groups: Vec<String>,
    /// Rows to keep for the test, such as 20000..26000
    #[arg(long, value_name = "ROWS", value_parser = row_range, conflicts_with = "test_groups")]
    pub test_rows: Option<Range<usize>>,
}

/// Training data, validation data, and where they come from. For a model that is `trained` already, they are read and split as they
/// were then, unless options say otherwise.
pub fn read(
    path: &Path,
    split: &Split,
    given: &DataOptions,
    seed: u64,
    trained: Option<&Model>,
) -> Result<(Dataset, Option<Dataset>, Provenance), Failure> {
    let mut options = match trained {
        Some(model) => options_of_training(model, path, given)?,
        None => given.over(&Options::default()),
    };
    let is_csv = has_extension(path, "csv");
    if is_csv && options.label.is_none() && options.target.is_empty() {
        return Err(Failure::Usage(
            "what shall the network learn? Name the column of the class with --label, or those of values with --target"
                .into(),
        ));
    }
    let mut all = data::read(path, &options)?;
    if let (Some(model), Targets::Classes(_)) = (trained, &all.targets) {
        all = all.with_classes_of(&model.labels)?;
    }
    if all.skipped > 0 {
        note(format!("left out {} of the recordings: shorter than a window with its horizon", all.skipped));
    }
    if is_csv {
        note(format!("inputs: {}", all.features.join(", ")));
        // By name, so that a later file with other columns cannot change what the inputs are.
        options.features.clone_from(&all.features);
    }
    if let Some(seen) = options.target.iter().find(|&target| options.horizon == 0 && all.features.contains(target)) {
        note(format!(
            "the inputs contain the target {seen} of the same row: name the inputs with --features, or look ahead with --horizon"
        ));
    }
    if is_csv && all.series.len() == 1 && options.window.is_none() && options.series.is_none() {
        note(
            "the whole file is one series; cut it into examples with --window, or name the column of its series with --series",
        );
    }
    let before = trained.and_then(|model| model.metadata.data.clone()).unwrap_or_default();
    let (test_groups, test_rows) = if split.test_groups.is_empty() && split.test_rows.is_none() {
        (before.test_groups, before.test_rows)
    } else {
        (split.test_groups.clone(), split.test_rows.clone())
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let provenance = Provenance {
        file: name(path),
        features: all.features.clone(),
        targets: match &all.targets {
            Targets::Values(names) => names.clone(),
            _ => Vec::new(),
        },
        test_groups,
        test_rows,
        options: Options {
            index: options.index.as_deref().map(|path| name(path).into()),
            labels: options.labels.as_deref().map(|path| name(path).into()),
            ..options.clone()
        },
    };
    let has_test = !provenance.test_groups.is_empty() || provenance.test_rows.is_some();
    let rest = if has_test { split_test(all, &provenance)?.0 } else { all };
    let (training, validation) = if let Some(path) = &split.validation {
        let validation = data::read(path, &options)?;
        let validation = match &rest.targets {
            Targets::Classes(classes) => validation.with_classes_of(classes)?,
            _ => validation,
        };
        (rest, Some(validation))
    } else if let Some(fraction) = split.split {
        let (training, validation) = rest.split_fraction(fraction, seed)?;
        (training, Some(validation))
    } else if !split.validation_groups.is_empty() {
        let (training, validation) = rest.split_groups(&split.validation_groups)?;
        (training, Some(validation))
    } else {
        (rest, None)
    };
    Ok((training, validation, provenance))
}

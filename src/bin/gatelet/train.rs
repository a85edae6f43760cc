//! `gatelet train`

use crate::data_options::{DataOptions, row_range, split_test};
use crate::failure::{Failure, note, print, print_json};
use clap::{Args, ValueEnum};
use gatelet::data::{self, Dataset, Targets};
use gatelet::network::{Provenance, Training};
use gatelet::train::{Epoch, Loss, Optimizer, Options, Trainer, prepare};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Train a network and write it to a .gatelet file
#[derive(Args)]
#[command(after_help = "\
The description of a network lists its layers: simple_rnn(units), lstm(units), gru(units), dense(units), and
residual(…) around one of them. A recurrent layer gives its last output, or with `sequences` all of them. Other options
bear Keras's names: gru(32, reset_after=false), lstm(16, activation=relu, recurrent_activation=hard_sigmoid),
dense(9, softmax). Normalisation learned from the training data becomes part of the model.

Examples:
  gatelet train --data JapaneseVowels_TRAIN.ts --split 0.2 --model 'gru(32), dense(9, softmax)' --epochs 40 --out speaker.gatelet
  gatelet train --data weather.csv --series origin --features temp,dewp,humid --target temp --horizon 6 --window 48 \\
      --group month --test-groups 11,12 --model 'gru(16), dense(1)' --epochs 5 --out weather.gatelet")]
pub struct Arguments {
    /// Data to train on: .ts, .csv or .npy
    #[arg(long, value_name = "FILE")]
    pub data: PathBuf,
    /// Network, such as 'gru(32), dense(9, softmax)'
    #[arg(long, value_name = "LAYERS")]
    pub model: String,
    /// Model file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// How often to go through the data
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Series in a batch
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub batch_size: usize,
    /// Learning rate
    #[arg(long, value_name = "X", default_value_t = 0.003)]
    pub learning_rate: f64,
    /// Seed of initial parameters, shuffling and --split: the same seed gives the same model
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Optimiser
    #[arg(long, value_enum, default_value_t = OptimizerName::Adam)]
    pub optimizer: OptimizerName,
    /// Momentum of sgd
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub momentum: f32,
    /// Shorten gradients of a larger norm to this one; 0 for never
    #[arg(long, value_name = "NORM", default_value_t = 1.0)]
    pub clip_norm: f64,
    /// Loss (default: sparse_categorical_crossentropy for classes, mean_squared_error for values)
    #[arg(long, value_enum)]
    pub loss: Option<LossName>,
    /// Threads (default: one for each core); the result does not depend on it
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Go on with a run that was stopped, from its checkpoint beside the model file
    #[arg(long)]
    pub resume: bool,
    /// Print one line of JSON for each epoch
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub split: Split,
    #[command(flatten)]
    pub options: DataOptions,
}

/// What not to train on.
#[derive(Args, Default)]
#[command(next_help_heading = "Splitting data")]
pub struct Split {
    /// Data to validate on after each epoch
    #[arg(long, value_name = "FILE", conflicts_with_all = ["split", "validation_groups"])]
    pub validation: Option<PathBuf>,
    /// Fraction of the series to validate on, chosen by the seed
    #[arg(long, value_name = "FRACTION", conflicts_with = "validation_groups")]
    pub split: Option<f64>,
    /// Groups to validate on
    #[arg(long, value_delimiter = ',', value_name = "GROUPS", requires = "group")]
    pub validation_groups: Vec<String>,
    /// Groups to keep for the test: neither trained nor validated on, used by `gatelet eval`
    #[arg(long, value_delimiter = ',', value_name = "GROUPS", requires = "group")]
    pub test_groups: Vec<String>,
    /// Rows to keep for the test, such as 20000..26000
    #[arg(long, value_name = "ROWS", value_parser = row_range, conflicts_with = "test_groups")]
    pub test_rows: Option<Range<usize>>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum OptimizerName {
    Adam,
    Sgd,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum LossName {
    SparseCategoricalCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError,
}

impl Arguments {
    fn options(&self) -> Options {
        Options {
            batch_size: self.batch_size,
            learning_rate: self.learning_rate,
            optimizer: match self.optimizer {
                OptimizerName::Adam => Optimizer::Adam,
                OptimizerName::Sgd => Optimizer::Sgd { momentum: self.momentum },
            },
            loss: self.loss.map(|loss| match loss {
                LossName::SparseCategoricalCrossentropy => Loss::SparseCategoricalCrossentropy,
                LossName::CategoricalCrossentropy => Loss::CategoricalCrossentropy,
                LossName::MeanSquaredError => Loss::MeanSquaredError,
            }),
            clip_norm: (self.clip_norm != 0.0).then_some(self.clip_norm),
            seed: self.seed,
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    check_folder(&arguments.out)?;
    if let Some(threads) = arguments.threads {
        let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        built.map_err(|error| Failure::Failed(format!("cannot start {threads} threads: {error}")))?;
    }
    let (training, validation, provenance) = read(arguments)?;
    let checkpoint = checkpoint_of(&arguments.out);
    let mut trainer = if arguments.resume {
        let trainer = Trainer::resume(&checkpoint, &training, arguments.options())?;
        note(format!("going on after epoch {}", trainer.epochs()));
        trainer
    } else {
        let model = prepare(&arguments.model, &training, arguments.seed)?;
        Trainer::new(model, &training, arguments.options())?
    };
    trainer.model_mut().metadata.data = Some(provenance);
    note(format!(
        "training {} on {} series, {}",
        trainer.model().network,
        training.series.len(),
        validation.as_ref().map_or("without validation".into(), |v| format!("validating on {}", v.series.len()))
    ));

    let epochs = arguments.epochs as usize;
    let bar = Bar::new(epochs);
    let mut last = None;
    while trainer.epochs() < epochs {
        let number = trainer.epochs() + 1;
        match trainer.epoch(&training, validation.as_ref(), |progress| bar.batch(number, progress)) {
            Ok(epoch) => {
                record(&mut trainer, arguments, &epoch);
                trainer.save_checkpoint(&checkpoint)?;
                bar.epoch(&epoch);
                if arguments.json {
                    print_json(&epoch)?;
                }
                last = Some(epoch);
            }
            Err(error) => {
                bar.finish();
                if trainer.epochs() > 0 {
                    trainer.model().write(&arguments.out)?;
                    note(format!("wrote the model of epoch {} to {}", trainer.epochs(), arguments.out.display()));
                }
                return Err(error.into());
            }
        }
    }
    bar.finish();
    trainer.model().write(&arguments.out)?;
    // The run is over; what is left of it would only be in the way.
    let _ = std::fs::remove_file(&checkpoint);
    note(format!("wrote {}", arguments.out.display()));
    match last {
        Some(epoch) if !arguments.json => print(one_line(&epoch)),
        _ => Ok(()),
    }
}

/// The folder has to be there before hours of training.
fn check_folder(out: &Path) -> Result<(), Failure> {
    match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => Err(Failure::Failed(format!(
            "--out {}: there is no folder {}; make it with `mkdir -p {}`",
            out.display(),
            folder.display(),
            folder.display()
        ))),
        _ if out.is_dir() => Err(Failure::Failed(format!("--out {}: this is a folder; name a file", out.display()))),
        _ => Ok(()),
    }
}

fn checkpoint_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".checkpoint");
    name.into()
}

/// Training data, validation data, and where they come from.
fn read(arguments: &Arguments) -> Result<(Dataset, Option<Dataset>, Provenance), Failure> {
    let split = &arguments.split;
    let mut options = arguments.options.over(&data::Options::default());
    let all = data::read(&arguments.data, &options)?;
    if all.skipped > 0 {
        note(format!("left out {} recordings that are shorter than a window with its horizon", all.skipped));
    }
    // By name, so that a later file with other columns cannot change what the inputs are.
    options.features.clone_from(&all.features);
    let provenance = Provenance {
        file: arguments.data.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        features: all.features.clone(),
        targets: match &all.targets {
            Targets::Values(names) => names.clone(),
            _ => Vec::new(),
        },
        test_groups: split.test_groups.clone(),
        test_rows: split.test_rows.clone(),
        options: options.clone(),
    };
    let rest =
        if split.test_groups.is_empty() && split.test_rows.is_none() { all } else { split_test(all, &provenance)?.0 };
    let (training, validation) = if let Some(path) = &split.validation {
        let validation = data::read(path, &options)?;
        let validation = match &rest.targets {
            Targets::Classes(classes) => validation.with_classes_of(classes)?,
            _ => validation,
        };
        (rest, Some(validation))
    } else if let Some(fraction) = split.split {
        let (training, validation) = rest.split_fraction(fraction, arguments.seed)?;
        (training, Some(validation))
    } else if !split.validation_groups.is_empty() {
        let (training, validation) = rest.split_groups(&split.validation_groups)?;
        (training, Some(validation))
    } else {
        (rest, None)
    };
    Ok((training, validation, provenance))
}

/// Notes in the model how it was trained and how well it does.
fn record(trainer: &mut Trainer, arguments: &Arguments, epoch: &Epoch) {
    let options = arguments.options();
    let training = Training {
        gatelet: env!("CARGO_PKG_VERSION").into(),
        seed: options.seed,
        epochs: epoch.epoch,
        batch_size: options.batch_size,
        learning_rate: options.learning_rate,
        optimizer: options.optimizer.to_string(),
        loss: trainer.loss().name().into(),
    };
    let figures = [
        ("loss", Some(epoch.loss)),
        ("val_loss", epoch.val_loss),
        ("accuracy", epoch.accuracy),
        ("val_accuracy", epoch.val_accuracy),
        ("mae", epoch.mae),
        ("val_mae", epoch.val_mae),
    ];
    let metadata = &mut trainer.model_mut().metadata;
    metadata.training = Some(training);
    metadata.metrics = figures.into_iter().filter_map(|(name, figure)| Some((name.to_owned(), figure?))).collect();
}

/// An epoch in words.
fn one_line(epoch: &Epoch) -> String {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let number = |x: f64| format!("{x:.4}");
    let figures: [(&str, Option<String>); 6] = [
        ("loss", Some(number(epoch.loss))),
        ("accuracy", epoch.accuracy.map(percent)),
        ("mean absolute error", epoch.mae.map(number)),
        ("validation loss", epoch.val_loss.map(number)),
        ("validation accuracy", epoch.val_accuracy.map(percent)),
        ("validation mean absolute error", epoch.val_mae.map(number)),
    ];
    let mut line = format!("epoch {}", epoch.epoch);
    for (name, figure) in figures {
        if let Some(figure) = figure {
            line += &format!(", {name} {figure}");
        }
    }
    line
}

/// Progress on standard error: a bar on a terminal, else a line for each epoch.
struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    fn new(epochs: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let style = ProgressStyle::with_template("{prefix} {wide_bar} {msg}  {eta_precise} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_prefix(format!("epoch 1 of {epochs}"));
            bar
        });
        Bar { bar }
    }

    fn batch(&self, epoch: usize, progress: gatelet::train::Progress) {
        if let Some(bar) = &self.bar {
            // Epochs are equally long, so one bar over all of them tells the time that is left.
            let epochs = bar.prefix().rsplit(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(1);
            bar.set_length(epochs * progress.batches as u64);
            bar.set_position(((epoch - 1) * progress.batches + progress.batch) as u64);
            bar.set_prefix(format!("epoch {epoch} of {epochs}"));
            bar.set_message(format!("loss {:.4}  metric {:.4}", progress.loss, progress.metric));
        }
    }

    fn epoch(&self, epoch: &Epoch) {
        match &self.bar {
            Some(bar) => bar.println(one_line(epoch)),
            None => note(one_line(epoch)),
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

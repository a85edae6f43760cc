//! `gatelet train`

mod fine_tune;

use crate::data_options::DataOptions;
use crate::failure::Failure;
use crate::output::{check_writable, note, print};
use crate::progress::{Bar, figures, metric};
use crate::split::{self, Split};
use crate::values::{count, momentum, positive, positive_or_zero, share};
use clap::{Args, ValueEnum};
use gatelet::data::Dataset;
use gatelet::network::{Model, Training};
use gatelet::train::{Epoch, Loss, Optimizer, Options, Schedule, TrainError, Trainer, prepare};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Train a network and write it to a .gatelet file
#[derive(Args)]
#[command(after_help = "\
The model lists its layers: simple_rnn(units), lstm(units), gru(units), dense(units), bidirectional(…) and residual(…) around \
one of them, embedding(tokens, units) in front. A recurrent layer gives its last output, or with `sequences` all of them. Other options bear Keras's names: \
gru(32, reset_after=false), lstm(16, activation=relu, recurrent_activation=hard_sigmoid), dense(9, softmax). \
Normalisation learned from the training data becomes part of the model.

--quantize goes on with a trained model, for integers: every batch is run by the integer network that its weights make, which is \
trained to give what the model gives in single precision, not to fit the labels once more. Of calibration alone and of each \
epoch the integer network whose outputs are nearest to that is written, judged by the validation data if there are any, else by \
the training data. Data are read as in the model's training, and its test part is left out, unless options say otherwise.

Examples:
  gatelet train --data JapaneseVowels_TRAIN.ts --split 0.2 --epochs 40 \\
      --model 'gru(32), dense(9, softmax)' --out speaker.gatelet
  gatelet train --data weather.csv --series origin --missing previous \\
      --features temp,dewp,humid --target temp --horizon 6 --window 48 \\
      --group month --test-groups 11,12 --epochs 5 \\
      --model 'gru(16), dense(1)' --out weather.gatelet
  gatelet train --data watch_i16.npy --index index.csv --label label_name \\
      --decimate 2 --window 100 --stride 25 --group subject \\
      --test-groups 8,9,10 --validation-groups 7 --epochs 12 \\
      --model 'gru(32), dense(7, softmax)' --out exercise.gatelet
  gatelet train --quantize speaker.gatelet --data JapaneseVowels_TRAIN.ts \\
      --split 0.2 --epochs 10 --out speaker-int8.gatelet")]
pub struct Arguments {
    /// Data to train on: .ts, .csv or .npy
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Network, such as 'gru(32), dense(9, softmax)'
    #[arg(
        long,
        value_name = "LAYERS",
        required_unless_present = "quantize",
        default_value = "",
        hide_default_value = true
    )]
    model: String,
    /// Trained model to go on with and make an integer network of (see also `gatelet quantize`)
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    quantize: Option<PathBuf>,
    /// Model file to write, when training is done
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How often to go through the data (default: 20; with --quantize 10)
    #[arg(long, value_name = "N", value_parser = count)]
    epochs: Option<usize>,
    /// Series in a batch
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = count)]
    batch_size: usize,
    /// Learning rate (default: 0.003; with --quantize 0.00003)
    #[arg(long, value_name = "X", value_parser = positive, allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// How the learning rate changes: cosine brings it down to zero over the epochs (default: constant; with --quantize
    /// cosine)
    #[arg(long, value_enum, value_name = "NAME")]
    schedule: Option<ScheduleName>,
    /// Seed of initial parameters, shuffling and --split: the same seed gives the same model
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Optimiser
    #[arg(long, value_enum, value_name = "NAME", default_value_t = OptimizerName::Adam)]
    optimizer: OptimizerName,
    /// Momentum of sgd
    #[arg(long, value_name = "X", value_parser = momentum, allow_negative_numbers = true)]
    momentum: Option<f32>,
    /// Shorten gradients of a larger norm to this one; 0 for never
    #[arg(long, value_name = "NORM", default_value_t = 1.0, value_parser = positive_or_zero, allow_negative_numbers = true)]
    clip_norm: f64,
    /// Share of recurrent layers' outputs to drop at random while training, from 0 to below 1
    #[arg(long, value_name = "X", default_value_t = 0.0, value_parser = share, allow_negative_numbers = true)]
    dropout: f64,
    /// Loss (default: sparse_categorical_crossentropy for classes, categorical_crossentropy for values behind a softmax,
    /// mean_squared_error for other values)
    #[arg(long, value_enum, value_name = "NAME", hide_possible_values = true, conflicts_with = "quantize")]
    loss: Option<LossName>,
    /// Threads (default: one for each core); the result does not depend on it
    #[arg(long, value_name = "N", value_parser = count)]
    threads: Option<usize>,
    /// Go on with a run that was stopped, from its checkpoint beside the model file
    #[arg(long)]
    resume: bool,
    /// Print one line of JSON for each epoch
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    split: Split,
    #[command(flatten)]
    options: DataOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum ScheduleName {
    Constant,
    Cosine,
}

#[derive(Clone, Copy, ValueEnum)]
enum OptimizerName {
    Adam,
    Sgd,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum LossName {
    SparseCategoricalCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError,
}

impl Arguments {
    fn epochs(&self) -> usize {
        self.epochs.unwrap_or(if self.quantize.is_some() { 10 } else { 20 })
    }

    fn options(&self) -> Result<Options, Failure> {
        let optimizer = match (self.optimizer, self.momentum) {
            (OptimizerName::Adam, None) => Optimizer::Adam,
            (OptimizerName::Adam, Some(_)) => {
                return Err(Failure::Usage(
                    "--momentum: adam has none of its own; add --optimizer sgd, or leave it out".into(),
                ));
            }
            (OptimizerName::Sgd, momentum) => Optimizer::Sgd { momentum: momentum.unwrap_or(0.0) },
        };
        // What is trained already is near its goal: larger steps would lead away from it.
        let (learning_rate, schedule) = match self.quantize {
            Some(_) => (0.000_03, ScheduleName::Cosine),
            None => (0.003, ScheduleName::Constant),
        };
        Ok(Options {
            batch_size: self.batch_size,
            learning_rate: self.learning_rate.unwrap_or(learning_rate),
            schedule: match self.schedule.unwrap_or(schedule) {
                ScheduleName::Constant => Schedule::Constant,
                ScheduleName::Cosine => Schedule::Cosine { epochs: self.epochs() },
            },
            optimizer,
            loss: self.loss.map(|loss| match loss {
                LossName::SparseCategoricalCrossentropy => Loss::SparseCategoricalCrossentropy,
                LossName::CategoricalCrossentropy => Loss::CategoricalCrossentropy,
                LossName::MeanSquaredError => Loss::MeanSquaredError,
            }),
            clip_norm: (self.clip_norm != 0.0).then_some(self.clip_norm),
            dropout: self.dropout,
            seed: self.seed,
        })
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let out = &arguments.out;
    let options = arguments.options()?;
    let inputs = [Some(&arguments.data), arguments.split.validation.as_ref(), arguments.quantize.as_ref()];
    let inputs: Vec<&Path> = inputs.into_iter().flatten().map(|p| &**p).collect();
    check_writable("--out", out, &inputs)?;
    if let Some(threads) = arguments.threads {
        let built = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        built.map_err(|error| Failure::Failed(format!("cannot start {threads} threads: {error}")))?;
    }
    let trained = arguments.quantize.as_deref().map(Model::read).transpose()?;
    let (training, validation, provenance) =
        split::read(&arguments.data, &arguments.split, &arguments.options, arguments.seed, trained.as_ref())?;
    if let Some(trained) = trained {
        return fine_tune::run(arguments, trained, (training, validation, provenance), options);
    }
    let checkpoint = with_ending(out, ".checkpoint");
    let model = prepare(&arguments.model, &training, arguments.seed)?;
    let mut trainer = begin(arguments, model, &training, options, &checkpoint)?;
    trainer.model_mut().metadata.data = Some(provenance);
    note(format!("training {} on {}", trainer.model().network, amounts(&training, validation.as_ref())));

    let is_classifier = trainer.loss().is_crossentropy();
    let mut bar = Bar::new(arguments.epochs(), metric(is_classifier), arguments.json);
    let mut last = None;
    while trainer.epochs() < arguments.epochs() {
        let number = trainer.epochs() + 1;
        let result = trainer.epoch(&training, validation.as_ref(), |progress| bar.batch(number, progress));
        let epoch = match result {
            Ok(epoch) => epoch,
            Err(error) => {
                bar.finish();
                return Err(stopped(&trainer, out, error));
            }
        };
        record(&mut trainer, &epoch);
        trainer.save_checkpoint(&checkpoint)?;
        bar.epoch(format!("epoch {number}: {}", figures(&epoch)), &epoch)?;
        last = Some(epoch);
    }
    bar.finish();
    trainer.model().write(out)?;
    // The run is over; what is left of it would only be in the way.
    let _ = std::fs::remove_file(&checkpoint);
    let written = format!("wrote {} after epoch {}", out.display(), trainer.epochs());
    match last {
        Some(epoch) if !arguments.json => print(format!("{written}: {}", figures(&epoch))),
        _ => {
            note(written);
            Ok(())
        }
    }
}

/// How much there is to train and to validate on, in words.
fn amounts(training: &Dataset, validation: Option<&Dataset>) -> String {
    let validation = validation.map_or("without validation".into(), |v| format!("validating on {}", v.series.len()));
    format!("{} series, {validation}", training.series.len())
}

/// A new run, or the one that was stopped.
fn begin(
    arguments: &Arguments,
    model: Model,
    training: &Dataset,
    options: Options,
    checkpoint: &Path,
) -> Result<Trainer, Failure> {
    if !arguments.resume {
        if checkpoint.exists() {
            note(format!("beginning anew; with --resume the run in {} would go on", checkpoint.display()));
        }
        return Ok(Trainer::new(model, training, options)?);
    }
    let trainer = Trainer::resume(checkpoint, training, options)?;
    let wrong = |problem: String| Err(Failure::Failed(format!("{}: {problem}", checkpoint.display())));
    let (network, epochs) = (&trainer.model().network, trainer.epochs());
    if network.layers() != model.network.layers() {
        return wrong(format!(
            "the run was begun with the network {network}, not {}: give the same --model, or train from the start",
            model.network
        ));
    }
    if epochs > arguments.epochs() {
        return wrong(format!("the run has done {epochs} epochs already: give as many --epochs, or more"));
    }
    note(format!("going on after epoch {epochs}"));
    Ok(trainer)
}

/// Training has failed. The last good epoch's model is kept beside the model file, which may be of an earlier run.
fn stopped(trainer: &Trainer, out: &Path, error: TrainError) -> Failure {
    let epochs = trainer.epochs();
    if epochs == 0 {
        return error.into();
    }
    let path = with_ending(out, &format!(".epoch{epochs}"));
    match trainer.model().write(&path) {
        Ok(()) => Failure::Failed(format!("{error}\nwrote the model of epoch {epochs} to {}", path.display())),
        Err(other) => Failure::Failed(format!("{error}\n{other}")),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Notes in the model how it was trained and how well it does.
fn record(trainer: &mut Trainer, epoch: &Epoch) {
    let training = how(trainer, epoch.epoch);
    let metadata = &mut trainer.model_mut().metadata;
    metadata.training = Some(training);
    metadata.metrics = named([
        ("loss", Some(epoch.loss)),
        ("val_loss", epoch.val_loss),
        ("accuracy", epoch.accuracy),
        ("val_accuracy", epoch.val_accuracy),
        ("mae", epoch.mae),
        ("val_mae", epoch.val_mae),
    ]);
}

/// How a model is trained that is taken after so many epochs.
fn how(trainer: &Trainer, epochs: usize) -> Training {
    let options = trainer.options();
    Training {
        gatelet: env!("CARGO_PKG_VERSION").into(),
        seed: options.seed,
        epochs,
        batch_size: options.batch_size,
        learning_rate: options.learning_rate,
        schedule: options.schedule.to_string(),
        optimizer: options.optimizer.to_string(),
        loss: trainer.loss().name().into(),
        dropout: options.dropout,
    }
}

/// Those of the figures that there are. JSON has no other numbers than finite ones.
fn named<const N: usize>(figures: [(&str, Option<f64>); N]) -> BTreeMap<String, f64> {
    let figures = figures.into_iter().filter_map(|(name, figure)| Some((name, figure.filter(|x| x.is_finite())?)));
    figures.map(|(name, figure)| (name.to_owned(), figure)).collect()
}

//! `gatelet train --quantize`: goes on with a trained model, for integers.
//!
//! Labels have no part in it: they would teach on, with all that this does to a network that is trained already, while soft targets
//! have their optimum where the integer network gives what single precision gives.

use super::{Arguments, amounts, begin, how, named, with_ending};
use crate::failure::Failure;
use crate::output::{note, print};
use crate::progress::Bar;
use crate::quantize::{MOST_SERIES, evenly};
use gatelet::data::Dataset;
use gatelet::network::{Model, Network, Provenance};
use gatelet::quantize::calibrate;
use gatelet::train::{Epoch, Options, TrainError, Trainer, evaluate, predict, soft_targets};
use serde::Serialize;

/// An integer network, and how good it is.
struct Candidate {
    network: Network<f32>,
    figures: Figures,
}

#[derive(Clone, Serialize)]
struct Figures {
    /// 0 for calibration alone.
    epoch: usize,
    /// How long the epoch took.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// The epoch's loss on the training data's soft targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    /// The root of the mean squared difference from the outputs in single precision.
    rms_error: f64,
    /// On the validation data's own targets.
    #[serde(skip_serializing_if = "Option::is_none")]
    val_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    val_mae: Option<f64>,
}

impl Figures {
    fn in_words(&self) -> String {
        let mut words = format!("outputs differ by {:.2e} (rms)", self.rms_error);
        if let Some(accuracy) = self.val_accuracy {
            words += &format!(", validation accuracy {:.2} %", 100.0 * accuracy);
        }
        if let Some(mae) = self.val_mae {
            words += &format!(", validation mae {mae:.4}");
        }
        words
    }
}

/// Compares integer networks with the one in single precision.
struct Judge<'a> {
    data: &'a Dataset,
    expected: Vec<Vec<f32>>,
    is_validation: bool,
}

impl<'a> Judge<'a> {
    fn new(network: &Network<f32>, training: &'a Dataset, validation: Option<&'a Dataset>) -> Result<Self, TrainError> {
        let data = validation.unwrap_or(training);
        Ok(Judge { data, expected: predict(network, data)?, is_validation: validation.is_some() })
    }

    fn candidate(&self, network: Network<f32>, epoch: Option<&Epoch>) -> Result<Candidate, TrainError> {
        let found = predict(&network, self.data)?;
        let squares = found.iter().flatten().zip(self.expected.iter().flatten()).map(|(a, b)| f64::from(a - b).powi(2));
        let rms_error = (squares.sum::<f64>() / found.iter().map(Vec::len).sum::<usize>().max(1) as f64).sqrt();
        let evaluation = if self.is_validation { Some(evaluate(&network, self.data)?) } else { None };
        let figures = Figures {
            epoch: epoch.map_or(0, |epoch| epoch.epoch),
            seconds: epoch.map(|epoch| epoch.seconds),
            loss: epoch.map(|epoch| epoch.loss),
            rms_error,
            val_accuracy: evaluation.as_ref().and_then(|evaluation| evaluation.accuracy),
            val_mae: evaluation.as_ref().and_then(|evaluation| evaluation.mae),
        };
        Ok(Candidate { network, figures })
    }
}

pub fn run(
    arguments: &Arguments,
    model: Model,
    (training, validation, provenance): (Dataset, Option<Dataset>, Provenance),
    options: Options,
) -> Result<(), Failure> {
    let judge = Judge::new(&model.network, &training, validation.as_ref())?;
    let (simulation, quantized) = calibrate(&model.network, &evenly(&training, MOST_SERIES), &Default::default())?;
    let lessons = soft_targets(&model.network, &training)?;
    let out = &arguments.out;
    let checkpoint = with_ending(out, ".checkpoint");
    let mut trainer = begin(arguments, model.clone(), &lessons, options, &checkpoint)?;
    trainer.train_for_integers(simulation.clone());
    note(format!("training {} for integers on {}", model.network, amounts(&training, validation.as_ref())));

    let write = |best: &Candidate, trainer: &Trainer| -> Result<(), Failure> {
        let mut model = Model { network: best.network.clone(), ..model.clone() };
        model.metadata.data = Some(provenance.clone());
        if best.figures.epoch > 0 {
            model.metadata.training = Some(how(trainer, best.figures.epoch));
        }
        model.metadata.metrics = named([
            ("rms_error", Some(best.figures.rms_error)),
            ("val_accuracy", best.figures.val_accuracy),
            ("val_mae", best.figures.val_mae),
        ]);
        Ok(model.write(out)?)
    };
    let agreement: fn(f64) -> String = if trainer.loss().is_crossentropy() {
        |share| format!("agreement {:.2} %", 100.0 * share)
    } else {
        |difference| format!("mean difference {difference:.4}")
    };
    let mut bar = Bar::new(arguments.epochs(), agreement, arguments.json);
    let mut best = judge.candidate(quantized.network, None)?;
    if arguments.resume {
        // The best network of the run so far is where the run will leave it.
        let kept = Model::read(out)?;
        let epoch = kept.metadata.training.as_ref().map_or(0, |training| training.epochs);
        if kept.network.layers() == best.network.layers() && kept.network != best.network {
            best = judge.candidate(kept.network, None)?;
            best.figures.epoch = epoch;
        }
    } else {
        bar.epoch(format!("calibration alone: {}", best.figures.in_words()), &best.figures)?;
        write(&best, &trainer)?;
    }
    while trainer.epochs() < arguments.epochs() {
        let number = trainer.epochs() + 1;
        let result = trainer
            .epoch(&lessons, None, |progress| bar.batch(number, progress))
            .and_then(|epoch| Ok((simulation.integer(&trainer.model().network)?, epoch)));
        let (network, epoch) = match result {
            Ok(result) => result,
            Err(error) => {
                // What was good before is not lost.
                bar.note(format!("epoch {number}: {error}\nending here, with the best network so far"));
                break;
            }
        };
        let candidate = judge.candidate(network, Some(&epoch))?;
        let figures = candidate.figures.clone();
        if figures.rms_error < best.figures.rms_error {
            best = candidate;
            write(&best, &trainer)?;
        }
        trainer.save_checkpoint(&checkpoint)?;
        bar.epoch(format!("epoch {number}: {}", figures.in_words()), &figures)?;
    }
    bar.finish();
    // The run is over; what is left of it would only be in the way.
    let _ = std::fs::remove_file(&checkpoint);

    let (out, figures) = (out.display(), best.figures);
    let written = match figures.epoch {
        0 => format!("wrote {out} by calibration alone, since no epoch came nearer to single precision"),
        epoch => format!("wrote {out} after epoch {epoch}, the one nearest to single precision"),
    };
    if arguments.json {
        note(written);
        Ok(())
    } else {
        print(format!("{written}: {}", figures.in_words()))
    }
}

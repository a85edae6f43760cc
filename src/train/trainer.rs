//! Epoch after epoch.

use super::TrainError;
use super::checkpoint::fingerprint;
use super::evaluate::{Evaluation, check, evaluate_by};
use super::gradient;
use super::graph::check_layers;
use super::loss::{Judge, Loss, Sums, ends_in_softmax};
use super::optimizer::{Moments, Optimizer, Schedule};
use crate::data::{Dataset, Series, Targets};
use crate::network::{Model, Network};
use crate::quantize::Simulation;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// How to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Series in a batch. Default 16.
    pub batch_size: usize,
    /// Learning rate. Default 0.003.
    pub learning_rate: f64,
    /// How the learning rate changes. Default [`Schedule::Constant`].
    pub schedule: Schedule,
    /// Optimiser. Default [`Optimizer::Adam`].
    pub optimizer: Optimizer,
    /// Loss; by default [`Loss::SparseCategoricalCrossentropy`] for classes, [`Loss::CategoricalCrossentropy`] for values
    /// that a softmax gives, [`Loss::MeanSquaredError`] for other values.
    pub loss: Option<Loss>,
    /// Gradients of a larger Euclidean norm over all parameters are shortened to this one. Default 1.
    pub clip_norm: Option<f64>,
    /// The share of a recurrent layer's outputs that are dropped at random where other layers work on them, so that these do
    /// not rely on each (PyTorch's `dropout=`, Keras's `Dropout` behind the layer). Only while training. Default 0.
    #[serde(default)]
    pub dropout: f64,
    /// Seed of initial parameters, shuffling and dropping.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            batch_size: 16,
            learning_rate: 0.003,
            schedule: Schedule::Constant,
            optimizer: Optimizer::Adam,
            loss: None,
            clip_norm: Some(1.0),
            dropout: 0.0,
            seed: 0,
        }
    }
}

/// Where an epoch is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Batches done.
    pub batch: usize,
    /// Batches of an epoch.
    pub batches: usize,
    /// Mean loss of the epoch so far.
    pub loss: f64,
    /// Accuracy of the epoch so far, of a classifier; else the mean absolute error.
    pub metric: f64,
}

/// The result of an epoch. Figures without `val_` are means over its batches, while the parameters were changing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Epoch {
    /// Which epoch, from 1.
    pub epoch: usize,
    /// How long it took.
    pub seconds: f64,
    /// Loss on the training data.
    pub loss: f64,
    /// Loss on the validation data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_loss: Option<f64>,
    /// Share of right classes on the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// Share of right classes on the validation data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_accuracy: Option<f64>,
    /// Mean absolute error on the training data, in their units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Mean absolute error on the validation data, in their units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_mae: Option<f64>,
}

/// A model in training.
#[derive(Clone, Debug)]
pub struct Trainer {
    pub(super) model: Model,
    pub(super) options: Options,
    pub(super) loss: Loss,
    pub(super) moments: Moments,
    pub(super) epochs: usize,
    /// Of the training data.
    pub(super) fingerprint: u64,
    /// How integers are made of the network, if it is trained for them.
    simulation: Option<Simulation>,
}

/// The loss for a network and data like these.
pub(super) fn default_loss(network: &Network<f32>, data: &Dataset) -> Result<Loss, TrainError> {
    match data.targets {
        Targets::Classes(_) => Ok(Loss::SparseCategoricalCrossentropy),
        Targets::Values(_) if ends_in_softmax(network) => Ok(Loss::CategoricalCrossentropy),
        Targets::Values(_) => Ok(Loss::MeanSquaredError),
        Targets::None => Err(crate::data::DataError::NoTargets.into()),
    }
}

impl Trainer {
    /// Prepares to train `model` on data like `data`.
    ///
    /// # Errors
    /// If model, data and loss do not go together, or an option cannot be meant.
    pub fn new(model: Model, data: &Dataset, options: Options) -> Result<Self, TrainError> {
        let loss = match options.loss {
            Some(loss) => loss,
            None => default_loss(&model.network, data)?,
        };
        check(&model.network, data, loss)?;
        check_layers(&model.network)?;
        data.check_trainable(model.network.gives_sequence())?;
        let positive = |value: f64| value > 0.0 && value.is_finite();
        let wrong =
            |option, value: f64, expected| Err(TrainError::Option { option, value: value.to_string(), expected });
        if options.batch_size == 0 {
            return wrong("the batch size", 0.0, "at least 1");
        }
        if !positive(options.learning_rate) {
            return wrong("the learning rate", options.learning_rate, "a number above 0");
        }
        if !(0.0..1.0).contains(&options.dropout) {
            return wrong("the dropout", options.dropout, "a number from 0 to below 1");
        }
        if let Some(norm) = options.clip_norm
            && !positive(norm)
        {
            return wrong("the norm to clip gradients to", norm, "a number above 0");
        }
        if let Optimizer::Sgd { momentum } = options.optimizer
            && !(0.0..1.0).contains(&momentum)
        {
            return wrong("the momentum", momentum.into(), "a number from 0 to below 1");
        }
        let moments = Moments::new(model.network.parameters().len());
        Ok(Trainer { model, options, loss, moments, epochs: 0, fingerprint: fingerprint(data), simulation: None })
    }

    /// From now on trains for integers: every batch is run by the integer network that `simulation` makes of the weights, and the
    /// gradient of what the integers stand for moves the weights in single precision. [`model`](Trainer::model) stays the
    /// latter; [`integer`](Trainer::integer) is what it has become.
    ///
    /// Data with [`soft_targets`](super::soft_targets) bring the integers back to what the model gave before; with targets of their
    /// own they go on teaching it.
    pub fn train_for_integers(&mut self, simulation: Simulation) {
        self.simulation = Some(simulation);
    }

    /// The integer network, where it is trained for one.
    ///
    /// # Errors
    /// If a weight has grown beyond what its row can represent.
    pub fn integer(&self) -> Result<Option<Network<f32>>, TrainError> {
        Ok(self.simulation.as_ref().map(|simulation| simulation.integer(&self.model.network)).transpose()?)
    }

    /// The model as it is now.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The model, to add what is known about it.
    pub fn model_mut(&mut self) -> &mut Model {
        &mut self.model
    }

    /// Epochs done.
    #[must_use]
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// How it is trained.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The loss it trains with.
    #[must_use]
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// Goes once through the data, in an order that follows from seed and epoch, and evaluates on `validation` if there is
    /// one. `progress` is called after each batch.
    ///
    /// # Errors
    /// If the data do not fit the model, or loss or gradient stop being finite; the model is then that of the epoch before.
    pub fn epoch(
        &mut self,
        data: &Dataset,
        validation: Option<&Dataset>,
        mut progress: impl FnMut(Progress),
    ) -> Result<Epoch, TrainError> {
        let begin = Instant::now();
        for data in [Some(data), validation].into_iter().flatten() {
            check(&self.model.network, data, self.loss)?;
        }
        let before = (self.model.network.clone(), self.moments.clone());
        let result = self.batches(data, &mut progress);
        let sums = match result {
            Ok(sums) => sums,
            Err(error) => {
                (self.model.network, self.moments) = before;
                return Err(error);
            }
        };
        let validation = match validation {
            Some(data) => {
                let integer = self.integer()?;
                // In the units of the training loss: integers make normalised values no more.
                let judge = Judge::new(&self.model.network, self.loss);
                Some(evaluate_by(&judge, integer.as_ref().unwrap_or(&self.model.network), data)?)
            }
            None => None,
        };
        self.epochs += 1;
        let classifier = self.loss.is_crossentropy();
        let examples = sums.examples as f64;
        let of_validation = |figure: fn(&Evaluation) -> Option<f64>| validation.as_ref().and_then(figure);
        Ok(Epoch {
            epoch: self.epochs,
            seconds: begin.elapsed().as_secs_f64(),
            loss: sums.loss / examples,
            val_loss: of_validation(|validation| Some(validation.loss)),
            accuracy: classifier.then_some(sums.correct as f64 / examples),
            val_accuracy: of_validation(|validation| validation.accuracy),
            mae: (!classifier).then_some(sums.absolute / examples),
            val_mae: of_validation(|validation| validation.mae),
        })
    }

    fn batches(&mut self, data: &Dataset, progress: &mut impl FnMut(Progress)) -> Result<Sums, TrainError> {
        let mut order: Vec<&Series> = data.series.iter().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(self.options.seed);
        // Stream 0 is the initial parameters'.
        rng.set_stream(1 + self.epochs as u64);
        order.shuffle(&mut rng);

        let judge = Judge::new(&self.model.network, self.loss);
        let batches = order.len().div_ceil(self.options.batch_size);
        let mut sums = Sums::default();
        for (batch, series) in (1..).zip(order.chunks(self.options.batch_size)) {
            let rate = self.options.dropout;
            let dropout = (rate > 0.0).then(|| (rate, rng.next_u64()));
            let simulated =
                self.simulation.as_ref().map(|simulation| simulation.simulated(&self.model.network)).transpose()?;
            let network = simulated.as_ref().map_or(&self.model.network, |simulated| &simulated.network);
            let (part, mut gradient) = gradient::batch(network, &judge, series, dropout, simulated.as_ref());
            let norm = gradient.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt();
            for (what, value) in [("loss", part.loss / part.examples as f64), ("gradient's norm", norm)] {
                if !value.is_finite() {
                    return Err(TrainError::Diverged { what, value, epoch: self.epochs + 1, batch });
                }
            }
            if let Some(limit) = self.options.clip_norm
                && norm > limit
            {
                #[expect(clippy::cast_possible_truncation, reason = "the gradient is single precision")]
                let factor = (limit / norm) as f32;
                gradient.iter_mut().for_each(|g| *g *= factor);
            }
            let Options { learning_rate, schedule, optimizer, .. } = self.options;
            let done = self.epochs as f64 + (batch - 1) as f64 / batches as f64;
            let learning_rate = learning_rate * schedule.factor(done);
            optimizer.update(learning_rate, &mut self.moments, self.model.network.parameters_mut(), &gradient);
            sums += part;
            let examples = sums.examples as f64;
            let metric = if self.loss.is_crossentropy() { sums.correct as f64 } else { sums.absolute } / examples;
            progress(Progress { batch, batches, loss: sums.loss / examples, metric });
        }
        // Before the last batch the next one's loss would have told.
        if let Some(&weight) = self.model.network.parameters().iter().find(|weight| !weight.is_finite()) {
            let (what, value, epoch) = ("updated weights", weight.into(), self.epochs + 1);
            return Err(TrainError::Diverged { what, value, epoch, batch: batches });
        }
        Ok(sums)
    }
}

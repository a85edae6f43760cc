//! The trainer: exact back-propagation through time, on all cores, with the same bits for the same seed.
//!
//! ```
//! use gatelet::data::{Dataset, Series, Targets};
//! use gatelet::train::{Options, Trainer, prepare};
//! // Which of two numbers came last?
//! let series = (0..40).map(|i| {
//!     let last = (i % 2) as f32;
//!     Ok(Series::new("", 1, vec![1.0 - last, (i / 2) as f32 / 20.0, last])?.with_class(i % 2))
//! });
//! let series = series.collect::<Result<_, gatelet::data::DataError>>()?;
//! let classes = Targets::Classes(vec!["zero".into(), "one".into()]);
//! let data = Dataset::new(vec!["x".into()], classes, series)?;
//!
//! let options = Options { learning_rate: 0.02, ..Options::default() };
//! let model = prepare("gru(8), dense(2, softmax)", &data, options.seed)?;
//! let mut trainer = Trainer::new(model, &data, options)?;
//! for _ in 0..30 {
//!     trainer.epoch(&data, None, |_| {})?;
//! }
//! let evaluation = gatelet::train::evaluate(&trainer.model().network, &data)?;
//! assert_eq!(evaluation.accuracy, Some(1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod activation;
mod cell;
mod checkpoint;
mod evaluate;
mod exact;
mod gradient;
mod graph;
mod loss;
mod optimizer;
mod prepare;
mod recurrent;
mod sequences;
mod trainer;

pub use evaluate::{Evaluation, evaluate, predict, soft_targets};
pub use gradient::loss_and_gradient;
pub use loss::Loss;
pub use optimizer::{Optimizer, Schedule};
pub use prepare::prepare;
pub use trainer::{Epoch, Options, Progress, Trainer};

use crate::data::DataError;
use crate::network::{DescriptionError, ModelError, NetworkError};
use crate::quantize::QuantizeError;
use std::path::PathBuf;

/// Why training stopped or could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The description is no network.
    #[error("--model: {0}")]
    Description(#[from] DescriptionError),
    /// The layers make no network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A checkpoint cannot be written or read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The data have another number of features than the network has inputs.
    #[error("the data have {features} features, the network takes {inputs}: choose the features it was trained with")]
    Features {
        /// Features of the data.
        features: usize,
        /// Inputs of the network.
        inputs: usize,
    },
    /// A layer that is run here, but not trained.
    #[error("layer {layer}, {what}, cannot be trained here: train it with Keras or PyTorch and import it")]
    Layer {
        /// Which layer, from 1.
        layer: usize,
        /// Its description.
        what: String,
    },
    /// An integer network, whose weights do not move by small steps.
    #[error(
        "layer {layer}, {what}: an integer network is not trained; train the one in single precision that it comes from"
    )]
    Integer {
        /// Which layer, from 1.
        layer: usize,
        /// Its description.
        what: String,
    },
    /// The network's outputs do not fit the targets.
    #[error("the network gives {outputs} outputs, but the data have {targets}: end the model with `dense({expected})`")]
    Outputs {
        /// Outputs of the network.
        outputs: usize,
        /// What the data have, in words.
        targets: String,
        /// The arguments of a dense layer that would fit.
        expected: String,
    },
    /// A cross-entropy on outputs that are no probabilities.
    #[error("{loss} needs probabilities: end the model with `dense({outputs}, softmax)`")]
    NoProbabilities {
        /// The loss.
        loss: &'static str,
        /// Outputs of the network.
        outputs: usize,
    },
    /// A loss that the targets do not go with.
    #[error("{loss} needs {expected} as targets, but the data have {found}: choose another loss or other targets")]
    Targets {
        /// The loss.
        loss: &'static str,
        /// What it needs.
        expected: &'static str,
        /// What there is.
        found: &'static str,
    },
    /// An option that cannot be meant.
    #[error("{option} is {value}; expected {expected}")]
    Option {
        /// Which option.
        option: &'static str,
        /// Its value.
        value: String,
        /// What it can be.
        expected: &'static str,
    },
    /// The loss, the gradient or a weight is no finite number any more.
    #[error(
        "the {what} became {value} in epoch {epoch}, batch {batch}: try a smaller learning rate, or clip gradients"
    )]
    Diverged {
        /// Loss, gradient or weights.
        what: &'static str,
        /// Its value.
        value: f64,
        /// Which epoch, from 1.
        epoch: usize,
        /// Which batch of it, from 1.
        batch: usize,
    },
    /// There is no integer network to train for.
    #[error(transparent)]
    Quantize(#[from] QuantizeError),
    /// A checkpoint of another run.
    #[error("{}: {problem}", path.display())]
    Checkpoint {
        /// Which file.
        path: PathBuf,
        /// Why it cannot be used.
        problem: String,
    },
}

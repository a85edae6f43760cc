//! Optimisers.

use serde::{Deserialize, Serialize};

/// How a gradient changes the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimizer {
    /// Adam (Kingma & Ba 2015) with Keras's defaults: β₁ 0.9, β₂ 0.999, ε 1e-7.
    Adam,
    /// Stochastic gradient descent: v' = momentum · v - rate · gradient, p' = p + v'.
    Sgd {
        /// Momentum; 0 for none.
        momentum: f32,
    },
}

impl core::fmt::Display for Optimizer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Optimizer::Adam => f.write_str("adam"),
            Optimizer::Sgd { momentum } => write!(f, "sgd with momentum {momentum}"),
        }
    }
}

/// How the learning rate changes over a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Schedule {
    /// Not at all.
    Constant,
    /// Down to zero along half a cosine (Keras `CosineDecay`, PyTorch `CosineAnnealingLR`), so that the last steps are small
    /// ones and the result depends less on where the run happens to end.
    Cosine {
        /// Epochs of the run.
        epochs: usize,
    },
}

impl core::fmt::Display for Schedule {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Schedule::Constant => f.write_str("constant"),
            Schedule::Cosine { epochs } => write!(f, "cosine over {epochs} epochs"),
        }
    }
}

impl Schedule {
    /// What to multiply the learning rate by after `done` epochs, whole and parts of them.
    pub(super) fn factor(self, done: f64) -> f64 {
        match self {
            Schedule::Constant => 1.0,
            Schedule::Cosine { epochs } => {
                let part = (done / epochs as f64).min(1.0);
                0.5 + 0.5 * (core::f64::consts::PI * part).cos()
            }
        }
    }
}

/// An optimiser's memory of past gradients.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Moments {
    /// Updates done.
    pub(super) updates: u64,
    /// Mean of gradients (Adam) or velocity.
    pub(super) first: Vec<f32>,
    /// Mean of squared gradients (Adam).
    pub(super) second: Vec<f32>,
}

impl Moments {
    pub(super) fn new(parameters: usize) -> Self {
        Moments { updates: 0, first: vec![0.0; parameters], second: vec![0.0; parameters] }
    }
}

impl Optimizer {
    /// One update.
    pub(super) fn update(self, rate: f64, moments: &mut Moments, parameters: &mut [f32], gradient: &[f32]) {
        const BETA_1: f32 = 0.9;
        const BETA_2: f32 = 0.999;
        const EPSILON: f32 = 1e-7;
        moments.updates += 1;
        // After so many updates both corrections are 1.
        let n = i32::try_from(moments.updates).unwrap_or(i32::MAX);
        #[expect(clippy::cast_possible_truncation, reason = "the parameters are single precision")]
        let rate = match self {
            Optimizer::Adam => rate * (1.0 - f64::from(BETA_2).powi(n)).sqrt() / (1.0 - f64::from(BETA_1).powi(n)),
            Optimizer::Sgd { .. } => rate,
        } as f32;
        let moments = moments.first.iter_mut().zip(&mut moments.second);
        for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
            match self {
                Optimizer::Adam => {
                    *m += (g - *m) * (1.0 - BETA_1);
                    *v += (g * g - *v) * (1.0 - BETA_2);
                    *p -= rate * *m / (v.sqrt() + EPSILON);
                }
                Optimizer::Sgd { momentum } => {
                    *m = momentum * *m - rate * g;
                    *p += *m;
                }
            }
        }
    }
}

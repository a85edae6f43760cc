//! The networks that everyone runs, and the signal they run on.

use clap::ValueEnum;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// Inputs of each network.
pub const INPUTS: usize = 1;
/// Outputs of each network.
pub const OUTPUTS: usize = 1;

/// The recurrent cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Cell {
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit, reset gate after the product.
    Gru,
}

impl Cell {
    /// Rows of the weight matrices per unit.
    pub fn gates(self) -> usize {
        match self {
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
    }
}

/// A recurrent layer on one input and a dense layer with one output, as PyTorch lays them out: matrices with a row per gate
/// and unit and a column per input, two biases per row, gates in the order i, f, g, o (LSTM) or r, z, n (GRU).
#[derive(Clone, Debug, Serialize)]
pub struct Network {
    /// Which cell.
    pub cell: Cell,
    /// Units.
    pub hidden: usize,
    /// `[gate][unit]`: one input.
    pub kernel: Vec<f32>,
    /// `[gate][unit][k]`.
    pub recurrent_kernel: Vec<f32>,
    /// `[gate][unit]`, added to the input's product.
    pub bias: Vec<f32>,
    /// `[gate][unit]`, added to the recurrent product.
    pub recurrent_bias: Vec<f32>,
    /// `[unit]`: one output.
    pub dense_kernel: Vec<f32>,
    /// The output's bias.
    pub dense_bias: f32,
}

impl Network {
    /// Every weight between -1/√hidden and 1/√hidden, PyTorch's initialisation.
    pub fn random(cell: Cell, hidden: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(hidden as u64);
        let bound = 1.0 / (hidden as f32).sqrt();
        let mut draw = |count: usize| (0..count).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>();
        let rows = cell.gates() * hidden;
        Network {
            cell,
            hidden,
            kernel: draw(rows * INPUTS),
            recurrent_kernel: draw(rows * hidden),
            bias: draw(rows),
            recurrent_bias: draw(rows),
            dense_kernel: draw(hidden * OUTPUTS),
            dense_bias: draw(OUTPUTS)[0],
        }
    }

    /// One gate's rows of a vector or matrix.
    pub fn gate<'a>(&self, weights: &'a [f32], gate: usize) -> &'a [f32] {
        let size = weights.len() / self.cell.gates();
        &weights[gate * size..][..size]
    }

    /// The rows of a vector or matrix with the gates in another order.
    pub fn reordered(&self, weights: &[f32], order: &[usize]) -> Vec<f32> {
        order.iter().flat_map(|&gate| self.gate(weights, gate)).copied().collect()
    }

    /// The sum of both biases.
    pub fn summed_bias(&self) -> Vec<f32> {
        self.bias.iter().zip(&self.recurrent_bias).map(|(a, b)| a + b).collect()
    }
}

/// Two sines that share no period.
pub fn signal(steps: usize) -> Vec<f32> {
    (0..steps).map(|t| t as f32).map(|t| 0.6 * (0.31 * t).sin() + 0.4 * (0.047 * t).cos()).collect()
}

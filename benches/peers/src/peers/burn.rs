//! `burn`: its `Lstm` and `Gru` on sequences of length one, without automatic differentiation.

use super::Peer;
use crate::network::{Cell, INPUTS, Network, OUTPUTS};
use anyhow::Result;
use burn::module::Param;
use burn::nn::{GateController, Gru, GruConfig, Linear, Lstm, LstmConfig};
use burn::tensor::{Device, Tensor, TensorData};

struct Burn {
    device: Device,
    /// A step of the recurrent layer, with its state inside.
    step: Box<dyn FnMut(Tensor<3>) -> Tensor<3>>,
    dense: Linear,
}

impl Peer for Burn {
    fn name(&self) -> &str {
        "burn"
    }

    fn version(&self) -> &str {
        super::locked_version("burn")
    }

    fn steps_per_call(&self) -> usize {
        1
    }

    fn run(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<()> {
        for (&x, y) in xs.iter().zip(ys) {
            let x = Tensor::from_data([[[x; INPUTS]]], &self.device);
            *y = self.dense.forward((self.step)(x)).try_into_scalar()?;
        }
        Ok(())
    }
}

/// The network on Burn's own backend for processors.
pub fn peer(network: &Network) -> Box<dyn Peer> {
    let device = Device::flex();
    let gate = |index: usize| GateController {
        input_transform: transform(network, index, &network.kernel, &network.bias, &device),
        hidden_transform: transform(network, index, &network.recurrent_kernel, &network.recurrent_bias, &device),
    };
    let step: Box<dyn FnMut(Tensor<3>) -> Tensor<3>> = match network.cell {
        Cell::Lstm => {
            let cell = Lstm {
                input_gate: gate(0),
                forget_gate: Some(gate(1)),
                cell_gate: gate(2),
                output_gate: gate(3),
                ..LstmConfig::new(INPUTS, network.hidden, true).init(&device)
            };
            let mut state = None;
            Box::new(move |x| {
                let (y, next) = cell.forward(x, state.take());
                state = Some(next);
                y
            })
        }
        Cell::Gru => {
            let cell = Gru {
                reset_gate: gate(0),
                update_gate: gate(1),
                new_gate: gate(2),
                ..GruConfig::new(INPUTS, network.hidden, true).init(&device)
            };
            let mut state = None;
            Box::new(move |x| {
                let y = cell.forward(x, state.take());
                state = Some(y.clone().squeeze_dim(1));
                y
            })
        }
    };
    let dense = linear(&network.dense_kernel, &[network.dense_bias; OUTPUTS], &device);
    Box::new(Burn { device, step, dense })
}

/// One gate's part of a matrix and bias.
fn transform(network: &Network, gate: usize, weights: &[f32], bias: &[f32], device: &Device) -> Linear {
    linear(network.gate(weights, gate), network.gate(bias, gate), device)
}

/// A linear layer from a matrix with a row per output; Burn's has a column.
fn linear(weights: &[f32], bias: &[f32], device: &Device) -> Linear {
    let inputs = weights.len() / bias.len();
    let weights = Tensor::<2>::from_data(TensorData::new(weights.to_vec(), [bias.len(), inputs]), device);
    let bias = Tensor::<1>::from_data(bias, device);
    Linear { weight: Param::from_tensor(weights.transpose()), bias: Some(Param::from_tensor(bias)) }
}

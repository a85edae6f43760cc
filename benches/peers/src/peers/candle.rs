//! `candle-nn`: its cells' `step`, one bias per row where the equations allow it.

use super::Peer;
use crate::network::{Cell, INPUTS, Network, OUTPUTS};
use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::rnn::{GRUConfig, LSTMConfig, RNN, gru, lstm};
use candle_nn::{Linear, Module, VarBuilder, linear};
use std::collections::HashMap;

struct Candle<R: RNN> {
    cell: R,
    state: R::State,
    h: fn(&R::State) -> &Tensor,
    dense: Linear,
}

impl<R: RNN> Peer for Candle<R> {
    fn name(&self) -> &str {
        "candle-nn"
    }

    fn version(&self) -> &str {
        super::locked_version("candle-nn")
    }

    fn steps_per_call(&self) -> usize {
        1
    }

    fn run(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<()> {
        for (x, y) in xs.chunks(INPUTS).zip(ys) {
            let x = Tensor::from_slice(x, (1, INPUTS), &Device::Cpu)?;
            self.state = self.cell.step(&x, &self.state)?;
            *y = self.dense.forward((self.h)(&self.state))?.reshape(())?.to_scalar()?;
        }
        Ok(())
    }
}

/// Weights by their PyTorch names.
pub fn peer(network: &Network) -> Result<Box<dyn Peer>> {
    let hidden = network.hidden;
    let rows = network.cell.gates() * hidden;
    let bias = match network.cell {
        Cell::Lstm => &network.summed_bias(),
        Cell::Gru => &network.bias,
    };
    let tensor = |values: &[f32], shape: &[usize]| Tensor::from_slice(values, shape, &Device::Cpu);
    let tensors = HashMap::from([
        ("weight_ih_l0".into(), tensor(&network.kernel, &[rows, INPUTS])?),
        ("weight_hh_l0".into(), tensor(&network.recurrent_kernel, &[rows, hidden])?),
        ("bias_ih_l0".into(), tensor(bias, &[rows])?),
        ("bias_hh_l0".into(), tensor(&network.recurrent_bias, &[rows])?),
        ("weight".into(), tensor(&network.dense_kernel, &[OUTPUTS, hidden])?),
        ("bias".into(), tensor(&[network.dense_bias], &[OUTPUTS])?),
    ]);
    let tensors = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    let dense = linear(hidden, OUTPUTS, tensors.clone())?;
    Ok(match network.cell {
        Cell::Lstm => {
            let cell = lstm(INPUTS, hidden, LSTMConfig { b_hh_init: None, ..Default::default() }, tensors)?;
            Box::new(Candle { state: cell.zero_state(1)?, cell, h: |state| &state.h, dense })
        }
        Cell::Gru => {
            let cell = gru(INPUTS, hidden, GRUConfig::default(), tensors)?;
            Box::new(Candle { state: cell.zero_state(1)?, cell, h: |state| &state.h, dense })
        }
    })
}

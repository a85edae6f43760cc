//! `nam-rs`: the LSTM of guitar amplifier models, one sample at a time.

use super::Peer;
use crate::network::{INPUTS, Network};
use anyhow::Result;
use nam_rs::{Lstm, LstmConfig, ModelConfig, NamModel};
use std::hint::black_box;

struct Nam(Lstm);

impl Peer for Nam {
    fn name(&self) -> &str {
        "nam-rs"
    }

    fn version(&self) -> &str {
        super::locked_version("nam-rs")
    }

    fn steps_per_call(&self) -> usize {
        1
    }

    fn run(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<()> {
        for (&x, y) in xs.iter().zip(ys) {
            *y = self.0.process_sample(black_box(x));
        }
        Ok(())
    }
}

/// A `.nam` model in memory: rows of input and recurrent weights side by side, one bias, the initial state, the dense layer.
pub fn peer(network: &Network) -> Result<Box<dyn Peer>> {
    let hidden = network.hidden;
    let mut weights = Vec::new();
    for (w, u) in network.kernel.chunks(INPUTS).zip(network.recurrent_kernel.chunks(hidden)) {
        weights.extend_from_slice(w);
        weights.extend_from_slice(u);
    }
    weights.extend(network.summed_bias());
    weights.extend(std::iter::repeat_n(0.0, 2 * hidden));
    weights.extend_from_slice(&network.dense_kernel);
    weights.push(network.dense_bias);

    let model = NamModel {
        version: "0.5.4".into(),
        architecture: "LSTM".into(),
        config: ModelConfig::Lstm(LstmConfig { input_size: INPUTS, hidden_size: hidden, num_layers: 1 }),
        weights,
        sample_rate: None,
        metadata: None,
    };
    Ok(Box::new(Nam(Lstm::new(&model)?)))
}

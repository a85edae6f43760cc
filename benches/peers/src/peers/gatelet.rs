//! Gatelet: sizes in the type, `step` or `run`.

use super::Peer;
use crate::network::{Cell, INPUTS, Network, OUTPUTS};
use anyhow::{Result, bail};
use gatelet::{Chain, Dense, Gru, Layer, Lstm, chain};
use std::hint::black_box;

struct Gatelet<L: Layer> {
    net: L,
    state: L::State,
    steps_per_call: usize,
}

impl<L: Layer<Input = [f32; INPUTS], Output = [f32; OUTPUTS]>> Peer for Gatelet<L> {
    fn name(&self) -> &str {
        "gatelet"
    }

    fn version(&self) -> &str {
        super::locked_version("gatelet")
    }

    fn steps_per_call(&self) -> usize {
        self.steps_per_call
    }

    fn run(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<()> {
        let (xs, ys) = (xs.as_chunks().0, ys.as_chunks_mut().0);
        if self.steps_per_call == 1 {
            for (x, y) in xs.iter().zip(ys) {
                self.net.step(&mut self.state, black_box(x), y);
            }
        } else {
            for (xs, ys) in xs.chunks(self.steps_per_call).zip(ys.chunks_mut(self.steps_per_call)) {
                self.net.run(&mut self.state, black_box(xs), ys)?;
            }
        }
        Ok(())
    }
}

/// The network with its size as a constant.
pub fn peer(network: &Network, steps_per_call: usize) -> Result<Box<dyn Peer>> {
    Ok(match network.hidden {
        8 => sized::<8>(network, steps_per_call),
        16 => sized::<16>(network, steps_per_call),
        32 => sized::<32>(network, steps_per_call),
        64 => sized::<64>(network, steps_per_call),
        hidden => bail!("no type for {hidden} units: 8, 16, 32 or 64"),
    })
}

fn sized<const H: usize>(network: &Network, steps_per_call: usize) -> Box<dyn Peer> {
    let dense_kernel: [[f32; OUTPUTS]; H] = std::array::from_fn(|k| [network.dense_kernel[k]]);
    let dense = Dense::new(&dense_kernel, &[network.dense_bias]);
    match network.cell {
        Cell::Lstm => {
            let (recurrent_kernel, kernel) = kernels::<4, H>(network);
            let bias = rows(network, &network.summed_bias());
            let net: chain!(Lstm<INPUTS, H>, Dense<H, OUTPUTS>) =
                Chain(Lstm::new(&recurrent_kernel, &[kernel], &bias), dense);
            Box::new(Gatelet { net, state: <chain!(Lstm<INPUTS, H>, Dense<H, OUTPUTS>)>::ZERO_STATE, steps_per_call })
        }
        Cell::Gru => {
            let (recurrent_kernel, kernel) = kernels::<3, H>(network);
            let [r, z, _]: [[f32; H]; 3] = rows(network, &network.summed_bias());
            let [_, _, n]: [[f32; H]; 3] = rows(network, &network.bias);
            let [_, _, hn]: [[f32; H]; 3] = rows(network, &network.recurrent_bias);
            let net: chain!(Gru<INPUTS, H>, Dense<H, OUTPUTS>) =
                Chain(Gru::new(&recurrent_kernel, &[kernel], &[r, z, n, hn]), dense);
            Box::new(Gatelet { net, state: <chain!(Gru<INPUTS, H>, Dense<H, OUTPUTS>)>::ZERO_STATE, steps_per_call })
        }
    }
}

/// `recurrent_kernel[k][gate][unit]` and `kernel[gate][unit]`.
fn kernels<const G: usize, const H: usize>(network: &Network) -> ([[[f32; H]; G]; H], [[f32; H]; G]) {
    let recurrent_kernel = std::array::from_fn(|k| {
        std::array::from_fn(|gate| std::array::from_fn(|unit| network.recurrent_kernel[(gate * H + unit) * H + k]))
    });
    (recurrent_kernel, rows(network, &network.kernel))
}

/// `[gate][unit]`.
fn rows<const G: usize, const H: usize>(network: &Network, weights: &[f32]) -> [[f32; H]; G] {
    std::array::from_fn(|gate| std::array::from_fn(|unit| network.gate(weights, gate)[unit]))
}

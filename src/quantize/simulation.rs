//! Integer networks of weights that still move: what the trainer runs when it trains for integers.

use super::fold::{Source, folded};
use super::layer::Plan;
use super::rows::Search;
use super::{QuantizeError, as_bytes};
use crate::network::{Inference, LayerKind, LayerSpec, Network};

/// How the integer network of a network is made, apart from its weights: every range, and how weights are rounded.
#[derive(Clone, Debug)]
pub struct Simulation {
    pub(super) plans: Vec<Plan>,
    pub(super) input_bits: Vec<i8>,
    pub(super) search: Search,
}

impl Simulation {
    /// The integer network of a network that differs from the calibrated one in its weights alone.
    ///
    /// # Errors
    /// If a weight has grown beyond what its row can represent.
    pub fn integer(&self, network: &Network<f32>) -> Result<Network<f32>, QuantizeError> {
        let folded = folded(network)?;
        let mut layers: Vec<LayerSpec> = vec![LayerKind::Quantize { size: folded.network.inputs() }.into()];
        let mut numbers = vec![as_bytes(&self.input_bits)];
        for (index, (spec, plan)) in folded.network.layers().iter().zip(&self.plans).enumerate() {
            layers.push(LayerSpec { integer: true, ..*spec });
            let weights = &folded.network.parameters()[folded.network.range(index)];
            numbers.push(plan.rows(weights, self.search)?.to_bytes());
        }
        let outputs = folded.network.outputs();
        layers.push(LayerKind::Dequantize { size: outputs }.into());
        let bits = self.plans.last().map_or(15, |plan| plan.output_bits);
        numbers.push(as_bytes(&vec![bits; outputs]));
        let mut integer = Network::new(layers)?;
        for (layer, numbers) in numbers.iter().enumerate() {
            integer.integers_mut(layer).copy_from_slice(numbers);
        }
        match folded.behind {
            Some((layer, parameters)) => {
                let end = integer.layers().len();
                Ok(integer.with_layer(end, layer, &parameters)?)
            }
            None => Ok(integer),
        }
    }

    /// The same in parts, and the network that the integers stand for.
    pub(crate) fn simulated(&self, network: &Network<f32>) -> Result<Simulated, QuantizeError> {
        let folded = folded(network)?;
        let mut weights = Vec::new();
        let mut layers = Vec::new();
        for (index, (spec, plan)) in folded.network.layers().iter().zip(&self.plans).enumerate() {
            let rows = plan.rows(&folded.network.parameters()[folded.network.range(index)], self.search)?;
            weights.push(plan.dequantized(&rows));
            let inference = plan.alone(&forward(spec), &rows)?.inference();
            layers.push(SimulatedLayer { inference, kind: spec.kind, source: folded.layers[index].clone() });
        }
        Ok(Simulated { network: folded.unfolded(network, &weights), layers })
    }
}

/// The same layer, where sequences are handed to it in the order it takes them.
fn forward(spec: &LayerSpec) -> LayerSpec {
    match spec.kind {
        LayerKind::Recurrent(layer) => LayerSpec {
            kind: LayerKind::Recurrent(crate::network::Recurrent { go_backwards: false, ..layer }),
            ..*spec
        },
        _ => *spec,
    }
}

/// A network of integers, and the one that they stand for.
pub(crate) struct Simulated {
    /// In single precision, of the same layers as the network that is trained.
    pub(crate) network: Network<f32>,
    /// Its layers but for normalisations.
    pub(crate) layers: Vec<SimulatedLayer>,
}

/// An integer layer between conversions: single precision in and out.
pub(crate) struct SimulatedLayer {
    pub(crate) inference: Inference,
    pub(crate) kind: LayerKind,
    pub(crate) source: Source,
}

//! Integer networks of weights that still move: what the trainer runs when it trains for integers.

use super::fold::{folded, part};
use super::plan::Plan;
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
        let front = &network.layers()[..folded.front];
        let mut layers = front.to_vec();
        layers.push(LayerKind::Quantize { size: folded.network.inputs() }.into());
        let mut numbers = vec![as_bytes(&self.input_bits)];
        for (index, (spec, plan)) in folded.network.layers().iter().zip(&self.plans).enumerate() {
            layers.push(LayerSpec { integer: true, ..*spec });
            let weights = &folded.network.parameters()[folded.network.range(index)];
            numbers.push(plan.bytes(weights, self.search)?);
        }
        layers.push(LayerKind::Dequantize { size: folded.network.outputs() }.into());
        numbers.push(self.plans.last().map_or_else(Vec::new, |plan| as_bytes(&plan.output_bits)));
        let behind = layers.len();
        layers.extend_from_slice(&network.layers()[folded.behind..]);
        let mut integer = Network::new(layers)?;
        for (layer, numbers) in (folded.front..).zip(&numbers) {
            integer.integers_mut(layer).copy_from_slice(numbers);
        }
        let of_behind = (behind..).zip(folded.behind..network.layers().len());
        for (to, from) in (0..folded.front).map(|layer| (layer, layer)).chain(of_behind) {
            let to = integer.range(to);
            integer.parameters_mut()[to].copy_from_slice(&network.parameters()[network.range(from)]);
        }
        Ok(integer)
    }

    /// The same in parts, and the network that the integers stand for.
    pub(crate) fn simulated(&self, network: &Network<f32>) -> Result<Simulated, QuantizeError> {
        let folded = folded(network)?;
        let mut weights = Vec::new();
        let mut layers = Vec::new();
        for (index, (spec, plan)) in folded.network.layers().iter().zip(&self.plans).enumerate() {
            let bytes = plan.bytes(&folded.network.parameters()[folded.network.range(index)], self.search)?;
            weights.push(plan.dequantized(&bytes));
            layers.push(SimulatedLayer {
                inference: match spec.kind {
                    LayerKind::Recurrent(_) if !spec.residual => None,
                    LayerKind::Last { .. } => None,
                    _ => Some(plan.alone(spec, &bytes)?.inference()),
                },
                cells: plan.cells_alone(&bytes)?.iter().map(Network::inference).collect(),
                kind: spec.kind,
                end: folded.layers[index].end,
            });
        }
        let front = part(network, 0..folded.front)?.as_ref().map(Network::inference);
        Ok(Simulated { network: folded.unfolded(network, &weights), front, layers })
    }
}

/// A network of integers, and the one that they stand for.
pub(crate) struct Simulated {
    /// In single precision, of the same layers as the network that is trained.
    pub(crate) network: Network<f32>,
    /// What is in front of the integers.
    pub(crate) front: Option<Inference>,
    /// Its layers but for what they have taken in.
    pub(crate) layers: Vec<SimulatedLayer>,
}

/// An integer layer between conversions: single precision in and out.
pub(crate) struct SimulatedLayer {
    /// Nothing of a layer whose outputs are its cell's, or those that it is given.
    pub(crate) inference: Option<Inference>,
    /// The recurrent cells in it, each alone: sequences are handed to them in the order they take them.
    pub(crate) cells: Vec<Inference>,
    pub(crate) kind: LayerKind,
    /// The layer of the network that gives its output.
    pub(crate) end: usize,
}

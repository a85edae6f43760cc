//! How far an integer network goes from the one in single precision.

use crate::network::{LayerKind, Network};
use serde::Serialize;

/// How far hidden states and outputs differ over a long sequence, both networks going on from their own states.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// Time steps.
    pub steps: usize,
    /// Of each recurrent layer's hidden state.
    pub layers: Vec<LayerDrift>,
    /// Of the outputs.
    pub output: LayerDrift,
}

/// How far one vector differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerDrift {
    /// The layer's description; `output` of the network's outputs.
    pub layer: String,
    /// From the least to the greatest number, in single precision.
    pub range: f64,
    /// The root of the mean squared difference, as a part of the range.
    pub rms: f64,
    /// The largest difference, as a part of the range.
    pub max: f64,
    /// The root of the mean squared difference in each tenth of the steps, as a part of the range.
    pub tenths: Vec<f64>,
}

/// Differences of one vector.
#[derive(Default)]
struct Sums {
    least: f64,
    greatest: f64,
    largest: f64,
    squares: Vec<(f64, u64)>,
}

impl Sums {
    fn new() -> Self {
        Sums { least: f64::INFINITY, greatest: f64::NEG_INFINITY, ..Sums::default() }
    }

    fn add(&mut self, tenth: usize, expected: &[f32], found: &[f32]) {
        self.squares.resize(self.squares.len().max(tenth + 1), (0.0, 0));
        for (&expected, &found) in expected.iter().zip(found) {
            let (expected, found) = (f64::from(expected), f64::from(found));
            self.least = self.least.min(expected);
            self.greatest = self.greatest.max(expected);
            self.largest = self.largest.max((found - expected).abs());
            let (sum, count) = &mut self.squares[tenth];
            *sum += (found - expected).powi(2);
            *count += 1;
        }
    }

    fn drift(self, layer: String) -> LayerDrift {
        let range = (self.greatest - self.least).max(f64::MIN_POSITIVE);
        let part = |(sum, count): (f64, u64)| (sum / count.max(1) as f64).sqrt() / range;
        let whole = self.squares.iter().fold((0.0, 0), |(sum, count), part| (sum + part.0, count + part.1));
        LayerDrift {
            layer,
            range,
            rms: part(whole),
            max: self.largest / range,
            tenths: self.squares.into_iter().map(part).collect(),
        }
    }
}

/// Runs both networks, of which `integer` was made of `network`, through `steps` time steps of `xs`, over and over if there are fewer.
/// Of networks that see a sequence from its end only the outputs are compared.
///
/// # Panics
/// If the networks have other layers, or there are no inputs.
#[must_use]
pub fn drift(network: &Network<f32>, integer: &Network<f32>, xs: &[f32], steps: usize) -> Drift {
    if !network.is_causal() {
        return whole(network, integer, xs, steps);
    }
    let of = |network: &Network<f32>| {
        let inference = network.inference();
        let recurrent: Vec<_> = (0..network.layers().len())
            .filter_map(|layer| match network.layers()[layer].kind {
                LayerKind::Recurrent(recurrent) => {
                    Some((network.layers()[layer].to_string(), inference.state_of(layer).start, recurrent.units))
                }
                _ => None,
            })
            .collect();
        let state = inference.initial_state();
        (inference, recurrent, state)
    };
    let (exact, exact_layers, mut exact_state) = of(network);
    let (rounded, layers, mut state) = of(integer);
    assert_eq!(exact_layers.len(), layers.len(), "networks of other layers");
    let mut sums: Vec<_> = layers.iter().map(|_| Sums::new()).collect();
    let mut output = Sums::new();
    let (mut expected, mut y) = (vec![0.0; exact.outputs()], vec![0.0; rounded.outputs()]);
    for (step, x) in xs.chunks_exact(exact.inputs()).cycle().take(steps).enumerate() {
        exact.step(&mut exact_state, x, &mut expected);
        rounded.step(&mut state, x, &mut y);
        let tenth = step * 10 / steps;
        for ((sums, (_, at, units)), (_, exact_at, _)) in sums.iter_mut().zip(&layers).zip(&exact_layers) {
            sums.add(tenth, &exact_state.values()[*exact_at..][..*units], &state.values()[*at..][..*units]);
        }
        output.add(tenth, &expected, &y);
    }
    Drift {
        steps,
        layers: sums.into_iter().zip(layers).map(|(sums, (layer, ..))| sums.drift(layer)).collect(),
        output: output.drift("output".into()),
    }
}

/// The same of networks that do not go step by step.
fn whole(network: &Network<f32>, integer: &Network<f32>, xs: &[f32], steps: usize) -> Drift {
    let xs: Vec<f32> = xs.iter().copied().cycle().take(steps * network.inputs()).collect();
    let [expected, ys] = [network, integer].map(|network| {
        let inference = network.inference();
        let mut ys = vec![0.0; steps * network.outputs()];
        inference.run(&mut inference.initial_state(), &xs, &mut ys);
        ys
    });
    let mut output = Sums::new();
    let size = network.outputs();
    for (step, (expected, y)) in expected.chunks_exact(size).zip(ys.chunks_exact(size)).enumerate() {
        output.add(step * 10 / steps, expected, y);
    }
    Drift { steps, layers: Vec::new(), output: output.drift("output".into()) }
}

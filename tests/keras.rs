//! Promise: every layer, with every option, gives Keras's outputs and ends in Keras's states, on every backend.
//!
//! `tests/golden/keras_layers.txt` has Keras's numbers; the script beside it says how weights and inputs are computed.
#![cfg(feature = "std")]

mod common;

use common::{difference, on_every_backend};
use gatelet::network::{Cell, LayerKind, Network, Recurrent};

const STEPS: usize = 4;

/// A model's weights in Keras's order.
struct Wave {
    count: usize,
    units: usize,
}

impl Wave {
    fn take(&mut self, size: usize) -> Vec<f64> {
        let numbers = self.count..self.count + size;
        self.count = numbers.end;
        numbers.map(|i| (0.7 * i as f64 + 1.0).sin() / (self.units as f64).sqrt()).collect()
    }

    /// The gates of a matrix's rows in our order: Keras has z, r, n where we have r, z, n.
    fn gates(&mut self, layer: &Recurrent, rows: usize) -> Vec<f64> {
        let gates: &[usize] = match layer.cell {
            Cell::SimpleRnn => &[0],
            Cell::Lstm => &[0, 1, 2, 3],
            Cell::Gru { .. } => &[1, 0, 2],
        };
        let keras = self.take(rows * gates.len() * layer.units);
        let of = |row: usize, gate: usize| &keras[(row * gates.len() + gate) * layer.units..][..layer.units];
        (0..rows).flat_map(|row| gates.iter().flat_map(move |&gate| of(row, gate).to_vec())).collect()
    }

    fn cell(&mut self, layer: &Recurrent, has_bias: bool) -> Vec<f64> {
        let kernel = self.gates(layer, layer.inputs);
        let recurrent_kernel = self.gates(layer, layer.units);
        let mut bias = match layer.cell {
            _ if !has_bias => Vec::new(),
            Cell::Gru { reset_after: true } => {
                // Biases of inputs and of the state are added, but for the state's part of n.
                let both = self.gates(layer, 2);
                let (inputs, state) = both.split_at(3 * layer.units);
                let sum = |(i, (a, b)): (usize, (&f64, &f64))| {
                    if i < 2 * layer.units { f64::from(*a as f32 + *b as f32) } else { *a }
                };
                let sums = inputs.iter().zip(state).enumerate().map(sum);
                sums.chain(state[2 * layer.units..].iter().copied()).collect()
            }
            _ => self.gates(layer, 1),
        };
        bias.resize(layer.cell.biases() * layer.units, 0.0);
        [recurrent_kernel, kernel, bias].concat()
    }

    fn layer(&mut self, kind: &LayerKind, has_bias: bool) -> Vec<f64> {
        self.units = kind.outputs();
        match kind {
            LayerKind::Recurrent(layer) => self.cell(layer, has_bias),
            LayerKind::Bidirectional { layer, .. } => {
                self.units = layer.units;
                [self.cell(layer, has_bias), self.cell(layer, has_bias)].concat()
            }
            // A batch normalisation.
            LayerKind::Normalize { size } => {
                let [gamma, beta, mean, variance] = [0; 4].map(|_| self.take(*size));
                let scale: Vec<f64> =
                    gamma.iter().zip(&variance).map(|(gamma, v)| gamma / (v.abs() + 0.5 + 1e-3).sqrt()).collect();
                let offset = (0..*size).map(|i| mean[i] - beta[i] / scale[i]).collect();
                [offset, scale].concat()
            }
            _ => self.take(kind.weights()),
        }
    }
}

/// A case of the golden file.
struct Case<'a> {
    line: &'a str,
    network: Network,
    xs: Vec<f32>,
    initial: bool,
    outputs: Vec<f32>,
    states: Vec<f32>,
}

fn case(line: &str) -> Case<'_> {
    let fields: Vec<&str> = line.split(';').collect();
    let [inputs, description, what, outputs, states] = fields[..] else { panic!("{line}") };
    let what: Vec<&str> = what.split(',').collect();
    let inputs = inputs.parse().unwrap();
    let mut network = Network::describe(inputs, description).unwrap();
    let mut wave = Wave { count: 0, units: 0 };
    for layer in 0..network.layers().len() {
        let weights = wave.layer(&network.layers()[layer].kind, !what.contains(&"no_bias"));
        let range = network.range(layer);
        assert_eq!(range.len(), weights.len(), "{line}");
        network.parameters_mut()[range].iter_mut().zip(weights).for_each(|(to, from)| *to = from as f32);
    }
    let mut xs: Vec<f32> = match network.layers()[0].kind {
        LayerKind::Embedding { tokens, .. } => (0..STEPS).map(|i| ((i * i + 1) % tokens) as f32).collect(),
        _ => (0..STEPS * inputs).map(|i| (1.3 * i as f64).sin() as f32).collect(),
    };
    for step in what.iter().filter_map(|word| word.strip_prefix("masked=")) {
        xs[step.parse::<usize>().unwrap() * inputs..][..inputs].fill(-1.0);
    }
    let numbers = |text: &str| text.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let (outputs, states, initial) = (numbers(outputs), numbers(states), what.contains(&"initial"));
    Case { line, network, xs, initial, outputs, states }
}

impl Case<'_> {
    /// The largest difference from Keras, counted in units of numbers above one, which only unbounded activations give.
    fn difference(&self) -> f32 {
        let inference = self.network.inference();
        let mut state = inference.zero_state();
        let is_recurrent = |layer: &usize| {
            matches!(self.network.layers()[*layer].kind, LayerKind::Recurrent(_) | LayerKind::Bidirectional { .. })
        };
        let recurrent: Vec<_> =
            (0..self.network.layers().len()).filter(is_recurrent).map(|layer| inference.state_of(layer)).collect();
        if self.initial {
            let values = &mut state.values_mut()[recurrent[0].clone()];
            values.iter_mut().enumerate().for_each(|(i, value)| *value = (0.5 * (0.9 * i as f64).cos()) as f32);
        }
        let outputs = if self.network.gives_sequence() {
            let mut outputs = vec![0.0; STEPS * self.network.outputs()];
            inference.run(&mut state, &self.xs, &mut outputs);
            outputs
        } else {
            inference.run_last(&mut state, &self.xs).unwrap()
        };
        let states: Vec<f32> = recurrent.into_iter().flat_map(|range| state.values()[range].to_vec()).collect();
        assert_eq!((outputs.len(), states.len()), (self.outputs.len(), self.states.len()), "{}", self.line);
        difference(&[outputs, states].concat(), &[&self.outputs[..], &self.states].concat())
    }
}

#[test]
fn layers_give_kerass_outputs_and_states() {
    let golden = include_str!("golden/keras_layers.txt");
    let cases: Vec<_> = golden.lines().map(case).collect();
    on_every_backend(|backend| {
        let mut worst = 0.0_f32;
        for case in &cases {
            let difference = case.difference();
            let begins: String = case.line.chars().take(120).collect();
            assert!(difference <= 2e-6, "{backend}: {difference} in {begins}");
            worst = worst.max(difference);
        }
        println!("{backend}: {} cases, largest difference {worst:.1e}", cases.len());
    });
    assert_eq!(cases.len(), 248);
}

/// Sums of inputs and of one for each step, with every weight one.
fn totals(inputs: usize, description: &str, xs: &[f32]) -> Vec<f32> {
    let mut network = Network::<f32>::describe(inputs, description).unwrap();
    network.parameters_mut().fill(1.0);
    common::outputs(&network, xs)
}

/// What Keras 3.15 gives for these layers, weights and inputs.
#[test]
fn a_mask_ends_where_another_begins() {
    assert_eq!(totals(1, "masking(0), simple_rnn(1, linear, sequences)", &[1.0, 0.0, 5.0]), [2.0, 2.0, 8.0]);
    let two = "masking(0), masking(5), simple_rnn(1, linear, sequences)";
    assert_eq!(totals(1, two, &[1.0, 0.0, 5.0, 2.0]), [2.0, 3.0, 3.0, 6.0]);
    let table = "masking(0), embedding(4, 1), simple_rnn(1, linear, sequences)";
    assert_eq!(totals(1, table, &[1.0, 0.0, 3.0, 2.0]), [2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn nothing_has_no_output() {
    for description in ["gru(3), dense(1)", "bidirectional(gru(3)), dense(1)", "lstm(3, sequences), last"] {
        let inference = Network::<f32>::describe(2, description).unwrap().inference();
        assert_eq!(inference.run_last(&mut inference.initial_state(), &[]), None, "{description}");
    }
}

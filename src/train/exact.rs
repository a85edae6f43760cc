//! What an integer network gives for a batch: the numbers that training for integers goes on with, bit by bit.

use super::graph::lasts;
use super::sequences::Sequences;
use crate::math::OutputKind;
use crate::network::{Inference, LayerKind, Real};
use crate::quantize::Simulated;
use nalgebra::DMatrix;

/// What an integer layer gives.
pub(super) struct ExactLayer<T> {
    /// h and c of every column, of each recurrent cell.
    pub(super) states: Vec<[Vec<T>; 2]>,
    /// Outputs, unless a recurrent layer has them among its states.
    pub(super) outputs: Option<Vec<T>>,
}

/// By layer of the network that is trained.
pub(super) struct Exact<T>(Vec<Option<ExactLayer<T>>>);

impl<T: Real> Exact<T> {
    /// Runs the integer layers on `x`, which has a column per sequence and time step.
    pub(super) fn new(simulated: &Simulated, x: &DMatrix<T>, sequences: &Sequences) -> Self {
        let mut exact: Vec<Option<ExactLayer<T>>> = simulated.network.layers().iter().map(|_| None).collect();
        #[expect(clippy::cast_possible_truncation, reason = "int16 numbers are exact in both precisions")]
        let mut flow = x.map(|x| x.widened() as f32);
        if let Some(front) = &simulated.front {
            flow = on_columns(front, &flow);
        }
        for layer in &simulated.layers {
            let mut states = Vec::new();
            flow = match (layer.kind, &layer.inference) {
                (LayerKind::Recurrent(spec), around) => {
                    let x = if spec.go_backwards { flow.select_columns(&sequences.reversed()) } else { flow.clone() };
                    states.push(run(&layer.cells[0], spec.units, &x, sequences));
                    let every = || DMatrix::from_column_slice(spec.units, sequences.columns(), &states[0][0]);
                    match (around, spec.return_sequences) {
                        (Some(around), sequence) => whole(around, sequence, &flow, sequences),
                        (None, true) => every(),
                        (None, false) => every().select_columns(&lasts(sequences)),
                    }
                }
                (LayerKind::Bidirectional { layer: spec, .. }, Some(inference)) => {
                    let reversed = flow.select_columns(&sequences.reversed());
                    for (cell, flow) in layer.cells.iter().zip([&flow, &reversed]) {
                        states.push(run(cell, spec.units, flow, sequences));
                    }
                    whole(inference, spec.return_sequences, &flow, sequences)
                }
                (_, Some(inference)) => on_columns(inference, &flow),
                // The last time step.
                (_, None) => flow.select_columns(&lasts(sequences)),
            };
            // Of a softmax the differentiable one is needed, which is never 0.
            let is_softmax = matches!(layer.kind, LayerKind::Dense { activation: OutputKind::Softmax, .. });
            let has_outputs = !is_softmax && layer.inference.is_some();
            let widened = |numbers: &[f32]| numbers.iter().map(|&x| T::rounded(x.into())).collect::<Vec<_>>();
            exact[layer.end] = Some(ExactLayer {
                states: states.iter().map(|states| states.each_ref().map(|numbers| widened(numbers))).collect(),
                outputs: has_outputs.then(|| widened(flow.as_slice())),
            });
        }
        Exact(exact)
    }

    /// Of a layer, counted from 0.
    pub(super) fn of(&self, layer: usize) -> Option<&ExactLayer<T>> {
        self.0[layer].as_ref()
    }
}

/// What does the same to every time step gives for every column.
fn on_columns(inference: &Inference, x: &DMatrix<f32>) -> DMatrix<f32> {
    let mut ys = DMatrix::zeros(inference.outputs(), x.ncols());
    inference.run(&mut inference.initial_state(), x.as_slice(), ys.as_mut_slice());
    ys
}

/// What a layer that sees whole sequences gives: for every column or, where it gives one output, for every sequence.
fn whole(inference: &Inference, every: bool, x: &DMatrix<f32>, sequences: &Sequences) -> DMatrix<f32> {
    let columns = if every { sequences.columns() } else { sequences.count() };
    let mut ys = DMatrix::zeros(inference.outputs(), columns);
    for place in 0..sequences.count() {
        let steps: Vec<_> = (0..sequences.lengths[place]).map(|step| sequences.step(step).start + place).collect();
        let x = x.select_columns(&steps);
        if every {
            let mut y = DMatrix::zeros(inference.outputs(), steps.len());
            inference.run(&mut inference.initial_state(), x.as_slice(), y.as_mut_slice());
            steps.iter().zip(y.column_iter()).for_each(|(&column, y)| ys.set_column(column, &y));
        } else if let Some(y) = inference.run_last(&mut inference.initial_state(), x.as_slice()) {
            ys.column_mut(place).copy_from_slice(&y);
        }
    }
    ys
}

/// h and c of every column.
fn run(cell: &Inference, units: usize, x: &DMatrix<f32>, sequences: &Sequences) -> [Vec<f32>; 2] {
    let has_cells = cell.state_of(1).len() > units;
    let mut h = vec![0.0; units * sequences.columns()];
    let mut c = vec![0.0; if has_cells { h.len() } else { 0 }];
    let mut y = vec![0.0; units];
    for place in 0..sequences.count() {
        let mut state = cell.initial_state();
        for step in 0..sequences.lengths[place] {
            let column = sequences.step(step).start + place;
            cell.step(&mut state, x.column(column).as_slice(), &mut y);
            let (new_h, new_c) = state.values().split_at(units);
            h[units * column..][..units].copy_from_slice(new_h);
            if has_cells {
                c[units * column..][..units].copy_from_slice(new_c);
            }
        }
    }
    [h, c]
}

#[cfg(test)]
mod tests {
    use super::super::gradient::batch;
    use super::super::loss::{Judge, Loss};
    use super::super::{Options, Trainer, evaluate};
    use super::*;
    use crate::data::{Dataset, Series, Targets};
    use crate::network::{LayerKind, Model, Network};
    use crate::quantize::{self, calibrate};

    fn series(outputs: usize) -> Vec<Series> {
        let number = |i: usize| 50.0 + 20.0 * (0.3 * i as f32).sin() + 5.0 * (1.7 * i as f32).cos();
        (0..20)
            .map(|n| {
                let steps = 3 + n % 7;
                let inputs: Vec<_> = (0..2 * steps).map(|i| number(31 * n + i)).collect();
                let values = (0..outputs * steps).map(|i| 0.04 * inputs[i % inputs.len()] - 2.0).collect();
                Series::new("", 2, inputs).unwrap().with_values(outputs, values)
            })
            .collect()
    }

    fn network(description: &str) -> Network<f32> {
        let network = Network::describe(2, description).unwrap().initialized(4);
        network.with_layer(0, LayerKind::Normalize { size: 2 }.into(), &[50.0, 50.0, 0.06, 0.06]).unwrap()
    }

    /// Every number that the trainer goes on with is the integer network's.
    #[test]
    fn the_simulation_gives_the_integer_networks_bits() {
        for description in [
            "lstm(5, sequences), dense(3, relu), gru(4, sequences), dense(2)",
            "gru(6, sequences, reset_after=false), dense(2)",
            "simple_rnn(6, sequences, relu), dense(2, sigmoid)",
            "bidirectional(lstm(4, sequences), merge=ave), gru(5, sequences, go_backwards), dense(2)",
            "bidirectional(gru(4, sequences)), dense(3), activation(tanh), dense(2)",
            "residual(gru(2, sequences)), bidirectional(lstm(3, sequences), merge=sum), residual(dense(3)), activation(tanh), dense(2)",
        ] {
            let network = network(description);
            let series = series(2);
            let inputs: Vec<_> = series.iter().map(Series::inputs).collect();
            let (simulation, _) = calibrate(&network, &inputs, &quantize::Options::default()).unwrap();
            let integer = simulation.integer(&network).unwrap().inference();
            let simulated = simulation.simulated(&network).unwrap();
            for one in &series {
                let sequences = Sequences::new(&[one.len()]);
                let x = DMatrix::from_column_slice(2, one.len(), one.inputs());
                let exact = Exact::<f32>::new(&simulated, &x, &sequences);
                let mut ys = vec![0.0; 2 * one.len()];
                integer.run(&mut integer.initial_state(), one.inputs(), &mut ys);
                let outputs = exact.of(network.layers().len() - 1).unwrap().outputs.as_ref();
                assert_eq!(outputs, Some(&ys), "{description}");
            }
        }
    }

    /// What integers stand for is near the weights they were made of, and so is the gradient.
    #[test]
    fn gradients_pass_through_the_rounding() {
        let series = series(2);
        let references: Vec<_> = series.iter().collect();
        for description in ["lstm(5, sequences), dense(2)", "gru(6, sequences), dense(2)", "gru(5), dense(2, tanh)"] {
            let mut network = network(description);
            if !description.contains("tanh") {
                // Becomes part of the dense layer.
                let end = network.layers().len();
                let layer = LayerKind::Normalize { size: 2 }.into();
                network = network.with_layer(end, layer, &[0.1, -0.2, 3.0, 0.5]).unwrap();
            }
            let inputs: Vec<_> = series.iter().map(Series::inputs).collect();
            let (simulation, _) = calibrate(&network, &inputs, &quantize::Options::default()).unwrap();
            let simulated = simulation.simulated(&network).unwrap();
            for (stands_for, weight) in simulated.network.parameters().iter().zip(network.parameters()) {
                // A bias makes up for what rounding does to three times a weight.
                assert!((stands_for - weight).abs() < 0.1 * weight.abs().max(1.0), "{description}");
            }
            let judge = Judge::new(&network, Loss::MeanSquaredError);
            let (exact, expected) = batch(&network, &judge, &references, None, None);
            let (rounded, found) = batch(&simulated.network, &judge, &references, None, Some(&simulated));
            assert_ne!(exact.loss, rounded.loss, "{description}: no rounding");
            assert!((exact.loss / rounded.loss - 1.0).abs() < 0.02, "{description}");
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
            let cosine = dot(&found, &expected) / (dot(&found, &found) * dot(&expected, &expected)).sqrt();
            assert!(cosine > 0.999, "{description}: {cosine}");
        }
    }

    #[test]
    fn training_for_integers_makes_the_integer_network_better() {
        let data = Dataset::new(vec!["a".into(), "b".into()], Targets::Values(vec!["c".into(), "d".into()]), series(2))
            .unwrap();
        let inputs: Vec<_> = data.series.iter().map(Series::inputs).collect();
        let network = network("gru(6, sequences), dense(2)");
        let (simulation, before) = calibrate(&network, &inputs, &quantize::Options::default()).unwrap();
        let mut trainer = Trainer::new(Model::new(network), &data, Options::default()).unwrap();
        trainer.train_for_integers(simulation);
        for _ in 0..30 {
            trainer.epoch(&data, None, |_| {}).unwrap();
        }
        let after = trainer.integer().unwrap().unwrap();
        let loss = |network| evaluate(network, &data).unwrap().loss;
        assert!(loss(&after) < 0.5 * loss(&before.network), "{} of {}", loss(&after), loss(&before.network));
        assert_eq!(after.layers(), before.network.layers());
    }

    #[test]
    fn integer_networks_are_validated_in_the_units_of_the_training_loss() {
        let data = Dataset::new(vec!["a".into(), "b".into()], Targets::Values(vec!["c".into(), "d".into()]), series(2))
            .unwrap();
        let inputs: Vec<_> = data.series.iter().map(Series::inputs).collect();
        let network = network("gru(6, sequences), dense(2)");
        let end = network.layers().len();
        let scale = [0.0, 0.0, 100.0, 100.0];
        let network = network.with_layer(end, LayerKind::Normalize { size: 2 }.into(), &scale).unwrap();
        let (simulation, _) = calibrate(&network, &inputs, &quantize::Options::default()).unwrap();
        let options = Options { learning_rate: 1e-9, ..Options::default() };
        let mut trainer = Trainer::new(Model::new(network), &data, options).unwrap();
        trainer.train_for_integers(simulation);
        let epoch = trainer.epoch(&data, Some(&data), |_| {}).unwrap();
        let validated = epoch.val_loss.unwrap();
        assert!((validated / epoch.loss - 1.0).abs() < 0.01, "{validated}, {}", epoch.loss);
    }
}

//! Promise: initialisation, optimisers, clipping and shuffling do what Keras's do.
#![cfg(feature = "std")]

use gatelet::data::{Dataset, Series, Targets};
use gatelet::network::{Model, Network};
use gatelet::train::{
    Loss, Optimizer, Options, Schedule, Trainer, evaluate, loss_and_gradient, predict, prepare, soft_targets,
};

/// Some series of one feature, to be told apart by their last value.
fn data(count: usize) -> Dataset {
    let series = (0..count).map(|i| {
        let inputs = (0..3 + i % 4).map(|t| ((i * 7 + t * 3) as f32).sin()).collect();
        Series::new(i.to_string(), 1, inputs).unwrap().with_class(i % 2)
    });
    Dataset::new(vec!["x".into()], Targets::Classes(vec!["a".into(), "b".into()]), series.collect()).unwrap()
}

fn network() -> Network<f32> {
    Network::describe(1, "gru(3), dense(2, softmax)").unwrap().initialized(5)
}

fn trained(data: &Dataset, options: Options, epochs: usize) -> Network<f32> {
    let mut trainer = Trainer::new(Model::new(network()), data, options).unwrap();
    for _ in 0..epochs {
        trainer.epoch(data, None, |_| {}).unwrap();
    }
    trainer.model().network.clone()
}

/// One batch an epoch, so that a step is an epoch.
fn sgd(momentum: f32) -> Options {
    Options {
        batch_size: 100,
        learning_rate: 0.1,
        optimizer: Optimizer::Sgd { momentum },
        clip_norm: None,
        ..Options::default()
    }
}

fn gradient(network: &Network<f32>, data: &Dataset) -> Vec<f32> {
    let series: Vec<_> = data.series.iter().collect();
    loss_and_gradient(network, Loss::SparseCategoricalCrossentropy, &series).1
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn initial_parameters_are_drawn_as_keras_draws_them() {
    for (description, rows) in [("simple_rnn(8)", 8), ("lstm(8)", 32), ("gru(8)", 24)] {
        let network = Network::<f64>::describe(5, description).unwrap().initialized(2);
        let u = network.recurrent_kernel(0).unwrap();
        let error = (u.transpose() * u - nalgebra::DMatrix::identity(8, 8)).abs().max();
        assert!(error < 1e-12, "{description}: U is not orthogonal by {error:e}");
        let w = network.kernel(0).unwrap();
        let limit = (6.0 / f64::from(5 + rows)).sqrt();
        let largest = w.abs().max();
        assert!(largest <= limit && largest > 0.9 * limit, "{description}: W reaches {largest}, its limit is {limit}");
        let bias = &network.parameters()[rows as usize * 13..];
        let forget = if description == "lstm(8)" { 8..16 } else { 0..0 };
        for (i, &b) in bias.iter().enumerate() {
            assert_eq!(b, f64::from(u8::from(forget.contains(&i))), "{description}: bias {i}");
        }
    }
}

#[test]
fn sgd_takes_the_gradient_and_its_momentum() {
    let data = data(12);
    let mut expected = network();
    let mut velocity = vec![0.0; expected.parameters().len()];
    for epochs in 1..=3 {
        let gradient = gradient(&expected, &data);
        for ((p, v), g) in expected.parameters_mut().iter_mut().zip(&mut velocity).zip(gradient) {
            *v = 0.9 * *v - 0.1 * g;
            *p += *v;
        }
        let found = trained(&data, sgd(0.9), epochs);
        // The batch's sum is in another order.
        let error = distance(found.parameters(), expected.parameters());
        assert!(error < 1e-6, "after {epochs} epochs off by {error:e}");
    }
    let without = trained(&data, sgd(0.0), 3);
    assert!(distance(without.parameters(), expected.parameters()) > 1e-3);
}

#[test]
fn adam_moves_every_parameter_by_its_rate_at_first() {
    let data = data(12);
    let options = Options { batch_size: 100, learning_rate: 0.01, clip_norm: None, ..Options::default() };
    let before = network();
    let after = trained(&data, options, 1);
    let gradient = gradient(&before, &data);
    for ((after, before), g) in after.parameters().iter().zip(before.parameters()).zip(gradient) {
        // With both moments corrected, the first step is rate · g / (|g| + ε / √(1 - β₂)).
        let (step, expected) = (after - before, -0.01 * g / (g.abs() + 1e-7 / 0.001f32.sqrt()));
        assert!((step - expected).abs() < 1e-5, "a step of {step} at the gradient {g}");
    }
}

#[test]
fn clipping_shortens_the_gradient_and_keeps_its_direction() {
    let data = data(12);
    let step = |clip_norm| {
        let after = trained(&data, Options { clip_norm, ..sgd(0.0) }, 1);
        let moved: Vec<_> = after.parameters().iter().zip(network().parameters()).map(|(a, b)| a - b).collect();
        moved
    };
    let (whole, clipped) = (step(None), step(Some(0.01)));
    let length = |step: &[f32]| distance(step, &vec![0.0; step.len()]);
    assert!((length(&clipped) - 0.1 * 0.01).abs() < 1e-6, "{}", length(&clipped));
    let cosine: f64 =
        whole.iter().zip(&clipped).map(|(a, b)| f64::from(a * b)).sum::<f64>() / (length(&whole) * length(&clipped));
    assert!(cosine > 0.999, "{cosine}");
    // One that is short enough stays as it is.
    assert_eq!(step(Some(1e6)), whole);
}

#[test]
fn what_is_dropped_follows_from_the_seed() {
    let data = data(12);
    let dropping = |dropout, seed| trained(&data, Options { dropout, seed, ..sgd(0.0) }, 2);
    let dropped = dropping(0.5, 1);
    assert_eq!(dropped.parameters(), dropping(0.5, 1).parameters());
    assert_ne!(dropped.parameters(), dropping(0.5, 2).parameters());
    assert_ne!(dropped.parameters(), dropping(0.0, 1).parameters());
    let error = Trainer::new(Model::new(network()), &data, Options { dropout: 1.0, ..sgd(0.0) }).unwrap_err();
    assert_eq!(error.to_string(), "the dropout is 1; expected a number from 0 to below 1");
}

#[test]
fn a_layer_that_is_not_trained_is_named() {
    let data = data(12);
    for (description, layer) in [
        ("conv1d(3, 2), gru(2), dense(2, softmax)", "layer 1, conv1d(3, 2)"),
        ("masking(-1), gru(2), dense(2, softmax)", "layer 1, masking(-1)"),
        ("gru(2, silu), dense(2, softmax)", "layer 1, gru(2, silu)"),
        ("initial_state(gru(2)), dense(2, softmax)", "layer 1, initial_state(gru(2))"),
    ] {
        let model = Model::new(Network::describe(1, description).unwrap().initialized(1));
        let error = Trainer::new(model, &data, Options::default()).unwrap_err().to_string();
        assert_eq!(error, format!("{layer}, cannot be trained here: train it with Keras or PyTorch and import it"));
    }
}

/// Whether the first or the last one of some tokens is 2.
#[test]
fn a_bidirectional_layer_learns_from_tokens() {
    let series = (0..60).map(|i| {
        let tokens = [i % 3, 1, 2, 0, (i / 3) % 3].map(|token| token as f32);
        Series::new(i.to_string(), 1, tokens.to_vec())
            .unwrap()
            .with_class(usize::from(tokens[0] == 2.0 || tokens[4] == 2.0))
    });
    let classes = Targets::Classes(vec!["no".into(), "yes".into()]);
    let data = Dataset::new(vec!["token".into()], classes, series.collect()).unwrap();
    let description = "embedding(3, 4), bidirectional(gru(6)), dense(2, softmax)";
    let model = prepare(description, &data, 1).unwrap();
    assert_eq!(model.network.to_string(), description, "tokens are not normalised");
    let options = Options { learning_rate: 0.03, dropout: 0.1, ..Options::default() };
    let mut trainer = Trainer::new(model, &data, options).unwrap();
    for _ in 0..40 {
        trainer.epoch(&data, None, |_| {}).unwrap();
    }
    assert_eq!(evaluate(&trainer.model().network, &data).unwrap().accuracy, Some(1.0));
}

#[test]
fn a_cosine_brings_the_rate_down() {
    let data = data(12);
    let cosine = |epochs| Options { schedule: Schedule::Cosine { epochs }, ..sgd(0.0) };
    // The first step of a run has the whole rate, the second one of two has half of it.
    let first = trained(&data, cosine(2), 1);
    assert_eq!(first.parameters(), trained(&data, sgd(0.0), 1).parameters());
    let (half, whole) = (trained(&data, cosine(2), 2), trained(&data, sgd(0.0), 2));
    let ratio = distance(half.parameters(), first.parameters()) / distance(whole.parameters(), first.parameters());
    assert!((ratio - 0.5).abs() < 1e-3, "{ratio}");
}

#[test]
fn every_epoch_has_its_own_order_and_every_seed_too() {
    let data = data(12);
    let one_by_one = |seed| Options { batch_size: 1, seed, ..sgd(0.0) };
    let again = trained(&data, one_by_one(1), 2);
    assert_eq!(again.parameters(), trained(&data, one_by_one(1), 2).parameters());
    assert!(distance(again.parameters(), trained(&data, one_by_one(2), 2).parameters()) > 1e-6);
    // An epoch's order is not the file's, and the next one's is another.
    let mut fixed = network();
    let mut orders_differ = Vec::new();
    for epochs in 1..=2 {
        for series in &data.series {
            let (_, gradient) = loss_and_gradient(&fixed, Loss::SparseCategoricalCrossentropy, &[series]);
            for (p, g) in fixed.parameters_mut().iter_mut().zip(gradient) {
                *p -= 0.1 * g;
            }
        }
        orders_differ.push(distance(fixed.parameters(), trained(&data, one_by_one(1), epochs).parameters()) > 1e-6);
    }
    assert_eq!(orders_differ, [true, true]);
}

#[test]
fn evaluation_counts_what_the_network_says() {
    let data = data(40);
    let network = network();
    let evaluation = evaluate(&network, &data).unwrap();
    let inference = network.inference();
    let mut confusion = vec![vec![0; 2]; 2];
    let mut loss = 0.0;
    for series in &data.series {
        let y = inference.run_last(&mut inference.zero_state(), series.inputs()).unwrap();
        let class = series.last_class().unwrap();
        confusion[class][usize::from(y[1] > y[0])] += 1;
        loss -= f64::from(y[class]).ln() / 40.0;
    }
    assert_eq!(evaluation.confusion, Some(confusion.clone()));
    assert_eq!(evaluation.accuracy, Some((confusion[0][0] + confusion[1][1]) as f64 / 40.0));
    assert!((evaluation.loss - loss).abs() < 1e-9);
}

#[test]
fn soft_targets_are_what_a_network_gives() {
    for (description, size) in [("gru(3), dense(2, softmax)", 2), ("gru(3, sequences), dense(1)", 1)] {
        let network = Network::describe(1, description).unwrap().initialized(5);
        let lessons = soft_targets(&network, &data(9)).unwrap();
        let given: Vec<f32> = predict(&network, &data(9)).unwrap().concat();
        let of_series = |series: &Series| -> Vec<f32> {
            let first = if network.gives_sequence() { 0 } else { series.len() - 1 };
            (first..series.len()).flat_map(|step| series.values(step).unwrap().to_vec()).collect()
        };
        assert_eq!(lessons.series.iter().flat_map(of_series).collect::<Vec<_>>(), given, "{description}");
        assert_eq!(lessons.targets, Targets::Values((0..size).map(|i| format!("y{i}")).collect()));
        // Nothing is left to learn for this network.
        let gradient = loss_and_gradient(&network, loss_of(size), &lessons.series.iter().collect::<Vec<_>>()).1;
        assert!(gradient.iter().all(|g| g.abs() < 1e-6), "{description}");
    }
}

/// Of classes as probabilities, or of one value.
fn loss_of(outputs: usize) -> Loss {
    if outputs > 1 { Loss::CategoricalCrossentropy } else { Loss::MeanSquaredError }
}

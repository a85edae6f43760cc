//! Promise: the const-generic cells compute what their equations say, the same bits as the host network, and the same bits
//! step by step as over a whole sequence.
#![cfg(feature = "std")]

use gatelet::math::ActivationKind;
use gatelet::network::{Cell, LayerKind, Model, Network, Recurrent};
use gatelet::simd::Scalar;
use gatelet::{
    Chain, Dense, Elu, Gru, HardSigmoid, Layer, Linear, Lstm, Normalize, ReadInto, Relu, Residual, Sigmoid, SimpleRnn,
    Softmax, Softplus, Softsign, Tanh, Vector, chain,
};
use nalgebra::{DMatrix, DVector};

/// A formula for weights and inputs, so that nothing is stored.
fn formula(i: usize, frequency: f64) -> f32 {
    (frequency * i as f64 + 1.0).sin() as f32
}

fn inputs<const I: usize>(steps: usize) -> Vec<[f32; I]> {
    (0..steps).map(|t| std::array::from_fn(|i| formula(t * I + i, 1.3))).collect()
}

/// A network with weights that keep its states in the curved part of the activations.
fn network(inputs: usize, description: &str) -> Network<f32> {
    let mut network = Network::describe(inputs, description).unwrap();
    for layer in 0..network.layers().len() {
        let width = network.layers()[layer].kind.inputs() + network.layers()[layer].kind.outputs();
        let scale = 2.0 / (width as f32).sqrt();
        let range = network.range(layer);
        for (i, weight) in network.parameters_mut()[range].iter_mut().enumerate() {
            *weight = scale * formula(i, 0.7);
        }
    }
    network
}

/// The same network as a const-generic type.
fn constant<N: Layer + ReadInto>(network: &Network<f32>) -> Box<N> {
    let mut net = Box::new(N::EMPTY);
    net.read_into(&Model::new(network.clone()).to_bytes().unwrap()).unwrap();
    net
}

/// An activation in f64, from its definition.
fn activate(kind: ActivationKind, x: f64) -> f64 {
    match kind {
        ActivationKind::Linear => x,
        ActivationKind::Tanh => x.tanh(),
        ActivationKind::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        ActivationKind::HardSigmoid => (x / 6.0 + 0.5).clamp(0.0, 1.0),
        ActivationKind::Relu => x.max(0.0),
        ActivationKind::Softsign => x / (1.0 + x.abs()),
        ActivationKind::Softplus => x.exp().ln_1p(),
        ActivationKind::Elu => {
            if x > 0.0 {
                x
            } else {
                x.exp() - 1.0
            }
        }
        other => panic!("{other:?} has no definition here"),
    }
}

/// Every output of a recurrent layer in f64: the equations of the papers, on whole matrices.
fn oracle(layer: Recurrent, parameters: &[f32], xs: &[Vec<f32>]) -> Vec<f64> {
    let (units, gates) = (layer.units, layer.cell.gates());
    let [recurrent, input, _] = layer.lengths();
    let number = |i: usize| f64::from(parameters[i]);
    // W_g and U_g, a row per unit; the parameters are [k][gate][unit].
    let u = |g: usize| DMatrix::from_fn(units, units, |unit, k| number((k * gates + g) * units + unit));
    let w =
        |g: usize| DMatrix::from_fn(units, layer.inputs, |unit, k| number(recurrent + (k * gates + g) * units + unit));
    let b = |row: usize| DVector::from_fn(units, |unit, _| number(recurrent + input + row * units + unit));
    let f = |v: DVector<f64>| v.map(|x| activate(layer.activation, x));
    let s = |v: DVector<f64>| v.map(|x| activate(layer.recurrent_activation, x));
    let (mut h, mut c) = (DVector::zeros(units), DVector::zeros(units));
    let mut outputs = Vec::new();
    for x in xs {
        let x = DVector::from_iterator(layer.inputs, x.iter().map(|&x| f64::from(x)));
        let sum = |g: usize| w(g) * &x + u(g) * &h + b(g);
        h = match layer.cell {
            Cell::SimpleRnn => f(sum(0)),
            Cell::Lstm => {
                let (i, forget, g, o) = (s(sum(0)), s(sum(1)), f(sum(2)), s(sum(3)));
                c = forget.component_mul(&c) + i.component_mul(&g);
                o.component_mul(&f(c.clone()))
            }
            Cell::Gru { reset_after } => {
                let (r, z) = (s(sum(0)), s(sum(1)));
                let n = if reset_after {
                    f(w(2) * &x + b(2) + r.component_mul(&(u(2) * &h + b(3))))
                } else {
                    f(w(2) * &x + b(2) + u(2) * r.component_mul(&h) + b(3))
                };
                z.map(|z| 1.0 - z).component_mul(&n) + z.component_mul(&h)
            }
        };
        outputs.extend(h.iter());
    }
    outputs
}

fn bits<Y: Vector>(ys: &[Y]) -> Vec<u32> {
    ys.iter().flat_map(|y| y.as_slice()).map(|y| y.to_bits()).collect()
}

/// Runs the type, the host network and the oracle over the same sequence.
fn agree<const I: usize, N>(description: &str)
where
    N: Layer<Input = [f32; I]> + ReadInto,
    N::State: PartialEq,
{
    const STEPS: usize = 25;
    let network = network(I, description);
    let net = constant::<N>(&network);
    let xs = inputs::<I>(STEPS);

    let mut state = N::ZERO_STATE;
    let mut ys = vec![N::Output::ZERO; STEPS];
    for (x, y) in xs.iter().zip(&mut ys) {
        net.step(&mut state, x, y);
    }

    // A run, and a run in two parts from a copied state, give the bits of the steps.
    let (mut whole, mut again) = (vec![N::Output::ZERO; STEPS], vec![N::Output::ZERO; STEPS]);
    let mut end = N::ZERO_STATE;
    net.run(&mut end, &xs, &mut whole).unwrap();
    assert!(bits(&whole) == bits(&ys) && end == state, "{description}: run and step differ");
    let mut middle = N::ZERO_STATE;
    net.run(&mut middle, &xs[..9], &mut again[..9]).unwrap();
    let mut copy = middle;
    net.run(&mut copy, &xs[9..], &mut again[9..]).unwrap();
    assert!(bits(&again) == bits(&ys) && copy == state, "{description}: a saved state does not go on");

    // The host network gives the same bits.
    let inference = network.inference();
    let mut host = vec![0.0; STEPS * inference.outputs()];
    inference.run(&mut inference.zero_state(), xs.as_flattened(), &mut host);
    let host: Vec<_> = host.iter().map(|y| y.to_bits()).collect();
    assert!(host == bits(&ys), "{description}: the host network and the type differ");

    // A single recurrent layer is compared with its equations in f64.
    if let [spec] = network.layers()
        && let LayerKind::Recurrent(layer) = spec.kind
        && !spec.residual
    {
        let xs: Vec<_> = xs.iter().map(|x| x.to_vec()).collect();
        let expected = oracle(layer, network.parameters(), &xs);
        for (y, expected) in ys.iter().flat_map(|y| y.as_slice()).zip(expected) {
            let error = (f64::from(*y) - expected).abs() / expected.abs().max(1.0);
            assert!(error <= 3e-6, "{description}: {y} instead of {expected}");
        }
    }
}

/// What is instantiated for few types, since each takes the compiler a while: the last output alone, and the scalar backend's
/// widths.
fn agree_otherwise<const I: usize, N>(description: &str)
where
    N: Layer<Input = [f32; I]> + ReadInto,
    N::State: PartialEq,
{
    let net = constant::<N>(&network(I, description));
    let xs = inputs::<I>(25);
    let mut ys = vec![N::Output::ZERO; xs.len()];
    let (mut state, mut end) = (N::ZERO_STATE, N::ZERO_STATE);
    net.run(&mut state, &xs, &mut ys).unwrap();
    let last = net.run_last(&mut end, &xs).unwrap();
    assert!(bits(&[last]) == bits(&ys[xs.len() - 1..]) && end == state, "{description}: run_last");

    let (mut state, mut single_state) = (N::ZERO_STATE, N::ZERO_STATE);
    for (x, best) in xs.iter().zip(&ys) {
        let (mut y, mut single) = (N::Output::ZERO, N::Output::ZERO);
        net.step_on(Scalar::new(), &mut state, x, &mut y);
        net.step_on(Scalar::single(), &mut single_state, x, &mut single);
        assert!(bits(&[y]) == bits(&[single]), "{description}: widths differ");
        for (best, y) in best.as_slice().iter().zip(y.as_slice()) {
            assert!(
                (best - y).abs() <= 2e-6,
                "{description}: {best} on this machine's best backend, {y} on the scalar one"
            );
        }
    }
}

#[test]
fn the_last_output_and_the_scalar_backend() {
    agree_otherwise::<3, SimpleRnn<3, 5>>("simple_rnn(5)");
    agree_otherwise::<2, Lstm<2, 15>>("lstm(15)");
    agree_otherwise::<4, Gru<4, 7>>("gru(7)");
    agree_otherwise::<2, chain!(Gru<2, 6, false>, Dense<6, 2>, Dense<2, 5, Softmax>)>(
        "gru(6, reset_after=false), dense(2), dense(5, softmax)",
    );
}

macro_rules! agree {
    ($($inputs:literal $description:literal $type:ty;)*) => { $(agree::<$inputs, $type>($description);)* };
}

#[test]
fn every_cell_at_ragged_sizes() {
    agree! {
        1 "simple_rnn(1)" SimpleRnn<1, 1>;
        3 "simple_rnn(5)" SimpleRnn<3, 5>;
        2 "simple_rnn(17)" SimpleRnn<2, 17>;
        1 "lstm(1)" Lstm<1, 1>;
        4 "lstm(3)" Lstm<4, 3>;
        1 "lstm(8)" Lstm<1, 8>;
        2 "lstm(15)" Lstm<2, 15>;
        5 "lstm(16)" Lstm<5, 16>;
        3 "lstm(31)" Lstm<3, 31>;
        7 "lstm(67)" Lstm<7, 67>;
        1 "gru(1)" Gru<1, 1>;
        4 "gru(7)" Gru<4, 7>;
        2 "gru(9)" Gru<2, 9>;
        6 "gru(16)" Gru<6, 16>;
        3 "gru(33)" Gru<3, 33>;
        5 "gru(67)" Gru<5, 67>;
        1 "gru(1, reset_after=false)" Gru<1, 1, false>;
        4 "gru(7, reset_after=false)" Gru<4, 7, false>;
        6 "gru(16, reset_after=false)" Gru<6, 16, false>;
        3 "gru(35, reset_after=false)" Gru<3, 35, false>;
    }
}

#[test]
fn every_activation() {
    agree! {
        3 "simple_rnn(6, relu)" SimpleRnn<3, 6, Relu>;
        3 "simple_rnn(6, softsign)" SimpleRnn<3, 6, Softsign>;
        3 "simple_rnn(6, sigmoid)" SimpleRnn<3, 6, Sigmoid>;
        3 "lstm(6, softplus, recurrent_activation=hard_sigmoid)" Lstm<3, 6, Softplus, HardSigmoid>;
        3 "gru(6, linear)" Gru<3, 6, true, Linear>;
        3 "gru(6, elu, recurrent_activation=softsign)" Gru<3, 6, true, Elu, Softsign>;
        3 "gru(6, relu, reset_after=false)" Gru<3, 6, false, Relu>;
        3 "gru(6, tanh, recurrent_activation=tanh)" Gru<3, 6, true, Tanh, Tanh>;
    }
}

#[test]
fn layers_in_series() {
    agree! {
        2 "dense(3, relu), dense(4, softmax)" chain!(Dense<2, 3, Relu>, Dense<3, 4, Softmax>);
        2 "gru(6, sequences), lstm(5, sequences), simple_rnn(4), dense(3, softmax)"
            chain!(Gru<2, 6>, Lstm<6, 5>, SimpleRnn<5, 4>, Dense<4, 3, Softmax>);
        4 "residual(gru(4, sequences)), residual(dense(4, tanh)), lstm(3), dense(2)"
            chain!(Residual<Gru<4, 4>>, Residual<Dense<4, 4, Tanh>>, Lstm<4, 3>, Dense<3, 2>);
    }
}

#[test]
fn normalisation_is_part_of_the_network() {
    let network = Network::<f32>::describe(2, "gru(3), dense(1)").unwrap().initialized(1);
    let normalize = LayerKind::Normalize { size: 2 }.into();
    let normalized = network.clone().with_layer(0, normalize, &[10.0, -5.0, 0.5, 0.25]).unwrap();
    let net = constant::<chain!(Normalize<2>, Gru<2, 3>, Dense<3, 1>)>(&normalized);
    let plain = constant::<chain!(Gru<2, 3>, Dense<3, 1>)>(&network);
    let mut y = [0.0];
    net.step(&mut <chain!(Normalize<2>, Gru<2, 3>, Dense<3, 1>)>::ZERO_STATE.clone(), &[12.0, -1.0], &mut y);
    let mut expected = [0.0];
    plain.step(&mut <chain!(Gru<2, 3>, Dense<3, 1>)>::ZERO_STATE.clone(), &[1.0, 1.0], &mut expected);
    assert_eq!(y, expected);
}

#[test]
fn arrays_and_files_give_the_same_layer() {
    let network = network(2, "gru(5)");
    let [recurrent, input, _] = [75, 30, 20];
    let parameters = network.parameters();
    let (u, rest) = parameters.split_at(recurrent);
    let (w, b) = rest.split_at(input);
    let nested = |flat: &[f32], k: usize, g: usize, unit: usize| flat[(k * 3 + g) * 5 + unit];
    let layer: Gru<2, 5> = Gru::new(
        &std::array::from_fn(|k| std::array::from_fn(|g| std::array::from_fn(|unit| nested(u, k, g, unit)))),
        &std::array::from_fn(|k| std::array::from_fn(|g| std::array::from_fn(|unit| nested(w, k, g, unit)))),
        &std::array::from_fn(|row| std::array::from_fn(|unit| b[row * 5 + unit])),
    );
    assert_eq!(layer, *constant::<Gru<2, 5>>(&network));
}

/// The numbers of `tests/golden/keras.txt`, whose generator stands beside it.
#[test]
fn keras_gives_the_same_outputs() {
    let golden = include_str!("golden/keras.txt");
    let (inputs, units, steps) = (3, 5, 7);
    let x: Vec<f32> = (0..steps * inputs).map(|i| (1.3 * i as f64).sin() as f32).collect();
    for line in golden.lines() {
        let (name, expected) = line.split_once(' ').unwrap();
        let expected: Vec<f64> = expected.split(' ').map(|y| y.parse().unwrap()).collect();
        // Keras's gates, in the order of ours; Keras has z, r, h for a GRU.
        let (description, order, keras_biases): (_, &[usize], _) = match name {
            "simple_rnn" => ("simple_rnn(5, sequences)", &[0], 1),
            "lstm" => ("lstm(5, sequences)", &[0, 1, 2, 3], 4),
            "gru" => ("gru(5, sequences)", &[1, 0, 2], 6),
            "gru_reset_before" => ("gru(5, reset_after=false, sequences)", &[1, 0, 2], 3),
            other => panic!("{other}"),
        };
        let gates = order.len();
        let keras = |i: usize| 0.5 * (0.7 * i as f64 + 1.0).sin();
        let (kernel, recurrent) = (0, inputs * gates * units);
        let bias = recurrent + units * gates * units;
        let mut parameters = Vec::new();
        for (start, rows) in [(recurrent, units), (kernel, inputs)] {
            for k in 0..rows {
                for gate in order {
                    parameters.extend((0..units).map(|unit| keras(start + (k * gates + gate) * units + unit) as f32));
                }
            }
        }
        let row = |row: usize, unit: usize| keras(bias + row * units + unit) as f32;
        for &gate in order {
            for unit in 0..units {
                // Two biases of a gate that meet nowhere but in one sum.
                let second = if keras_biases == 6 && gate != 2 { row(3 + gate, unit) } else { 0.0 };
                parameters.push(row(gate, unit) + second);
            }
        }
        match keras_biases {
            6 => parameters.extend((0..units).map(|unit| row(5, unit))),
            3 => parameters.extend([0.0; 5]),
            _ => {}
        }
        let mut network = Network::<f32>::describe(inputs, description).unwrap();
        network.parameters_mut().copy_from_slice(&parameters);
        let inference = network.inference();
        let mut ys = vec![0.0; steps * units];
        inference.run(&mut inference.zero_state(), &x, &mut ys);
        assert_eq!(expected.len(), ys.len());
        for (y, expected) in ys.iter().zip(expected) {
            assert!((f64::from(*y) - expected).abs() <= 1e-6, "{name}: {y} instead of {expected}");
        }
    }
    assert_eq!(golden.lines().count(), 4);
}

#[test]
fn streams_share_a_model() {
    let net = constant::<Chain<Lstm<1, 4>, Dense<4, 1>>>(&network(1, "lstm(4), dense(1)"));
    let mut states = [<Chain<Lstm<1, 4>, Dense<4, 1>>>::ZERO_STATE; 3];
    let mut together = [[0.0f32; 1]; 3];
    for t in 0..10 {
        for (i, (state, y)) in states.iter_mut().zip(&mut together).enumerate() {
            net.step(state, &[formula(t + 100 * i, 1.1)], y);
        }
    }
    for (i, y) in together.iter().enumerate() {
        let xs: Vec<_> = (0..10).map(|t| [formula(t + 100 * i, 1.1)]).collect();
        assert_eq!(net.run_last(&mut <Chain<Lstm<1, 4>, Dense<4, 1>>>::ZERO_STATE.clone(), &xs), Some(*y));
    }
}

#[test]
fn lengths_are_checked_before_anything_is_done() {
    let net = constant::<Gru<1, 2>>(&network(1, "gru(2)"));
    let mut state = Gru::<1, 2>::ZERO_STATE;
    let error = net.run(&mut state, &[[1.0]; 3], &mut [[0.0; 2]; 2]).unwrap_err();
    assert_eq!(error.to_string(), "3 inputs but room for 2 outputs: a run gives one output per step");
    assert_eq!(state, Gru::<1, 2>::ZERO_STATE);
    assert_eq!(net.run_last(&mut state, &[]), None);
    assert!(net.run_to_vec::<2>(&mut state, &[[1.0]; 3]).is_err());
    assert_eq!(net.run_to_vec::<3>(&mut state, &[[1.0]; 3]).unwrap().len(), 3);
}

#[test]
fn sizes_in_bytes_are_those_of_weights_and_state() {
    type Net = chain!(Normalize<6>, Gru<6, 16>, Lstm<16, 4>, Dense<4, 3, Softmax>);
    let summary = network(6, "gru(16, sequences), lstm(4), dense(3, softmax)").summary();
    assert_eq!(Net::FLASH_BYTES, summary.flash_bytes + 4 * 12);
    assert_eq!(Net::STATE_BYTES, summary.state_bytes);
    assert_eq!(Net::STATE_BYTES, 4 * (16 + 8));
}

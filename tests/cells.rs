//! Promise: the const-generic cells compute what their equations say, the same bits as the host network, and the same bits
//! step by step as over a whole sequence.
#![cfg(feature = "std")]

#[path = "backends/oracle.rs"]
mod oracle;

use gatelet::network::{LayerKind, Model, Network};
use gatelet::simd::Scalar;
use gatelet::{
    Chain, Dense, Elu, Gru, HardSigmoid, Layer, Linear, Lstm, Normalize, ReadInto, Relu, Residual, Sigmoid, SimpleRnn,
    Softmax, Softplus, Softsign, Tanh, Vector, chain,
};
use oracle::Oracle;

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

/// Every kind of layer.
type Series = chain!(Gru<2, 6>, Lstm<6, 5>, SimpleRnn<5, 4>, Dense<4, 3, Softmax>);
const SERIES: &str = "gru(6, sequences), lstm(5, sequences), simple_rnn(4), dense(3, softmax)";

/// Ways around layers.
type Around = chain!(Residual<Gru<4, 4>>, Residual<Dense<4, 4, Tanh>>, Lstm<4, 3>, Dense<3, 2>);
const AROUND: &str = "residual(gru(4, sequences)), residual(dense(4, tanh)), lstm(3), dense(2)";

/// Runs the type, the host network and the oracle over the same sequence.
///
/// The compiler takes a second for each type and more for large ones, since a step is code of its own for every type, backend
/// and place that calls it. So there are few places, and few types; `backends` goes through all sizes of the host network.
#[inline(never)]
fn agree<const I: usize, N>(description: &str)
where
    N: Layer<Input = [f32; I], Output: Vector<Number = f32>> + ReadInto,
    N::State: PartialEq,
{
    const STEPS: usize = 25;
    let network = network(I, description);
    let net = constant::<N>(&network);
    let xs = inputs::<I>(STEPS);
    let bits = |ys: &[N::Output]| -> Vec<u32> { ys.iter().flat_map(|y| y.as_slice()).map(|y| y.to_bits()).collect() };

    let mut state = N::ZERO_STATE;
    let mut ys = vec![N::Output::ZERO; STEPS];
    for (x, y) in xs.iter().zip(&mut ys) {
        net.step(&mut state, x, y);
    }

    // A run, and a run in two parts from a copied state, give the bits of the steps.
    for middle in [STEPS, 9, 10] {
        let mut again = vec![N::Output::ZERO; STEPS];
        let mut end = N::ZERO_STATE;
        for steps in [0..middle, middle..STEPS] {
            let mut copy = end;
            net.run(&mut copy, &xs[steps.clone()], &mut again[steps]).unwrap();
            end = copy;
        }
        assert!(bits(&again) == bits(&ys) && end == state, "{description}: run in parts of {middle} and step differ");
    }
    // The host network gives the same bits.
    let inference = network.inference();
    let mut host = vec![0.0; STEPS * inference.outputs()];
    inference.run(&mut inference.zero_state(), xs.as_flattened(), &mut host);
    let host: Vec<_> = host.iter().map(|y| y.to_bits()).collect();
    assert!(host == bits(&ys), "{description}: the host network and the type differ");

    let ys: Vec<_> = ys.iter().flat_map(|y| y.as_slice()).copied().collect();
    compare_with_equations(&network, xs.as_flattened(), &ys);
}

/// A single recurrent layer is compared with its equations in f64.
fn compare_with_equations(network: &Network<f32>, xs: &[f32], ys: &[f32]) {
    if let [spec] = network.layers()
        && let LayerKind::Recurrent(layer) = spec.kind
    {
        let mut oracle = Oracle::new(layer, network.parameters());
        for (x, y) in xs.chunks(layer.inputs).zip(ys.chunks(layer.units)) {
            oracle.step(x);
            for (y, expected) in y.iter().zip(&oracle.h) {
                let error = (f64::from(*y) - expected).abs() / expected.abs().max(1.0);
                // Each of the 25 steps goes on with the error of the one before; `backends` knows what one step may add.
                assert!(error <= 3e-6, "{network}: {y} instead of {expected}");
            }
        }
    }
}

macro_rules! agree {
    ($($inputs:literal $description:tt $type:ty;)*) => { $(agree::<$inputs, $type>($description);)* };
}

#[test]
fn every_cell_at_ragged_sizes() {
    agree! {
        3 "simple_rnn(5)" SimpleRnn<3, 5>;
        2 "simple_rnn(37)" SimpleRnn<2, 37>;
        1 "lstm(1)" Lstm<1, 1>;
        2 "lstm(15)" Lstm<2, 15>;
        2 "gru(9)" Gru<2, 9>;
        4 "gru(7, reset_after=false)" Gru<4, 7, false>;
    }
}

/// Layers behind the last recurrent one only work on the last step.
#[test]
fn the_last_output_alone_is_the_last_of_all() {
    fn compare<const I: usize, N>(description: &str)
    where
        N: Layer<Input = [f32; I], Output: Vector<Number = f32>> + ReadInto,
        N::State: PartialEq + std::fmt::Debug,
    {
        let net = constant::<N>(&network(I, description));
        let xs = inputs::<I>(25);
        let (mut state, mut end, mut ys) = (N::ZERO_STATE, N::ZERO_STATE, vec![N::Output::ZERO; xs.len()]);
        net.run(&mut state, &xs, &mut ys).unwrap();
        let last = net.run_last(&mut end, &xs);
        assert_eq!(last.as_ref().map(Vector::as_slice), ys.last().map(Vector::as_slice), "{description}");
        assert_eq!(end, state, "{description}");
    }
    compare::<2, Lstm<2, 15>>("lstm(15)");
    compare::<2, Series>(SERIES);
    compare::<4, Around>(AROUND);
}

/// On a host, steps alternate between the directions in which they go through weights that exceed a first cache.
#[test]
fn more_weights_than_a_cache_holds() {
    agree! { 2 "simple_rnn(101)" SimpleRnn<2, 101>; }
}

#[test]
fn every_activation() {
    agree! {
        3 "simple_rnn(6, linear)" SimpleRnn<3, 6, Linear>;
        3 "simple_rnn(6, sigmoid)" SimpleRnn<3, 6, Sigmoid>;
        3 "simple_rnn(6, softsign)" SimpleRnn<3, 6, Softsign>;
        3 "simple_rnn(6, elu)" SimpleRnn<3, 6, Elu>;
        3 "lstm(6, softplus, recurrent_activation=hard_sigmoid)" Lstm<3, 6, Softplus, HardSigmoid>;
        3 "gru(6, relu, recurrent_activation=tanh)" Gru<3, 6, true, Relu, Tanh>;
    }
}

#[test]
fn layers_in_series() {
    agree! {
        2 "dense(3, relu), dense(4, softmax)" chain!(Dense<2, 3, Relu>, Dense<3, 4, Softmax>);
        2 SERIES Series;
        4 AROUND Around;
    }
}

/// What the scalar backend gives does not depend on how many numbers it works on at a time.
#[test]
fn scalar_widths_give_the_same_bits() {
    #[inline(never)]
    fn compare<const I: usize, N: Layer<Input = [f32; I], Output: Vector<Number = f32>> + ReadInto>(description: &str) {
        let net = constant::<N>(&network(I, description));
        let (mut state, mut single_state) = (N::ZERO_STATE, N::ZERO_STATE);
        for x in &inputs::<I>(25) {
            let (mut y, mut single) = (N::Output::ZERO, N::Output::ZERO);
            net.step_on(Scalar::new(), &mut state, x, &mut y);
            net.step_on(Scalar::single(), &mut single_state, x, &mut single);
            let bits = |y: N::Output| y.as_slice().iter().map(|y| y.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(y), bits(single), "{description}");
        }
    }
    compare::<2, SimpleRnn<2, 37>>("simple_rnn(37)");
    compare::<2, Lstm<2, 15>>("lstm(15)");
    compare::<2, Gru<2, 9>>("gru(9)");
    compare::<4, Gru<4, 7, false>>("gru(7, reset_after=false)");
    compare::<5, Chain<Dense<5, 7, Sigmoid>, Dense<7, 3, Softmax>>>("dense(7, sigmoid), dense(3, softmax)");
}

#[test]
fn normalisation_is_part_of_the_network() {
    type Net = chain!(Normalize<2>, Gru<2, 3>, Dense<3, 1>);
    let network = network(2, "gru(3), dense(1)");
    let normalize = LayerKind::Normalize { size: 2 }.into();
    let normalized = network.clone().with_layer(0, normalize, &[10.0, -5.0, 0.5, 0.25]).unwrap();
    let mut y = [0.0];
    constant::<Net>(&normalized).step(&mut Net::ZERO_STATE.clone(), &[12.0, -1.0], &mut y);
    let inference = network.inference();
    let mut expected = [0.0];
    inference.step(&mut inference.zero_state(), &[1.0, 1.0], &mut expected);
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
    let net = constant::<Series>(&network(2, SERIES));
    let xs = inputs::<2>(30);
    let streams: Vec<_> = xs.chunks(10).collect();
    let mut states = [Series::ZERO_STATE; 3];
    let mut together = [[0.0; 3]; 3];
    for t in 0..10 {
        for ((state, y), xs) in states.iter_mut().zip(&mut together).zip(&streams) {
            net.step(state, &xs[t], y);
        }
    }
    for (xs, y) in streams.iter().zip(together) {
        assert_eq!(net.run_last(&mut Series::ZERO_STATE.clone(), xs), Some(y));
    }
}

#[test]
fn lengths_are_checked_before_anything_is_done() {
    let net = constant::<Lstm<2, 15>>(&network(2, "lstm(15)"));
    let mut state = Lstm::<2, 15>::ZERO_STATE;
    let error = net.run(&mut state, &[[1.0; 2]; 3], &mut [[0.0; 15]; 2]).unwrap_err();
    assert_eq!(error.to_string(), "3 inputs but room for 2 outputs: a run gives one output per step");
    assert_eq!(state, Lstm::<2, 15>::ZERO_STATE);
    let error = net.step_streams(&mut [state; 3], &[[1.0; 2]; 3], &mut [[0.0; 15]; 2]).unwrap_err();
    assert_eq!(error.to_string(), "3 streams, but 3 inputs and room for 2 outputs: each stream has one of both");
    assert_eq!(net.run_last(&mut state, &[]), None);
    assert!(net.run_to_vec::<2>(&mut state, &[[1.0; 2]; 3]).is_err());
    assert_eq!(net.run_to_vec::<3>(&mut state, &[[1.0; 2]; 3]).unwrap().len(), 3);
}

#[test]
fn sizes_in_bytes_are_those_of_weights_and_state() {
    type Net = chain!(Normalize<6>, Gru<6, 16>, Lstm<16, 4>, Dense<4, 3, Softmax>);
    let summary = network(6, "gru(16, sequences), lstm(4), dense(3, softmax)").summary();
    assert_eq!(Net::FLASH_BYTES, summary.flash_bytes + 4 * 12);
    assert_eq!(Net::STATE_BYTES, summary.state_bytes);
    assert_eq!(Net::STATE_BYTES, 4 * (16 + 8));
}

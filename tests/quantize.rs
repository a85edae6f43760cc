//! Promise: an integer network made by calibration gives nearly what the network in single precision gives, in its file, as a type
//! and in the host network alike; what cannot be represented is refused by name.
#![cfg(feature = "std")]

mod common;

use common::on_every_backend;
use gatelet::format::crc32;
use gatelet::math::{HardSigmoid, Linear, Relu, Sigmoid};
use gatelet::network::{LayerKind, Model, ModelError, Network, NetworkError};
use gatelet::quant::{Dense, Dequantize, Gru, Lstm, Quantize, SimpleRnn};
use gatelet::quantize::{Options, QuantizeError, Ranges, drift, quantize};
use gatelet::{Layer, ReadInto, Softmax, Tanh, Vector, chain};

/// Sines of several frequencies, one series.
fn data(inputs: usize, steps: usize) -> Vec<f32> {
    (0..steps * inputs)
        .map(|i| (0.37 * i as f32).sin() + 0.7 * (0.051 * i as f32 + (i % inputs) as f32).cos())
        .collect()
}

/// A network with weights that make its states move.
fn network(inputs: usize, description: &str) -> Network<f32> {
    let mut network = Network::describe(inputs, description).unwrap().initialized(3);
    for (i, parameter) in network.parameters_mut().iter_mut().enumerate() {
        *parameter = 1.3 * *parameter + 0.1 * (i as f32 * 0.7).sin();
    }
    network
}

fn integer(network: &Network<f32>) -> Network<f32> {
    let xs = data(network.inputs(), 400);
    quantize(network, &[&xs], &Options::default()).unwrap().network
}

/// Every cell and activation that there is, in one layer and several.
const NETWORKS: [&str; 17] = [
    "simple_rnn(7, sequences), dense(4)",
    "simple_rnn(20, sequences, sigmoid), dense(4, sigmoid)",
    "simple_rnn(9, sequences, hard_sigmoid), dense(4, hard_sigmoid)",
    "lstm(7, sequences), dense(4, softmax)",
    "lstm(33, sequences), dense(4)",
    "lstm(16, sequences, recurrent_activation=hard_sigmoid), dense(4, relu)",
    "lstm(5, sequences, sigmoid), dense(4)",
    "lstm(5, sequences, relu), dense(4)",
    "lstm(5, sequences, linear), dense(4)",
    "gru(7, sequences), dense(4, softmax)",
    "gru(33, sequences), dense(4)",
    "gru(16, sequences, reset_after=false), dense(4)",
    "gru(16, sequences, linear, reset_after=false, recurrent_activation=hard_sigmoid), dense(4)",
    "gru(16, sequences, relu), dense(4, sigmoid)",
    "lstm(12, sequences), gru(9, sequences), dense(6, relu), dense(4)",
    "gru(12, sequences), lstm(9), dense(4, softmax)",
    "dense(5, tanh), dense(4)",
];

#[test]
fn integer_networks_give_nearly_the_same() {
    for description in NETWORKS {
        let network = network(3, description);
        let integer = integer(&network);
        let drift = drift(&network, &integer, &data(3, 2000), 2000);
        for layer in drift.layers.iter().chain([&drift.output]) {
            println!("{description}: {} rms {:.4} max {:.4}", layer.layer, layer.rms, layer.max);
            assert!(layer.rms < 0.01 && layer.max < 0.05, "{description}: {layer:?}");
        }
        assert!(drift.output.rms > 1e-7, "{description}: the same network");
        let (bytes, state) = (integer.summary().flash_bytes, integer.summary().state_bytes);
        assert!(bytes < network.summary().flash_bytes, "{description}: {bytes} bytes");
        assert_eq!(2 * state, network.summary().state_bytes, "{description}");
    }
}

/// What the host network and the type give for a sequence, on every backend.
fn same_bits<N>(description: &str)
where
    N: Layer<Input = [f32; 3], Output: Vector<Number = f32>> + ReadInto,
{
    let integer = integer(&network(3, description));
    let file = Model::new(integer.clone()).to_bytes().unwrap();
    assert_eq!(Model::from_bytes(&file).unwrap().network, integer, "{description}");
    assert_eq!(gatelet::export::type_of(&integer).unwrap().matches("quant::").count(), integer.layers().len());
    let mut net = Box::new(N::EMPTY);
    net.read_into(&file).unwrap();
    let xs = data(3, 50);
    let mut first: Option<Vec<f32>> = None;
    on_every_backend(|kind| {
        let inference = integer.inference();
        let mut state = inference.initial_state();
        let mut expected = vec![0.0; 50 * integer.outputs()];
        inference.run(&mut state, &xs, &mut expected);
        let mut ys = vec![N::Output::ZERO; 50];
        net.run(&mut net.initial_state(), xs.as_chunks().0, &mut ys).unwrap();
        let ys: Vec<_> = ys.iter().flat_map(|y| y.as_slice().to_vec()).collect();
        assert_eq!(ys, expected, "{kind}: {description}");
        assert_eq!(first.get_or_insert(ys), &expected, "{kind} gives other bits than scalar: {description}");
    });
}

#[test]
fn types_and_host_networks_give_the_same_bits_on_every_backend() {
    same_bits::<chain!(Quantize<3>, SimpleRnn<3, 7>, Dense<7, 4>, Dequantize<4>)>(NETWORKS[0]);
    same_bits::<chain!(Quantize<3>, SimpleRnn<3, 20, Sigmoid>, Dense<20, 4, Sigmoid>, Dequantize<4>)>(NETWORKS[1]);
    same_bits::<chain!(Quantize<3>, Lstm<3, 7>, Dense<7, 4, Softmax>, Dequantize<4>)>(NETWORKS[3]);
    same_bits::<chain!(Quantize<3>, Lstm<3, 33>, Dense<33, 4>, Dequantize<4>)>(NETWORKS[4]);
    same_bits::<chain!(Quantize<3>, Lstm<3, 16, Tanh, HardSigmoid>, Dense<16, 4, Relu>, Dequantize<4>)>(NETWORKS[5]);
    same_bits::<chain!(Quantize<3>, Lstm<3, 5, Sigmoid>, Dense<5, 4>, Dequantize<4>)>(NETWORKS[6]);
    same_bits::<chain!(Quantize<3>, Lstm<3, 5, Relu>, Dense<5, 4>, Dequantize<4>)>(NETWORKS[7]);
    same_bits::<chain!(Quantize<3>, Lstm<3, 5, Linear>, Dense<5, 4>, Dequantize<4>)>(NETWORKS[8]);
    same_bits::<chain!(Quantize<3>, Gru<3, 7>, Dense<7, 4, Softmax>, Dequantize<4>)>(NETWORKS[9]);
    same_bits::<chain!(Quantize<3>, Gru<3, 16, false>, Dense<16, 4>, Dequantize<4>)>(NETWORKS[11]);
    same_bits::<chain!(Quantize<3>, Gru<3, 16, false, Linear, HardSigmoid>, Dense<16, 4>, Dequantize<4>)>(NETWORKS[12]);
    same_bits::<chain!(Quantize<3>, Gru<3, 16, true, Relu>, Dense<16, 4, Sigmoid>, Dequantize<4>)>(NETWORKS[13]);
    same_bits::<chain!(Quantize<3>, Lstm<3, 12>, Gru<12, 9>, Dense<9, 6, Relu>, Dense<6, 4>, Dequantize<4>)>(
        NETWORKS[14],
    );
}

#[test]
fn a_device_with_integers_needs_no_floating_point() {
    type Floats = chain!(Quantize<3>, Gru<3, 7>, Dense<7, 4, Softmax>, Dequantize<4>);
    type Integers = chain!(gatelet::quant::Fixed<3>, Gru<3, 7>, Dense<7, 4, Softmax>, gatelet::quant::Fixed<4>);
    let file = Model::new(integer(&network(3, NETWORKS[9]))).to_bytes().unwrap();
    let (mut floats, mut integers) = (Floats::EMPTY, Integers::EMPTY);
    floats.read_into(&file).unwrap();
    integers.read_into(&file).unwrap();
    let bits = *integers.0.fraction_bits();
    let (mut state, mut other) = (floats.initial_state(), integers.initial_state());
    for x in data(3, 50).as_chunks::<3>().0 {
        let (mut y, mut q) = ([0.0; 4], [0; 4]);
        floats.step(&mut state, x, &mut y);
        let x = core::array::from_fn(|i| gatelet::quant::quantize(x[i], bits[i].into()));
        integers.step(&mut other, &x, &mut q);
        assert_eq!(y, q.map(|q| f32::from(q) / 32_768.0));
    }
}

#[test]
fn normalisations_become_part_of_their_neighbours() {
    let mut inside = network(2, "gru(9, sequences), dense(2)");
    let normalize = |size| LayerKind::Normalize { size }.into();
    inside = inside.with_layer(0, normalize(2), &[100.0, -3.0, 0.02, 5.0]).unwrap();
    inside = inside.with_layer(3, normalize(2), &[0.5, 0.25, 40.0, 0.1]).unwrap();
    let xs: Vec<f32> = data(2, 500).chunks_exact(2).flat_map(|x| [100.0 + 50.0 * x[0], -3.0 + 0.2 * x[1]]).collect();
    let quantized = quantize(&inside, &[&xs], &Options::default()).unwrap().network;
    assert_eq!(quantized.to_string(), "quantize(2), integer gru(9, sequences), integer dense(2), dequantize(2)");
    let drift = drift(&inside, &quantized, &xs, 500);
    assert!(drift.output.rms < 0.01, "{drift:?}");

    // One that no layer can take in stays.
    let alone = network(2, "gru(9, sequences)").with_layer(1, normalize(9), &[0.5; 18]).unwrap();
    let quantized = quantize(&alone, &[&xs], &Options::default()).unwrap().network;
    assert_eq!(quantized.to_string(), "quantize(2), integer gru(9, sequences), dequantize(9), normalize(9)");
}

#[test]
fn what_data_do_not_tell_is_refused_by_name() {
    let network = network(2, "gru(4, sequences), dense(1)");
    let refused = |xs: &[&[f32]]| quantize(&network, xs, &Options::default()).unwrap_err();
    assert_eq!(refused(&[]), QuantizeError::NoData);
    assert_eq!(refused(&[&[1.0, 2.0, 3.0]]), QuantizeError::Features { numbers: 3, inputs: 2 });
    assert_eq!(refused(&[&[1.0, 2.0, 3.0, 2.0]]), QuantizeError::Still { channel: 1, value: 2.0 });
    let allowed = Options { allow_still: true, ..Options::default() };
    assert!(quantize(&network, &[&[1.0, 2.0, 3.0, 2.0]], &allowed).is_ok());
    let nan = refused(&[&[1.0, f32::INFINITY]]);
    assert_eq!(nan, QuantizeError::NotFinite { layer: 0, name: "data", value: f32::INFINITY });
    let again = quantize(&integer(&network), &[&data(2, 9)], &Options::default()).unwrap_err();
    assert_eq!(again, QuantizeError::Already);
}

#[test]
fn what_integers_cannot_represent_is_refused_by_name() {
    let refused = |description: &str, change: fn(&mut [f32])| {
        let mut network = network(2, description);
        change(network.parameters_mut());
        quantize(&network, &[&data(2, 300)], &Options::default()).unwrap_err().to_string()
    };
    let said = refused("gru(4, relu, sequences)", |parameters| parameters.iter_mut().for_each(|p| *p = 9.0 * p.abs()));
    assert!(said.starts_with("layer 1, gru: ") && said.contains("normalise"), "{said}");
    let said = refused("dense(4, tanh)", |parameters| parameters.iter_mut().for_each(|p| *p *= 1e6));
    assert!(said.starts_with("layer 1, dense: its weights") && said.contains("int16"), "{said}");
    let said = refused("dense(3), gru(4, sequences, softsign)", |_| ());
    assert_eq!(said, "layer 2: there is no integer gru of these activations");
    let said = refused("bidirectional(gru(3))", |_| ());
    assert_eq!(said, "layer 1: there is no integer bidirectional of this kind");
    let said = refused("residual(dense(2)), dense(1)", |_| ());
    assert_eq!(said, "layer 1: there is no integer dense with a way around it or a state of its own");

    let wide = network(6000, "dense(1)");
    let same: Vec<f32> = (0..60_000).map(|i| ((i / 6000) as f32 - 4.5) * (1.0 + (i % 7) as f32)).collect();
    let mut wide_weights = wide.clone();
    wide_weights.parameters_mut().fill(0.01);
    let said = quantize(&wide_weights, &[&same], &Options::default()).unwrap_err().to_string();
    assert!(said.starts_with("layer 1, dense: a sum over 6000 numbers exceeds 32 bits"), "{said}");
}

#[test]
fn numbers_cut_off_are_counted() {
    let network = network(2, "lstm(4, sequences), dense(1)");
    let xs = data(2, 300);
    let quantized = quantize(&network, &[&xs], &Options { ranges: Ranges::MinMax, ..Options::default() }).unwrap();
    assert_eq!((quantized.saturated, quantized.ranges), (0, Ranges::MinMax));
    let inference = quantized.network.inference();
    let mut state = inference.initial_state();
    let mut y = [0.0];
    inference.step(&mut state, &[1e6, 0.0], &mut y);
    assert_eq!(state.saturated(), 1, "the first input is beyond the range");
    inference.step(&mut state, &[-1e6, 1e6], &mut y);
    assert_eq!(state.saturated(), 3);
}

/// A layer that takes f32 behind one that gives int16, and the other way round.
#[test]
fn integers_and_floats_do_not_meet_without_a_conversion() {
    let whole = integer(&network(3, NETWORKS[9])).layers().to_vec();
    for (from, to, layer, is_integer) in [(1, 4, 1, false), (0, 2, 3, true)] {
        let mut layers = whole[from..to].to_vec();
        if is_integer {
            layers.push(LayerKind::Normalize { size: 7 }.into());
        }
        let error = Network::<f32>::new(layers).unwrap_err();
        assert!(
            matches!(error, NetworkError::Numbers { layer: at, integer, .. } if (at, integer) == (layer, is_integer))
        );
    }
}

/// A model file with some bytes behind `at` in its records replaced, and a right checksum.
fn changed(file: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    file[40 + at..][..bytes.len()].copy_from_slice(bytes);
    let checksum = crc32(&file[20..]);
    file[16..20].copy_from_slice(&checksum.to_le_bytes());
    file
}

#[test]
fn files_that_could_overflow_are_refused() {
    let integer = integer(&network(3, NETWORKS[3]));
    let file = Model::new(integer).to_bytes().unwrap();
    assert!(Model::from_bytes(&changed(&file, 0, &[])).is_ok());
    // The first record has 32 bytes and a word of three fraction bits; the lstm's begins behind it.
    let lstm = 36;
    let refused = |at: usize, bytes: &[u8]| match Model::from_bytes(&changed(&file, lstm + at, bytes)).unwrap_err() {
        ModelError::Layer { layer, problem } => (layer, problem),
        other => panic!("{other}"),
    };
    let overflow = "an integer layer has weights with which a sum can exceed 32 bits";
    let bias = 32 + 8;
    assert_eq!(refused(bias, &i32::MAX.to_le_bytes()), (2, overflow));
    assert_eq!(refused(bias, &i32::MIN.to_le_bytes()), (2, overflow));
    let scale = bias + 4 * 4 * 7;
    assert_eq!(refused(scale, &(-5_i32).to_le_bytes()), (2, overflow));
    assert_eq!(refused(scale, &[200]), (2, overflow));
    let bits = "an integer layer has more fraction bits than a number of 16 bits";
    assert_eq!(refused(32, &16_u32.to_le_bytes()), (2, bits));
    assert_eq!(refused(36, &u32::MAX.to_le_bytes()), (2, bits));
    // A type does not look at the numbers; it gives others, and no panic.
    let mut net = Box::new(<chain!(Quantize<3>, Lstm<3, 7>, Dense<7, 4, Softmax>, Dequantize<4>)>::EMPTY);
    for (at, bytes) in [(32, [255; 8]), (bias, [255; 8]), (scale, [127; 8])] {
        net.read_into(&changed(&file, lstm + at, &bytes)).unwrap();
        on_every_backend(|_| net.step(&mut net.initial_state(), &[1.0, -1.0, 1e9], &mut [0.0; 4]));
    }
}

/// What integers stand for is said in front of the layers and behind them, and a file may say there whatever it wants.
#[test]
fn conversions_do_what_the_file_says() {
    let integer = integer(&network(3, NETWORKS[9]));
    let file = Model::new(integer).to_bytes().unwrap();
    let records = u32::from_le_bytes(file[24..28].try_into().unwrap()) as usize;
    let (quantize, dequantize) = (32, records - 4);
    let mut net = Box::new(<chain!(Quantize<3>, Gru<3, 7>, Dense<7, 4, Softmax>, Dequantize<4>)>::EMPTY);
    for at in [quantize, dequantize] {
        for bits in [-128, -127, -20, 0, 15, 31, 126, 127_i8] {
            let file = changed(&file, at, &bits.to_le_bytes());
            net.read_into(&file).unwrap();
            let inference = Model::from_bytes(&file).unwrap().network.inference();
            let (mut y, mut expected) = ([0.0; 4], [0.0; 4]);
            net.step(&mut net.initial_state(), &[0.5; 3], &mut y);
            inference.step(&mut inference.initial_state(), &[0.5; 3], &mut expected);
            assert_eq!(y, expected, "{bits} fraction bits at {at}");
        }
    }
    // The flags of the first record, which is no integer layer then.
    let no_flag = Model::from_bytes(&changed(&file, 24, &[0])).unwrap_err().to_string();
    assert!(no_flag.contains("there is no integer quantize without integers"), "{no_flag}");
}

#[test]
fn a_type_of_another_precision_is_told_apart() {
    let floats = Model::new(network(3, NETWORKS[9])).to_bytes().unwrap();
    let mut net = <chain!(Quantize<3>, Gru<3, 7>, Dense<7, 4, Softmax>, Dequantize<4>)>::EMPTY;
    assert!(net.read_into(&floats).is_err());
    let mut bare: chain!(Gru<3, 7>, Dense<7, 4, Softmax>) = gatelet::Chain(Gru::EMPTY, Dense::EMPTY);
    let said = bare.read_into(&floats).unwrap_err().to_string();
    assert!(said.contains("integer is false in the file and true in the type"), "{said}");
}

//! Promise: an integer network made by calibration gives nearly what the network in single precision gives, in its file, as a type
//! and in the host network alike; what cannot be represented is refused by name.
#![cfg(feature = "std")]

mod common;

use common::on_every_backend;
use gatelet::format::crc32;
use gatelet::math::{HardSigmoid, Linear, Relu, Sigmoid};
use gatelet::network::{LayerKind, Model, ModelError, Network, NetworkError};
use gatelet::quant::{self, Dense, Dequantize, Gru, Lstm, Quantize, SimpleRnn};
use gatelet::quantize::{Options, QuantizeError, Ranges, drift, quantize};
use gatelet::{
    Ave, Backwards, Bidirectional, Layer, Mul, ReadInto, SequenceLayer, Softmax, Sum, Tanh, Vector, ZeroOutput, chain,
};

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

/// Every backend gives the scalar one's bits, of units and inputs around the ends of panels and vectors.
#[test]
fn backends_agree_at_many_sizes() {
    for (i, units) in [1, 2, 3, 4, 5, 8, 9, 12, 15, 16, 17, 20, 24, 31, 32, 33, 47, 48, 64, 65, 71, 96, 127, 128]
        .into_iter()
        .enumerate()
    {
        let inputs = 1 + 7 * i % 21;
        for cell in
            ["simple_rnn(UNITS)", "lstm(UNITS)", "gru(UNITS)", "gru(UNITS, reset_after=false)", "dense(UNITS, tanh)"]
        {
            let network = network(inputs, &cell.replace("UNITS", &units.to_string()));
            let xs = data(inputs, 12);
            let options = Options { ranges: Ranges::MinMax, allow_still: true };
            let inference = quantize(&network, &[&xs], &options).unwrap().network.inference();
            let mut first = None;
            on_every_backend(|kind| {
                let mut ys = vec![0.0; 12 * units];
                inference.run(&mut inference.initial_state(), &xs, &mut ys);
                assert_eq!(first.get_or_insert(ys.clone()), &ys, "{kind}: {cell} of {units} units on {inputs} inputs");
            });
        }
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

/// Time steps with gaps of a value in all channels, and tokens.
fn with_gaps(inputs: usize, value: f32) -> Vec<f32> {
    let mut xs = data(inputs, 300);
    for gap in xs.chunks_exact_mut(7 * inputs).step_by(3) {
        gap[inputs..4 * inputs].fill(value);
    }
    xs
}

fn tokens() -> Vec<f32> {
    (0..300).map(|i| (i * i % 11) as f32).collect()
}

/// An integer network beside its type, of whole sequences or not: every output and the last one, on every backend.
fn same_sequences<N, const I: usize>(description: &str, xs: &[f32])
where
    N: SequenceLayer<Input = [f32; I], Output: Vector<Number = f32>> + ReadInto,
{
    let network = network(I, description);
    let quantized = quantize(&network, &[xs], &Options { allow_still: true, ..Options::default() }).unwrap();
    let integer = quantized.network;
    let drift = drift(&network, &integer, xs, xs.len() / I);
    println!("{description}: rms {:.4} max {:.4}", drift.output.rms, drift.output.max);
    assert!(drift.output.rms < 0.01 && drift.output.max < 0.06, "{description}: {drift:?}");
    assert!(drift.output.rms > 1e-7, "{description}: the same network");

    let file = Model::new(integer.clone()).to_bytes().unwrap();
    assert_eq!(Model::from_bytes(&file).unwrap().network, integer, "{description}");
    let mut net = Box::new(N::EMPTY);
    net.read_into(&file).unwrap();
    let xs = &xs[..50 * I];
    let mut first: Option<Vec<f32>> = None;
    on_every_backend(|kind| {
        let inference = integer.inference();
        let mut expected = vec![0.0; 50 * integer.outputs()];
        inference.run(&mut inference.initial_state(), xs, &mut expected);
        let mut ys = vec![N::Output::ZERO; 50];
        net.run_sequence::<50>(&mut net.initial_state(), xs.as_chunks().0, &mut ys).unwrap();
        let ys: Vec<_> = ys.iter().flat_map(|y| y.as_slice().to_vec()).collect();
        assert_eq!(ys, expected, "{kind}: {description}");
        assert_eq!(first.get_or_insert(ys), &expected, "{kind} gives other bits than scalar: {description}");
        // A type gives the last steps of both directions, whatever the network does.
        if !integer.is_causal() && description.contains("sequences") {
            return;
        }
        let last = net.last::<50>(&mut net.initial_state(), xs.as_chunks().0).unwrap();
        let expected = inference.run_last(&mut inference.initial_state(), xs).unwrap();
        assert_eq!(last.as_slice(), expected, "{kind}: the last output of {description}");
    });
}

#[test]
fn convolutions_and_histories_are_integers() {
    use quant::{AveragePooling, Conv1d, Flatten, Last, Prelu};
    let xs = data(3, 300);
    same_sequences::<chain!(Quantize<3>, Conv1d<3, 9, 4, Relu>, Gru<9, 5>, Dense<5, 2>, Dequantize<2>), 3>(
        "conv1d(9, 4, relu), gru(5, sequences), dense(2)",
        &xs,
    );
    same_sequences::<chain!(Quantize<3>, Conv1d<3, 4, 3, Tanh, 5>, AveragePooling<4, 3>, Dense<4, 2>, Dequantize<2>), 3>(
        "conv1d(4, 3, dilation=5, tanh), average_pooling(3), dense(2)",
        &xs,
    );
    same_sequences::<chain!(Quantize<3>, Flatten<3, 4, 12>, Dense<12, 5>, Prelu<5>, Dense<5, 2>, Dequantize<2>), 3>(
        "flatten(4), dense(5), prelu(5), dense(2)",
        &xs,
    );
    same_sequences::<chain!(Quantize<3>, Gru<3, 6>, Last<6>, Dense<6, 2, Softmax>, Dequantize<2>), 3>(
        "gru(6, sequences), last, dense(2, softmax)",
        &xs,
    );
}

/// Folding and ranges that are easily wrong: each of these is as near to single precision as any other network.
#[test]
fn normalisations_masks_and_slopes_stay_where_they_matter() {
    let near = |inputs: usize, description: &str, xs: &[f32], parameters: Option<&[f32]>| {
        let mut network = network(inputs, description);
        if let Some(parameters) = parameters {
            network.parameters_mut().copy_from_slice(parameters);
        }
        let options = Options { allow_still: true, ..Options::default() };
        let quantized = quantize(&network, &[xs], &options).unwrap();
        let drift = drift(&network, &quantized.network, xs, xs.len() / inputs);
        assert!(drift.output.rms < 0.01, "{description}: {drift:?}\n{}", quantized.network);
        quantized
    };
    let xs = data(3, 300);
    for description in [
        "normalize(3), residual(dense(3)), dense(2)",
        "gru(3, sequences), normalize(3), last",
        "gru(3, sequences), normalize(3), last, normalize(3)",
        "gru(3, sequences), normalize(3), last, dense(2)",
        "dense(3), normalize(3), normalize(3), activation(tanh), dense(2)",
        "normalize(3), normalize(3), gru(3, sequences), normalize(3), normalize(3), dense(2)",
        "residual(gru(3, sequences)), dense(2)",
    ] {
        near(3, description, &xs, None);
    }
    let said = quantize(&network(3, "normalize(3)"), &[&xs], &Options::default()).unwrap_err().to_string();
    assert_eq!(said, "layer 1: there is no integer normalize alone: a network of integers needs another layer");
    let inside = network(3, "gru(3, sequences), normalize(3), residual(dense(3)), dense(2)");
    let said = quantize(&inside, &[&xs], &Options::default()).unwrap_err().to_string();
    assert!(said.starts_with("layer 2: there is no integer normalize here"), "{said}");
    let wide: Vec<_> = data(2, 300).iter().map(|x| 500.0 * x).collect();
    let said = quantize(&network(2, "residual(gru(2, sequences))"), &[&wide], &Options::default()).unwrap_err();
    assert!(
        matches!(said, QuantizeError::Range { layer: 1, name: "gru", .. }),
        "inputs are part of the output: {said}"
    );

    // What masked steps give in layers that do not know of masks counts, too.
    near(
        1,
        "embedding(4, 1, mask_zero), conv1d(1, 2)",
        &tokens()[..200].iter().map(|x| x % 4.0).collect::<Vec<_>>(),
        Some(&[10.0, 0.1, 0.2, 0.3, 1.0, 0.01, 0.0]),
    );
    near(1, "masking(0), flatten(3), dense(1)", &with_gaps(1, 0.0), Some(&[100.0, -200.0, 100.0, 0.0]));
    near(1, "masking(0), dense(1)", &with_gaps(1, 0.0), Some(&[1.0, -10.0]));
    near(1, "dense(1), prelu(1)", &data(1, 300), Some(&[1.0, 0.0, 4.0]));
    // What masks may be far from the data.
    for description in
        ["bidirectional(gru(6, sequences)), dense(2)", "dense(4), gru(5, sequences)", "gru(5, sequences)"]
    {
        let quantized = near(2, &format!("masking(-999), {description}"), &with_gaps(2, -999.0), None);
        assert_eq!(quantized.saturated, 0, "{description}");
    }
    let behind = network(1, "activation(relu), embedding(11, 2), dense(1)");
    let said = quantize(&behind, &[&tokens()], &Options::default());
    let said = said.unwrap_err().to_string();
    assert_eq!(said, "layer 2: there is no integer embedding of other tokens than the network's inputs");
}

/// What a host says of sizes is what the types have.
#[test]
fn a_summary_has_the_sizes_of_the_types() {
    use quant::{AveragePooling, Conv1d, Embedding, InitialState, Masking, Prelu, Residual};
    type Tokens = chain!(
        Quantize<1>,
        Embedding<11, 3, true>,
        Residual<InitialState<Gru<3, 3>>, 3>,
        Conv1d<3, 4, 2>,
        AveragePooling<4, 3>,
        Prelu<4>,
        Dequantize<4>
    );
    type Masked = chain!(Quantize<3>, Masking<3>, SimpleRnn<3, 5>, Lstm<5, 4>, Gru<4, 2>, Dense<2, 2>, Dequantize<2>);
    let description = "embedding(11, 3, mask_zero), residual(initial_state(gru(3, sequences))), conv1d(4, 2), \
        average_pooling(3), prelu(4)";
    let tokens = quantize(&network(1, description), &[&tokens()], &Options::default()).unwrap().network;
    let masked = integer(&network(3, "masking(9), simple_rnn(5, sequences), lstm(4, sequences), gru(2), dense(2)"));
    for (integer, flash, state) in [
        (tokens, <Tokens as Layer>::FLASH_BYTES, <Tokens as Layer>::STATE_BYTES),
        (masked, <Masked as Layer>::FLASH_BYTES, <Masked as Layer>::STATE_BYTES),
    ] {
        let summary = integer.summary();
        assert_eq!((summary.flash_bytes, summary.state_bytes), (flash, state), "{integer}");
    }
    let words = integer(&network(3, "residual(gru(3, sequences)), initial_state(gru(2))")).to_string();
    assert_eq!(words, "quantize(3), integer residual(gru(3, sequences)), integer initial_state(gru(2)), dequantize(2)");
}

#[test]
fn ways_around_layers_and_states_to_begin_with_are_integers() {
    use quant::{Activate, Conv1d, InitialState, Last, Residual};
    let xs = data(3, 300);
    same_sequences::<
        chain!(Quantize<3>, Residual<Gru<3, 3>, 3>, Residual<Lstm<3, 3>, 3>, Residual<Dense<3, 3>, 3>, Dequantize<3>),
        3,
    >("residual(gru(3, sequences)), residual(lstm(3, sequences)), residual(dense(3))", &xs);
    same_sequences::<chain!(Quantize<3>, InitialState<Lstm<3, 5>>, InitialState<Gru<5, 4>>, Dequantize<4>), 3>(
        "initial_state(lstm(5, sequences)), initial_state(gru(4, sequences))",
        &xs,
    );
    type Both = chain!(Quantize<3>, Residual<InitialState<Bidirectional<Lstm<3, 3>, 3, Ave>>, 3>, Dequantize<3>);
    same_sequences::<Both, 3>("residual(initial_state(bidirectional(lstm(3, sequences), merge=ave)))", &xs);
    type Alone = chain!(
        Quantize<3>,
        Conv1d<3, 6, 3, Linear, 2>,
        Gru<6, 4>,
        Last<4>,
        Activate<4, Tanh>,
        Dense<4, 4>,
        Residual<Dense<4, 4>, 4>,
        Activate<4, Sigmoid>,
        Activate<4, Relu>,
        Dequantize<4>
    );
    same_sequences::<Alone, 3>(
        "conv1d(6, 3, dilation=2, groups=3), gru(4, sequences), last, activation(tanh), dense(4), residual(dense(4)), \
         activation(sigmoid), activation(relu)",
        &xs,
    );
}

#[test]
fn both_directions_are_integers() {
    let xs = data(3, 300);
    same_sequences::<chain!(Quantize<3>, Bidirectional<Gru<3, 6>, 12>, Dense<12, 2>, Dequantize<2>), 3>(
        "bidirectional(gru(6, sequences)), dense(2)",
        &xs,
    );
    same_sequences::<chain!(Quantize<3>, Bidirectional<Lstm<3, 6>, 6, Sum>, Dense<6, 2>, Dequantize<2>), 3>(
        "bidirectional(lstm(6, sequences), merge=sum), dense(2)",
        &xs,
    );
    same_sequences::<chain!(Quantize<3>, Bidirectional<Lstm<3, 6>, 6, Ave>, Dense<6, 2>, Dequantize<2>), 3>(
        "bidirectional(lstm(6), merge=ave), dense(2)",
        &xs,
    );
    same_sequences::<chain!(Quantize<3>, Bidirectional<SimpleRnn<3, 6, Sigmoid>, 6, Mul>, Dense<6, 2>, Dequantize<2>), 3>(
        "bidirectional(simple_rnn(6, sigmoid, sequences), merge=mul), dense(2)",
        &xs,
    );
    same_sequences::<chain!(Quantize<3>, Backwards<Lstm<3, 6>>, Dense<6, 2>, Dequantize<2>), 3>(
        "lstm(6, sequences, go_backwards), dense(2)",
        &xs,
    );
}

#[test]
fn masks_are_integers() {
    use quant::{Embedding, Masking};
    type Masked = chain!(Quantize<2>, Masking<2>, ZeroOutput<Gru<2, 6>>, Dense<6, 2>, Dequantize<2>);
    same_sequences::<Masked, 2>("masking(-3), gru(6, sequences, zero_output_for_mask), dense(2)", &with_gaps(2, -3.0));
    type Both = chain!(Quantize<2>, Masking<2>, Bidirectional<Gru<2, 6>, 12>, Dense<12, 2>, Dequantize<2>);
    same_sequences::<Both, 2>("masking(0), bidirectional(gru(6, sequences)), dense(2)", &with_gaps(2, 0.0));
    type Tokens = chain!(Quantize<1>, Embedding<11, 4>, Lstm<4, 6>, Dense<6, 2>, Dequantize<2>);
    same_sequences::<Tokens, 1>("embedding(11, 4), lstm(6, sequences), dense(2)", &tokens());
    type Zeros = chain!(Quantize<1>, Embedding<11, 4, true>, Gru<4, 6>, Dense<6, 2>, Dequantize<2>);
    same_sequences::<Zeros, 1>("embedding(11, 4, mask_zero), gru(6), dense(2)", &tokens());
}

#[test]
fn normalisations_in_front_and_functions_at_the_end_can_stay() {
    let quantized = |description: &str| {
        let network = network(3, description);
        let xs = data(3, 300);
        let integer = quantize(&network, &[&xs], &Options::default()).unwrap().network;
        let drift = drift(&network, &integer, &xs, 300);
        assert!(drift.output.rms < 0.01, "{description}: {drift:?}");
        integer.to_string()
    };
    assert_eq!(
        quantized("normalize(3), conv1d(4, 2), activation(relu), dense(2), activation(softmax)"),
        "normalize(3), quantize(3), integer conv1d(4, 2, relu), integer dense(2, softmax), dequantize(2)"
    );
    assert_eq!(
        quantized("gru(4), normalize(4), dense(5), activation(elu), unit_normalization"),
        "quantize(3), integer gru(4), integer dense(5), dequantize(5), activation(elu), unit_normalization"
    );
    let refused = |description: &str| {
        quantize(&network(3, description), &[&data(3, 300)], &Options::default()).unwrap_err().to_string()
    };
    let said = refused("dense(5), activation(elu), gru(4)");
    assert_eq!(
        said,
        "layer 2: there is no integer activation that stands neither behind a linear layer nor at the end"
    );
    let said = refused("unit_normalization, gru(4)");
    assert_eq!(said, "layer 1: there is no integer unit_normalization that does not stand at the end");
}

#[test]
fn a_device_with_integers_needs_no_floating_point() {
    type Floats = chain!(Quantize<3>, Gru<3, 7>, Dense<7, 4, Softmax>, Dequantize<4>);
    type Integers = chain!(quant::Fixed<3>, Gru<3, 7>, Dense<7, 4, Softmax>, quant::Fixed<4>);
    let file = Model::new(integer(&network(3, NETWORKS[9]))).to_bytes().unwrap();
    let (mut floats, mut integers) = (Floats::EMPTY, Integers::EMPTY);
    floats.read_into(&file).unwrap();
    integers.read_into(&file).unwrap();
    let bits = *integers.0.fraction_bits();
    let (mut state, mut other) = (Layer::initial_state(&floats), Layer::initial_state(&integers));
    for x in data(3, 50).as_chunks::<3>().0 {
        let (mut y, mut q) = ([0.0; 4], [0; 4]);
        floats.step(&mut state, x, &mut y);
        let x = core::array::from_fn(|i| quant::quantize(x[i], bits[i].into()));
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
    assert_eq!(
        said,
        "layer 2: there is no integer gru of these activations: tanh, sigmoid, relu and linear have one, and gates with sigmoid or hard_sigmoid"
    );

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
        on_every_backend(|_| net.step(&mut Layer::initial_state(&*net), &[1.0, -1.0, 1e9], &mut [0.0; 4]));
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
            net.step(&mut Layer::initial_state(&*net), &[0.5; 3], &mut y);
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

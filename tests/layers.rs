//! Promise: whatever the host network's layers do, their types with constant sizes do, too, with the same bits on every backend:
//! step by step, in runs and for the last output alone, over masked steps and from the states that models bring.
#![cfg(feature = "std")]

mod common;

use common::on_every_backend;
use gatelet::network::{LayerKind, Model, Network};
use gatelet::{
    Activate, Ave, AveragePooling, Backwards, Bidirectional, Concat, Conv1d, Dense, Embedding, Flatten, FormatError,
    Gru, InitialState, Last, Layer, LeakyRelu, Linear, Lstm, Masking, Mul, Prelu, ReadInto, Relu, Residual,
    SequenceError, SequenceLayer, Silu, SimpleRnn, Softmax, Sum, Tanh, UnitNormalization, Unmerged, Vector, ZeroOutput,
    chain,
};

const STEPS: usize = 23;

/// A formula for weights and inputs, so that nothing is stored.
fn formula(i: usize, frequency: f64) -> f32 {
    (frequency * i as f64 + 1.0).sin() as f32
}

fn network(inputs: usize, description: &str) -> Network<f32> {
    let mut network = Network::describe(inputs, description).unwrap();
    for layer in 0..network.layers().len() {
        let kind = network.layers()[layer].kind;
        let scale = 2.0 / ((kind.inputs() + kind.outputs()) as f32).sqrt();
        let range = network.range(layer);
        for (i, weight) in network.parameters_mut()[range].iter_mut().enumerate() {
            *weight = scale * formula(i + layer, 0.7);
        }
    }
    network
}

/// Inputs that fit the first layer: tokens of an embedding, and where it masks, a head, a tail and a gap that are masked.
fn inputs<const I: usize>(network: &Network<f32>) -> Vec<[f32; I]> {
    let step = |t: usize| std::array::from_fn(|i| formula(t * I + i, 1.3));
    (0..STEPS)
        .map(|t| match network.layers()[0].kind {
            LayerKind::Embedding { tokens, .. } => [(t * 5 % tokens) as f32; I],
            LayerKind::Masking { value, .. } if matches!(t, 0 | 1 | 9 | 10 | 21 | 22) => [value; I],
            LayerKind::Masking { value, .. } if t == 5 => {
                let mut x = step(t);
                x[0] = value;
                x
            }
            _ => step(t),
        })
        .collect()
}

fn constant<N: ReadInto>(network: &Network<f32>) -> Box<N> {
    let mut net = Box::new(N::EMPTY);
    net.read_into(&Model::new(network.clone()).to_bytes().unwrap()).unwrap();
    net
}

fn bits<V: Vector<Number = f32>>(ys: &[V]) -> Vec<u32> {
    ys.iter().flat_map(|y| y.as_slice()).map(|y| y.to_bits()).collect()
}

fn bits_of(ys: &[f32]) -> Vec<u32> {
    ys.iter().map(|y| y.to_bits()).collect()
}

/// Every output of the host network, and the one it gives for the whole sequence.
fn on_host(network: &Network<f32>, xs: &[f32]) -> (Vec<u32>, Vec<u32>) {
    let inference = network.inference();
    let mut ys = vec![0.0; xs.len() / inference.inputs() * inference.outputs()];
    inference.run(&mut inference.initial_state(), xs, &mut ys);
    let last = inference.run_last(&mut inference.initial_state(), xs).unwrap();
    (bits_of(&ys), bits_of(&last))
}

/// A type that goes through a sequence step by step, beside the host network. As in `cells`, an optimising compiler takes seconds
/// for each type.
#[inline(never)]
fn agree<const I: usize, N>(description: &str)
where
    N: Layer<Input = [f32; I], Output: Vector<Number = f32>, State: PartialEq> + ReadInto,
{
    let network = network(I, description);
    let net = constant::<N>(&network);
    let xs = inputs::<I>(&network);
    assert_eq!(N::FLASH_BYTES, network.summary().flash_bytes, "{description}");
    assert_eq!(N::STATE_BYTES, network.summary().state_bytes, "{description}");
    on_every_backend(|kind| {
        let (expected, expected_last) = on_host(&network, xs.as_flattened());
        let mut ys = vec![N::Output::ZERO; STEPS];
        let mut end = net.initial_state();
        for (x, y) in xs.iter().zip(&mut ys) {
            net.step(&mut end, x, y);
        }
        assert!(bits(&ys) == expected, "{kind}, {description}: steps");

        // In two parts, with a copied state between them.
        let mut ys = vec![N::Output::ZERO; STEPS];
        let mut state = net.initial_state();
        for steps in [0..10, 10..STEPS] {
            let mut copy = state;
            net.run(&mut copy, &xs[steps.clone()], &mut ys[steps]).unwrap();
            state = copy;
        }
        assert!(bits(&ys) == expected && state == end, "{kind}, {description}: a run");

        let mut state = net.initial_state();
        let last = net.run_last(&mut state, &xs).unwrap();
        assert!(bits(&[last]) == expected_last && state == end, "{kind}, {description}: the last output");
    });
}

/// A type that sees whole sequences, beside the host network.
#[inline(never)]
fn agree_on_sequences<const I: usize, N>(description: &str)
where
    N: SequenceLayer<Input = [f32; I], Output: Vector<Number = f32>, State: PartialEq> + ReadInto,
{
    let network = network(I, description);
    let net = constant::<N>(&network);
    let xs = inputs::<I>(&network);
    assert_eq!(N::FLASH_BYTES, network.summary().flash_bytes, "{description}");
    assert_eq!(N::STATE_BYTES, network.summary().state_bytes, "{description}");
    on_every_backend(|kind| {
        let (expected, expected_last) = on_host(&network, xs.as_flattened());
        let mut ys = vec![N::Output::ZERO; STEPS];
        let mut end = net.initial_state();
        net.run_sequence::<STEPS>(&mut end, &xs, &mut ys).unwrap();
        let mut state = net.initial_state();
        let last = net.last::<30>(&mut state, &xs).unwrap();
        assert!(state == end, "{kind}, {description}: the states differ");
        if network.gives_sequence() {
            assert!(bits(&ys) == expected, "{kind}, {description}: every output");
        } else {
            assert!(bits(&[last]) == expected_last, "{kind}, {description}: the output for the whole");
        }
        // From the state that the sequence has left.
        let inference = network.inference();
        let mut state = inference.initial_state();
        inference.run(&mut state, xs.as_flattened(), &mut vec![0.0; STEPS * inference.outputs()]);
        let again = inference.run_last(&mut state, xs[..3].as_flattened()).unwrap();
        let last = net.last::<3>(&mut end, &xs[..3]).unwrap();
        if !network.gives_sequence() {
            assert!(bits(&[last]) == bits_of(&again), "{kind}, {description}: the sequence after it");
        }
    });
}

macro_rules! agree_on_sequences {
    ($($inputs:literal $description:tt $type:ty;)*) => { $(agree_on_sequences::<$inputs, $type>($description);)* };
}

macro_rules! agree {
    ($($inputs:literal $description:tt $type:ty;)*) => { $(agree::<$inputs, $type>($description);)* };
}

#[test]
fn layers_without_a_state() {
    agree! {
        1 "embedding(7, 5)" Embedding<7, 5>;
        5 "unit_normalization" UnitNormalization<5>;
        5 "activation(silu)" Activate<5, Silu>;
        5 "activation(softmax)" Activate<5, Softmax>;
        5 "prelu(5)" Prelu<5>;
        1 "embedding(9, 6), dense(17, leaky_relu), unit_normalization, prelu(17), dense(3), activation(relu)"
            chain!(Embedding<9, 6>, Dense<6, 17, LeakyRelu>, UnitNormalization<17>, Prelu<17>, Dense<17, 3>, Activate<3, Relu>);
    }
}

#[test]
fn layers_that_look_back() {
    agree! {
        3 "conv1d(5, 1)" Conv1d<3, 5, 1>;
        2 "conv1d(17, 4, relu)" Conv1d<2, 17, 4, Relu>;
        2 "conv1d(3, 3, dilation=4)" Conv1d<2, 3, 3, Linear, 4>;
        9 "conv1d(33, 2, groups=3)" Conv1d<9, 33, 2, Linear, 1, 3>;
        4 "conv1d(8, 3, dilation=2, groups=4, tanh)" Conv1d<4, 8, 3, Tanh, 2, 1>;
        3 "average_pooling(1)" AveragePooling<3, 1>;
        3 "average_pooling(4)" AveragePooling<3, 4>;
        3 "residual(average_pooling(2)), flatten(4), dense(2)"
            chain!(Residual<AveragePooling<3, 2>>, Flatten<3, 4, 12>, Dense<12, 2>);
    }
}

#[test]
fn layers_in_series() {
    agree! {
        2 "conv1d(16, 5), average_pooling(3), gru(16, sequences), dense(2), unit_normalization"
            chain!(Conv1d<2, 16, 5>, AveragePooling<16, 3>, Gru<16, 16>, Dense<16, 2>, UnitNormalization<2>);
        1 "embedding(8, 4), lstm(7, sequences), last, dense(3)"
            chain!(Embedding<8, 4>, Lstm<4, 7>, Last<7>, Dense<7, 3>);
        3 "simple_rnn(5, sequences), conv1d(3, 2, dilation=3), flatten(2)"
            chain!(SimpleRnn<3, 5>, Conv1d<5, 3, 2, Linear, 3>, Flatten<3, 2, 6>);
    }
}

#[test]
fn masked_steps() {
    agree! {
        2 "masking(-1.5)" Masking<2>;
        2 "masking(-1), gru(5, sequences), lstm(4), dense(2)"
            chain!(Masking<2>, Gru<2, 5>, Lstm<5, 4>, Dense<4, 2>);
        3 "masking(0), residual(simple_rnn(3, sequences, zero_output_for_mask)), gru(4, zero_output_for_mask)"
            chain!(Masking<3>, Residual<ZeroOutput<SimpleRnn<3, 3>>>, ZeroOutput<Gru<3, 4>>);
        2 "masking(-1), gru(3, sequences), conv1d(4, 2), lstm(3)"
            chain!(chain!(Masking<2>, Gru<2, 3>), chain!(Conv1d<3, 4, 2>, Lstm<4, 3>));
        2 "masking(-1), average_pooling(2), masking(2), lstm(3), activation(tanh)"
            chain!(Masking<2>, AveragePooling<2, 2>, Masking<2>, Lstm<2, 3>, Activate<3, Tanh>);
        1 "embedding(5, 3, mask_zero), lstm(6, sequences, zero_output_for_mask), gru(2)"
            chain!(Embedding<5, 3, true>, ZeroOutput<Lstm<3, 6>>, Gru<6, 2>);
        16 "masking(-1), gru(71, sequences), dense(2)" chain!(Masking<16>, Gru<16, 71>, Dense<71, 2>);
    }
}

#[test]
fn states_that_models_bring() {
    agree! {
        2 "initial_state(simple_rnn(3, relu)), dense(2)" chain!(InitialState<SimpleRnn<2, 3, Relu>>, Dense<3, 2>);
        3 "residual(initial_state(lstm(3, sequences))), initial_state(gru(5))"
            chain!(Residual<InitialState<Lstm<3, 3>>>, InitialState<Gru<3, 5>>);
        2 "masking(-1), initial_state(gru(5, zero_output_for_mask))"
            chain!(Masking<2>, InitialState<ZeroOutput<Gru<2, 5>>>);
    }
}

#[test]
fn both_directions() {
    agree_on_sequences! {
        5 "bidirectional(simple_rnn(8, sequences))" Bidirectional<SimpleRnn<5, 8>, 16>;
        2 "bidirectional(lstm(5))" Bidirectional<Lstm<2, 5>, 10>;
        2 "bidirectional(gru(17, sequences), merge=sum)" Bidirectional<Gru<2, 17>, 17, Sum>;
        2 "bidirectional(gru(4, reset_after=false, sequences), merge=mul)" Bidirectional<Gru<2, 4, false>, 4, Mul>;
        2 "bidirectional(gru(3), merge=ave)" Bidirectional<Gru<2, 3>, 3, Ave>;
        2 "bidirectional(gru(3, sequences), merge=none)" Bidirectional<Gru<2, 3>, 6, Unmerged>;
        4 "bidirectional(gru(70, sequences)), dense(2)" chain!(Bidirectional<Gru<4, 70>, 140>, Dense<140, 2>);
        3 "initial_state(bidirectional(lstm(4, sequences))), dense(2)"
            chain!(InitialState<Bidirectional<Lstm<3, 4>, 8>>, Dense<8, 2>);
        3 "residual(initial_state(bidirectional(gru(3, sequences), merge=sum))), last, dense(2)"
            chain!(Residual<InitialState<Bidirectional<Gru<3, 3>, 3, Sum>>>, Last<3>, Dense<3, 2>);
        2 "conv1d(4, 3), average_pooling(2), bidirectional(gru(3, sequences)), bidirectional(lstm(2)), dense(2, softmax)"
            chain!(
                chain!(Conv1d<2, 4, 3>, AveragePooling<4, 2>),
                Bidirectional<Gru<4, 3>, 6>,
                Bidirectional<Lstm<6, 2>, 4>,
                Dense<4, 2, Softmax>
            );
    }
}

#[test]
fn from_the_end() {
    agree_on_sequences! {
        2 "lstm(5, go_backwards)" Backwards<Lstm<2, 5>>;
        2 "lstm(5, sequences, go_backwards), gru(4, sequences)" chain!(Backwards<Lstm<2, 5>>, Gru<5, 4>);
        2 "gru(3, sequences), initial_state(simple_rnn(4, go_backwards)), dense(2)"
            chain!(Gru<2, 3>, InitialState<Backwards<SimpleRnn<3, 4>>>, Dense<4, 2>);
    }
}

#[test]
fn masked_steps_of_whole_sequences() {
    agree_on_sequences! {
        2 "masking(-1), bidirectional(lstm(4), merge=sum), dense(2)"
            chain!(Masking<2>, Bidirectional<Lstm<2, 4>, 4, Sum>, Dense<4, 2>);
        2 "masking(-1), dense(5, relu), bidirectional(gru(3, sequences, zero_output_for_mask)), bidirectional(gru(2, sequences)), dense(3, softmax)"
            chain!(
                chain!(Masking<2>, Dense<2, 5, Relu>),
                Bidirectional<Gru<5, 3>, 6>,
                Bidirectional<Gru<6, 2>, 4>,
                Dense<4, 3, Softmax>
            );
        2 "masking(-1), gru(3, sequences, go_backwards), lstm(2)" chain!(Masking<2>, Backwards<Gru<2, 3>>, Lstm<3, 2>);
        2 "masking(-1), residual(gru(2, sequences, go_backwards, zero_output_for_mask)), conv1d(3, 2), bidirectional(gru(2, sequences))"
            chain!(Masking<2>, Residual<Backwards<ZeroOutput<Gru<2, 2>>>>, Conv1d<2, 3, 2>, Bidirectional<Gru<3, 2>, 4>);
        1 "embedding(5, 3, mask_zero), bidirectional(simple_rnn(4)), dense(2)"
            chain!(Embedding<5, 3, true>, Bidirectional<SimpleRnn<3, 4>, 8>, Dense<8, 2>);
    }
}

/// What goes step by step is a sequence layer, too.
#[test]
fn sequences_step_by_step() {
    agree_on_sequences! {
        2 "masking(-1), gru(5, sequences, zero_output_for_mask), lstm(4), dense(2)"
            chain!(Masking<2>, ZeroOutput<Gru<2, 5>>, Lstm<5, 4>, Dense<4, 2>);
        3 "average_pooling(2), residual(dense(3)), prelu(3), unit_normalization, flatten(4)"
            chain!(AveragePooling<3, 2>, Residual<Dense<3, 3>>, Prelu<3>, UnitNormalization<3>, Flatten<3, 4, 12>);
    }
}

#[test]
fn lengths_are_checked_before_anything_is_done() {
    type Net = Bidirectional<Gru<2, 3>, 6>;
    let net = constant::<Net>(&network(2, "bidirectional(gru(3))"));
    let mut state = net.initial_state();
    let xs = [[1.0; 2]; 5];
    let error = net.run_sequence::<9>(&mut state, &xs, &mut [[0.0; 6]; 4]).unwrap_err();
    assert_eq!(error.to_string(), "5 inputs but room for 4 outputs: a run gives one output per step");
    let error = net.run_sequence::<4>(&mut state, &xs, &mut [[0.0; 6]; 5]).unwrap_err();
    assert_eq!(error.to_string(), "a sequence of 5 steps, and room between the layers for 4");
    assert_eq!(net.last::<4>(&mut state, &xs), Err(SequenceError::TooLong { steps: 5, most: 4 }));
    assert_eq!(net.last::<4>(&mut state, &[]), Err(SequenceError::Empty));
    net.run_sequence::<0>(&mut state, &[], &mut []).unwrap();
    assert!(state == Net::ZERO_STATE);
}

#[test]
fn streams_are_masked_apart() {
    type Net = chain!(Masking<2>, InitialState<Gru<2, 3>>, Conv1d<3, 2, 2>);
    let network = network(2, "masking(-1), initial_state(gru(3, sequences)), conv1d(2, 2)");
    let net = constant::<Net>(&network);
    let xs = inputs::<2>(&network);
    on_every_backend(|kind| {
        let (mut together, mut alone) = ([Layer::initial_state(&*net); 5], [Layer::initial_state(&*net); 5]);
        for t in 0..STEPS {
            let xs: [_; 5] = std::array::from_fn(|stream| xs[(t + 3 * stream) % STEPS]);
            let (mut ys, mut expected) = ([[0.0; 2]; 5], [[0.0; 2]; 5]);
            net.step_streams(&mut together, &xs, &mut ys).unwrap();
            for ((state, x), y) in alone.iter_mut().zip(&xs).zip(&mut expected) {
                net.step(state, x, y);
            }
            assert!(bits(&ys) == bits(&expected), "{kind}");
        }
        assert!(together == alone, "{kind}: the states differ");
    });
}

/// NaN for what is no row.
#[test]
fn a_token_that_is_none_gives_nan() {
    let net = constant::<Embedding<3, 2>>(&network(1, "embedding(3, 2)"));
    for x in [-1.0, 0.5, 3.0, f32::NAN, f32::INFINITY, 1e30] {
        let mut y = [0.0; 2];
        net.step(&mut (), &[x], &mut y);
        assert!(y.iter().all(|y| y.is_nan()), "{x}");
    }
}

fn refused<N: ReadInto>(inputs: usize, description: &str) -> String {
    let file = Model::new(network(inputs, description)).to_bytes().unwrap();
    let mut net = Box::new(N::EMPTY);
    let error: FormatError = net.read_into(&file).map(|_| ()).expect_err(description);
    error.to_string().replace("model file does not fit the type: ", "")
}

#[test]
fn whatever_differs_from_the_type_is_named() {
    let differs = |what: &str| format!("layer 1: {what} in the type");
    let conv = "conv1d(6, 3, dilation=2, groups=2)";
    type Conv<const O: usize, const K: usize, const D: usize, const G: usize> = Conv1d<4, O, K, Linear, D, G>;
    constant::<Conv<6, 3, 2, 2>>(&network(4, conv));
    assert_eq!(refused::<Conv<8, 3, 2, 2>>(4, conv), differs("output size is 6 in the file and 8"));
    assert_eq!(refused::<Conv<6, 2, 2, 2>>(4, conv), differs("kernel size is 3 in the file and 2"));
    assert_eq!(refused::<Conv<6, 3, 1, 2>>(4, conv), differs("dilation is 2 in the file and 1"));
    assert_eq!(refused::<Conv<6, 3, 2, 4>>(4, conv), differs("number of groups is 2 in the file and 1"));
    assert_eq!(refused::<Embedding<6, 2>>(1, "embedding(5, 2)"), differs("number of tokens is 5 in the file and 6"));
    for found in
        [refused::<AveragePooling<2, 3>>(2, "average_pooling(4)"), refused::<Flatten<2, 3, 6>>(2, "flatten(4)")]
    {
        assert_eq!(found, differs("number of time steps is 4 in the file and 3"));
    }
    assert_eq!(
        refused::<Embedding<5, 2>>(1, "embedding(5, 2, mask_zero)"),
        differs("mask_zero is true in the file and false")
    );
    assert_eq!(
        refused::<ZeroOutput<Gru<2, 3>>>(2, "gru(3)"),
        differs("zero_output_for_mask is false in the file and true")
    );
    assert_eq!(
        refused::<Gru<2, 3>>(2, "gru(3, zero_output_for_mask)"),
        differs("zero_output_for_mask is true in the file and false")
    );
    assert_eq!(refused::<Gru<2, 3>>(2, "gru(3, go_backwards)"), differs("go_backwards is true in the file and false"));
    assert_eq!(refused::<Backwards<Gru<2, 3>>>(2, "gru(3)"), differs("go_backwards is false in the file and true"));
    assert_eq!(
        refused::<Backwards<InitialState<Gru<2, 3>>>>(2, "initial_state(gru(3, go_backwards))"),
        differs("go_backwards is false in the file and true")
    );
    let both = "bidirectional(gru(3), merge=sum)";
    assert_eq!(refused::<Bidirectional<Gru<2, 3>, 3, Ave>>(2, both), differs("merge mode is sum in the file and ave"));
    assert_eq!(
        refused::<Bidirectional<Gru<2, 3>, 6, Concat>>(2, both),
        differs("merge mode is sum in the file and concat")
    );
    assert_eq!(refused::<Bidirectional<Gru<2, 4>, 4, Sum>>(2, both), differs("output size is 3 in the file and 4"));
    assert_eq!(refused::<Bidirectional<Lstm<2, 3>, 3, Sum>>(2, both), differs("it is gru in the file and lstm"));
    assert_eq!(
        refused::<InitialState<Lstm<2, 3>>>(2, "initial_state(gru(3))"),
        differs("size of the state is 3 in the file and 6")
    );
    assert_eq!(refused::<InitialState<Lstm<2, 3>>>(2, "lstm(3)"), differs("it is lstm in the file and initial_state"));
    assert_eq!(
        refused::<Activate<2, Relu>>(2, "activation(softmax)"),
        differs("activation is softmax in the file and relu")
    );
    assert_eq!(refused::<Prelu<2>>(2, "last"), differs("it is last in the file and prelu"));
}

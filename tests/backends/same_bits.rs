//! The same bits in a sequence and in types with constant sizes.

use crate::{CANARY, CELLS, bits, dense, on_every_backend, random_network, recurrent, uniform};
use gatelet::math::{ActivationKind, OutputKind};
use gatelet::network::{Model, Network, Recurrent};
use gatelet::simd::BackendKind;
use gatelet::{Dense, Gru, Layer, Lstm, ReadInto, Residual, SimpleRnn, Softmax, Vector, chain};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// A sequence step by step, as a whole, in two parts and for its last output only.
fn assert_sequence_is_steps(kind: BackendKind, network: &Network<f32>, xs: &[f32]) {
    let inference = network.inference();
    let (inputs, outputs) = (inference.inputs(), inference.outputs());
    let mut ys = vec![0.0; xs.len() / inputs * outputs];
    let mut state = inference.zero_state();
    for (x, y) in xs.chunks(inputs).zip(ys.chunks_mut(outputs)) {
        inference.step(&mut state, x, y);
    }

    let mut again = vec![0.0; ys.len()];
    let mut end = inference.zero_state();
    inference.run(&mut end, xs, &mut again);
    assert!(bits(&again) == bits(&ys) && end == state, "{kind}, {network}: run and step differ");

    // A state is its numbers: put into a new one after any step, they go on as they would have gone on.
    for steps in [3, 4] {
        let (before, after) = again.split_at_mut(steps * outputs);
        let mut saved = inference.zero_state();
        inference.run(&mut saved, &xs[..steps * inputs], before);
        let mut restored = inference.zero_state();
        restored.values_mut().copy_from_slice(saved.values());
        inference.run(&mut restored, &xs[steps * inputs..], after);
        assert!(bits(&again) == bits(&ys) && restored == state, "{kind}, {network}: a saved state does not go on");
    }

    let mut end = inference.zero_state();
    let last = inference.run_last(&mut end, xs).unwrap();
    assert!(bits(&last) == bits(&ys[ys.len() - outputs..]) && end == state, "{kind}, {network}: run_last");
}

#[test]
fn a_sequence_gives_the_bits_of_its_steps() {
    let rng = &mut ChaCha8Rng::seed_from_u64(2);
    let mut networks = Vec::new();
    for units in 1..=20 {
        let cell = Recurrent { return_sequences: true, ..Recurrent::new(CELLS[units % 4], 3, 2 * units) };
        for activation in [OutputKind::Each(ActivationKind::Linear), OutputKind::Softmax] {
            let dense = dense(2 * units, units, activation);
            networks.push(random_network(rng, vec![recurrent(cell), dense]));
        }
    }
    // Weights that exceed a first cache are gone through in alternating directions.
    for cell in CELLS {
        networks.push(random_network(rng, vec![recurrent(Recurrent::new(cell, 67, 131))]));
    }
    for network in &networks {
        let xs = uniform(rng, 1.0, 9 * network.inputs());
        on_every_backend(|kind| assert_sequence_is_steps(kind, network, &xs));
    }
}

/// Steps of a type with constant sizes between outputs that are not its own.
fn assert_type_is_network<const I: usize, N>(description: &str)
where
    N: Layer<Input = [f32; I], Output: Vector<Number = f32>> + ReadInto,
{
    const STEPS: usize = 9;
    let rng = &mut ChaCha8Rng::seed_from_u64(3);
    let network = random_network(rng, Network::<f32>::describe(I, description).unwrap().layers().to_vec());
    let mut net = Box::new(N::EMPTY);
    net.read_into(&Model::new(network.clone()).to_bytes().unwrap()).unwrap();
    let inference = network.inference();
    let xs = uniform(rng, 1.0, STEPS * I);
    on_every_backend(|kind| {
        let mut expected = vec![0.0; STEPS * inference.outputs()];
        inference.run(&mut inference.zero_state(), &xs, &mut expected);

        let mut ys = vec![N::Output::ZERO; STEPS + 2];
        for y in &mut ys {
            y.as_mut_slice().fill(f32::from_bits(CANARY));
        }
        let mut state = Box::new(N::ZERO_STATE);
        let (xs, _) = xs.as_chunks::<I>();
        net.run(&mut state, xs, &mut ys[1..=STEPS]).unwrap();
        let ys: Vec<_> = ys.iter().flat_map(|y| bits(y.as_slice())).collect();
        let (before, rest) = ys.split_at(inference.outputs());
        let (ys, after) = rest.split_at(expected.len());
        assert!(ys == bits(&expected), "{kind}, {description}: the type and the network differ");
        assert!([before, after].concat().iter().all(|&bits| bits == CANARY), "{kind}, {description}: wrote beyond");
    });
}

/// Layers with no bytes left over to the end of their last cache line, so that the weights end at the fence; and some in series.
#[test]
fn types_give_the_bits_of_the_network() {
    assert_type_is_network::<2, SimpleRnn<2, 13>>("simple_rnn(13)");
    assert_type_is_network::<1, Lstm<1, 8>>("lstm(8)");
    assert_type_is_network::<10, Lstm<10, 20>>("lstm(20)");
    assert_type_is_network::<4, Gru<4, 40>>("gru(40)");
    assert_type_is_network::<13, Gru<13, 7, false>>("gru(7, reset_after=false)");
    assert_type_is_network::<3, chain!(Gru<3, 4>, Dense<4, 3, Softmax>)>("gru(4), dense(3, softmax)");
}

/// Where weights exceed a first cache, a run multiplies several steps' inputs at a time, and takes some steps of a layer before the
/// next one's turn.
#[test]
fn runs_that_look_ahead_give_the_bits_of_the_network() {
    assert_type_is_network::<16, Gru<16, 71>>("gru(71)");
    assert_type_is_network::<8, Lstm<8, 66>>("lstm(66)");
    assert_type_is_network::<8, Lstm<8, 68>>("lstm(68)");
    assert_type_is_network::<8, Lstm<8, 75>>("lstm(75)");
    assert_type_is_network::<3, chain!(Lstm<3, 36>, Lstm<36, 72>, Gru<72, 68>, Dense<68, 2>)>(
        "lstm(36, sequences), lstm(72, sequences), gru(68), dense(2)",
    );
}

/// Steps of seven streams together, which is no multiple of those that a backend takes at a time, and of each alone.
fn assert_streams_are_steps<const I: usize, N>(description: &str)
where
    N: Layer<Input = [f32; I], Output: Vector<Number = f32>, State: PartialEq + std::fmt::Debug> + ReadInto,
{
    const STREAMS: usize = 7;
    let rng = &mut ChaCha8Rng::seed_from_u64(6);
    let network = random_network(rng, Network::<f32>::describe(I, description).unwrap().layers().to_vec());
    let mut net = Box::new(N::EMPTY);
    net.read_into(&Model::new(network).to_bytes().unwrap()).unwrap();
    let xs = uniform(rng, 1.0, 5 * STREAMS * I);
    on_every_backend(|kind| {
        let (mut together, mut alone) = (vec![N::ZERO_STATE; STREAMS], vec![N::ZERO_STATE; STREAMS]);
        let mut ys = vec![N::Output::ZERO; STREAMS];
        for xs in xs.as_chunks::<I>().0.chunks(STREAMS) {
            net.step_streams(&mut together, xs, &mut ys).unwrap();
            for ((state, x), together) in alone.iter_mut().zip(xs).zip(&ys) {
                let mut y = N::Output::ZERO;
                net.step(state, x, &mut y);
                assert_eq!(bits(together.as_slice()), bits(y.as_slice()), "{kind}, {description}");
            }
        }
        assert!(together == alone, "{kind}, {description}: the states differ");
    });
}

/// Weights that exceed a first cache, where streams are worth a step together; units in pairs of panels, in single ones and in what
/// is left of them.
#[test]
fn streams_give_the_bits_of_their_steps() {
    assert_streams_are_steps::<3, Lstm<3, 72>>("lstm(72)");
    assert_streams_are_steps::<8, Lstm<8, 68>>("lstm(68)");
    assert_streams_are_steps::<2, chain!(Gru<2, 71>, Residual<Gru<71, 71>>, Dense<71, 2>)>(
        "gru(71, sequences), residual(gru(71, sequences)), dense(2)",
    );
    assert_streams_are_steps::<3, Gru<3, 67, false>>("gru(67, reset_after=false)");
}

//! Promise: layers give the outputs of other people's models, on every backend, where those are graphs that no importer reads.
#![cfg(feature = "import")]

mod common;

use common::{on_every_backend, outputs};
use gatelet::data::read_npy;
use gatelet::network::{Model, Network};
use gatelet::quantize::{Options, quantize};
use gatelet::simd::BackendKind;
use gatelet::{Dense, Gru, Layer, Linear, ReadInto, Relu, Sigmoid, Tanh, chain};
use safetensors::SafeTensors;
use std::path::{Path, PathBuf};

/// What outputs may differ by from those of the program that the model comes from.
const BOUND: f32 = 1e-5;

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(file)
}

fn array(file: &str) -> Vec<f32> {
    read_npy(&path(file)).unwrap().values
}

/// The parameters of Keras's GRU in our order: gates r, z, n there are z, r, h, and the recurrent kernel stands first.
fn gru(kernel: &[f32], recurrent_kernel: &[f32], bias: &[f32], units: usize) -> Vec<f32> {
    let gates = |rows: &[f32]| -> Vec<f32> {
        let rows = rows.chunks_exact(3 * units);
        rows.flat_map(|row| [&row[units..2 * units], &row[..units], &row[2 * units..]].concat()).collect()
    };
    let mut rows = gates(&bias[..3 * units]);
    match gates(&bias[3 * units..])[..] {
        // The paper's form has one bias for each gate.
        [] => rows.resize(4 * units, 0.0),
        // Both biases of r and z are in one sum.
        ref second => {
            let (both, candidate) = second.split_at(2 * units);
            rows.iter_mut().zip(both).for_each(|(a, b)| *a += b);
            rows.extend_from_slice(candidate);
        }
    }
    [gates(recurrent_kernel), gates(kernel), rows].concat()
}

fn network(inputs: usize, description: &str, parameters: &[f32]) -> Network<f32> {
    let mut network = Network::describe(inputs, description).unwrap();
    network.parameters_mut().copy_from_slice(parameters);
    network
}

fn constant<N: ReadInto>(inputs: usize, description: &str, parameters: &[f32]) -> Box<N> {
    let mut net = Box::new(N::EMPTY);
    net.read_into(&Model::new(network(inputs, description, parameters)).to_bytes().unwrap()).unwrap();
    net
}

#[track_caller]
fn near(kind: BackendKind, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= BOUND, "{kind}: {found} instead of {expected}");
    }
}

/// The integer network that calibration on these sequences makes.
fn integer(network: &Network<f32>, sequences: &[&[f32]]) -> Network<f32> {
    // Units that never fire are inputs that never move.
    let options = Options { allow_still: true, ..Options::default() };
    quantize(network, sequences, &options).unwrap().network
}

/// The largest error of an integer network's outputs, which is printed.
fn within(what: &str, found: &[f32], expected: &[f32]) -> f32 {
    let errors = found.iter().zip(expected).map(|(y, expected)| (y - expected).abs());
    let largest = errors.fold(0.0, f32::max);
    println!("{what} of integers: {largest:.1e}");
    assert_eq!(found.len(), expected.len());
    largest
}

/// A linear candidate, of which the state is not bounded.
#[test]
fn precise_hears_a_voice() {
    type Net = chain!(Gru<13, 20, true, Linear>, Dense<20, 1, Sigmoid>);
    let description = "gru(20, linear), dense(1, sigmoid)";
    let file = std::fs::read(path("precise_vad_gru/weights.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let tensor = |name: &str| -> Vec<f32> {
        let bytes = tensors.tensor(name).unwrap().data().as_chunks::<4>().0;
        bytes.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
    };
    let recurrent = gru(&tensor("gru.kernel"), &tensor("gru.recurrent_kernel"), &tensor("gru.bias"), 20);
    let parameters = [recurrent, tensor("dense.kernel"), tensor("dense.bias")].concat();
    let net = constant::<Net>(13, description, &parameters);
    let (xs, expected) = (array("precise_vad_gru/x.npy"), array("precise_vad_gru/y.npy"));
    on_every_backend(|kind| {
        let ys: Vec<_> = xs
            .as_chunks::<13>()
            .0
            .chunks(29)
            .flat_map(|xs| net.run_last(&mut net.initial_state(), xs).unwrap())
            .collect();
        near(kind, &ys, &expected);
    });

    let whole = network(13, description, &parameters);
    let integer = integer(&whole, &xs.chunks(29 * 13).collect::<Vec<_>>());
    let ys: Vec<_> = xs.chunks(29 * 13).flat_map(|xs| outputs(&integer, xs)).collect();
    assert!(within("Precise", &ys, &expected) <= 2e-2);

    // What the firmware runs is this network.
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/firmware/precise.gatelet");
    assert_eq!(Model::read(&firmware).unwrap().network, whole);
}

/// RNNoise's file: of each layer its inputs, units and activation, then weights in parts of 256, Keras's matrices row by row.
struct Layers<'a>(&'a [u8]);

impl<'a> Layers<'a> {
    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    fn numbers(&mut self, count: usize) -> Vec<f32> {
        self.bytes(count).iter().map(|&byte| f32::from(byte.cast_signed()) / 256.0).collect()
    }

    fn header(&mut self, inputs: usize, units: usize, activation: u8) {
        assert_eq!(self.bytes(3), [inputs as u8, units as u8, activation]);
    }

    fn dense<const I: usize, const O: usize, A>(
        &mut self,
        activation: u8,
        name: &str,
    ) -> (Box<Dense<I, O, A>>, Network<f32>)
    where
        Dense<I, O, A>: ReadInto,
    {
        self.header(I, O, activation);
        both(I, &format!("dense({O}, {name})"), &self.numbers(I * O + O))
    }

    fn gru<const I: usize, const H: usize>(&mut self) -> (Box<Gru<I, H, false, Relu>>, Network<f32>) {
        self.header(I, H, 2);
        let (kernel, recurrent_kernel, bias) = (self.numbers(3 * H * I), self.numbers(3 * H * H), self.numbers(3 * H));
        let parameters = gru(&kernel, &recurrent_kernel, &bias, H);
        both(I, &format!("gru({H}, relu, reset_after=false, sequences)"), &parameters)
    }
}

/// A layer as a type, and as a network.
fn both<N: ReadInto>(inputs: usize, description: &str, parameters: &[f32]) -> (Box<N>, Network<f32>) {
    (constant(inputs, description, parameters), network(inputs, description, parameters))
}

/// Vectors of so many numbers side by side, step by step.
fn beside(parts: &[(&[f32], usize)]) -> Vec<f32> {
    let steps = parts[0].0.len() / parts[0].1;
    (0..steps).flat_map(|t| parts.iter().flat_map(move |(xs, size)| xs[t * size..][..*size].to_vec())).collect()
}

fn joined<const N: usize>(parts: &[&[f32]]) -> [f32; N] {
    parts.concat().try_into().unwrap()
}

/// Three GRUs in the paper's form, of which the later ones see what the earlier ones do.
#[test]
fn rnnoise_tells_noise_from_speech() {
    let file = std::fs::read(path("rnnoise_gru/weights.rnn")).unwrap();
    let mut layers = Layers(&file);
    let (dense, dense_network) = layers.dense::<42, 24, Tanh>(0, "tanh");
    let (vad, vad_network) = layers.gru::<24, 24>();
    let (noise, noise_network) = layers.gru::<90, 48>();
    let (denoise, denoise_network) = layers.gru::<114, 96>();
    let (gains, gains_network) = layers.dense::<96, 22, Sigmoid>(1, "sigmoid");
    let (speech, speech_network) = layers.dense::<24, 1, Sigmoid>(1, "sigmoid");
    assert!(layers.0.is_empty());

    let features = array("rnnoise_gru/features.npy");
    let (expected_gains, expected_speech) = (array("rnnoise_gru/gains.npy"), array("rnnoise_gru/vad.npy"));
    on_every_backend(|kind| {
        let mut states = (vad.initial_state(), noise.initial_state(), denoise.initial_state());
        for (t, x) in features.as_chunks::<42>().0.iter().enumerate() {
            let (mut inner, mut v, mut n, mut d) = ([0.0; 24], [0.0; 24], [0.0; 48], [0.0; 96]);
            let (mut y, mut p) = ([0.0; 22], [0.0]);
            dense.step(&mut (), x, &mut inner);
            vad.step(&mut states.0, &inner, &mut v);
            speech.step(&mut (), &v, &mut p);
            noise.step(&mut states.1, &joined(&[&inner, &v, x]), &mut n);
            denoise.step(&mut states.2, &joined(&[&v, &n, x]), &mut d);
            gains.step(&mut (), &d, &mut y);
            near(kind, &y, &expected_gains[22 * t..][..22]);
            near(kind, &p, &expected_speech[t..][..1]);
        }
    });

    // Each part as integers, with the ranges that the numbers of the others have.
    let run = |[dense, vad, noise, denoise, gains, speech]: [&Network<f32>; 6]| {
        let x = &features[..];
        let inner = outputs(dense, x);
        let v = outputs(vad, &inner);
        let noise_in = beside(&[(&inner, 24), (&v, 24), (x, 42)]);
        let n = outputs(noise, &noise_in);
        let denoise_in = beside(&[(&v, 24), (&n, 48), (x, 42)]);
        let d = outputs(denoise, &denoise_in);
        let (y, p) = (outputs(gains, &d), outputs(speech, &v));
        ([x.to_vec(), inner, noise_in, denoise_in, d, v], y, p)
    };
    let floats = [&dense_network, &vad_network, &noise_network, &denoise_network, &gains_network, &speech_network];
    let (inputs, ..) = run(floats);
    let mut integers = floats.iter().zip(&inputs).map(|(network, xs)| integer(network, &[xs]));
    let integers: [_; 6] = core::array::from_fn(|_| integers.next().unwrap());
    let (_, y, p) = run(integers.each_ref());
    assert!(within("RNNoise's gains", &y, &expected_gains) <= 1e-2);
    assert!(within("RNNoise's speech", &p, &expected_speech) <= 1e-2);
}

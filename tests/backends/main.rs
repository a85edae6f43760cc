//! Promise: a step means the same on every backend. It is within 1e-6 of the equations, has the same bits in a sequence and in
//! types with constant sizes, touches nothing outside its vectors, gives NaN and infinities where the scalar backend gives
//! them, and keeps states from denormal numbers where they are slow.
#![cfg(feature = "std")]

mod accuracy;
#[path = "../common/mod.rs"]
mod common;
#[cfg(target_os = "linux")]
mod fence;
mod memory;
mod odd_numbers;
mod oracle;
mod same_bits;

use common::on_every_backend;
use gatelet::math::OutputKind;
use gatelet::network::{Cell, LayerKind, LayerSpec, Network, Recurrent};
use gatelet::simd::{Backend, BackendKind, Visitor, dispatch, dispatch_on, force};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

const CELLS: [Cell; 4] =
    [Cell::SimpleRnn, Cell::Lstm, Cell::Gru { reset_after: true }, Cell::Gru { reset_after: false }];

/// Beyond two of the widest panels and a ragged rest.
const SIZES: std::ops::RangeInclusive<usize> = 1..=67;

fn uniform(rng: &mut ChaCha8Rng, limit: f32, count: usize) -> Vec<f32> {
    (0..count).map(|_| rng.random_range(-limit..=limit)).collect()
}

/// A network with weights and biases in ±1/√K for K numbers in each product.
fn random_network(rng: &mut ChaCha8Rng, layers: Vec<LayerSpec>) -> Network<f32> {
    let mut network = Network::new(layers).unwrap();
    for layer in 0..network.layers().len() {
        let fan_in = match network.layers()[layer].kind {
            LayerKind::Recurrent(layer) => layer.inputs + layer.units,
            kind => kind.inputs(),
        };
        let range = network.range(layer);
        let weights = uniform(rng, 1.0 / (fan_in as f32).sqrt(), range.len());
        network.parameters_mut()[range].copy_from_slice(&weights);
    }
    network
}

fn recurrent(layer: Recurrent) -> LayerSpec {
    LayerKind::Recurrent(layer).into()
}

fn dense(inputs: usize, units: usize, activation: OutputKind) -> LayerSpec {
    LayerKind::Dense { inputs, units, activation }.into()
}

/// The bits of a NaN that no arithmetic gives.
const CANARY: u32 = 0xffc0_ffee;

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// The name of the backend that it runs on.
struct Name;

impl Visitor for Name {
    type Out = &'static str;
    fn visit<B: Backend>(self, _: B) -> &'static str {
        B::NAME
    }
}

#[test]
fn what_is_forced_is_what_runs() {
    let (available, missing): (Vec<_>, Vec<_>) = BackendKind::ALL.into_iter().partition(|kind| kind.is_available());
    let mut seen = Vec::new();
    on_every_backend(|kind| {
        for &missing in &missing {
            let message = force(Some(missing)).unwrap_err().to_string();
            assert!(message.contains(&format!("no backend `{missing}`")), "{message}");
            assert!(available.iter().all(|kind| message.contains(&format!("`{kind}`"))), "{message}");
            assert!(dispatch_on(missing, Name).is_err());
        }
        assert_eq!(BackendKind::current(), kind, "what is missing changes nothing");
        assert_eq!([dispatch(Name), dispatch_on(kind, Name).unwrap()], [kind.name(); 2]);
        seen.push(kind);
    });
    assert_eq!(seen, available);
    assert_eq!(available.last(), Some(&BackendKind::best()));

    // `tests/run` reads these lines, of the backends there are for this kind of CPU.
    let of_this_kind = |kind: &BackendKind| match kind {
        BackendKind::Scalar => true,
        BackendKind::Avx2 | BackendKind::Avx512 => cfg!(target_arch = "x86_64"),
        BackendKind::Neon => cfg!(target_arch = "aarch64"),
        BackendKind::Simd128 => cfg!(target_arch = "wasm32"),
        _ => false,
    };
    for (what, kinds) in [("backends", available), ("left out", missing)] {
        let names: Vec<_> = kinds.iter().filter(|kind| of_this_kind(kind)).map(|kind| kind.name()).collect();
        println!("{what}: {}", names.join(" "));
    }
}

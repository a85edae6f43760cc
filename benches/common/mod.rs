//! What the benchmarks share.

#![allow(dead_code, reason = "each benchmark needs a part of it")]

use criterion::Criterion;
use gatelet::simd::{BackendKind, force};
use std::time::Duration;

/// Short measurements: there are many, and what differs by less than this can tell is not of interest.
pub fn criterion() -> Criterion {
    let warm_up = Duration::from_millis(300);
    Criterion::default().warm_up_time(warm_up).measurement_time(Duration::from_secs(1)).configure_from_args()
}

/// Every backend of this machine.
pub fn backends() -> impl Iterator<Item = BackendKind> {
    BackendKind::ALL.into_iter().filter(|kind| kind.is_available())
}

/// Every backend of this machine, and each step runs on it as long as it is at hand.
pub fn each_backend() -> impl Iterator<Item = BackendKind> {
    backends().inspect(|&kind| force(Some(kind)).expect("it is available"))
}

/// A network with random weights.
#[cfg(feature = "std")]
pub fn network<L: gatelet::ReadInto>(inputs: usize, description: &str) -> Box<L> {
    use gatelet::network::{Model, Network};
    let network = Network::describe(inputs, description).expect("a description").initialized(1);
    let bytes = Model::new(network).to_bytes().expect("a small model");
    let mut layer = Box::new(L::EMPTY);
    layer.read_into(&bytes).expect("the type's description");
    layer
}

/// Inputs of so many time steps.
pub fn signal<const I: usize>(steps: usize) -> Vec<[f32; I]> {
    let at = |t: usize, input: usize| (0.31 * t as f32 + input as f32).sin();
    (0..steps).map(|t| std::array::from_fn(|input| at(t, input))).collect()
}

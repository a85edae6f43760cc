//! What tests of several promises share.
#![allow(dead_code, reason = "each of them uses some of it")]

use gatelet::network::Network;
use gatelet::quantize::{self, QuantizeError, quantize};
use gatelet::simd::{BackendKind, force};
use std::sync::{Mutex, PoisonError};

/// Runs `test` on each backend that this machine has. What is forced is forced for all threads, so one test at a time.
pub fn on_every_backend(mut test: impl FnMut(BackendKind)) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for kind in BackendKind::ALL.into_iter().filter(|kind| kind.is_available()) {
        force(Some(kind)).unwrap();
        test(kind);
    }
}

/// The largest difference, relative to numbers beyond one: what a ReLU gives is not bounded. NaN if there is one.
pub fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(found, y)| (found - y).abs() / y.abs().max(1.0));
    // `max` would pass over NaN, which is the largest here.
    differences.max_by(f32::total_cmp).unwrap_or(0.0)
}

/// The largest difference of what `run` gives on any backend.
pub fn difference_on_every_backend(expected: &[f32], run: impl Fn() -> Vec<f32>) -> f32 {
    let mut differences = Vec::new();
    on_every_backend(|_| differences.push(difference(&run(), expected)));
    differences.into_iter().max_by(f32::total_cmp).unwrap()
}

/// The largest difference of the integer network that calibration on some series makes from the network itself on these, relative to
/// numbers beyond one.
pub fn difference_of_integers(network: &Network, series: &[Vec<f32>]) -> Result<f32, QuantizeError> {
    let series: Vec<_> = series.iter().map(|xs| &xs[..]).collect();
    // Short series have inputs that never move.
    let options = quantize::Options { allow_still: true, ..quantize::Options::default() };
    let integer = quantize(network, &series, &options)?.network;
    let differences = series.iter().map(|xs| difference(&outputs(&integer, xs), &outputs(network, xs)));
    Ok(differences.max_by(f32::total_cmp).unwrap_or(0.0))
}

/// What a network gives for a sequence, from the model's own state on.
pub fn outputs(network: &Network, xs: &[f32]) -> Vec<f32> {
    let inference = network.inference();
    let mut state = inference.initial_state();
    if !network.gives_sequence() {
        return inference.run_last(&mut state, xs).unwrap();
    }
    let mut ys = vec![0.0; xs.len() / network.inputs() * network.outputs()];
    inference.run(&mut state, xs, &mut ys);
    ys
}

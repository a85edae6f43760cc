//! Promise: an imported model gives the numbers of the framework that it comes from, and nothing in a file is passed over: what is
//! missing, left over, of another shape or no number is an error that names it.
#![cfg(feature = "import")]

mod guitarml;
mod keras;
mod nam;
mod onnx;
mod pytorch;
mod rtneural;

use gatelet::import::{Options, from_json};
use gatelet::simd::{BackendKind, force};

/// `count` numbers of a wave from its `start`th on, as tests/golden/generate_pytorch.py has them.
fn wave(start: usize, count: usize, scale: f64, step: f64, phase: f64) -> Vec<f32> {
    (start..start + count).map(|i| (scale * (step * i as f64 + phase).sin()) as f32).collect()
}

/// Why a JSON file is refused.
fn refused_json(text: &str) -> String {
    from_json(text.as_bytes(), &Options::default()).unwrap_err().to_string()
}

/// The largest difference between what `run` gives and what it should, on every backend. What a ReLU gives is not bounded: numbers
/// beyond one differ in units of their size.
fn difference(expected: &[f32], run: impl Fn() -> Vec<f32>) -> f32 {
    let mut worst = 0.0_f32;
    for backend in BackendKind::ALL.into_iter().filter(|kind| kind.is_available()) {
        force(Some(backend)).unwrap();
        let found = run();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let error = (found - expected).abs() / expected.abs().max(1.0);
            // Not `max`, which passes over NaN.
            worst = if error <= worst { worst } else { error };
        }
    }
    worst
}

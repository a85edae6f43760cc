//! Promise: an imported model gives the numbers of the framework that it comes from, and nothing in a file is passed over: what is
//! missing, left over, of another shape or no number is an error that names it.
#![cfg(feature = "import")]

#[path = "../common/mod.rs"]
mod common;
mod guitarml;
mod keras;
mod nam;
mod onnx;
mod pytorch;
mod rtneural;

use gatelet::import::{Options, from_json};

/// `count` numbers of a wave from its `start`th on, as tests/golden/generate_pytorch.py has them.
fn wave(start: usize, count: usize, scale: f64, step: f64, phase: f64) -> Vec<f32> {
    (start..start + count).map(|i| (scale * (step * i as f64 + phase).sin()) as f32).collect()
}

/// Why a JSON file is refused.
fn refused_json(text: &str) -> String {
    from_json(text.as_bytes(), &Options::default()).unwrap_err().to_string()
}

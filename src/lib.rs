//! Recurrent networks that are trained on a host and give the same answers on a microcontroller.
#![no_std]

#[cfg(feature = "std")]
extern crate std;

mod cell;
pub mod format;
mod kernel;
mod layer;
pub mod math;
pub mod simd;

pub use cell::{Gru, HiddenState, Lstm, LstmState, SimpleRnn};
pub use format::{FormatError, ReadInto};
#[cfg(feature = "nalgebra")]
pub use layer::MatrixLayer;
pub use layer::{Chain, Dense, Layer, LengthMismatch, Normalize, Residual, Vector};
pub use math::{
    Activation, Elu, HardSigmoid, Linear, OutputActivation, Relu, Sigmoid, Softmax, Softplus, Softsign, Tanh,
};

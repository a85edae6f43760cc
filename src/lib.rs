//! Recurrent networks that are trained on a host and give the same answers on a microcontroller.
#![cfg_attr(not(feature = "std"), no_std)]

mod cell;
#[cfg(feature = "std")]
pub mod data;
#[cfg(feature = "std")]
pub mod export;
pub mod format;
mod kernel;
mod layer;
pub mod math;
#[cfg(feature = "std")]
pub mod network;
pub mod simd;
#[cfg(feature = "std")]
pub mod train;

pub use cell::{Gru, HiddenState, Lstm, LstmState, SimpleRnn};
pub use format::{FormatError, ReadInto};
#[cfg(feature = "nalgebra")]
pub use layer::MatrixLayer;
pub use layer::{Chain, Dense, Layer, LengthMismatch, Normalize, Residual, Vector};
pub use math::{
    Activation, Elu, HardSigmoid, Linear, OutputActivation, Relu, Sigmoid, Softmax, Softplus, Softsign, Tanh,
};

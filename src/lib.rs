//! Recurrent networks that are trained on a host and give the same answers on a microcontroller.
//!
//! ```
//! use gatelet::{Dense, Gru, Layer, Normalize, Softmax, chain};
//!
//! // Sizes are part of the type: twelve channels, 32 units, nine classes.
//! type Net = chain!(Normalize<12>, Gru<12, 32>, Dense<32, 9, Softmax>);
//! static NET: Net = gatelet::embed!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/firmware/speaker.gatelet"));
//!
//! let mut state = Net::ZERO_STATE;
//! let mut probabilities = [0.0; 9];
//! for frame in [[0.5; 12], [0.4; 12]] {
//!     NET.step(&mut state, &frame, &mut probabilities);
//! }
//! assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
//! ```
//!
//! # What users are told
//! - **Core** (no features): `no_std`, no allocator, no panic in any step of a release build, no `unsafe` in the caller's sight.
//!   The state is a plain [`Copy`] value apart from the weights: any number of streams share one model, and a state can be
//!   saved, put back and compared.
//! - **T steps are one call**: running a sequence and stepping through it give the same bits, and so do many streams stepped
//!   together ([`Layer::step_streams`]) and each alone.
//! - **The scalar backend is the specification**: on it the host network, the types with constant sizes, exported source and
//!   firmware give the same bits. A step on another backend is within 1e-6 of it, and the host network and the types still
//!   agree to the bit.
//! - **A damaged or foreign model file is a typed error**, never a wrong answer; what is embedded is checked at compile time.
//! - **Embedded weights are not copied**: flash is the weights' own size and the code, RAM is the state, and on the stack one
//!   vector per layer. (A GRU in the paper's form needs a second one, and keeps a row of biases that it adds to another.)
//!
//! # Two worlds, one bridge
//! ```text
//!  data ─> train ─> host network (run-time sizes) ─> .gatelet file ─> embed! ─> flash
//!  file ─> import┘                                        └─> Rust source, command line tool
//! ```
//! Run-time networks and constant types call the same kernels; a kernel takes slices and is inlined, so that constant sizes
//! fold.
//!
//! # The rooms
//! | module | what is in it | `no_std` |
//! |---|---|---|
//! | [`simd`] | backends: proofs that instructions may be used | yes |
//! | `kernel` | loops over packed weights, written once over a backend; with `simd` the only place of `unsafe` | yes |
//! | [`math`] | activations and their error bounds | yes |
//! | `cell` | [`SimpleRnn`], [`Lstm`], [`Gru`]: the equations | yes |
//! | `layer` | the [`Layer`] trait, [`Dense`], [`Embedding`], [`Conv1d`] and other layers that are not recurrent; [`Residual`], [`Chain`]; the [`SequenceLayer`] trait, [`Bidirectional`], [`Backwards`] | yes |
//! | [`quant`] | integer networks: their specification, and the layers of the same names | yes |
//! | [`mod@format`] | the `.gatelet` file: specification, reader, embedding | yes |
//! | `network` | networks of run-time sizes, descriptions in words, model files | feature `std` |
//! | `data` | `.ts`, `.csv`, `.npy` | feature `std` |
//! | `train` | back-propagation through time, optimisers, evaluation | feature `std` |
//! | `quantize` | integer networks from others, by calibration on data | feature `std` |
//! | `export` | Rust source | feature `std` |
//! | `import` | models of other frameworks | feature `import` |
//! | `coming_from` | the words of Keras and PyTorch, and what they are here | feature `std` |
//!
//! # Weights in memory
//! Weights are packed in panels of a few units, ordered `[panel][k][gate][unit]` without padding, so that all gates of a panel
//! accumulate in registers, loads are contiguous and sums before the activation never touch memory. Packing happens when a
//! model is embedded (at compile time) or read. Where all weights together exceed the first cache, steps go through the panels
//! to and fro, so that each begins with what is still there; the sums, and so the bits, do not depend on it. There a run also
//! multiplies the inputs of several steps at a time, and streams share what is read.
//!
//! # Features
//! | feature | adds |
//! |---|---|
//! | `nalgebra` | nalgebra's vectors in and out of a step |
//! | `std` | networks of run-time sizes, data, trainer, export; implies `nalgebra` |
//! | `import` | models of Keras, PyTorch, RTNeural, GuitarML and Neural Amp Modeler; implies `std` |
//! | `cli` | the command line tool `gatelet` |
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "std")]
mod atomic;
mod cell;
#[cfg(all(doc, feature = "std"))]
#[doc = include_str!("coming_from.md")]
pub mod coming_from {}
#[cfg(feature = "std")]
pub mod data;
#[cfg(feature = "std")]
pub mod export;
pub mod format;
#[cfg(feature = "import")]
pub mod import;
mod kernel;
mod layer;
pub mod math;
#[cfg(feature = "std")]
pub mod network;
pub mod quant;
#[cfg(feature = "std")]
pub mod quantize;
pub mod simd;
#[cfg(feature = "std")]
pub mod train;

pub use cell::{Gru, HiddenState, Lstm, LstmState, SimpleRnn};
pub use format::{FormatError, ReadInto};
#[cfg(feature = "nalgebra")]
pub use layer::MatrixLayer;
pub use layer::{
    Activate, Ave, AveragePooling, Backwards, Bidirectional, Chain, Concat, Conv1d, Dense, Embedding, Flatten,
    InitialState, Last, Layer, LengthMismatch, Masking, MergeMode, Mul, Normalize, Prelu, Residual, SequenceError,
    SequenceLayer, StreamMismatch, Sum, UnitNormalization, Unmerged, Vector, ZeroOutput,
};
pub use math::{
    Activation, Elu, HardSigmoid, LeakyRelu, Linear, OutputActivation, Relu, Sigmoid, Silu, Softmax, Softplus,
    Softsign, Tanh,
};

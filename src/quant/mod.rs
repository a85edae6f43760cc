//! Integer networks: int8 weights, int16 numbers between layers, no floating point, the same bits on every target.
//!
//! The types bear the names of their single-precision counterparts, and [`chain!`](crate::chain) composes them; only a [`Residual`] has its
//! size behind the layer.
//!
//! ```
//! use gatelet::{Layer, Softmax, chain, quant};
//! type Net = chain!(quant::Gru<12, 32>, quant::Dense<32, 9, Softmax>);
//! assert_eq!(Net::STATE_BYTES, 64);
//! ```
//!
//! # Specification
//!
//! **Numbers.** What flows between layers is int16; a number q with f fraction bits stands for q 2⁻ᶠ. f is 15 where an activation bounds
//! the output by 1, else a number that the layer has from its calibration. A network's inputs have one f for each channel, which the
//! first layer's weights take into account, as they do the normalisation in front of it.
//!
//! **Weights** are int8, from -127 to 127, with one scale for each row (gate and unit). Those of U and W may differ by a power of two: U's
//! unit is 2⁻ᵈ of W's, 0 ≤ d < 16. Biases b are int32, in U's unit times that of h.
//!
//! **A sum** is made in one accumulator of 32 bits, from its row's b and s (int32, not negative, d in its lowest byte):
//!
//! ```text
//! a = ⌊(b + Σ U h) / 2ᵈ⌋ + Σ W x        z = ⌊a s / 2³²⌋
//! ```
//!
//! Its unit is what the activation wants ([`IntegerActivation`]); b has half of it in advance, so that z is rounded. No partial sum
//! exceeds 32 bits: of each row, |b| + 2¹⁵ Σ |U| < 2³¹ and (|b| + 2¹⁵ Σ |U|) / 2ᵈ + 2¹⁵ Σ |W| < 2³¹, which the quantiser makes sure of by a larger
//! scale; up to 258 inputs and units together meet it whatever their weights are, with biases up to 2³⁰.
//!
//! **Activations**: see [`IntegerActivation`]. tanh is a table of 128 quadratic functions, exact to one unit of 2⁻¹⁵.
//!
//! **LSTM**, with c of f fraction bits and g's value of p (15 of tanh, else f), every product in 32 bits:
//!
//! ```text
//! c' = sat16(⌊(f c + 2¹⁴ + ⌊i g / 2ᵖ⁻ᶠ⌋) / 2¹⁵⌋)        h' = ⌊(o tanh(c') + 2¹⁴) / 2¹⁵⌋
//! ```
//!
//! **GRU**, `reset_after`: the candidate has two sums, z_n of W x + b_n, and u of U h + b_hn in quarters of the unit, each with its own s:
//!
//! ```text
//! n = tanh(z_n + ⌊u (2¹⁵ r) / 2³²⌋)        h' = n + ⌊(z (h - n) + 2¹⁴) / 2¹⁵⌋
//! ```
//!
//! In the paper's form n is of one sum, with ⌊(r h + 2¹⁴) / 2¹⁵⌋ in the place of h, and b_hn is part of b_n.
//!
//! **Dense**, **Conv1D** and **SimpleRNN** are an activation of one sum. **Softmax** takes sums in units of ln 2: powers of two of the
//! differences from the greatest, as shares of their sum.
//!
//! **Other layers** give what they are given, in the same fraction bits, but for these: an activation of its own takes ⌊3 x 2¹⁴⁻ᶠ⌋ as the
//! argument of tanh and ⌊3 x 2¹³⁻ᶠ⌋ as that of the sigmoid; the mean of n time steps is ⌊(Σ x + ⌊n / 2⌋) / n⌋; a PReLU's slopes p of g fraction bits make sat16(⌊(p x + ⌊2ᵍ / 2⌋) / 2ᵍ⌋) of what is below zero; an embedding's int8
//! numbers are multiplied by 2⁸. Of two directions' outputs, which both have f fraction bits, the mean is ⌊(a + b + 1) / 2⌋, which is the sum
//! in one bit less, and the product sat16(⌊(a b + 2¹⁴) / 2¹⁵⌋) has 2 f - 15 bits. A way around a layer adds both as
//! sat16(⌊(x + ⌊2ᵐ / 2⌋) / 2ᵐ⌋ + ⌊(y + ⌊2ⁿ / 2⌋) / 2ⁿ⌋), with m and n of each channel. Before a sequence there are zeros; masks, and what masked
//! steps give, are those of the layers in single precision.

/// Declares `$inputs`: x and h in the form in which products want them, copies on the stack that stay as they are while the state changes.
macro_rules! prepared {
    ($inputs:ident = $i:expr, $x:expr, $h:expr) => {
        let mut x_room = crate::layer::Aligned([0; I]);
        let mut h_room = crate::layer::Aligned([0; H]);
        $i.prepare($x, &mut x_room.0);
        $i.prepare($h, &mut h_room.0);
        let $inputs = (&x_room.0[..], &h_room.0[..]);
    };
}

pub(crate) mod activate;
mod activation;
mod conv1d;
mod convert;
mod dense;
pub(crate) mod embedding;
pub(crate) mod gru;
pub(crate) mod lstm;
mod masking;
pub(crate) mod prelu;
pub(crate) mod residual;
mod simple_rnn;
mod softmax;

pub use activate::Activate;
pub use activation::{IntegerActivation, IntegerOutput};
pub use conv1d::Conv1d;
pub use convert::{Dequantize, Fixed, Quantize, dequantize, quantize};
pub use dense::Dense;
pub use embedding::Embedding;
pub use gru::Gru;
pub use lstm::{Lstm, LstmState};
pub use masking::Masking;
pub use prelu::Prelu;
pub use residual::Residual;
pub use simple_rnn::SimpleRnn;

// These are the same layers around integer ones.
pub use crate::layer::{Backwards, Bidirectional, InitialState, ZeroOutput};

/// [`AveragePooling`](crate::AveragePooling) of int16 numbers.
pub type AveragePooling<const N: usize, const STEPS: usize> = crate::AveragePooling<N, STEPS, i16>;
/// [`Flatten`](crate::Flatten) of int16 numbers.
pub type Flatten<const N: usize, const STEPS: usize, const O: usize> = crate::Flatten<N, STEPS, O, i16>;
/// [`Last`](crate::Last) of int16 numbers.
pub type Last<const N: usize> = crate::Last<N, i16>;

/// The state of an integer [`SimpleRnn`] or [`Gru`]: what it gave last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", repr(C, align(4)))]
#[cfg_attr(not(target_os = "none"), repr(C, align(64)))]
pub struct HiddenState<const H: usize> {
    /// Hidden state.
    pub h: [i16; H],
}

impl<const H: usize> HiddenState<H> {
    /// Where a sequence begins unless one says otherwise.
    pub const ZERO: Self = HiddenState { h: [0; H] };

    /// The numbers that begin little-endian bytes.
    pub(crate) const fn from_le_bytes(bytes: &[u8]) -> Self {
        let mut state = Self::ZERO;
        numbers_from(&mut state.h, bytes);
        state
    }
}

impl<const H: usize> Default for HiddenState<H> {
    fn default() -> Self {
        Self::ZERO
    }
}

/// A record's `i`-th word in front of its weights.
const fn word(bytes: &[u8], i: usize) -> u32 {
    u32::from_le_bytes([bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]])
}

/// Fills `numbers` from the int16 numbers at the beginning of a record's bytes.
const fn numbers_from(numbers: &mut [i16], bytes: &[u8]) {
    let mut i = 0;
    while i < numbers.len() {
        numbers[i] = i16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]);
        i += 1;
    }
}

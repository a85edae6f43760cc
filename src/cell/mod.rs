//! Recurrent cells: the equations, and the layers with sizes in the type.
//!
//! | layer | state | Keras | PyTorch |
//! |---|---|---|---|
//! | [`SimpleRnn`] | [`HiddenState`] | `SimpleRNN` | `RNN` |
//! | [`Lstm`] | [`LstmState`] | `LSTM` | `LSTM` |
//! | [`Gru`] | [`HiddenState`] | `GRU` | `GRU` |

pub(crate) mod gru;
pub(crate) mod lstm;
pub(crate) mod simple_rnn;

pub use gru::Gru;
pub use lstm::{Lstm, LstmState};
pub use simple_rnn::SimpleRnn;

use crate::kernel::{Source, pack};

/// At which end of its weights a layer begins its next step: steps that go to and fro find half of what exceeds the first cache
/// still there. It makes no difference to any result, so it makes none to the equality of states. A microcontroller has no
/// such cache and no such byte.
#[derive(Clone, Copy)]
pub(crate) struct Turn(#[cfg(not(target_os = "none"))] bool);

impl Turn {
    pub(crate) const START: Self = Turn(
        #[cfg(not(target_os = "none"))]
        false,
    );

    /// Whether this step goes backward; the next one goes the other way.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> bool {
        #[cfg(not(target_os = "none"))]
        {
            self.0 = !self.0;
            self.0
        }
        #[cfg(target_os = "none")]
        false
    }
}

/// Equal states print alike.
impl core::fmt::Debug for Turn {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("_")
    }
}

impl PartialEq for Turn {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The state of a [`SimpleRnn`] or a [`Gru`]: what it gave last.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
#[cfg_attr(not(target_os = "none"), repr(align(64)))]
pub struct HiddenState<const H: usize> {
    /// Hidden state.
    pub h: [f32; H],
    turn: Turn,
}

impl<const H: usize> HiddenState<H> {
    /// Where a sequence begins unless one says otherwise.
    pub const ZERO: Self = Self::new([0.0; H]);

    /// The hidden state `h`.
    #[must_use]
    pub const fn new(h: [f32; H]) -> Self {
        HiddenState { h, turn: Turn::START }
    }

    /// The numbers that begin little-endian bytes.
    pub(crate) const fn from_le_bytes(bytes: &[u8]) -> Self {
        let mut state = Self::ZERO;
        pack(&mut state.h, Source::Bytes(bytes.split_at(4 * H).0), 1, H);
        state
    }
}

impl<const H: usize> Default for HiddenState<H> {
    fn default() -> Self {
        Self::ZERO
    }
}

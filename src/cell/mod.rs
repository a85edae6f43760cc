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

/// The state of a [`SimpleRnn`] or a [`Gru`]: what it gave last.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
#[cfg_attr(not(target_os = "none"), repr(align(64)))]
pub struct HiddenState<const H: usize> {
    /// Hidden state.
    pub h: [f32; H],
}

impl<const H: usize> HiddenState<H> {
    /// Where a sequence begins unless one says otherwise.
    pub const ZERO: Self = HiddenState { h: [0.0; H] };
}

impl<const H: usize> Default for HiddenState<H> {
    fn default() -> Self {
        Self::ZERO
    }
}

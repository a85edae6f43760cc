//! The simple recurrent layer, also called Elman network.

use super::HiddenState;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{self, Panels, Source};
use crate::layer::Layer;
use crate::math::{Activation, Named, Tanh};
use crate::simd::Backend;
use core::marker::PhantomData;

/// h' = activation(W x + U h + b)
///
/// W, U and b have done their work: `sum` is the argument of the activation.
#[inline(always)]
pub(crate) fn equations<B: Backend, A: Activation>(b: B, activation: A, sum: B::Vector) -> B::Vector {
    activation.apply_flushed(b, sum)
}

/// A simple recurrent layer of `H` units on `I` inputs (Keras `SimpleRNN`, PyTorch `RNN`).
///
/// ```text
/// h' = activation(W x + U h + b)
/// ```
///
/// ```
/// use gatelet::{HiddenState, Layer, SimpleRnn};
/// // One input, two units: W = [1, 0.5], U = 0, b = 0.
/// let layer: SimpleRnn<1, 2> = SimpleRnn::new(&[[0.0; 2]; 2], &[[1.0, 0.5]], &[0.0; 2]);
/// let mut state = HiddenState::ZERO;
/// let mut y = [0.0; 2];
/// layer.step(&mut state, &[1.0], &mut y);
/// assert!((y[0] - 1f32.tanh()).abs() < 3e-7);
/// assert_eq!(state.h, y);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct SimpleRnn<const I: usize, const H: usize, A = Tanh> {
    weights: Panels<I, H, 1, 1>,
    activation: PhantomData<A>,
}

impl<const I: usize, const H: usize, A> SimpleRnn<I, H, A> {
    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = SimpleRnn { weights: Panels::ZERO, activation: PhantomData };

    /// From unpacked weights: `recurrent_kernel[k][unit]` (U transposed, as Keras keeps it), `kernel[k][unit]` (W transposed)
    /// and `bias[unit]`.
    #[must_use]
    pub const fn new(recurrent_kernel: &[[f32; H]; H], kernel: &[[f32; H]; I], bias: &[f32; H]) -> Self {
        let mut layer = Self::EMPTY;
        layer.weights.fill(
            Source::Floats(recurrent_kernel.as_flattened()),
            Source::Floats(kernel.as_flattened()),
            Source::Floats(bias),
        );
        layer
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        self.weights.fill_from(bytes);
    }
}

impl<const I: usize, const H: usize, A: Named> SimpleRnn<I, H, A> {
    const SHAPE: Shape =
        Shape { activation: A::KIND, ..Shape::new(Kind::SimpleRnn, I, H, Panels::<I, H, 1, 1>::WEIGHTS) };
}

impl<const I: usize, const H: usize, A: Activation + Named> Layer for SimpleRnn<I, H, A> {
    type Input = [f32; I];
    type Output = [f32; H];
    type State = HiddenState<H>;
    const ZERO_STATE: HiddenState<H> = HiddenState::ZERO;
    const FLASH_BYTES: usize = 4 * Panels::<I, H, 1, 1>::WEIGHTS;
    const STATE_BYTES: usize = 4 * H;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut HiddenState<H>, x: &[f32; I], y: &mut [f32; H]) {
        let mut room = [0.0; I];
        let x = kernel::flushed(b, x, &mut room);
        kernel::simple_rnn(b, A::VALUE, self.weights.gates().in_turn(&mut state.turn), x, &mut state.h, y);
    }

    #[inline(always)]
    fn last_output(state: &HiddenState<H>) -> Option<&[f32; H]> {
        Some(&state.h)
    }
}

leaf_layer!([const I: usize, const H: usize, A: Named] SimpleRnn<I, H, A>);

//! The integer simple recurrent layer.

use super::{HiddenState, IntegerActivation};
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::integer::{self, Panels, Words, bytes_of};
use crate::layer::Layer;
use crate::math::{Named, Tanh};
use crate::simd::Backend;
use crate::simd::integers::Integers;
use core::marker::PhantomData;

/// An integer [`SimpleRnn`](crate::SimpleRnn): the same equation on int8 weights and int16 numbers, as the
/// [specification](super) has it.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct SimpleRnn<const I: usize, const H: usize, A = Tanh> {
    weights: Panels<I, H, 1, 1>,
    activation: PhantomData<A>,
}

impl<const I: usize, const H: usize, A: Named> SimpleRnn<I, H, A> {
    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = SimpleRnn { weights: Panels::ZERO, activation: PhantomData };

    /// From unpacked weights `recurrent_kernel[k][unit]`, `kernel[k][unit]`, `bias[unit]` and `scale[unit]`.
    #[must_use]
    pub const fn new(
        recurrent_kernel: &[[i8; H]; H],
        kernel: &[[i8; H]; I],
        bias: &[i32; H],
        scale: &[i32; H],
    ) -> Self {
        let mut layer = Self::EMPTY;
        let recurrent_kernel = bytes_of(recurrent_kernel.as_flattened());
        let rows = [Words::Numbers(bias), Words::Numbers(scale)];
        layer.weights.fill(rows, [recurrent_kernel, bytes_of(kernel.as_flattened())]);
        layer
    }

    const SHAPE: Shape =
        Shape { activation: A::KIND, ..Shape::integer(Kind::SimpleRnn, I, H, 4 + Panels::<I, H, 1, 1>::BYTES) };

    const fn fill_from(&mut self, bytes: &[u8]) {
        self.weights.fill_from(bytes.split_at(4).1);
    }
}

impl<const I: usize, const H: usize, A: IntegerActivation + Named> Layer for SimpleRnn<I, H, A> {
    type Input = [i16; I];
    type Output = [i16; H];
    type State = HiddenState<H>;
    const ZERO_STATE: HiddenState<H> = HiddenState::ZERO;
    const FLASH_BYTES: usize = Panels::<I, H, 1, 1>::BYTES;
    const STATE_BYTES: usize = 2 * H;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut HiddenState<H>, x: &[i16; I], y: &mut [i16; H]) {
        let i = b.integers();
        prepared!(inputs = i, x, &state.h);
        integer::simple_rnn(i, A::VALUE, self.weights.gates(), inputs, &mut state.h);
        *y = state.h;
    }

    #[inline(always)]
    fn last_output(state: &HiddenState<H>) -> Option<&[i16; H]> {
        Some(&state.h)
    }
}

leaf_layer!([const I: usize, const H: usize, A: Named] SimpleRnn<I, H, A>);

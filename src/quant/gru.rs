//! The integer gated recurrent unit.

use super::{HiddenState, IntegerActivation};
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::integer::{self, GruRows, Panels, Words, bytes_of};
use crate::layer::{Aligned, Layer};
use crate::math::{Named, Sigmoid, Tanh};
use crate::simd::Backend;
use crate::simd::integers::Integers;
use core::marker::PhantomData;

/// h' from the sums of r, z and n, the recurrent one apart and in quarters of the unit: it is multiplied before n's activation.
#[inline(always)]
pub(crate) fn reset_after<I: Integers, A: IntegerActivation, R: IntegerActivation>(
    i: I,
    activations: (A, R),
    [r, z, wn, un]: [I::Vector; 4],
    h: I::Vector,
) -> I::Vector {
    let r = activations.1.gate(i, r);
    update(i, activations, z, i.add(wn, i.mul_gate(un, r)), h)
}

/// r ⊙ h, rounded.
#[inline(always)]
pub(crate) fn reset<I: Integers, R: IntegerActivation>(i: I, activation: R, r: I::Vector, h: I::Vector) -> I::Vector {
    let r = activation.gate(i, r);
    i.shift_right(i.add(i.mul(r, h), i.splat(1 << 14)), 15)
}

/// h' = (1 - z) ⊙ n + z ⊙ h = n + z ⊙ (h - n), from the sums of z and n; rounded once.
#[inline(always)]
pub(crate) fn update<I: Integers, A: IntegerActivation, R: IntegerActivation>(
    i: I,
    (activation, recurrent_activation): (A, R),
    z: I::Vector,
    n: I::Vector,
    h: I::Vector,
) -> I::Vector {
    let z = recurrent_activation.gate(i, z);
    let n = activation.apply(i, n);
    let sum = i.add(i.mul(z, i.sub(h, n)), i.splat(1 << 14));
    i.add(n, i.shift_right(sum, 15))
}

/// An integer [`Gru`](crate::Gru): the same equations on int8 weights and int16 numbers, as the [specification](super) has them.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Gru<const I: usize, const H: usize, const RESET_AFTER: bool = true, A = Tanh, R = Sigmoid> {
    weights: Panels<I, H, 3, 4>,
    activations: PhantomData<(A, R)>,
}

impl<const I: usize, const H: usize, const RESET_AFTER: bool, A: Named, R: Named> Gru<I, H, RESET_AFTER, A, R> {
    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Gru { weights: Panels::ZERO, activations: PhantomData };

    /// From unpacked weights: `recurrent_kernel[k][gate][unit]` and `kernel[k][gate][unit]` with gates in the order r, z, n, and
    /// `bias[row][unit]` and `scale[row][unit]` with rows r, z, n, and the candidate's recurrent sum.
    #[must_use]
    pub const fn new(
        recurrent_kernel: &[[[i8; H]; 3]; H],
        kernel: &[[[i8; H]; 3]; I],
        bias: &[[i32; H]; 4],
        scale: &[[i32; H]; 4],
    ) -> Self {
        let mut layer = Self::EMPTY;
        let rows = [Words::Numbers(bias.as_flattened()), Words::Numbers(scale.as_flattened())];
        let recurrent_kernel = bytes_of(recurrent_kernel.as_flattened().as_flattened());
        layer.weights.fill(rows, [recurrent_kernel, bytes_of(kernel.as_flattened().as_flattened())]);
        layer
    }

    const SHAPE: Shape = Shape {
        activation: A::KIND,
        recurrent_activation: Some(R::KIND),
        reset_after: Some(RESET_AFTER),
        ..Shape::integer(Kind::Gru, I, H, 4 + Panels::<I, H, 3, 4>::BYTES)
    };

    const fn fill_from(&mut self, bytes: &[u8]) {
        self.weights.fill_from(bytes.split_at(4).1);
    }
}

impl<
    const I: usize,
    const H: usize,
    const RESET_AFTER: bool,
    A: IntegerActivation + Named,
    R: IntegerActivation + Named,
> Layer for Gru<I, H, RESET_AFTER, A, R>
{
    type Input = [i16; I];
    type Output = [i16; H];
    type State = HiddenState<H>;
    const ZERO_STATE: HiddenState<H> = HiddenState::ZERO;
    const FLASH_BYTES: usize = Panels::<I, H, 3, 4>::BYTES;
    const STATE_BYTES: usize = 2 * H;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut HiddenState<H>, x: &[i16; I], y: &mut [i16; H]) {
        let i = b.integers();
        prepared!(inputs = i, x, &state.h);
        let activations = (A::VALUE, R::VALUE);
        if RESET_AFTER {
            integer::gru(i, activations, self.weights.gates(), GruRows::ResetAfter, inputs, &mut state.h);
        } else {
            let (mut reset, mut room) = (Aligned([0; H]), Aligned([0; H]));
            let form = GruRows::ResetBefore([&mut reset.0, &mut room.0]);
            integer::gru(i, activations, self.weights.gates(), form, inputs, &mut state.h);
        }
        *y = state.h;
    }

    #[inline(always)]
    fn last_output(state: &HiddenState<H>) -> Option<&[i16; H]> {
        Some(&state.h)
    }
}

leaf_layer!(
    [const I: usize, const H: usize, const RESET_AFTER: bool, A: Named, R: Named] Gru<I, H, RESET_AFTER, A, R>
);

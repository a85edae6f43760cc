//! The integer causal convolution.

use super::IntegerActivation;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::integer::{self, KernelPanels, Words, bytes_of};
use crate::kernel::remember;
use crate::layer::{Aligned, Layer};
use crate::math::{Linear, Named};
use crate::simd::Backend;
use crate::simd::integers::Integers;
use core::marker::PhantomData;

/// An integer [`Conv1d`](crate::Conv1d) of one group: an integer [`Dense`](super::Dense) of `K` time steps that are `D` steps apart, the last
/// of which is the present one. The state is the last `K · D` inputs, oldest first. A convolution of several groups becomes one of one group
/// with zeros between them, which has as many times as many weights.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Conv1d<const I: usize, const O: usize, const K: usize, A = Linear, const D: usize = 1> {
    weights: KernelPanels<I, O, K>,
    activation: PhantomData<A>,
}

impl<const I: usize, const O: usize, const K: usize, A: Named, const D: usize> Conv1d<I, O, K, A, D> {
    const FITS: () = {
        assert!(K > 0 && D > 0, "a kernel sees at least one time step");
        assert!(K < 1 << 16 && D < 1 << 16, "a model file has 16 bits for a kernel's size and for its dilation");
    };

    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Conv1d { weights: KernelPanels::ZERO, activation: PhantomData };

    /// From an unpacked `kernel[time step][input][output]`, oldest time step first, `bias[output]` and `scale[output]`.
    #[must_use]
    pub const fn new(kernel: &[[[i8; O]; I]; K], bias: &[i32; O], scale: &[i32; O]) -> Self {
        let () = Self::FITS;
        let mut layer = Self::EMPTY;
        let kernel = bytes_of(kernel.as_flattened().as_flattened());
        layer.weights.fill([Words::Numbers(bias), Words::Numbers(scale)], kernel);
        layer
    }

    const SHAPE: Shape = Shape {
        activation: A::KIND,
        groups: 1,
        detail: K as u32 | (D as u32) << 16,
        ..Shape::integer(Kind::Conv1d, I, O, 4 + KernelPanels::<I, O, K>::BYTES)
    };

    const fn fill_from(&mut self, bytes: &[u8]) {
        let () = Self::FITS;
        // In front are the fraction bits of the outputs, which the scales have made use of.
        self.weights.fill_from(bytes.split_at(4).1);
    }
}

impl<const I: usize, const O: usize, const K: usize, A: IntegerActivation + Named, const D: usize> Layer
    for Conv1d<I, O, K, A, D>
{
    type Input = [i16; I];
    type Output = [i16; O];
    // `(K - 1) · D + 1` inputs would do, which is no size that a type can have.
    type State = [[[i16; I]; D]; K];
    const ZERO_STATE: Self::State = [[[0; I]; D]; K];
    const FLASH_BYTES: usize = KernelPanels::<I, O, K>::BYTES;
    const STATE_BYTES: usize = 2 * K * D * I;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &[i16; I], y: &mut [i16; O]) {
        let () = Self::FITS;
        self.advance_on(b, state, x);
        let i = b.integers();
        let mut window = [[0; I]; K];
        for (seen, steps) in window.iter_mut().zip(&*state) {
            // The latest of D.
            if let Some(step) = steps.last() {
                *seen = *step;
            }
        }
        let mut room = Aligned([[0; I]; K]);
        i.prepare(window.as_flattened(), room.0.as_flattened_mut());
        let (kernel, constants) = self.weights.parts();
        integer::dense(i, A::VALUE, kernel, constants, room.0.as_flattened(), y);
    }

    const ENDS_MASK: bool = true;

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, state: &mut Self::State, x: &[i16; I]) {
        remember(state.as_flattened_mut().as_flattened_mut(), x);
    }
}

leaf_layer!(
    [const I: usize, const O: usize, const K: usize, A: Named, const D: usize]
    Conv1d<I, O, K, A, D>
);

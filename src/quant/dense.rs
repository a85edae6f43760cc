//! The integer fully connected layer.

use super::IntegerOutput;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::integer::{self, KernelPanels, Words, bytes_of};
use crate::layer::{Aligned, Layer};
use crate::math::{Linear, Named};
use crate::simd::Backend;
use crate::simd::integers::Integers;
use core::marker::PhantomData;

/// An integer [`Dense`](crate::Dense): the same equation on int8 weights and int16 numbers, as the [specification](super) has it.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Dense<const I: usize, const O: usize, A = Linear> {
    weights: KernelPanels<I, O>,
    /// Of the softmax's arguments.
    fraction_bits: u32,
    activation: PhantomData<A>,
}

impl<const I: usize, const O: usize, A: Named> Dense<I, O, A> {
    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Dense { weights: KernelPanels::ZERO, fraction_bits: 0, activation: PhantomData };

    /// From an unpacked `kernel[k][unit]`, `bias[unit]` and `scale[unit]`; of a softmax's arguments `fraction_bits` are below the
    /// point.
    #[must_use]
    pub const fn new(kernel: &[[i8; O]; I], bias: &[i32; O], scale: &[i32; O], fraction_bits: u32) -> Self {
        let mut layer = Dense { fraction_bits, ..Self::EMPTY };
        layer.weights.fill([Words::Numbers(bias), Words::Numbers(scale)], bytes_of(kernel.as_flattened()));
        layer
    }

    const SHAPE: Shape =
        Shape { activation: A::KIND, ..Shape::integer(Kind::Dense, I, O, 4 + KernelPanels::<I, O>::BYTES) };

    const fn fill_from(&mut self, bytes: &[u8]) {
        let (format, weights) = bytes.split_at(4);
        self.fraction_bits = super::word(format, 0);
        self.weights.fill_from(weights);
    }
}

impl<const I: usize, const O: usize, A: IntegerOutput + Named> Layer for Dense<I, O, A> {
    type Input = [i16; I];
    type Output = [i16; O];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 4 + KernelPanels::<I, O>::BYTES;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, (): &mut (), x: &[i16; I], y: &mut [i16; O]) {
        let i = b.integers();
        let mut room = Aligned([0; I]);
        i.prepare(x, &mut room.0);
        let (kernel, constants) = self.weights.parts();
        integer::dense(i, A::VALUE.each(), kernel, constants, &room.0, y);
        A::VALUE.all(y, self.fraction_bits);
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[i16; I]) {}
}

leaf_layer!([const I: usize, const O: usize, A: Named] Dense<I, O, A>);

//! Integer activations on their own.

use super::convert::FractionBits;
use crate::format::{Kind, Shape, leaf_layer};
use crate::layer::Layer;
use crate::math::{ActivationKind, Named, OutputKind, TANH_ONE, sigmoid_of_integer, tanh_of_integer};
use crate::simd::Backend;
use core::marker::PhantomData;

/// An integer [`Activate`](crate::Activate): [`Tanh`](crate::Tanh), [`Sigmoid`](crate::math::Sigmoid), [`Relu`](crate::Relu) or
/// [`Linear`](crate::Linear). The first two give 15 fraction bits, the others those of the input.
///
/// ```
/// use gatelet::{Layer, Tanh, quant};
/// let mut y = [0; 2];
/// quant::Activate::<2, Tanh>::new([14, 12]).step(&mut (), &[1 << 14, 1 << 12], &mut y);
/// assert_eq!(y, [24_956; 2]); // 0.7616
/// ```
///
/// Others have no integer form:
/// ```compile_fail
/// let layer = gatelet::quant::Activate::<2, gatelet::HardSigmoid>::new([14, 12]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Activate<const N: usize, A> {
    bits: FractionBits<N>,
    activation: PhantomData<A>,
}

impl<const N: usize, A: Named> Activate<N, A> {
    /// No fraction bits: a place for a model that is read at run time.
    pub const EMPTY: Self = Activate { bits: FractionBits::ZERO, activation: PhantomData };

    const EACH: ActivationKind = match A::KIND {
        OutputKind::Each(
            kind @ (ActivationKind::Tanh | ActivationKind::Sigmoid | ActivationKind::Relu | ActivationKind::Linear),
        ) => kind,
        _ => panic!("there is no integer Activate of other functions than Tanh, Sigmoid, Relu and Linear"),
    };

    const SHAPE: Shape =
        Shape { activation: OutputKind::Each(Self::EACH), ..Shape::integer(Kind::Activation, N, N, N) };

    /// From the fraction bits of each input.
    #[must_use]
    pub const fn new(fraction_bits: [i8; N]) -> Self {
        let _ = Self::EACH;
        Activate { bits: FractionBits::new(fraction_bits), activation: PhantomData }
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        self.bits.fill_from(bytes);
    }
}

/// An activation's value, of an input of so many fraction bits.
#[inline(always)]
pub(crate) fn activate(kind: ActivationKind, x: i16, fraction_bits: i8) -> i16 {
    /// The argument for an input whose unit is so many of the function's, times a power of two.
    fn argument(x: i16, shift: i32) -> i32 {
        const SHIFT: u32 = TANH_ONE.trailing_zeros();
        let x = i32::from(x) * (TANH_ONE >> SHIFT);
        if shift < 0 {
            return x >> shift.unsigned_abs().min(31);
        }
        // Both functions are constant behind 2¹⁸.
        let shift = shift.min(19);
        let most = (1 << 19) >> shift;
        x.clamp(-most, most) << shift
    }
    let bits = i32::from(fraction_bits);
    match kind {
        ActivationKind::Tanh => tanh_of_integer(argument(x, 14 - bits)),
        ActivationKind::Sigmoid => sigmoid_of_integer(argument(x, 13 - bits)).min(32_767) as i16,
        ActivationKind::Relu => x.max(0),
        _ => x,
    }
}

impl<const N: usize, A: Named> Layer for Activate<N, A> {
    type Input = [i16; N];
    type Output = [i16; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = N;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[i16; N], y: &mut [i16; N]) {
        for ((y, &x), &bits) in y.iter_mut().zip(x).zip(self.bits.as_array()) {
            *y = activate(Self::EACH, x, bits);
        }
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[i16; N]) {}
}

leaf_layer!([const N: usize, A: Named] Activate<N, A>);

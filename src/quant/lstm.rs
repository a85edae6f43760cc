//! The integer long short-term memory.

use super::IntegerActivation;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::integer::{self, Panels, Words, bytes_of};
use crate::layer::Layer;
use crate::math::{ActivationKind, Named, OutputKind, Sigmoid, TANH_ONE, Tanh};
use crate::simd::Backend;
use crate::simd::integers::Integers;
use core::marker::PhantomData;

/// Where the points of an LSTM's numbers are.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Formats {
    /// What makes an argument of the activation from the cell state.
    pub(crate) cell_factor: i32,
    /// From a product of i and g to one of f and c.
    pub(crate) product_shift: u8,
    /// From a product of o and an activation's value to h.
    output_shift: u8,
}

impl Formats {
    const ZERO: Self = Formats { cell_factor: 0, product_shift: 0, output_shift: 15 };

    /// The most fraction bits of c: what the activation's argument is made by is a whole number.
    pub(crate) const fn most_cell_bits(activation: ActivationKind) -> u32 {
        match activation {
            ActivationKind::Tanh => 14,
            ActivationKind::Sigmoid => 13,
            _ => 15,
        }
    }

    /// For c of so many fraction bits, and h.
    pub(crate) const fn new(activation: ActivationKind, cell: u32, hidden: u32) -> Self {
        // A file can say anything: what is meaningless must not stop the build.
        let most = Self::most_cell_bits(activation);
        let cell = if cell > most { most } else { cell };
        let (cell_factor, value) = match activation {
            ActivationKind::Tanh => (TANH_ONE >> cell, 15),
            ActivationKind::Sigmoid => ((TANH_ONE / 2) >> cell, 15),
            _ => (1, cell),
        };
        let output_shift = (15 + value).saturating_sub(hidden);
        Formats {
            cell_factor,
            product_shift: (value - cell) as u8,
            output_shift: if output_shift < 1 { 1 } else { output_shift as u8 },
        }
    }
}

/// c' = f ⊙ c + i ⊙ g and h' = o ⊙ tanh(c') from the four gates' sums and c. The products are added in one number of 32 bits, and
/// rounded and saturated once.
#[inline(always)]
pub(crate) fn equations<I: Integers, A: IntegerActivation, R: IntegerActivation>(
    i: I,
    (activation, recurrent_activation): (A, R),
    formats: Formats,
    sums: [I::Vector; 4],
    c: I::Vector,
) -> (I::Vector, I::Vector) {
    let [input, forget, candidate, output] = sums;
    let input = recurrent_activation.gate(i, input);
    let forget = recurrent_activation.gate(i, forget);
    let candidate = activation.apply(i, candidate);
    let product = i.shift_right(i.mul(input, candidate), formats.product_shift.into());
    let c = i.add(i.add(i.mul(forget, c), i.splat(1 << 14)), product);
    let c = i.saturate(i.shift_right(c, 15));
    let output = recurrent_activation.gate(i, output);
    let value = activation.apply(i, i.mul(c, i.splat(formats.cell_factor)));
    let shift = if A::UNITS { 15 } else { formats.output_shift.into() };
    let h = i.shift_right(i.add(i.mul(output, value), i.splat(1 << (shift - 1))), shift);
    (c, if A::UNITS { h } else { i.saturate(h) })
}

/// The state of an integer [`Lstm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(target_os = "none", repr(C, align(4)))]
#[cfg_attr(not(target_os = "none"), repr(C, align(64)))]
pub struct LstmState<const H: usize> {
    /// Hidden state: what the layer gave last.
    pub h: [i16; H],
    /// Cell state.
    pub c: [i16; H],
}

impl<const H: usize> LstmState<H> {
    /// Where a sequence begins unless one says otherwise.
    pub const ZERO: Self = LstmState { h: [0; H], c: [0; H] };

    /// The numbers h and c that begin little-endian bytes.
    pub(crate) const fn from_le_bytes(bytes: &[u8]) -> Self {
        let mut state = Self::ZERO;
        super::numbers_from(&mut state.h, bytes);
        super::numbers_from(&mut state.c, bytes.split_at(2 * H).1);
        state
    }
}

impl<const H: usize> Default for LstmState<H> {
    fn default() -> Self {
        Self::ZERO
    }
}

/// An integer [`Lstm`](crate::Lstm): the same equations on int8 weights and int16 numbers, as the [specification](super) has them.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Lstm<const I: usize, const H: usize, A = Tanh, R = Sigmoid> {
    weights: Panels<I, H, 4, 4>,
    formats: Formats,
    activations: PhantomData<(A, R)>,
}

impl<const I: usize, const H: usize, A: Named, R: Named> Lstm<I, H, A, R> {
    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Lstm { weights: Panels::ZERO, formats: Formats::ZERO, activations: PhantomData };

    /// From unpacked weights: `recurrent_kernel[k][gate][unit]` and `kernel[k][gate][unit]`, `bias[gate][unit]` and `scale[gate][unit]`,
    /// gates in the order i, f, g, o; c has `cell_bits` fraction bits and h `hidden_bits`, 15 where the activation is bounded by 1.
    #[must_use]
    pub const fn new(
        recurrent_kernel: &[[[i8; H]; 4]; H],
        kernel: &[[[i8; H]; 4]; I],
        bias: &[[i32; H]; 4],
        scale: &[[i32; H]; 4],
        (cell_bits, hidden_bits): (u32, u32),
    ) -> Self {
        let mut layer = Self::EMPTY;
        layer.set_formats(cell_bits, hidden_bits);
        let rows = [Words::Numbers(bias.as_flattened()), Words::Numbers(scale.as_flattened())];
        let recurrent_kernel = bytes_of(recurrent_kernel.as_flattened().as_flattened());
        layer.weights.fill(rows, [recurrent_kernel, bytes_of(kernel.as_flattened().as_flattened())]);
        layer
    }

    const SHAPE: Shape = Shape {
        activation: A::KIND,
        recurrent_activation: Some(R::KIND),
        ..Shape::integer(Kind::Lstm, I, H, 8 + Panels::<I, H, 4, 4>::BYTES)
    };

    const fn fill_from(&mut self, bytes: &[u8]) {
        let (formats, weights) = bytes.split_at(8);
        self.set_formats(super::word(formats, 1), super::word(formats, 0));
        self.weights.fill_from(weights);
    }

    const fn set_formats(&mut self, cell_bits: u32, hidden_bits: u32) {
        let OutputKind::Each(activation) = A::KIND else { unreachable!() };
        self.formats = Formats::new(activation, cell_bits, hidden_bits);
    }
}

impl<const I: usize, const H: usize, A: IntegerActivation + Named, R: IntegerActivation + Named> Layer
    for Lstm<I, H, A, R>
{
    type Input = [i16; I];
    type Output = [i16; H];
    type State = LstmState<H>;
    const ZERO_STATE: LstmState<H> = LstmState::ZERO;
    const FLASH_BYTES: usize = 8 + Panels::<I, H, 4, 4>::BYTES;
    const STATE_BYTES: usize = 4 * H;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut LstmState<H>, x: &[i16; I], y: &mut [i16; H]) {
        let i = b.integers();
        prepared!(inputs = i, x, &state.h);
        let states = (&mut state.h[..], &mut state.c[..]);
        integer::lstm(i, (A::VALUE, R::VALUE), self.formats, self.weights.gates(), inputs, states);
        *y = state.h;
    }

    #[inline(always)]
    fn last_output(state: &LstmState<H>) -> Option<&[i16; H]> {
        Some(&state.h)
    }
}

leaf_layer!([const I: usize, const H: usize, A: Named, R: Named] Lstm<I, H, A, R>);

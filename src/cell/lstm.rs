//! Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000, without peepholes).

use super::Turn;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{self, Panels, Source, pack};
use crate::layer::{Aligned, Layer, one_by_one, step_by_step};
use crate::math::{Activation, Named, Sigmoid, Tanh};
use crate::simd::Backend;
use core::marker::PhantomData;

/// i = σ(W_i x + U_i h + b_i)    input gate
/// f = σ(W_f x + U_f h + b_f)    forget gate
/// g = tanh(W_g x + U_g h + b_g) candidate
/// o = σ(W_o x + U_o h + b_o)    output gate
/// c' = f ⊙ c + i ⊙ g
/// h' = o ⊙ tanh(c')
///
/// `sums` are the arguments of the four activations; σ stands for the recurrent activation, tanh for the activation.
/// Returns (c', h').
#[inline(always)]
pub(crate) fn equations<B: Backend, A: Activation, R: Activation>(
    b: B,
    (activation, recurrent_activation): (A, R),
    sums: [B::Vector; 4],
    c: B::Vector,
) -> (B::Vector, B::Vector) {
    let [i, f, g, o] = sums;
    let i = recurrent_activation.apply(b, i);
    let f = recurrent_activation.apply(b, f);
    let g = activation.apply(b, g);
    let o = recurrent_activation.apply(b, o);
    update(b, activation, [i, f, g, o], c)
}

/// (c', h') from the four gates.
#[inline(always)]
pub(crate) fn update<B: Backend, A: Activation>(
    b: B,
    activation: A,
    [i, f, g, o]: [B::Vector; 4],
    c: B::Vector,
) -> (B::Vector, B::Vector) {
    let c = b.mul_add(f, c, b.mul(i, g));
    let h = b.mul(o, activation.apply_flushed(b, c));
    (b.flush(c, c), h)
}

/// The state of an [`Lstm`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
#[cfg_attr(not(target_os = "none"), repr(align(64)))]
pub struct LstmState<const H: usize> {
    /// Hidden state: what the layer gave last.
    pub h: [f32; H],
    /// Cell state.
    pub c: [f32; H],
    turn: Turn,
}

impl<const H: usize> LstmState<H> {
    /// Where a sequence begins unless one says otherwise.
    pub const ZERO: Self = Self::new([0.0; H], [0.0; H]);

    /// The hidden state `h` and the cell state `c`.
    #[must_use]
    pub const fn new(h: [f32; H], c: [f32; H]) -> Self {
        LstmState { h, c, turn: Turn::START }
    }

    /// The numbers h and c that begin little-endian bytes.
    pub(crate) const fn from_le_bytes(bytes: &[u8]) -> Self {
        let mut state = Self::ZERO;
        let (h, c) = bytes.split_at(4 * H);
        pack(&mut state.h, Source::Bytes(h), 1, H);
        pack(&mut state.c, Source::Bytes(c.split_at(4 * H).0), 1, H);
        state
    }
}

impl<const H: usize> Default for LstmState<H> {
    fn default() -> Self {
        Self::ZERO
    }
}

/// A long short-term memory layer of `H` units on `I` inputs (Keras and PyTorch `LSTM`). Gates in the order i, f, g, o.
///
/// ```text
/// i = σ(W_i x + U_i h + b_i)      f = σ(W_f x + U_f h + b_f)
/// g = tanh(W_g x + U_g h + b_g)   o = σ(W_o x + U_o h + b_o)
/// c' = f ⊙ c + i ⊙ g              h' = o ⊙ tanh(c')
/// ```
///
/// σ is the recurrent activation `R`, tanh the activation `A`.
///
/// ```
/// use gatelet::{Layer, Lstm, LstmState};
/// // All weights zero but the candidate's bias: i = f = o = ½, g = tanh(1).
/// let bias = [[0.0], [0.0], [1.0], [0.0]];
/// let layer: Lstm<1, 1> = Lstm::new(&[[[0.0]; 4]], &[[[0.0]; 4]], &bias);
/// let mut state = LstmState::ZERO;
/// let mut y = [0.0];
/// layer.step(&mut state, &[3.0], &mut y);
/// assert!((state.c[0] - 0.5 * 1f32.tanh()).abs() < 3e-7);
/// assert!((y[0] - 0.5 * state.c[0].tanh()).abs() < 3e-7);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Lstm<const I: usize, const H: usize, A = Tanh, R = Sigmoid> {
    weights: Panels<I, H, 4, 4>,
    activations: PhantomData<(A, R)>,
}

impl<const I: usize, const H: usize, A, R> Lstm<I, H, A, R> {
    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Lstm { weights: Panels::ZERO, activations: PhantomData };

    /// From unpacked weights: `recurrent_kernel[k][gate][unit]`, `kernel[k][gate][unit]` and `bias[gate][unit]`, gates in
    /// the order i, f, g, o.
    #[must_use]
    pub const fn new(recurrent_kernel: &[[[f32; H]; 4]; H], kernel: &[[[f32; H]; 4]; I], bias: &[[f32; H]; 4]) -> Self {
        let mut layer = Self::EMPTY;
        layer.weights.fill(
            Source::Floats(recurrent_kernel.as_flattened().as_flattened()),
            Source::Floats(kernel.as_flattened().as_flattened()),
            Source::Floats(bias.as_flattened()),
        );
        layer
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        self.weights.fill_from(bytes);
    }
}

impl<const I: usize, const H: usize, A: Named, R: Named> Lstm<I, H, A, R> {
    const SHAPE: Shape = Shape {
        activation: A::KIND,
        recurrent_activation: Some(R::KIND),
        ..Shape::new(Kind::Lstm, I, H, Panels::<I, H, 4, 4>::WEIGHTS)
    };
}

impl<const I: usize, const H: usize, A: Activation + Named, R: Activation + Named> Layer for Lstm<I, H, A, R> {
    type Input = [f32; I];
    type Output = [f32; H];
    type State = LstmState<H>;
    const ZERO_STATE: LstmState<H> = LstmState::ZERO;
    const FLASH_BYTES: usize = 4 * Panels::<I, H, 4, 4>::WEIGHTS;
    const STATE_BYTES: usize = 8 * H;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut LstmState<H>, x: &[f32; I], y: &mut [f32; H]) {
        let mut room = [0.0; I];
        let x = kernel::flushed(b, x, &mut room);
        let weights = self.weights.gates().in_turn(&mut state.turn);
        kernel::lstm(b, (A::VALUE, R::VALUE), weights, x, &mut state.h, &mut state.c, y);
    }

    #[inline(always)]
    fn last_output(state: &LstmState<H>) -> Option<&[f32; H]> {
        Some(&state.h)
    }

    const LOOKS_AHEAD: bool = kernel::looks_ahead(I, Self::FLASH_BYTES);

    #[inline(always)]
    fn run_ahead_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut LstmState<H>,
        xs: &[[[f32; I]; T]],
        ys: &mut [[[f32; H]; T]],
    ) {
        if const { kernel::serve_together::<B, T>(4, Self::FLASH_BYTES) } {
            let (mut rooms, mut sums) = ([[0.0; I]; T], [Aligned([[0.0; H]; 4]); T]);
            for (xs, ys) in xs.iter().zip(ys) {
                let xs = kernel::each_flushed(b, xs.each_ref(), &mut rooms);
                let mut weights = [self.weights.gates(); T];
                for weights in &mut weights {
                    *weights = weights.in_turn(&mut state.turn);
                }
                let sums = sums.each_mut().map(|sums| sums.0.as_flattened_mut());
                let ys = ys.each_mut().map(|y| &mut y[..]);
                kernel::lstm_steps(b, (A::VALUE, R::VALUE), weights, xs, sums, (&mut state.h, &mut state.c), ys);
            }
        } else {
            step_by_step(self, b, state, xs.as_flattened(), ys.as_flattened_mut());
        }
    }

    #[inline(always)]
    fn step_streams_on<B: Backend, const T: usize>(
        &self,
        b: B,
        states: [&mut LstmState<H>; T],
        xs: [&[f32; I]; T],
        ys: [&mut [f32; H]; T],
    ) {
        if const { kernel::serve_together::<B, T>(4, Self::FLASH_BYTES) } {
            let weights = self.weights.gates().in_turn(&mut states[0].turn);
            let mut rooms = [[0.0; I]; T];
            let xs = kernel::each_flushed(b, xs, &mut rooms);
            let states = states.map(|state| (&mut state.h[..], &mut state.c[..]));
            kernel::lstm_streams(b, (A::VALUE, R::VALUE), weights, xs, states, ys.map(|y| &mut y[..]));
        } else {
            one_by_one(self, b, states, xs, ys);
        }
    }
}

leaf_layer!([const I: usize, const H: usize, A: Named, R: Named] Lstm<I, H, A, R>);

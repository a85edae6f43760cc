//! Gated recurrent unit (Cho et al. 2014), in the paper's form and in the one that cuDNN, PyTorch and Keras made the usual one.

use super::HiddenState;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{self, GruWeights, Panels, Source};
use crate::layer::{Aligned, Layer, one_by_one, step_by_step};
use crate::math::{Activation, Named, Sigmoid, Tanh};
use crate::simd::Backend;
use core::marker::PhantomData;

// r = σ(W_r x + b_r + U_r h)                       reset gate
// z = σ(W_z x + b_z + U_z h)                       update gate
// n = tanh(W_n x + b_n + r ⊙ (U_n h + b_hn))       candidate, `reset_after = true`
// n = tanh(W_n x + b_n + U_n (r ⊙ h) + b_hn)       candidate, `reset_after = false`
// h' = (1 - z) ⊙ n + z ⊙ h = n + z ⊙ (h - n)
//
// σ stands for the recurrent activation, tanh for the activation. The kernel makes the sums, the functions here the rest.

/// h' from z, the sum of n and h.
#[inline(always)]
pub(crate) fn update<B: Backend, A: Activation>(
    b: B,
    activation: A,
    z: B::Vector,
    n: B::Vector,
    h: B::Vector,
) -> B::Vector {
    let n = activation.apply_flushed(b, n);
    b.flush(b.mul_add(z, b.sub(h, n), n), b.max(b.abs(h), b.abs(n)))
}

/// A gated recurrent unit layer of `H` units on `I` inputs (Keras and PyTorch `GRU`). Gates in the order r, z, n.
///
/// ```text
/// r = σ(W_r x + b_r + U_r h)      z = σ(W_z x + b_z + U_z h)
/// n = tanh(W_n x + b_n + r ⊙ (U_n h + b_hn))     RESET_AFTER (PyTorch, and Keras's default)
/// n = tanh(W_n x + b_n + U_n (r ⊙ h) + b_hn)     otherwise (the paper; Keras `reset_after=False`)
/// h' = (1 - z) ⊙ n + z ⊙ h
/// ```
///
/// σ is the recurrent activation `R`, tanh the activation `A`. In the paper's form the two biases of the candidate add up,
/// and a step needs room for one more vector of `H` numbers on the stack.
///
/// ```
/// use gatelet::{Gru, HiddenState, Layer};
/// // All weights zero: r = z = ½ and n = 0, so the state halves in each step.
/// let layer: Gru<1, 1> = Gru::EMPTY;
/// let mut state = HiddenState::new([1.0]);
/// let mut y = [0.0];
/// layer.step(&mut state, &[7.0], &mut y);
/// assert_eq!(y, [0.5]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Gru<const I: usize, const H: usize, const RESET_AFTER: bool = true, A = Tanh, R = Sigmoid> {
    weights: Panels<I, H, 3, 4>,
    activations: PhantomData<(A, R)>,
}

impl<const I: usize, const H: usize, const RESET_AFTER: bool, A, R> Gru<I, H, RESET_AFTER, A, R> {
    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Gru { weights: Panels::ZERO, activations: PhantomData };

    /// From unpacked weights: `recurrent_kernel[k][gate][unit]` and `kernel[k][gate][unit]` with gates in the order r, z, n,
    /// and `bias[row][unit]` with rows b_r, b_z, b_n, b_hn. Where a framework has two biases for r and z, give their sums.
    #[must_use]
    pub const fn new(recurrent_kernel: &[[[f32; H]; 3]; H], kernel: &[[[f32; H]; 3]; I], bias: &[[f32; H]; 4]) -> Self {
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

impl<const I: usize, const H: usize, const RESET_AFTER: bool, A: Named, R: Named> Gru<I, H, RESET_AFTER, A, R> {
    const SHAPE: Shape = Shape {
        activation: A::KIND,
        recurrent_activation: Some(R::KIND),
        reset_after: Some(RESET_AFTER),
        ..Shape::new(Kind::Gru, I, H, Panels::<I, H, 3, 4>::WEIGHTS)
    };
}

impl<const I: usize, const H: usize, const RESET_AFTER: bool, A: Activation + Named, R: Activation + Named> Layer
    for Gru<I, H, RESET_AFTER, A, R>
{
    type Input = [f32; I];
    type Output = [f32; H];
    type State = HiddenState<H>;
    const ZERO_STATE: HiddenState<H> = HiddenState::ZERO;
    const FLASH_BYTES: usize = 4 * Panels::<I, H, 3, 4>::WEIGHTS;
    const STATE_BYTES: usize = 4 * H;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut HiddenState<H>, x: &[f32; I], y: &mut [f32; H]) {
        let mut room = [0.0; I];
        let x = kernel::flushed(b, x, &mut room);
        let weights = GruWeights { gates: self.weights.gates().in_turn(&mut state.turn), reset_after: RESET_AFTER };
        let activations = (A::VALUE, R::VALUE);
        if RESET_AFTER {
            kernel::gru(b, activations, weights, x, &mut state.h, &mut [], y);
        } else {
            kernel::gru(b, activations, weights, x, &mut state.h, &mut [0.0; H], y);
        }
    }

    #[inline(always)]
    fn last_output(state: &HiddenState<H>) -> Option<&[f32; H]> {
        Some(&state.h)
    }

    const LOOKS_AHEAD: bool = RESET_AFTER && kernel::looks_ahead(I, Self::FLASH_BYTES);

    #[inline(always)]
    fn run_ahead_on<B: Backend, const T: usize>(
        &self,
        b: B,
        state: &mut HiddenState<H>,
        xs: &[[[f32; I]; T]],
        ys: &mut [[[f32; H]; T]],
    ) {
        if const { RESET_AFTER && kernel::serve_together::<B, T>(3, Self::FLASH_BYTES) } {
            let (mut rooms, mut sums) = ([[0.0; I]; T], [Aligned([[0.0; H]; 4]); T]);
            for (xs, ys) in xs.iter().zip(ys) {
                let xs = kernel::each_flushed(b, xs.each_ref(), &mut rooms);
                let mut weights = [self.weights.gates(); T];
                for weights in &mut weights {
                    *weights = weights.in_turn(&mut state.turn);
                }
                let sums = sums.each_mut().map(|sums| sums.0.as_flattened_mut());
                let ys = ys.each_mut().map(|y| &mut y[..]);
                kernel::gru_steps(b, (A::VALUE, R::VALUE), weights, xs, sums, &mut state.h, ys);
            }
        } else {
            step_by_step(self, b, state, xs.as_flattened(), ys.as_flattened_mut());
        }
    }

    #[inline(always)]
    fn step_streams_on<B: Backend, const T: usize>(
        &self,
        b: B,
        states: [&mut HiddenState<H>; T],
        xs: [&[f32; I]; T],
        ys: [&mut [f32; H]; T],
    ) {
        if const { RESET_AFTER && kernel::serve_together::<B, T>(3, Self::FLASH_BYTES) } {
            let weights = self.weights.gates().in_turn(&mut states[0].turn);
            let mut rooms = [[0.0; I]; T];
            let xs = kernel::each_flushed(b, xs, &mut rooms);
            let states = states.map(|state| &mut state.h[..]);
            kernel::gru_streams(b, (A::VALUE, R::VALUE), weights, xs, states, ys.map(|y| &mut y[..]));
        } else {
            one_by_one(self, b, states, xs, ys);
        }
    }
}

leaf_layer!(
    [const I: usize, const H: usize, const RESET_AFTER: bool, A: Named, R: Named] Gru<I, H, RESET_AFTER, A, R>
);

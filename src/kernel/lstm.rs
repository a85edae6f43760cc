//! One step of an LSTM.

use super::streams::{self, StreamBlock, Streams};
use super::{Block, Gates, accumulate, biases, copy};
use crate::cell::lstm::{equations, update};
use crate::math::Activation;
use crate::simd::Backend;

/// Steps on input `x`: updates the hidden state `h`, which is the output `y`, and the cell state `c`.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn lstm<B: Backend, A: Activation, R: Activation>(
    b: B,
    activations: (A, R),
    weights: Gates<'_>,
    x: &[f32],
    h: &mut [f32],
    c: &mut [f32],
    y: &mut [f32],
) {
    let units = weights.units(4, 4, x, h, y);
    assert!(c.len() == units);
    weights.for_each_unit(b, units, &mut Step { activations, weights, x, h, c, y });
    copy(b, y, h);
}

struct Step<'a, A, R> {
    activations: (A, R),
    weights: Gates<'a>,
    x: &'a [f32],
    h: &'a [f32],
    c: &'a mut [f32],
    y: &'a mut [f32],
}

impl<A: Activation, R: Activation> Block for Step<'_, A, R> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `lstm` has checked the lengths, and the block lies within its panels.
        unsafe {
            let weights = self.weights.block::<B>(4, 4, self.x.len(), (unit, panel, width));
            let sums = biases::<B, 4>(b, weights.bias);
            let sums = accumulate(b, sums, weights.input, self.x);
            let sums = accumulate(b, sums, weights.recurrent, self.h);
            let c = self.c.as_mut_ptr().add(unit);
            let (new_c, new_h) = equations(b, self.activations, sums, b.load(c));
            b.store(c, new_c);
            b.store(self.y.as_mut_ptr().add(unit), new_h);
        }
    }

    /// All four gates in a vector. Every lane goes through both activations: that is less than one for each gate.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_fours<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        let (activation, recurrent_activation) = self.activations;
        // SAFETY: `lstm` has checked the lengths; four rows of `width` units are one of four times as many.
        unsafe {
            let weights = self.weights.block::<B>(4, 4, self.x.len(), (panel, panel, width));
            let sums = biases::<B, 1>(b, weights.bias);
            let sums = accumulate(b, sums, weights.input, self.x);
            let [sum] = accumulate(b, sums, weights.recurrent, self.h);
            let (half, quarter) = (b.half(), b.half().half());
            let [input_forget, output] = b.split(recurrent_activation.apply(b, sum));
            let [candidate, _] = half.split(b.split(activation.apply(b, sum))[1]);
            let [i, f] = half.split(input_forget);
            let [_, o] = half.split(output);
            let c = self.c.as_mut_ptr().add(panel);
            let (new_c, new_h) = update(quarter, activation, [i, f, candidate, o], quarter.load(c));
            quarter.store(c, new_c);
            quarter.store(self.y.as_mut_ptr().add(panel), new_h);
        }
    }

    /// Two gates in a vector: i with f, and g with o, which part again for their activations.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        let (activation, recurrent_activation) = self.activations;
        // SAFETY: `lstm` has checked the lengths; four rows of `width` units are two of twice as many.
        unsafe {
            let weights = self.weights.block::<B>(4, 4, self.x.len(), (panel, panel, width));
            let sums = biases::<B, 2>(b, weights.bias.in_pairs());
            let sums = accumulate(b, sums, weights.input.in_pairs(), self.x);
            let [input_forget, candidate_output] = accumulate(b, sums, weights.recurrent.in_pairs(), self.h);
            let half = b.half();
            let [i, f] = b.split(recurrent_activation.apply(b, input_forget));
            let [g, o] = b.split(candidate_output);
            let (g, o) = (activation.apply(half, g), recurrent_activation.apply(half, o));
            let c = self.c.as_mut_ptr().add(panel);
            let (new_c, new_h) = update(half, activation, [i, f, g, o], half.load(c));
            half.store(c, new_c);
            half.store(self.y.as_mut_ptr().add(panel), new_h);
        }
    }
}

/// `T` steps, with the input's part of their sums in advance, in `ahead`, for which input weights are read once. The bits are
/// those of `T` steps.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn lstm_steps<B: Backend, A: Activation, R: Activation, const T: usize>(
    b: B,
    activations: (A, R),
    weights: [Gates<'_>; T],
    xs: [&[f32]; T],
    ahead: [&mut [f32]; T],
    (h, c): (&mut [f32], &mut [f32]),
    ys: [&mut [f32]; T],
) {
    let mut units = 0;
    for ((x, ahead), y) in xs.iter().zip(&ahead).zip(&ys) {
        units = weights[0].units(4, 4, x, h, y);
        assert!(x.len() == xs[0].len() && ahead.len() == weights[0].bias.len());
    }
    let mut work = Streams(InputSums { weights: weights[0], xs, ahead });
    weights[0].for_each_unit(b, units, &mut work);
    for ((weights, ahead), y) in weights.into_iter().zip(work.0.ahead).zip(ys) {
        lstm(b, activations, weights.without_input(ahead), &[], h, c, y);
    }
}

/// Bias and input products of `T` steps, where the bias would be.
struct InputSums<'a, const T: usize> {
    weights: Gates<'a>,
    xs: [&'a [f32]; T],
    ahead: [&'a mut [f32]; T],
}

impl<const T: usize> InputSums<'_, T> {
    /// As the step does it for a panel whose four rows are `N` registers.
    ///
    /// # Safety
    /// As for [`Block::run_in_pairs`] where `N` is 2, and [`Block::run_in_fours`] where it is 1.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_rows<B: Backend, const N: usize>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: `lstm_steps` has checked the lengths.
        unsafe {
            let mut weights = self.weights.block::<B>(4, 4, self.xs[0].len(), (panel, panel, width));
            (weights.bias.width, weights.input.width) = (4 / N * width, 4 / N * width);
            for (x, ahead) in self.xs.iter().zip(&mut self.ahead) {
                let sums = accumulate(b, biases::<B, N>(b, weights.bias), weights.input, x);
                for (row, sum) in sums.into_iter().enumerate() {
                    b.store(ahead.as_mut_ptr().add(4 * panel + row * weights.bias.width), sum);
                }
            }
        }
    }
}

impl<const T: usize> StreamBlock for InputSums<'_, T> {
    const GATES: usize = 4;

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend, const S: usize>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `lstm_steps` has checked the lengths, and the block lies within its panels.
        unsafe {
            let weights = self.weights.block::<B>(4, 4, self.xs[0].len(), (unit, panel, width));
            let sums = [biases::<B, 4>(b, weights.bias); T];
            let sums = streams::accumulate::<B, 4, S, T>(b, sums, weights.input, self.xs);
            for (ahead, sums) in self.ahead.iter_mut().zip(sums) {
                for (row, sum) in sums.into_iter().enumerate() {
                    b.store(ahead.as_mut_ptr().add(4 * panel + unit - panel + row * width), sum);
                }
            }
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_pairs<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: as promised to this function.
        unsafe { self.run_rows::<B, 2>(b, panel, width) };
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run_in_fours<B: Backend>(&mut self, b: B, panel: usize, width: usize) {
        // SAFETY: as promised to this function.
        unsafe { self.run_rows::<B, 1>(b, panel, width) };
    }
}

/// One step of `T` streams: the bits of `T` steps.
#[cfg_attr(not(debug_assertions), inline(always))]
pub(crate) fn lstm_streams<B: Backend, A: Activation, R: Activation, const T: usize>(
    b: B,
    activations: (A, R),
    weights: Gates<'_>,
    xs: [&[f32]; T],
    states: [(&mut [f32], &mut [f32]); T],
    ys: [&mut [f32]; T],
) {
    let mut units = 0;
    for ((x, (h, c)), y) in xs.iter().zip(&states).zip(&ys) {
        units = weights.units(4, 4, x, h, y);
        assert!(c.len() == units && x.len() == xs[0].len());
    }
    let mut work = Streams(StepOfStreams { activations, weights, xs, states, ys });
    weights.for_each_unit(b, units, &mut work);
    for ((h, _), y) in work.0.states.into_iter().zip(work.0.ys) {
        copy(b, y, h);
    }
}

struct StepOfStreams<'a, A, R, const T: usize> {
    activations: (A, R),
    weights: Gates<'a>,
    xs: [&'a [f32]; T],
    /// h and c.
    states: [(&'a mut [f32], &'a mut [f32]); T],
    ys: [&'a mut [f32]; T],
}

impl<A: Activation, R: Activation, const T: usize> StepOfStreams<'_, A, R, T> {
    /// One stream's step.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn alone(&mut self, stream: usize) -> Step<'_, A, R> {
        let StepOfStreams { activations, weights, .. } = *self;
        let (h, c) = &mut self.states[stream];
        Step { activations, weights, x: self.xs[stream], h, c, y: self.ys[stream] }
    }
}

impl<A: Activation, R: Activation, const T: usize> StreamBlock for StepOfStreams<'_, A, R, T> {
    const GATES: usize = 4;

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn run<B: Backend, const S: usize>(&mut self, b: B, unit: usize, panel: usize, width: usize) {
        // SAFETY: `lstm_streams` has checked the lengths, and the block lies within its panels.
        unsafe {
            let weights = self.weights.block::<B>(4, 4, self.xs[0].len(), (unit, panel, width));
            let sums = [biases::<B, 4>(b, weights.bias); T];
            let sums = streams::accumulate::<B, 4, S, T>(b, sums, weights.input, self.xs);
            let h = self.states.each_ref().map(|(h, _)| &**h);
            let sums = streams::accumulate::<B, 4, S, T>(b, sums, weights.recurrent, h);
            for (((_, c), y), sums) in self.states.iter_mut().zip(&mut self.ys).zip(sums) {
                let c = c.as_mut_ptr().add(unit);
                let (new_c, new_h) = equations(b, self.activations, sums, b.load(c));
                b.store(c, new_c);
                b.store(y.as_mut_ptr().add(unit), new_h);
            }
        }
    }

    streams::one_by_one!(T);
}

//! Layers of a few time steps, without weights.

use super::Layer;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{mean, remember};
use crate::simd::Backend;

/// The mean of the last `STEPS` time steps, with zeros before a sequence (Keras `ZeroPadding1D((STEPS - 1, 0))` and
/// `AveragePooling1D(STEPS, strides=1)`). The state is these steps, oldest first.
///
/// ```
/// use gatelet::{AveragePooling, Layer};
/// let layer = AveragePooling::<1, 2>::new();
/// let mut ys = [[0.0]; 3];
/// layer.run(&mut layer.initial_state(), &[[1.0], [3.0], [2.0]], &mut ys).unwrap();
/// assert_eq!(ys, [[0.5], [2.0], [2.5]]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AveragePooling<const N: usize, const STEPS: usize>;

impl<const N: usize, const STEPS: usize> AveragePooling<N, STEPS> {
    /// It has no weights, so there is only this one.
    pub const EMPTY: Self = AveragePooling;

    const SHAPE: Shape = Shape { detail: STEPS as u32, ..Shape::new(Kind::AveragePooling, N, N, 0) };

    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(STEPS > 0, "there is no mean of nothing") };
        AveragePooling
    }

    const fn fill_from(&mut self, _: &[u8]) {}
}

impl<const N: usize, const STEPS: usize> Layer for AveragePooling<N, STEPS> {
    type Input = [f32; N];
    type Output = [f32; N];
    type State = [[f32; N]; STEPS];
    const ZERO_STATE: Self::State = [[0.0; N]; STEPS];
    const FLASH_BYTES: usize = 0;
    const STATE_BYTES: usize = 4 * N * STEPS;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &[f32; N], y: &mut [f32; N]) {
        self.advance_on(b, state, x);
        mean(state.iter().map(|x| &x[..]), STEPS, y);
    }

    const ENDS_MASK: bool = true;

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, state: &mut Self::State, x: &[f32; N]) {
        remember(state.as_flattened_mut(), x);
    }
}

leaf_layer!([const N: usize, const STEPS: usize] AveragePooling<N, STEPS>);

/// The last `STEPS` time steps as one vector of `O = N · STEPS` numbers, oldest first, with zeros before a sequence (Keras
/// `Flatten` of a sequence of so many steps, behind its last step). The state is these steps.
///
/// ```
/// use gatelet::{Flatten, Layer};
/// let layer = Flatten::<1, 3, 3>::new();
/// let y = layer.run_last(&mut layer.initial_state(), &[[1.0], [3.0], [2.0]]);
/// assert_eq!(y, Some([1.0, 3.0, 2.0]));
/// ```
///
/// Another number of outputs is no layer:
/// ```compile_fail
/// let layer = gatelet::Flatten::<1, 3, 4>::new();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flatten<const N: usize, const STEPS: usize, const O: usize>;

impl<const N: usize, const STEPS: usize, const O: usize> Flatten<N, STEPS, O> {
    const FITS: () = assert!(O == N * STEPS, "a Flatten of STEPS vectors of N numbers has N * STEPS outputs");

    /// It has no weights, so there is only this one.
    pub const EMPTY: Self = Self::new();

    const SHAPE: Shape = Shape { detail: STEPS as u32, ..Shape::new(Kind::Flatten, N, N, 0) };

    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        let () = Self::FITS;
        Flatten
    }

    const fn fill_from(&mut self, _: &[u8]) {}
}

impl<const N: usize, const STEPS: usize, const O: usize> Layer for Flatten<N, STEPS, O> {
    type Input = [f32; N];
    type Output = [f32; O];
    type State = [[f32; N]; STEPS];
    const ZERO_STATE: Self::State = [[0.0; N]; STEPS];
    const FLASH_BYTES: usize = 0;
    const STATE_BYTES: usize = 4 * N * STEPS;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &[f32; N], y: &mut [f32; O]) {
        let () = Self::FITS;
        self.advance_on(b, state, x);
        y.copy_from_slice(state.as_flattened());
    }

    const ENDS_MASK: bool = true;

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, state: &mut Self::State, x: &[f32; N]) {
        remember(state.as_flattened_mut(), x);
    }
}

leaf_layer!([const N: usize, const STEPS: usize, const O: usize] Flatten<N, STEPS, O>);

/// The last output of the layer before it alone (`y[:, -1]`): nothing to do step by step, where the last step is the last.
///
/// ```
/// use gatelet::{Last, Layer};
/// let layer = Last::<1>::new();
/// assert_eq!(layer.run_last(&mut (), &[[1.0], [2.0]]), Some([2.0]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Last<const N: usize>;

impl<const N: usize> Last<N> {
    /// It has no weights, so there is only this one.
    pub const EMPTY: Self = Last;

    const SHAPE: Shape = Shape::new(Kind::Last, N, N, 0);

    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        Last
    }

    const fn fill_from(&mut self, _: &[u8]) {}
}

impl<const N: usize> Layer for Last<N> {
    type Input = [f32; N];
    type Output = [f32; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 0;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[f32; N], y: &mut [f32; N]) {
        *y = *x;
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; N]) {}
}

leaf_layer!([const N: usize] Last<N>);

//! Layers of a few time steps, without weights.

use super::{Layer, Number};
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::remember;
use crate::simd::Backend;
use core::marker::PhantomData;

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
pub struct AveragePooling<const N: usize, const STEPS: usize, T = f32>(PhantomData<T>);

impl<const N: usize, const STEPS: usize, T: Number> AveragePooling<N, STEPS, T> {
    const FITS: () = {
        assert!(STEPS > 0, "there is no mean of nothing");
        assert!(!T::INTEGER || STEPS <= 1 << 14, "a sum of so many int16 numbers exceeds 32 bits");
    };

    /// It has no weights, so there is only this one.
    pub const EMPTY: Self = AveragePooling(PhantomData);

    const SHAPE: Shape =
        Shape { detail: STEPS as u32, integer: T::INTEGER, ..Shape::new(Kind::AveragePooling, N, N, 0) };

    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        let () = Self::FITS;
        Self::EMPTY
    }

    const fn fill_from(&mut self, _: &[u8]) {}
}

impl<const N: usize, const STEPS: usize, T: Number> Layer for AveragePooling<N, STEPS, T> {
    type Input = [T; N];
    type Output = [T; N];
    type State = [[T; N]; STEPS];
    const ZERO_STATE: Self::State = [[T::ZERO; N]; STEPS];
    const FLASH_BYTES: usize = 0;
    const STATE_BYTES: usize = size_of::<T>() * N * STEPS;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &[T; N], y: &mut [T; N]) {
        let () = Self::FITS;
        self.advance_on(b, state, x);
        T::mean_of(state.iter().map(|x| &x[..]), STEPS, y);
    }

    const ENDS_MASK: bool = true;

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, state: &mut Self::State, x: &[T; N]) {
        remember(state.as_flattened_mut(), x);
    }
}

leaf_layer!([const N: usize, const STEPS: usize, T: Number] AveragePooling<N, STEPS, T>);

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
pub struct Flatten<const N: usize, const STEPS: usize, const O: usize, T = f32>(PhantomData<T>);

impl<const N: usize, const STEPS: usize, const O: usize, T: Number> Flatten<N, STEPS, O, T> {
    const FITS: () = assert!(O == N * STEPS, "a Flatten of STEPS vectors of N numbers has N * STEPS outputs");

    /// It has no weights, so there is only this one.
    pub const EMPTY: Self = Self::new();

    const SHAPE: Shape = Shape { detail: STEPS as u32, integer: T::INTEGER, ..Shape::new(Kind::Flatten, N, N, 0) };

    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        let () = Self::FITS;
        Flatten(PhantomData)
    }

    const fn fill_from(&mut self, _: &[u8]) {}
}

impl<const N: usize, const STEPS: usize, const O: usize, T: Number> Layer for Flatten<N, STEPS, O, T> {
    type Input = [T; N];
    type Output = [T; O];
    type State = [[T; N]; STEPS];
    const ZERO_STATE: Self::State = [[T::ZERO; N]; STEPS];
    const FLASH_BYTES: usize = 0;
    const STATE_BYTES: usize = size_of::<T>() * N * STEPS;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &[T; N], y: &mut [T; O]) {
        let () = Self::FITS;
        self.advance_on(b, state, x);
        y.copy_from_slice(state.as_flattened());
    }

    const ENDS_MASK: bool = true;

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, state: &mut Self::State, x: &[T; N]) {
        remember(state.as_flattened_mut(), x);
    }
}

leaf_layer!([const N: usize, const STEPS: usize, const O: usize, T: Number] Flatten<N, STEPS, O, T>);

/// The last output of the layer before it alone (`y[:, -1]`): nothing to do step by step, where the last step is the last.
///
/// ```
/// use gatelet::{Last, Layer};
/// let layer = Last::<1>::new();
/// assert_eq!(layer.run_last(&mut (), &[[1.0], [2.0]]), Some([2.0]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Last<const N: usize, T = f32>(PhantomData<T>);

impl<const N: usize, T: Number> Last<N, T> {
    /// It has no weights, so there is only this one.
    pub const EMPTY: Self = Last(PhantomData);

    const SHAPE: Shape = Shape { integer: T::INTEGER, ..Shape::new(Kind::Last, N, N, 0) };

    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        Self::EMPTY
    }

    const fn fill_from(&mut self, _: &[u8]) {}
}

impl<const N: usize, T: Number> Layer for Last<N, T> {
    type Input = [T; N];
    type Output = [T; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 0;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[T; N], y: &mut [T; N]) {
        *y = *x;
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[T; N]) {}
}

leaf_layer!([const N: usize, T: Number] Last<N, T>);

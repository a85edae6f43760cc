//! Functions of one time step.

use super::Layer;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{Source, pack, prelu, unit_normalize};
use crate::math::{Named, OutputActivation};
use crate::simd::Backend;
use core::marker::PhantomData;

/// Each vector divided by its length, which counts as 10⁻¹² where it is less (Keras `UnitNormalization`).
///
/// ```
/// use gatelet::{Layer, UnitNormalization};
/// let mut y = [0.0; 2];
/// UnitNormalization::new().step(&mut (), &[3.0, 4.0], &mut y);
/// assert_eq!(y, [0.6, 0.8]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UnitNormalization<const N: usize>;

impl<const N: usize> UnitNormalization<N> {
    /// It has no weights, so there is only this one.
    pub const EMPTY: Self = UnitNormalization;

    const SHAPE: Shape = Shape::new(Kind::UnitNormalization, N, N, 0);

    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        UnitNormalization
    }

    const fn fill_from(&mut self, _: &[u8]) {}
}

impl<const N: usize> Layer for UnitNormalization<N> {
    type Input = [f32; N];
    type Output = [f32; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 0;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[f32; N], y: &mut [f32; N]) {
        unit_normalize(x, y);
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; N]) {}
}

leaf_layer!([const N: usize] UnitNormalization<N>);

/// An activation on its own (Keras `Activation`, `ReLU`, `Softmax` …).
///
/// ```
/// use gatelet::{Activate, Layer, Relu};
/// let mut y = [0.0; 2];
/// Activate::<2, Relu>::new().step(&mut (), &[3.0, -4.0], &mut y);
/// assert_eq!(y, [3.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activate<const N: usize, A> {
    activation: PhantomData<A>,
}

impl<const N: usize, A> Activate<N, A> {
    /// It has no weights, so there is only this one.
    pub const EMPTY: Self = Activate { activation: PhantomData };

    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        Self::EMPTY
    }

    const fn fill_from(&mut self, _: &[u8]) {}
}

impl<const N: usize, A: Named> Activate<N, A> {
    const SHAPE: Shape = Shape { activation: A::KIND, ..Shape::new(Kind::Activation, N, N, 0) };
}

impl<const N: usize, A: OutputActivation + Named> Layer for Activate<N, A> {
    type Input = [f32; N];
    type Output = [f32; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 0;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, (): &mut (), x: &[f32; N], y: &mut [f32; N]) {
        *y = *x;
        A::VALUE.apply_all(b, y);
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; N]) {}
}

leaf_layer!([const N: usize, A: Named] Activate<N, A>);

/// x above zero, below it x times a slope of each channel (Keras `PReLU` with `shared_axes=[1]`, PyTorch `PReLU`; with equal
/// slopes `LeakyReLU`).
///
/// ```
/// use gatelet::{Layer, Prelu};
/// let mut y = [0.0; 2];
/// Prelu::new([0.5, 0.25]).step(&mut (), &[3.0, -4.0], &mut y);
/// assert_eq!(y, [3.0, -1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Prelu<const N: usize> {
    slope: [f32; N],
}

impl<const N: usize> Prelu<N> {
    /// All slopes zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Prelu { slope: [0.0; N] };

    const SHAPE: Shape = Shape::new(Kind::Prelu, N, N, N);

    /// From the slopes below zero.
    #[must_use]
    pub const fn new(slope: [f32; N]) -> Self {
        Prelu { slope }
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        pack(&mut self.slope, Source::Bytes(bytes), 1, N);
    }
}

impl<const N: usize> Layer for Prelu<N> {
    type Input = [f32; N];
    type Output = [f32; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 4 * N;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[f32; N], y: &mut [f32; N]) {
        prelu(&self.slope, x, y);
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; N]) {}
}

leaf_layer!([const N: usize] Prelu<N>);

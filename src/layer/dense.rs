//! The fully connected layer.

use super::Layer;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{self, KernelPanels, Source};
use crate::math::{Linear, Named, OutputActivation};
use crate::simd::Backend;
use core::marker::PhantomData;

/// `y = activation(W x + b)`, `I` inputs and `O` outputs (Keras `Dense`, PyTorch `Linear`). It has no state: in a sequence it
/// does the same to every step (Keras `TimeDistributed`).
///
/// ```
/// use gatelet::{Dense, Layer, Softmax};
/// let layer: Dense<1, 2, Softmax> = Dense::new(&[[1.0, 1.0]], &[0.0, 0.0]);
/// let mut y = [0.0; 2];
/// layer.step(&mut (), &[3.0], &mut y);
/// assert_eq!(y, [0.5, 0.5]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Dense<const I: usize, const O: usize, A = Linear> {
    weights: KernelPanels<I, O>,
    activation: PhantomData<A>,
}

impl<const I: usize, const O: usize, A> Dense<I, O, A> {
    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Dense { weights: KernelPanels::ZERO, activation: PhantomData };

    /// From an unpacked `kernel[input][output]` (as Keras keeps it; PyTorch's is the transpose) and `bias[output]`.
    #[must_use]
    pub const fn new(kernel: &[[f32; O]; I], bias: &[f32; O]) -> Self {
        let mut layer = Self::EMPTY;
        layer.weights.fill(Source::Floats(kernel.as_flattened()), Source::Floats(bias));
        layer
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        self.weights.fill_from(bytes);
    }
}

impl<const I: usize, const O: usize, A: Named> Dense<I, O, A> {
    const SHAPE: Shape = Shape { activation: A::KIND, ..Shape::new(Kind::Dense, I, O, KernelPanels::<I, O>::WEIGHTS) };
}

impl<const I: usize, const O: usize, A: OutputActivation + Named> Layer for Dense<I, O, A> {
    type Input = [f32; I];
    type Output = [f32; O];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = 4 * KernelPanels::<I, O>::WEIGHTS;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, (): &mut (), x: &[f32; I], y: &mut [f32; O]) {
        let (kernel, bias) = self.weights.parts();
        kernel::dense(b, A::VALUE, kernel, bias, x, y);
    }

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, (): &mut (), _: &[f32; I]) {}
}

leaf_layer!([const I: usize, const O: usize, A: Named] Dense<I, O, A>);

//! The causal convolution.

use super::Layer;
use crate::format::{Kind, Shape, leaf_layer};
use crate::kernel::{self, Convolution, GroupPanels, Source};
use crate::math::{Activation, Linear, Named};
use crate::simd::Backend;
use core::marker::PhantomData;

/// A causal convolution over time: `I` inputs (channels), `O` outputs (filters), `K` time steps that are `D` steps apart, the
/// last of which is the present one (Keras `Conv1D(O, K, padding="causal", dilation_rate=D)`). Inputs fall into groups of
/// `GROUP`, each of which has its own outputs (Keras `groups = I / GROUP`); usually they are one group.
///
/// ```text
/// y[t][o] = activation(bias[o] + Σ_k Σ_i kernel[k][i][o] · x[t - (K - 1 - k) · D][i])
/// ```
///
/// The sum goes over the inputs of o's group; before a sequence there are zeros. The state is the last `K · D` inputs, oldest
/// first.
///
/// ```
/// use gatelet::{Conv1d, Layer};
/// // What has changed since the step before.
/// let layer: Conv1d<1, 1, 2> = Conv1d::new(&[[[-1.0]], [[1.0]]], &[0.0]);
/// let mut ys = [[0.0]; 3];
/// layer.run(&mut layer.initial_state(), &[[1.0], [3.0], [2.0]], &mut ys).unwrap();
/// assert_eq!(ys, [[1.0], [2.0], [-1.0]]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Conv1d<
    const I: usize,
    const O: usize,
    const K: usize,
    A = Linear,
    const D: usize = 1,
    const GROUP: usize = I,
> {
    weights: GroupPanels<GROUP, O, K>,
    activation: PhantomData<A>,
}

impl<const I: usize, const O: usize, const K: usize, A, const D: usize, const GROUP: usize>
    Conv1d<I, O, K, A, D, GROUP>
{
    const GROUPS: usize = {
        assert!(K > 0 && D > 0, "a kernel sees at least one time step");
        assert!(K < 1 << 16 && D < 1 << 16, "a model file has 16 bits for a kernel's size and for its dilation");
        assert!(GROUP > 0 && I.is_multiple_of(GROUP), "inputs cannot be shared out among groups of this size");
        assert!(O.is_multiple_of(I / GROUP), "outputs cannot be shared out among the groups of inputs");
        I / GROUP
    };

    /// All weights zero: a place for a model that is read at run time.
    pub const EMPTY: Self = Conv1d { weights: GroupPanels::ZERO, activation: PhantomData };

    /// From an unpacked `kernel[time step][input of the group][output]`, oldest time step first, as Keras keeps it, and
    /// `bias[output]`.
    #[must_use]
    pub const fn new(kernel: &[[[f32; O]; GROUP]; K], bias: &[f32; O]) -> Self {
        let mut layer = Self::EMPTY;
        let kernel = Source::Floats(kernel.as_flattened().as_flattened());
        layer.weights.fill(kernel, Source::Floats(bias), O / Self::GROUPS);
        layer
    }

    const fn fill_from(&mut self, bytes: &[u8]) {
        self.weights.fill_from(bytes, O / Self::GROUPS);
    }
}

impl<const I: usize, const O: usize, const K: usize, A: Named, const D: usize, const GROUP: usize>
    Conv1d<I, O, K, A, D, GROUP>
{
    const SHAPE: Shape = Shape {
        activation: A::KIND,
        groups: Self::GROUPS,
        detail: K as u32 | (D as u32) << 16,
        ..Shape::new(Kind::Conv1d, I, O, GroupPanels::<GROUP, O, K>::WEIGHTS)
    };
}

impl<const I: usize, const O: usize, const K: usize, A: Activation + Named, const D: usize, const GROUP: usize> Layer
    for Conv1d<I, O, K, A, D, GROUP>
{
    type Input = [f32; I];
    type Output = [f32; O];
    // `(K - 1) · D + 1` inputs would do, which is no size that a type can have.
    type State = [[[f32; I]; D]; K];
    const ZERO_STATE: Self::State = [[[0.0; I]; D]; K];
    const FLASH_BYTES: usize = 4 * GroupPanels::<GROUP, O, K>::WEIGHTS;
    const STATE_BYTES: usize = 4 * K * D * I;

    #[inline(always)]
    fn step_on<B: Backend>(&self, b: B, state: &mut Self::State, x: &[f32; I], y: &mut [f32; O]) {
        self.advance_on(b, state, x);
        let (kernel, bias) = self.weights.parts();
        if const { D == 1 && Self::GROUPS == 1 } {
            kernel::dense(b, A::VALUE, kernel, bias, state.as_flattened().as_flattened(), y);
        } else {
            let weights = Convolution { kernel, bias, kernel_size: K, groups: Self::GROUPS };
            let x = |k: usize| state.get(k).and_then(|steps| steps.last()).map_or(&x[..], |x| &x[..]);
            kernel::conv1d(b, A::VALUE, weights, x, [[0.0; GROUP]; K].as_flattened_mut(), y);
        }
    }

    const ENDS_MASK: bool = true;

    #[inline(always)]
    fn advance_on<B: Backend>(&self, _: B, state: &mut Self::State, x: &[f32; I]) {
        kernel::remember(state.as_flattened_mut().as_flattened_mut(), x);
    }
}

leaf_layer!(
    [const I: usize, const O: usize, const K: usize, A: Named, const D: usize, const GROUP: usize]
    Conv1d<I, O, K, A, D, GROUP>
);

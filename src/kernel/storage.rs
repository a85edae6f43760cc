//! Packed weights with sizes in the type.

use super::{Gates, Source, pack, pack_dense, pack_dense_columns};

/// A recurrent layer's weights in panel order: `G` weight rows and `B` bias rows per unit.
///
/// The nesting of the arrays only gives the size: their indices do not tell where a weight stands. Hosts align it to a
/// cache line; on a microcontroller that would cost flash and buy nothing.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
#[cfg_attr(not(target_os = "none"), repr(align(64)))]
pub(crate) struct Panels<const I: usize, const H: usize, const G: usize, const B: usize> {
    recurrent: [[[f32; H]; G]; H],
    input: [[[f32; H]; G]; I],
    bias: [[f32; H]; B],
}

impl<const I: usize, const H: usize, const G: usize, const B: usize> Panels<I, H, G, B> {
    pub(crate) const ZERO: Self =
        Panels { recurrent: [[[0.0; H]; G]; H], input: [[[0.0; H]; G]; I], bias: [[0.0; H]; B] };
    /// How many numbers there are.
    pub(crate) const WEIGHTS: usize = G * H * H + G * I * H + B * H;

    /// Packs the parts, each in the order `[k][gate][unit]`.
    pub(crate) const fn fill(&mut self, recurrent: Source<'_>, input: Source<'_>, bias: Source<'_>) {
        pack(self.recurrent.as_flattened_mut().as_flattened_mut(), recurrent, G, H);
        pack(self.input.as_flattened_mut().as_flattened_mut(), input, G, H);
        pack(self.bias.as_flattened_mut(), bias, B, H);
    }

    /// Packs the bytes of all three parts, which follow each other in that order.
    pub(crate) const fn fill_from(&mut self, bytes: &[u8]) {
        let (recurrent, rest) = bytes.split_at(4 * G * H * H);
        let (input, bias) = rest.split_at(4 * G * I * H);
        self.fill(Source::Bytes(recurrent), Source::Bytes(input), Source::Bytes(bias));
    }

    #[inline(always)]
    pub(crate) const fn gates(&self) -> Gates<'_> {
        Gates::new(
            self.recurrent.as_flattened().as_flattened(),
            self.input.as_flattened().as_flattened(),
            self.bias.as_flattened(),
        )
    }
}

/// A dense layer's weights in panel order.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
#[cfg_attr(not(target_os = "none"), repr(align(64)))]
pub(crate) struct KernelPanels<const I: usize, const O: usize> {
    kernel: [[f32; O]; I],
    bias: [f32; O],
}

impl<const I: usize, const O: usize> KernelPanels<I, O> {
    pub(crate) const ZERO: Self = KernelPanels { kernel: [[0.0; O]; I], bias: [0.0; O] };
    pub(crate) const WEIGHTS: usize = I * O + O;

    /// Packs a kernel in the order `[input][output]` and its bias.
    pub(crate) const fn fill(&mut self, kernel: Source<'_>, bias: Source<'_>) {
        pack_dense(self.kernel.as_flattened_mut(), kernel, O);
        pack(&mut self.bias, bias, 1, O);
    }

    /// Packs the bytes of both parts.
    pub(crate) const fn fill_from(&mut self, bytes: &[u8]) {
        let (kernel, bias) = bytes.split_at(4 * I * O);
        self.fill(Source::Bytes(kernel), Source::Bytes(bias));
    }

    #[inline(always)]
    pub(crate) const fn parts(&self) -> (&[f32], &[f32]) {
        (self.kernel.as_flattened(), &self.bias)
    }
}

/// A convolution's weights: the kernel of each group of outputs as a dense layer's, one group behind the other. `GROUP` inputs
/// and `K` time steps are what an output sees.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
#[cfg_attr(not(target_os = "none"), repr(align(64)))]
pub(crate) struct GroupPanels<const GROUP: usize, const O: usize, const K: usize> {
    kernel: [[[f32; O]; GROUP]; K],
    bias: [f32; O],
}

impl<const GROUP: usize, const O: usize, const K: usize> GroupPanels<GROUP, O, K> {
    pub(crate) const ZERO: Self = GroupPanels { kernel: [[[0.0; O]; GROUP]; K], bias: [0.0; O] };
    pub(crate) const WEIGHTS: usize = K * GROUP * O + O;

    /// Packs a kernel in the order `[time step][input of the group][output]` and its bias, for groups of `units` outputs.
    pub(crate) const fn fill(&mut self, kernel: Source<'_>, bias: Source<'_>, units: usize) {
        let mut rest = self.kernel.as_flattened_mut().as_flattened_mut();
        let mut first = 0;
        while first < O {
            let (group, more) = rest.split_at_mut(K * GROUP * units);
            pack_dense_columns(group, kernel, first, units, O);
            rest = more;
            first += units;
        }
        pack(&mut self.bias, bias, 1, O);
    }

    /// Packs the bytes of both parts.
    pub(crate) const fn fill_from(&mut self, bytes: &[u8], units: usize) {
        let (kernel, bias) = bytes.split_at(4 * K * GROUP * O);
        self.fill(Source::Bytes(kernel), Source::Bytes(bias), units);
    }

    #[inline(always)]
    pub(crate) const fn parts(&self) -> (&[f32], &[f32]) {
        (self.kernel.as_flattened().as_flattened(), &self.bias)
    }
}

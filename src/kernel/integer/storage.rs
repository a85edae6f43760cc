//! Packed int8 weights with sizes in the type.

use super::{Gates, Matrix, Rows, Words, pack, pack_rows};

/// A part that kernels read by whole words or vectors: a word's alignment on a microcontroller, a cache line's on hosts.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(target_os = "none", repr(C, align(4)))]
#[cfg_attr(not(target_os = "none"), repr(C, align(64)))]
struct Part<T>(T);

/// A matrix of `K` inputs, `T` times, and `G` gates of `H` units; on x86-64 with the offsets of its rows.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
struct PackedMatrix<const K: usize, const H: usize, const G: usize, const T: usize = 1> {
    weights: Part<[[[[i8; H]; G]; K]; T]>,
    #[cfg(target_arch = "x86_64")]
    offsets: Part<[[i32; H]; G]>,
}

impl<const K: usize, const H: usize, const G: usize, const T: usize> PackedMatrix<K, H, G, T> {
    const ZERO: Self = PackedMatrix {
        weights: Part([[[[0; H]; G]; K]; T]),
        #[cfg(target_arch = "x86_64")]
        offsets: Part([[0; H]; G]),
    };

    const fn fill_from(&mut self, bytes: &[u8]) {
        *self = Self::ZERO;
        #[cfg(target_arch = "x86_64")]
        let offsets = self.offsets.0.as_flattened_mut();
        #[cfg(not(target_arch = "x86_64"))]
        let offsets = &mut [];
        pack(self.weights.0.as_flattened_mut().as_flattened_mut().as_flattened_mut(), offsets, bytes, G, H);
    }

    #[inline(always)]
    const fn matrix(&self) -> Matrix<'_> {
        Matrix {
            weights: self.weights.0.as_flattened().as_flattened().as_flattened(),
            #[cfg(target_arch = "x86_64")]
            offsets: self.offsets.0.as_flattened(),
            #[cfg(not(target_arch = "x86_64"))]
            offsets: &[],
        }
    }
}

/// A recurrent layer's weights in panel order: `G` rows of weights, and `R` of biases and scales, for each unit.
///
/// The nesting of the arrays only gives the size.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Panels<const I: usize, const H: usize, const G: usize, const R: usize> {
    constants: Part<[[[i32; H]; R]; 2]>,
    recurrent: PackedMatrix<H, H, G>,
    input: PackedMatrix<I, H, G>,
}

impl<const I: usize, const H: usize, const G: usize, const R: usize> Panels<I, H, G, R> {
    pub(crate) const ZERO: Self =
        Panels { constants: Part([[[0; H]; R]; 2]), recurrent: PackedMatrix::ZERO, input: PackedMatrix::ZERO };
    /// Bytes, on a microcontroller and in a file.
    pub(crate) const BYTES: usize = 8 * R * H + G * H * (H + I);

    /// Packs the parts: rows `[row][unit]` and matrices `[k][gate][unit]`.
    pub(crate) const fn fill(&mut self, [bias, scale]: [Words<'_>; 2], [recurrent, input]: [&[u8]; 2]) {
        pack_rows(self.constants.0.as_flattened_mut().as_flattened_mut(), [bias, scale], G, H);
        self.recurrent.fill_from(recurrent);
        self.input.fill_from(input);
    }

    /// Packs the bytes of all four parts, which follow each other in that order.
    pub(crate) const fn fill_from(&mut self, bytes: &[u8]) {
        let (bias, rest) = bytes.split_at(4 * R * H);
        let (scale, rest) = rest.split_at(4 * R * H);
        let (recurrent, rest) = rest.split_at(G * H * H);
        let input = rest.split_at(G * H * I).0;
        self.fill([Words::Bytes(bias), Words::Bytes(scale)], [recurrent, input]);
    }

    #[inline(always)]
    pub(crate) const fn gates(&self) -> Gates<'_> {
        Gates {
            recurrent: self.recurrent.matrix(),
            input: self.input.matrix(),
            constants: Rows(self.constants.0.as_flattened().as_flattened()),
        }
    }
}

/// A dense layer's weights in panel order; of a convolution, `T` time steps of `I` inputs.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct KernelPanels<const I: usize, const O: usize, const T: usize = 1> {
    constants: Part<[[i32; O]; 2]>,
    kernel: PackedMatrix<I, O, 1, T>,
}

impl<const I: usize, const O: usize, const T: usize> KernelPanels<I, O, T> {
    pub(crate) const ZERO: Self = KernelPanels { constants: Part([[0; O]; 2]), kernel: PackedMatrix::ZERO };
    /// Bytes, on a microcontroller and in a file.
    pub(crate) const BYTES: usize = 8 * O + T * I * O;

    /// Packs the parts, the kernel `[k][unit]`.
    pub(crate) const fn fill(&mut self, constants: [Words<'_>; 2], kernel: &[u8]) {
        pack_rows(self.constants.0.as_flattened_mut(), constants, 1, O);
        self.kernel.fill_from(kernel);
    }

    /// Packs the bytes of all three parts, which follow each other in that order.
    pub(crate) const fn fill_from(&mut self, bytes: &[u8]) {
        let (bias, rest) = bytes.split_at(4 * O);
        let (scale, rest) = rest.split_at(4 * O);
        self.fill([Words::Bytes(bias), Words::Bytes(scale)], rest.split_at(T * I * O).0);
    }

    #[inline(always)]
    pub(crate) const fn parts(&self) -> (Matrix<'_>, Rows<'_>) {
        (self.kernel.matrix(), Rows(self.constants.0.as_flattened()))
    }
}

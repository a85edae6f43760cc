//! From single precision to int16 numbers and back.

use crate::format::{Embed, FormatError, Kind, Next, ReadInto, Reader, Shape, leaf_layer};
use crate::layer::Layer;
use crate::simd::Backend;

/// The nearest int16 number of so many fraction bits, from -100 to 100; of two as near, the one further from zero. What is beyond
/// the range becomes its end, NaN becomes 0.
///
/// ```
/// assert_eq!(gatelet::quant::quantize(0.25, 15), 8192);
/// assert_eq!(gatelet::quant::quantize(-1e9, 15), -32768);
/// ```
#[must_use]
#[inline]
pub fn quantize(x: f32, fraction_bits: i32) -> i16 {
    let x = x * power_of_two(fraction_bits);
    // A conversion goes toward zero, and saturates.
    let rounded = if x < 0.0 { x - 0.5 } else { x + 0.5 } as i32;
    rounded.clamp(i16::MIN.into(), i16::MAX.into()) as i16
}

/// The number that an int16 number of so many fraction bits stands for.
///
/// ```
/// assert_eq!(gatelet::quant::dequantize(8192, 15), 0.25);
/// ```
#[must_use]
#[inline]
pub fn dequantize(q: i16, fraction_bits: i32) -> f32 {
    f32::from(q) * power_of_two(-fraction_bits)
}

/// 2ⁿ, where no int16 number times it is infinite or subnormal.
const fn power_of_two(n: i32) -> f32 {
    let n = if n < -100 {
        -100
    } else if n > 100 {
        100
    } else {
        n
    };
    f32::from_bits(((n + 127) as u32) << 23)
}

/// The fraction bits of `N` channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub(super) struct FractionBits<const N: usize>([i8; N]);

impl<const N: usize> FractionBits<N> {
    pub(super) const ZERO: Self = FractionBits([0; N]);

    pub(super) const fn new(bits: [i8; N]) -> Self {
        FractionBits(bits)
    }

    pub(super) const fn as_array(&self) -> &[i8; N] {
        &self.0
    }

    pub(super) const fn fill_from(&mut self, bytes: &[u8]) {
        let mut i = 0;
        while i < N {
            self.0[i] = bytes[i] as i8;
            i += 1;
        }
    }
}

/// What every type here has.
macro_rules! of_channels {
    ($name:ident) => {
        impl<const N: usize> $name<N> {
            /// No fraction bits: a place for a model that is read at run time.
            pub const EMPTY: Self = $name { bits: FractionBits::ZERO };

            /// From the fraction bits of each channel.
            #[must_use]
            pub const fn new(fraction_bits: [i8; N]) -> Self {
                $name { bits: FractionBits::new(fraction_bits) }
            }

            /// The fraction bits of each channel.
            #[must_use]
            pub const fn fraction_bits(&self) -> &[i8; N] {
                self.bits.as_array()
            }
        }
    };
}

macro_rules! conversions {
    ($($(#[$doc:meta])* $name:ident: $kind:ident $from:ty => $to:ty, |$x:ident, $bits:ident| $convert:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[repr(C)]
        pub struct $name<const N: usize> {
            bits: FractionBits<N>,
        }

        of_channels!($name);

        impl<const N: usize> $name<N> {
            const SHAPE: Shape = Shape::integer(Kind::$kind, N, N, N);

            const fn fill_from(&mut self, bytes: &[u8]) {
                self.bits.fill_from(bytes);
            }
        }

        impl<const N: usize> Layer for $name<N> {
            type Input = [$from; N];
            type Output = [$to; N];
            type State = ();
            const ZERO_STATE: () = ();
            const FLASH_BYTES: usize = N;
            const STATE_BYTES: usize = 0;

            #[inline(always)]
            fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[$from; N], y: &mut [$to; N]) {
                for ((&$x, &bits), y) in x.iter().zip(&self.bits.0).zip(y) {
                    let $bits = i32::from(bits);
                    *y = $convert;
                }
            }
        }

        leaf_layer!([const N: usize] $name<N>);
    )*};
}

conversions! {
    /// Single precision to the int16 numbers of an integer network, with its fraction bits for each of `N` channels. A device whose
    /// sensors give integers has a [`Fixed`] in its place, and needs no floating point.
    Quantize: Quantize f32 => i16, |x, bits| quantize(x, bits);
    /// An integer network's int16 numbers to single precision.
    Dequantize: Dequantize i16 => f32, |x, bits| dequantize(x, bits);
}

/// In the place of a [`Quantize`] or a [`Dequantize`], where numbers stay int16: what goes in is x 2ᶠ, what comes out y 2ᶠ, with the fraction
/// bits f of each channel.
///
/// ```
/// use gatelet::{Softmax, chain, quant};
/// type Net = chain!(quant::Fixed<12>, quant::Gru<12, 32>, quant::Dense<32, 9, Softmax>, quant::Fixed<9>);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Fixed<const N: usize> {
    bits: FractionBits<N>,
}

of_channels!(Fixed);

impl<const N: usize> Fixed<N> {
    /// The record's bytes, whichever of the two it is.
    const fn expect<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], FormatError> {
        let mut ahead = *reader;
        let kind = match ahead.record() {
            Ok(crate::format::Record { kind: Some(Kind::Dequantize), .. }) => Kind::Dequantize,
            _ => Kind::Quantize,
        };
        Shape::integer(kind, N, N, N).expect(reader)
    }
}

impl<const N: usize> Layer for Fixed<N> {
    type Input = [i16; N];
    type Output = [i16; N];
    type State = ();
    const ZERO_STATE: () = ();
    const FLASH_BYTES: usize = N;
    const STATE_BYTES: usize = 0;

    #[inline(always)]
    fn step_on<B: Backend>(&self, _: B, (): &mut (), x: &[i16; N], y: &mut [i16; N]) {
        *y = *x;
    }
}

impl<C: crate::format::Cursor, const N: usize> Embed<C> for Fixed<N> {
    const VALUE: Self = {
        let mut reader = C::READER;
        match Self::expect(&mut reader) {
            Ok(bytes) => {
                let mut layer = Self::EMPTY;
                layer.bits.fill_from(bytes);
                layer
            }
            Err(error) => error.fail(),
        }
    };
    type Rest = Next<C>;
}

impl<const N: usize> ReadInto for Fixed<N> {
    const EMPTY: Self = Self::EMPTY;

    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError> {
        Self::expect(reader).map(|_| ())
    }

    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError> {
        self.bits.fill_from(Self::expect(reader)?);
        Ok(())
    }
}

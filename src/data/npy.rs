//! The `.npy` format: reading any numeric array, writing an `f32` one.
//!
//! The header is parsed here because `npyz` 0.9 is not safe with a damaged one: it panics or wraps when the shape
//! overflows, its Python parser takes exponential time in nested braces, and it allocates what the header asks for.

use std::io::{self, Write};
use std::path::Path;

use super::DataError;
use super::error::excerpt;

/// An array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Size of every axis, the slowest first.
    pub shape: Vec<usize>,
    /// All values in C order: the last axis is contiguous.
    pub values: Vec<f32>,
}

impl Array {
    /// The index along every axis of the value at a place in `values`.
    pub(super) fn position(&self, mut at: usize) -> Vec<usize> {
        let mut position = vec![0; self.shape.len()];
        for (index, &axis) in position.iter_mut().zip(&self.shape).rev() {
            *index = at % axis.max(1);
            at /= axis.max(1);
        }
        position
    }
}

/// Reads a `.npy` file of integers (1 to 8 bytes) or floats (2, 4 or 8 bytes) of either byte order, in C or Fortran order.
///
/// Integers beyond 2^24 and doubles are rounded to the nearest `f32`; NaN and infinity are kept.
///
/// # Errors
/// If the file cannot be read, is no `.npy` file, holds something else than numbers, or is shorter or longer than its
/// header says.
pub fn read_npy(path: &Path) -> Result<Array, DataError> {
    let bytes = std::fs::read(path).map_err(|cause| DataError::Open { path: path.into(), cause })?;
    parse(&bytes).map_err(|problem| DataError::Npy { path: path.into(), problem })
}

/// Writes an array in C order as `<f4`. The file appears complete or not at all.
///
/// # Errors
/// If `shape` does not multiply to the number of values or the file cannot be written.
pub fn write_npy(path: &Path, shape: &[usize], values: &[f32]) -> Result<(), DataError> {
    if size(shape) != Some(values.len()) {
        let problem = format!("{} values cannot have the shape {shape:?}; expected the product of it", values.len());
        return Err(DataError::Npy { path: path.into(), problem });
    }
    crate::atomic::replace(path, |file| write(file, shape, values))
        .map_err(|cause| DataError::Write { path: path.into(), cause })
}

fn write(file: &mut dyn Write, shape: &[usize], values: &[f32]) -> io::Result<()> {
    let axes = match shape {
        [axis] => format!("{axis},"),
        axes => axes.iter().map(usize::to_string).collect::<Vec<_>>().join(", "),
    };
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({axes}), }}");
    // Blanks and a newline make the data start at a multiple of 64 bytes.
    let header = format!("{header:width$}\n", width = (PREFIX + header.len() + 1).next_multiple_of(64) - PREFIX - 1);
    let length = u16::try_from(header.len()).map_err(|_| io::Error::other("the shape has too many axes"))?;
    file.write_all(b"\x93NUMPY\x01\x00")?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for value in values {
        file.write_all(&value.to_le_bytes())?;
    }
    Ok(())
}

/// Bytes before the header's text in version 1.
const PREFIX: usize = 10;

fn parse(bytes: &[u8]) -> Result<Array, String> {
    let (header, data) = split_header(bytes).ok_or("this is no .npy file, or its header is cut off; save it again")?;
    let header = Header::parse(header)?;
    let Header { shape, dtype, .. } = &header;
    // The file's length bounds what is allocated below.
    let count = size(shape).filter(|count| count.checked_mul(dtype.bytes) == Some(data.len())).ok_or_else(|| {
        format!(
            "the header says {shape:?} values of {} bytes, but {} bytes follow; the file is cut off or damaged, save it again",
            dtype.bytes,
            data.len()
        )
    })?;
    let mut values = Vec::with_capacity(count);
    values.extend(data.chunks_exact(dtype.bytes).map(|item| dtype.decode(item)));
    if header.fortran_order {
        values = to_c_order(shape, &values);
    }
    Ok(Array { shape: header.shape, values })
}

/// The text of the header and the bytes of the data.
fn split_header(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (version, rest) = bytes.strip_prefix(b"\x93NUMPY")?.split_first_chunk::<2>()?;
    let (length, rest) = match version {
        [1, 0] => rest.split_first_chunk().map(|(length, rest)| (u16::from_le_bytes(*length).into(), rest))?,
        [2 | 3, 0] => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length), rest))?,
        _ => return None,
    };
    let (header, data) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((str::from_utf8(header).ok()?, data))
}

/// Product of the axes; `None` if it overflows, even where one axis is 0.
fn size(shape: &[usize]) -> Option<usize> {
    let product = shape.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis.max(1)))?;
    Some(if shape.contains(&0) { 0 } else { product })
}

struct Header {
    dtype: DType,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Parses `{'descr': '<i2', 'fortran_order': True, 'shape': (244102, 6), }`.
    fn parse(text: &str) -> Result<Self, String> {
        let value = |key: &str| {
            let (_, rest) = text.split_once(&format!("'{key}'"))?;
            Some(rest.trim_start().strip_prefix(':')?.trim_start())
        };
        let damaged = |key| format!("the header's `{key}` is missing or damaged; save the file again");
        let descr = value("descr").ok_or_else(|| damaged("descr"))?;
        let dtype = DType::parse(descr).ok_or_else(|| {
            let end = descr.find("'fortran_order'").unwrap_or(descr.len());
            format!(
                "the values are of the type {}; expected integers or floats, save the array as float32",
                excerpt(descr.get(..end).unwrap_or_default().trim_end().trim_end_matches(','))
            )
        })?;
        let order = value("fortran_order").ok_or_else(|| damaged("fortran_order"))?;
        let fortran_order = match (order.starts_with("True"), order.starts_with("False")) {
            (true, _) => true,
            (_, true) => false,
            _ => return Err(damaged("fortran_order")),
        };
        let shape = value("shape").and_then(|shape| shape.strip_prefix('(')?.split_once(')'));
        let (axes, _) = shape.ok_or_else(|| damaged("shape"))?;
        // A single axis is written `(3,)`.
        let axes = axes.trim().trim_end_matches(',').split(',').map(str::trim);
        let shape = axes.filter(|axis| !axis.is_empty()).map(str::parse).collect::<Result<_, _>>();
        Ok(Self { dtype, fortran_order, shape: shape.map_err(|_| damaged("shape"))? })
    }
}

/// A numeric type: `<i2` is a little-endian signed integer of two bytes.
struct DType {
    kind: Kind,
    bytes: usize,
    big_endian: bool,
}

#[derive(Clone, Copy)]
enum Kind {
    Signed,
    Unsigned,
    Float,
}

impl DType {
    fn parse(descr: &str) -> Option<Self> {
        let (descr, _) = descr.strip_prefix('\'')?.split_once('\'')?;
        let mut letters = descr.chars();
        let order = letters.next()?;
        let kind = letters.next()?;
        let bytes = letters.as_str().parse().ok()?;
        let kind = match (kind, bytes) {
            ('i', 1 | 2 | 4 | 8) => Kind::Signed,
            ('u', 1 | 2 | 4 | 8) => Kind::Unsigned,
            ('f', 2 | 4 | 8) => Kind::Float,
            _ => return None,
        };
        let big_endian = match order {
            '>' => true,
            '<' => false,
            '|' if bytes == 1 => false,
            _ => return None,
        };
        Some(Self { kind, bytes, big_endian })
    }

    /// The value of an item of `self.bytes` bytes.
    fn decode(&self, item: &[u8]) -> f32 {
        // Little-endian, extended by zeros to eight bytes.
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(item).for_each(|(to, from)| *to = *from);
        if self.big_endian {
            bytes[..self.bytes].reverse();
        }
        let bits = u64::from_le_bytes(bytes);
        let unused = 64 - 8 * self.bytes as u32;
        match (self.kind, self.bytes) {
            (Kind::Unsigned, _) => bits as f32,
            // Shifted up and down again, which extends the sign.
            (Kind::Signed, _) => ((bits << unused) as i64 >> unused) as f32,
            (Kind::Float, 2) => half(bits as u16),
            (Kind::Float, 4) => f32::from_bits(bits as u32),
            (Kind::Float, _) => f64::from_bits(bits) as f32,
        }
    }
}

/// The value of an IEEE 754 half-precision number.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = u32::from(bits >> 10 & 31);
    let mantissa = bits & 1023;
    sign * match exponent {
        // Subnormal: the mantissa counts units of 2^-24.
        0 => f32::from(mantissa) / 16_777_216.0,
        31 if mantissa == 0 => f32::INFINITY,
        31 => f32::NAN,
        // The exponent's bias is 15 there and 127 here, the mantissa has 10 bits there and 23 here.
        _ => f32::from_bits((exponent + 127 - 15) << 23 | u32::from(mantissa) << 13),
    }
}

/// Moves the contiguous axis from the first to the last.
fn to_c_order(shape: &[usize], values: &[f32]) -> Vec<f32> {
    let place = |at: usize| {
        let (mut rest, mut stride, mut place) = (at, values.len(), 0);
        for &axis in shape.iter().rev() {
            stride /= axis;
            place += rest % axis * stride;
            rest /= axis;
        }
        place
    };
    (0..values.len()).map(|at| values[place(at)]).collect()
}

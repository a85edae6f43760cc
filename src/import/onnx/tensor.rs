//! The file's constants.

use super::proto::TensorProto;
use super::{MOST_AXES, damaged, unsupported};
use crate::import::tensors::finite;
use crate::import::{Entry, ImportError};

const FLOAT: i32 = 1;
const DOUBLE: i32 = 11;

/// Whether numbers of this type are computed with.
pub(super) fn is_float(data_type: i32) -> bool {
    matches!(data_type, FLOAT | DOUBLE)
}

/// Floating-point numbers.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// What a tensor of the file holds.
pub(super) enum Content {
    Floats(Tensor),
    Integers(Vec<usize>, Vec<i64>),
}

/// The type's name, as the specification has it.
fn type_name(data_type: i32) -> String {
    const NAMES: [&str; 17] = [
        "undefined",
        "float",
        "uint8",
        "int8",
        "uint16",
        "int16",
        "int32",
        "int64",
        "string",
        "bool",
        "float16",
        "double",
        "uint32",
        "uint64",
        "complex64",
        "complex128",
        "bfloat16",
    ];
    let name = usize::try_from(data_type).ok().and_then(|index| NAMES.get(index));
    name.map_or_else(|| format!("type {data_type}"), |&name| name.to_owned())
}

/// The shape, which is also that of so many numbers.
fn shape(name: &str, tensor: &TensorProto) -> Result<(Vec<usize>, usize), ImportError> {
    let sizes = tensor.dims.iter().map(|&size| usize::try_from(size).ok());
    let shape: Option<Vec<usize>> = sizes.collect();
    let count = shape.as_ref().and_then(|shape| shape.iter().try_fold(1, |product: usize, &n| product.checked_mul(n)));
    match (shape, count) {
        (Some(shape), Some(count)) if shape.len() <= MOST_AXES => Ok((shape, count)),
        _ => Err(damaged(format!("tensor `{name}` has the shape {:?}", tensor.dims))),
    }
}

pub(super) fn entry(tensor: &TensorProto) -> Result<Entry, ImportError> {
    let (shape, _) = shape(&tensor.name, tensor)?;
    Ok(Entry { name: tensor.name.clone(), shape, data_type: type_name(tensor.data_type) })
}

/// The numbers: bytes, or a list of its own for each type.
fn numbers<T: Copy, const N: usize>(
    name: &str,
    (shape, count): (&[usize], usize),
    raw: &[u8],
    from_bytes: fn([u8; N]) -> T,
    list: &[T],
) -> Result<Vec<T>, ImportError> {
    let has = |found: usize, what| {
        Err(damaged(format!("tensor `{name}` {shape:?} has {found} {what} for {count} numbers of {N} bytes")))
    };
    match (raw.len(), list.len()) {
        (0, found) if found == count => Ok(list.to_vec()),
        (0, found) => has(found, "numbers"),
        (found, 0) if Some(found) == count.checked_mul(N) => {
            Ok(raw.as_chunks().0.iter().map(|&bytes| from_bytes(bytes)).collect())
        }
        (found, 0) => has(found, "bytes"),
        _ => Err(damaged(format!("tensor `{name}` has its numbers twice"))),
    }
}

/// Reads a tensor that has this name in messages.
pub(super) fn read(name: &str, tensor: &TensorProto) -> Result<Content, ImportError> {
    if tensor.data_location != 0 || !tensor.external_data.is_empty() {
        let advice = "its numbers are in another file; save the model as one (`onnx.save(onnx.load(\"model.onnx\"), \
                      \"whole.onnx\", save_as_external_data=False)`)";
        return unsupported(format!("tensor `{name}`"), advice);
    }
    if tensor.segment.is_some() {
        return unsupported(format!("tensor `{name}`"), "it is a segment of a larger one");
    }
    let (shape, count) = shape(name, tensor)?;
    let (size, raw) = ((&*shape, count), &*tensor.raw_data);
    let floats = match tensor.data_type {
        FLOAT => {
            let values = numbers(name, size, raw, f32::from_le_bytes, &tensor.float_data)?;
            values.into_iter().map(f64::from).collect()
        }
        DOUBLE => numbers(name, size, raw, f64::from_le_bytes, &tensor.double_data)?,
        6 => {
            let values = numbers(name, size, raw, i32::from_le_bytes, &tensor.int32_data)?;
            return Ok(Content::Integers(shape, values.into_iter().map(i64::from).collect()));
        }
        7 => {
            let values = numbers(name, size, raw, i64::from_le_bytes, &tensor.int64_data)?;
            return Ok(Content::Integers(shape, values));
        }
        9 => {
            let values = numbers(name, size, raw, |[byte]| i32::from(byte), &tensor.int32_data)?;
            return Ok(Content::Integers(shape, values.into_iter().map(i64::from).collect()));
        }
        other => return Err(ImportError::DataType { name: name.to_owned(), data_type: type_name(other) }),
    };
    let values = finite(name, &floats)?;
    Ok(Content::Floats(Tensor { shape, values }))
}

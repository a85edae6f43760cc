//! Text files and the numbers in them.

use std::path::Path;

use super::{DataError, Missing, Place};

/// The whole file as text, without a byte order mark.
pub(super) fn read_text(path: &Path) -> Result<String, DataError> {
    let bytes = std::fs::read(path).map_err(|cause| DataError::Open { path: path.into(), cause })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        DataError::Encoding { path: path.into(), line: 1 + valid.filter(|&&b| b == b'\n').count() }
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// A finite number; `place` is asked for only if it is none.
pub(super) fn number(text: &str, place: impl FnOnce() -> Place) -> Result<f32, DataError> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(DataError::NotFinite { place: place(), text: text.into() }),
        Err(_) => Err(DataError::NotANumber { place: place(), text: text.into() }),
    }
}

/// What stands for a cell: its value, the one before it, or nothing, which drops the row.
pub(super) fn fill<T>(
    value: Option<T>,
    previous: Option<T>,
    missing: Missing,
    place: impl FnOnce() -> Place,
) -> Result<Option<T>, DataError> {
    match (value, missing) {
        (Some(value), _) => Ok(Some(value)),
        (None, Missing::Error) => Err(DataError::Missing { place: place() }),
        (None, Missing::Previous) => Ok(previous),
        (None, Missing::Drop) => Ok(None),
    }
}

//! Finding columns and channels by name.

use std::path::Path;

use super::DataError;

/// `x0`, `x1`, …
pub(super) fn channel_names(count: usize) -> Vec<String> {
    (0..count).map(|channel| format!("x{channel}")).collect()
}

/// The column of that name.
pub(super) fn column(path: &Path, columns: &[String], name: &str) -> Result<usize, DataError> {
    columns.iter().position(|column| column == name).ok_or_else(|| unknown(path, columns, name))
}

/// The channel named `x3` or `3`.
pub(super) fn channel(path: &Path, channels: &[String], name: &str) -> Result<usize, DataError> {
    name.strip_prefix('x')
        .unwrap_or(name)
        .parse()
        .ok()
        .filter(|&channel| channel < channels.len())
        .ok_or_else(|| unknown(path, channels, name))
}

/// The named channels, or all if none is named.
pub(super) fn select_channels(path: &Path, channels: &[String], names: &[String]) -> Result<Vec<usize>, DataError> {
    match names {
        [] if channels.is_empty() => Err(DataError::NoFeatures { path: path.into() }),
        [] => Ok((0..channels.len()).collect()),
        names => names.iter().map(|name| channel(path, channels, name)).collect(),
    }
}

fn unknown(path: &Path, columns: &[String], name: &str) -> DataError {
    DataError::UnknownColumn { path: path.into(), name: name.into(), known: columns.to_vec() }
}

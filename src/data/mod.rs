//! Data for training and evaluation: series of feature vectors with targets, read from files or made in memory.
//!
//! | file | what it holds | labels and targets |
//! |---|---|---|
//! | `.ts` | one series per line, channels separated by `:` (the UCR/UEA archive's format) | last field of the line |
//! | `.csv` | one time step per row, a header line with the columns' names | columns named by [`Options::label`] or [`Options::target`] |
//! | `.npy`, 2-D | (rows, features), cut into series by [`Options::index`] | columns of the index, or channels as targets |
//! | `.npy`, 3-D | (series, time, features) | [`Options::labels`], or channels as targets |
//!
//! [`read`] makes a [`Dataset`]; [`Options`] says which columns mean what and how recordings are cut into windows.
//! Nothing in a file is skipped silently: what cannot be used is a [`DataError`] that says where it is.
//!
//! ```
//! use gatelet::data::{Dataset, Options, Series, Targets, read};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In memory: two series of one channel each.
//! let rising = Series::new("rising", 1, vec![0.0, 1.0, 2.0])?.with_class(0);
//! let falling = Series::new("falling", 1, vec![2.0, 1.0])?.with_class(1);
//! let classes = Targets::Classes(vec!["up".into(), "down".into()]);
//! let dataset = Dataset::new(vec!["height".into()], classes, vec![rising, falling])?;
//! assert_eq!(dataset.series[1].last_class(), Some(1));
//!
//! // From a file: three hours of temperature at a time, to forecast the next hour's.
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("weather.csv");
//! std::fs::write(&path, "hour,temp\n0,10.5\n1,10.0\n2,9.5\n3,9.0\n4,9.5\n")?;
//! let options = Options {
//!     features: vec!["temp".into()],
//!     target: vec!["temp".into()],
//!     window: Some(3),
//!     horizon: 1,
//!     ..Options::default()
//! };
//! let dataset = read(&path, &options)?;
//! assert_eq!(dataset.series.len(), 2);
//! assert_eq!(dataset.series[0].inputs(), [10.5, 10.0, 9.5]);
//! assert_eq!(dataset.series[0].last_values(), Some(&[9.0][..]));
//! # Ok(())
//! # }
//! ```

mod array;
mod columns;
mod csv;
mod dataset;
mod error;
mod labels;
mod npy;
mod options;
mod recording;
mod segments;
mod series;
mod split;
mod table;
mod text;
mod ts;
mod ts_header;

use std::path::Path;

pub use dataset::{Dataset, Targets};
pub use error::{DataError, Place};
pub use npy::{Array, read_npy, write_npy};
pub use options::{Missing, Options};
pub use series::Series;

/// Reads a data set with the targets that `options` (or a `.ts` file's header) names.
///
/// With neither [`Options::label`] nor [`Options::target`], and for a `.ts` file without labels, the targets are
/// [`Targets::None`].
///
/// # Errors
/// Whatever is wrong with the options, the file or a value in it, with file, line and column.
pub fn read(path: &Path, options: &Options) -> Result<Dataset, DataError> {
    read_with(path, options, true)
}

/// Reads a data set's inputs only, as prediction needs them.
///
/// The same options as in training may be given: label and target columns stay out of the features but need not exist,
/// and [`Options::horizon`] is not applied, so the last rows of a recording are kept.
///
/// # Errors
/// As [`read`].
pub fn read_inputs(path: &Path, options: &Options) -> Result<Dataset, DataError> {
    read_with(path, options, false)
}

fn read_with(path: &Path, options: &Options, with_targets: bool) -> Result<Dataset, DataError> {
    options.check()?;
    let extension = path.extension().map(|e| e.to_ascii_lowercase());
    match extension.as_ref().and_then(|e| e.to_str()) {
        Some("ts") => ts::read(path, options, with_targets),
        Some("csv") => csv::read(path, options, with_targets),
        Some("npy") => array::read(path, options, with_targets),
        _ => Err(DataError::Extension { path: path.into() }),
    }
}

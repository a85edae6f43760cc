//! What can be wrong with data, said so that the reader of the message can repair it.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A cell of a text file, displayed as `data.csv:13: column 2 "temp"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was given.
    pub path: PathBuf,
    /// Line of the file, from 1; comments and the header count.
    pub line: usize,
    /// Number (from 1) and name of the column, or channel and value of a `.ts` line.
    pub column: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.column)
    }
}

/// Why data cannot be used. Every message says what is wrong, where, what was expected, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the words of the message")]
pub enum DataError {
    /// A file cannot be read.
    #[error("cannot read {}: {cause}; check the path and its permissions", path.display())]
    Open { path: PathBuf, cause: io::Error },
    /// A file cannot be written.
    #[error("cannot write {}: {cause}; check that the folder exists and can be written to", path.display())]
    Write { path: PathBuf, cause: io::Error },
    /// The file's extension names no format.
    #[error("cannot tell the format of {} by its extension; expected .ts, .csv or .npy", path.display())]
    Extension { path: PathBuf },
    /// An option contradicts another, or has no meaning for this file.
    #[error("option `{option}`: {problem}")]
    Option { option: &'static str, problem: String },

    /// A text file is not text.
    #[error("{}:{line}: this is not UTF-8 text; save the file as UTF-8", path.display())]
    Encoding { path: PathBuf, line: usize },
    /// A file without data.
    #[error("{} holds no data; expected {expected}", path.display())]
    Empty { path: PathBuf, expected: &'static str },
    /// A CSV file that begins with numbers.
    #[error(
        "{}:{line}: expected a header line with the columns' names, found only numbers; write the names above them",
        path.display()
    )]
    NoHeader { path: PathBuf, line: usize },
    /// Two columns of one name.
    #[error("{}:{line}: two columns are named `{name}`; rename one of them", path.display())]
    DuplicateColumn { path: PathBuf, line: usize, name: String },
    /// A name that is no column of the file.
    #[error("{} has no column `{name}`; it has {}", path.display(), list(known))]
    UnknownColumn { path: PathBuf, name: String, known: Vec<String> },
    /// No column is left to be a feature.
    #[error("{} has no column left for the inputs; name the inputs with --features", path.display())]
    NoFeatures { path: PathBuf },
    /// A CSV row with too few or too many fields.
    #[error("{}:{line}: expected {expected} fields as in the header, found {found}; check the commas and quotes", path.display())]
    FieldCount { path: PathBuf, line: usize, found: usize, expected: usize },
    /// Text where a number should be.
    #[error(
        "{place}: expected a number, found `{}`; correct it, or name the inputs with --features if this is none",
        excerpt(text)
    )]
    NotANumber { place: Place, text: String },
    /// NaN, infinity, or a number too large for `f32`.
    #[error(
        "{place}: expected a finite number that fits in an f32, found `{}`; correct it or mark it as missing",
        excerpt(text)
    )]
    NotFinite { place: Place, text: String },
    /// A missing cell, while `missing` is `Missing::Error`.
    #[error(
        "{place}: the value is missing; fill it in, or use --missing previous to repeat the value before it, \
         or --missing drop to leave out the row"
    )]
    Missing { place: Place },
    /// An empty cell where nothing can stand in for it: a name, or a value of an index.
    #[error("{place}: the cell is empty, but every row needs its {role} here; fill it in or remove the row")]
    Blank { place: Place, role: &'static str },
    /// Text where a row number or a number of rows should be.
    #[error("{place}: expected a whole number of rows, found `{}`; correct it", excerpt(text))]
    NotACount { place: Place, text: String },

    /// A `.ts` file's header.
    #[error("{}:{line}: {problem}", path.display())]
    TsHeader { path: PathBuf, line: usize, problem: String },
    /// A `.ts` line with too few or too many channels.
    #[error(
        "{}:{line}: expected {expected} channels separated by `:`{}, found {found}; correct the line or @dimensions",
        path.display(),
        if *labelled { " before the label" } else { "" }
    )]
    Channels { path: PathBuf, line: usize, found: usize, expected: usize, labelled: bool },
    /// Channels of one `.ts` line with different numbers of values.
    #[error(
        "{}:{line}: channel x{channel} has {found} values but channel x0 has {expected}; all channels of a series \
         need one value per time step",
        path.display()
    )]
    ChannelLength { path: PathBuf, line: usize, channel: usize, found: usize, expected: usize },
    /// A channel without values.
    #[error("{}:{line}: channel x{channel} has no values; a series has at least one time step, remove the line", path.display())]
    EmptySeries { path: PathBuf, line: usize, channel: usize },
    /// A label that the `.ts` header does not list.
    #[error(
        "{}:{line}: the label `{}` is not in the header; @classLabel lists {}",
        path.display(),
        excerpt(label),
        list(known)
    )]
    UnknownLabel { path: PathBuf, line: usize, label: String, known: Vec<String> },

    /// A `.npy` file that is damaged or holds something else than numbers.
    #[error("{}: {problem}", path.display())]
    Npy { path: PathBuf, problem: String },
    /// An array of another shape than needed.
    #[error("{}: the array has the shape {shape:?}, expected {expected}", path.display())]
    Shape { path: PathBuf, shape: Vec<usize>, expected: String },
    /// A value of an array that is NaN, infinite or beyond `f32`, or no class number.
    #[error("{}: the value at {at:?} is {value}, expected {expected}; correct the array", path.display())]
    ArrayValue { path: PathBuf, at: Vec<usize>, value: f32, expected: &'static str },
    /// A labels file for another number of series.
    #[error(
        "{} has labels for {found} series but the array has {expected} series; expected one row per series, in the \
         same order",
        path.display()
    )]
    LabelCount { path: PathBuf, found: usize, expected: usize },
    /// A series of an index that is not inside the array.
    #[error(
        "{}:{line}: the series takes rows {start}..{} but the array has {available} rows; \
         expected at least one row, all of them inside the array",
        path.display(),
        start.saturating_add(*rows)
    )]
    IndexRange { path: PathBuf, line: usize, start: usize, rows: usize, available: usize },
    /// Two series of an index that share rows.
    #[error("{}:{line}: the series shares rows with the one of line {other}; give every row of the array to one series", path.display())]
    IndexOverlap { path: PathBuf, line: usize, other: usize },

    /// Every series is shorter than one window.
    #[error(
        "{}: no series is long enough; the longest has {longest} rows after dropping and decimating, expected {window} \
         for the window and {horizon} for the horizon; use a shorter --window or --horizon",
        path.display()
    )]
    NoWindow { path: PathBuf, longest: usize, window: usize, horizon: usize },

    /// A series that does not fit its data set, or itself.
    #[error("series `{name}`: {problem}")]
    Series { name: String, problem: String },
    /// A class label that training did not know.
    #[error(
        "series `{series}` has the label `{}`, which the model was not trained on; it knows {}",
        excerpt(label),
        list(known)
    )]
    NewLabel { label: String, series: String, known: Vec<String> },
    /// Class labels are needed, but the data set has none.
    #[error("the data have no class labels; name their column with --label")]
    NoClasses,
    /// A group that no series belongs to.
    #[error("no series belongs to the group `{}`; the groups are {}", excerpt(group), list(known))]
    UnknownGroup { group: String, known: Vec<String> },
    /// Groups are needed, but the data set has none.
    #[error("the series belong to no groups; name the column of their group with --group")]
    NoGroups,
    /// A part to split off that is not between nothing and everything.
    #[error("cannot split off the fraction {fraction}; expected a number above 0 and below 1")]
    Fraction { fraction: f64 },
    /// A split that leaves one side empty.
    #[error(
        "the split takes {chosen} of {} series and leaves {rest}; expected at least one on either side, \
         choose another split",
        chosen + rest
    )]
    EmptySide { rest: usize, chosen: usize },
    /// Nothing to train on.
    #[error("the data have no series to train on")]
    NoSeries,
    /// Nothing to train for.
    #[error("the data have no targets to train for; name a class column with --label or value columns with --target")]
    NoTargets,
    /// Nothing to tell apart.
    #[error("all series are of the class `{}`; training needs at least two classes in the data", excerpt(label))]
    OneClass { label: String },
}

/// The beginning of a text from a file, short enough for a message.
pub(super) fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut excerpt = String::new();
    for letter in text.chars().take(LONGEST) {
        match letter.is_control() {
            true => excerpt.extend(letter.escape_default()),
            false => excerpt.push(letter),
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        excerpt.push('…');
    }
    excerpt
}

/// Names for a message: all of a few, the first of many.
pub(super) fn list(names: &[String]) -> String {
    const MOST: usize = 20;
    let mut text = names.iter().take(MOST).map(|name| format!("`{}`", excerpt(name))).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text += &format!(" and {} more", names.len() - MOST);
    }
    text
}

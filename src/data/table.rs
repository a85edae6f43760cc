//! A CSV file as rows of named cells, with places for error messages.

use std::collections::HashSet;
use std::path::Path;

use ::csv::{Reader, ReaderBuilder, StringRecord, Trim};

use super::text::number;
use super::{DataError, Place};

/// Reads a CSV file with a header row by row.
pub(super) struct Table<'a> {
    path: &'a Path,
    text: &'a str,
    reader: Reader<&'a [u8]>,
    columns: Vec<String>,
    record: StringRecord,
}

/// One row, with as many cells as the header.
pub(super) struct Row<'a> {
    path: &'a Path,
    columns: &'a [String],
    record: &'a StringRecord,
    pub line: usize,
}

impl<'a> Table<'a> {
    /// Reads the header of the file, whose `text` was read from `path`.
    pub(super) fn new(path: &'a Path, text: &'a str) -> Result<Self, DataError> {
        // Flexible, because our message for a wrong number of fields is better.
        let reader =
            ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
        let mut table = Self { path, text, reader, columns: Vec::new(), record: StringRecord::new() };
        let Some(line) = table.read_record()? else {
            return Err(DataError::Empty { path: path.into(), expected: "a header line and rows below it" });
        };
        table.columns = table.record.iter().map(String::from).collect();
        if table.columns.iter().all(|name| is_missing(name) || name.parse::<f64>().is_ok()) {
            return Err(DataError::NoHeader { path: path.into(), line });
        }
        let mut seen = HashSet::new();
        if let Some(name) = table.columns.iter().find(|name| !seen.insert(*name)) {
            return Err(DataError::DuplicateColumn { path: path.into(), line, name: name.clone() });
        }
        Ok(table)
    }

    /// The columns' names.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The column of that name.
    pub(super) fn column(&self, name: &str) -> Result<usize, DataError> {
        super::columns::column(self.path, &self.columns, name)
    }

    /// The column that an option names, if it names one.
    pub(super) fn optional_column(&self, name: Option<&String>) -> Result<Option<usize>, DataError> {
        name.map(|name| self.column(name)).transpose()
    }

    /// The next row, or `None` at the end.
    pub(super) fn next_row(&mut self) -> Result<Option<Row<'_>>, DataError> {
        let Some(line) = self.read_record()? else { return Ok(None) };
        let (found, expected) = (self.record.len(), self.columns.len());
        if found != expected {
            return Err(DataError::FieldCount { path: self.path.into(), line, found, expected });
        }
        Ok(Some(Row { path: self.path, columns: &self.columns, record: &self.record, line }))
    }

    /// Reads a record and returns its line.
    fn read_record(&mut self) -> Result<Option<usize>, DataError> {
        let start = self.reader.position().clone();
        let more = self.reader.read_record(&mut self.record);
        if !more.map_err(|error| DataError::Open { path: self.path.into(), cause: error.into() })? {
            return Ok(None);
        }
        // The reader's position is before the empty lines it skips.
        let skipped = usize::try_from(start.byte()).ok().and_then(|byte| self.text.get(byte..)).unwrap_or_default();
        let empty_lines = skipped.bytes().take_while(|b| matches!(b, b'\r' | b'\n')).filter(|&b| b == b'\n').count();
        Ok(Some(usize::try_from(start.line()).unwrap_or(usize::MAX).saturating_add(empty_lines)))
    }
}

impl Row<'_> {
    /// Where the cell of a column is.
    pub(super) fn place(&self, column: usize) -> Place {
        let name = self.columns.get(column).map_or("", String::as_str);
        Place { path: self.path.into(), line: self.line, column: format!("column {} \"{name}\"", column + 1) }
    }

    /// A name; it must not be empty.
    pub(super) fn name(&self, column: usize, role: &'static str) -> Result<&str, DataError> {
        match self.text(column) {
            "" => Err(self.blank(column, role)),
            name => Ok(name),
        }
    }

    /// The error for an empty cell where nothing can stand in.
    pub(super) fn blank(&self, column: usize, role: &'static str) -> DataError {
        DataError::Blank { place: self.place(column), role }
    }

    /// A class label, or `None` if it is missing.
    pub(super) fn label(&self, column: usize) -> Option<&str> {
        Some(self.text(column)).filter(|text| !is_missing(text))
    }

    /// A finite number, or `None` if it is missing.
    pub(super) fn number(&self, column: usize) -> Result<Option<f32>, DataError> {
        match self.text(column) {
            text if is_missing(text) => Ok(None),
            text => number(text, || self.place(column)).map(Some),
        }
    }

    /// A whole number of rows.
    pub(super) fn count(&self, column: usize) -> Result<usize, DataError> {
        let text = self.text(column);
        text.parse().map_err(|_| DataError::NotACount { place: self.place(column), text: text.into() })
    }

    fn text(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }
}

fn is_missing(text: &str) -> bool {
    matches!(text, "" | "NA")
}

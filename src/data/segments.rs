//! The series of an array, and what an index or a labels file says about them.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::columns::channel;
use super::labels::Labels;
use super::options::refuse;
use super::series::Target;
use super::table::{Row, Table};
use super::text::read_text;
use super::{DataError, Options, Targets, read_npy};

/// One series of an array.
pub(super) struct Segment {
    pub name: Arc<str>,
    pub group: Option<Arc<str>>,
    /// Its rows in the array, seen as (rows, features).
    pub rows: Range<usize>,
    pub target: Target,
}

impl Segment {
    pub(super) fn new(name: &str, rows: Range<usize>) -> Self {
        Self { name: name.into(), group: None, rows, target: Target::None }
    }

    /// A series of a 3-D array of so many steps.
    pub(super) fn of_batch(series: usize, steps: usize) -> Self {
        let start = series.saturating_mul(steps);
        Self::new(&series.to_string(), start..start.saturating_add(steps))
    }
}

/// The meaning of the targets, and the series in their order.
pub(super) type Segments = (Targets, Vec<Segment>);

/// Refuses options that name columns, where there is no table to have them.
pub(super) fn refuse_columns(options: &Options, reason: &str) -> Result<(), DataError> {
    let set =
        [("label", options.label.is_some()), ("series", options.series.is_some()), ("group", options.group.is_some())];
    refuse(&set, reason)
}

/// Reads the index of an array of so many rows.
pub(super) fn read_index(
    path: &Path,
    array_rows: usize,
    channels: &[String],
    options: &Options,
) -> Result<Segments, DataError> {
    let text = read_text(path)?;
    let table = Table::new(path, &text)?;
    let (start_column, rows_column) = (table.column("row_start")?, table.column("rows")?);
    let mut lines = Vec::new();
    let segments = read_table(table, path, channels, options, |series, row| {
        let (start, rows) = (row.count(start_column)?, row.count(rows_column)?);
        match start.checked_add(rows) {
            Some(end) if rows > 0 && end <= array_rows => {
                lines.push(row.line);
                Ok(Segment::new(&series.to_string(), start..end))
            }
            _ => {
                let (path, line, available) = (path.into(), row.line, array_rows);
                Err(DataError::IndexRange { path, line, start, rows, available })
            }
        }
    })?;
    check_overlap(path, &segments.1, &lines)?;
    Ok(segments)
}

/// Reads the labels of an array of so many series: a CSV file or another array.
pub(super) fn read_labels(
    path: &Path,
    series: usize,
    steps: usize,
    channels: &[String],
    options: &Options,
) -> Result<Segments, DataError> {
    let extension = path.extension().map(|e| e.to_ascii_lowercase());
    match extension.as_ref().and_then(|e| e.to_str()) {
        Some("csv") => {
            let columns = [&options.label, &options.series, &options.group];
            if columns.iter().all(|column| column.is_none()) && options.target.is_empty() {
                let problem = "no column of the CSV file is asked for; name one with `label` or `target`".into();
                return Err(DataError::Option { option: "labels", problem });
            }
            let text = read_text(path)?;
            let table = Table::new(path, &text)?;
            let segments = read_table(table, path, channels, options, |at, _| Ok(Segment::of_batch(at, steps)))?;
            match segments.1.len() {
                found if found == series => Ok(segments),
                found => Err(DataError::LabelCount { path: path.into(), found, expected: series }),
            }
        }
        Some("npy") => {
            let reason = "`labels` is a .npy file, which has no columns; leave the option out";
            refuse_columns(options, reason)?;
            refuse(&[("target", !options.target.is_empty())], reason)?;
            read_label_array(path, series, steps)
        }
        _ => Err(DataError::Option { option: "labels", problem: "expected a .csv or .npy file".into() }),
    }
}

/// Reads one row per series; `segment` makes the series of a number and its row.
fn read_table(
    mut table: Table<'_>,
    path: &Path,
    channels: &[String],
    options: &Options,
    mut segment: impl FnMut(usize, &Row<'_>) -> Result<Segment, DataError>,
) -> Result<Segments, DataError> {
    let label = table.optional_column(options.label.as_ref())?;
    let name = table.optional_column(options.series.as_ref())?;
    let group = table.optional_column(options.group.as_ref())?;
    // Targets that are channels are taken from the array.
    let in_table = !options.target.iter().all(|name| channel(path, channels, name).is_ok());
    let target_names = if in_table { options.target.as_slice() } else { &[] };
    let target: Vec<_> = target_names.iter().map(|name| table.column(name)).collect::<Result<_, _>>()?;

    let mut labels = Labels::default();
    let mut series = Vec::new();
    while let Some(row) = table.next_row()? {
        let mut segment = segment(series.len(), &row)?;
        if let Some(column) = name {
            segment.name = row.name(column, "series")?.into();
        }
        if let Some(column) = group {
            segment.group = Some(row.name(column, "group")?.into());
        }
        if let Some(column) = label {
            let label = row.label(column).ok_or_else(|| row.blank(column, "label"))?;
            segment.target = Target::Class(labels.number(label));
        } else if in_table {
            let value = |&column: &usize| row.number(column)?.ok_or_else(|| row.blank(column, "target value"));
            segment.target = Target::Values(target.iter().map(value).collect::<Result<_, _>>()?);
        }
        series.push(segment);
    }
    if series.is_empty() {
        return Err(DataError::Empty { path: path.into(), expected: "a row per series below the header line" });
    }
    Ok(match label {
        Some(_) => classes(labels, series),
        None if in_table => (Targets::Values(options.target.clone()), series),
        None => (Targets::None, series),
    })
}

fn read_label_array(path: &Path, series: usize, steps: usize) -> Result<Segments, DataError> {
    let array = read_npy(path)?;
    let dim = match *array.shape {
        [count] if count == series => 1,
        [count, dim] if count == series && dim > 0 => dim,
        [count, length, dim] if count == series && length == steps && dim > 0 => dim,
        _ => {
            let expected = format!("({series},), ({series}, values) or ({series}, {steps}, values)");
            return Err(DataError::Shape { path: path.into(), shape: array.shape, expected });
        }
    };
    let wrong = |at: usize, expected| {
        let (value, at) = (array.values.get(at).copied().unwrap_or_default(), array.position(at));
        Err(DataError::ArrayValue { path: path.into(), at, value, expected })
    };
    if let Some(at) = array.values.iter().position(|value| !value.is_finite()) {
        return wrong(at, "a finite number");
    }
    let mut segments: Vec<_> = (0..series).map(|at| Segment::of_batch(at, steps)).collect();
    if array.shape.len() == 1 {
        // Every integer up to 2^24 is exact in an f32.
        let is_class = |value: &f32| value.fract() == 0.0 && value.abs() <= 16_777_216.0;
        if let Some(at) = array.values.iter().position(|value| !is_class(value)) {
            return wrong(at, "a class number, an integer of at most 2^24");
        }
        let mut labels = Labels::default();
        for (segment, &value) in segments.iter_mut().zip(&array.values) {
            segment.target = Target::Class(labels.number(&(value as i64).to_string()));
        }
        return Ok(classes(labels, segments));
    }
    let per_series = array.values.chunks_exact(array.values.len() / series);
    for (segment, values) in segments.iter_mut().zip(per_series) {
        segment.target = match array.shape.len() {
            2 => Target::Values(values.into()),
            _ => Target::values_per_step(dim, values.to_vec()),
        };
    }
    Ok((Targets::Values((0..dim).map(|value| format!("y{value}")).collect()), segments))
}

/// Gives the classes their final numbers.
fn classes(labels: Labels, mut series: Vec<Segment>) -> Segments {
    let (labels, numbers) = labels.ordered();
    for segment in &mut series {
        if let Target::Class(class) = &mut segment.target {
            *class = numbers.get(*class).copied().unwrap_or_default();
        }
    }
    (Targets::Classes(labels), series)
}

fn check_overlap(path: &Path, segments: &[Segment], lines: &[usize]) -> Result<(), DataError> {
    let mut sorted: Vec<_> = segments.iter().map(|segment| &segment.rows).zip(lines).collect();
    sorted.sort_by_key(|(rows, line)| (rows.start, **line));
    for pair in sorted.windows(2) {
        if let [(first, a), (second, b)] = pair
            && second.start < first.end
        {
            return Err(DataError::IndexOverlap { path: path.into(), line: **a.max(b), other: **a.min(b) });
        }
    }
    Ok(())
}

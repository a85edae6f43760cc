//! A CSV file with one time step per row as a data set.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::labels::Labels;
use super::options::refuse;
use super::recording::{Recording, cut};
use super::series::Target;
use super::table::{Row, Table};
use super::text::{fill, read_text};
use super::{DataError, Dataset, Options, Targets};

/// The columns that the options give a meaning.
struct Columns {
    features: Vec<usize>,
    label: Option<usize>,
    target: Vec<usize>,
    series: Option<usize>,
    group: Option<usize>,
}

/// The rows of one series while they are read.
#[derive(Default)]
struct Rows {
    name: String,
    inputs: Vec<f32>,
    values: Vec<f32>,
    classes: Vec<usize>,
    groups: Vec<Arc<str>>,
    rows: Vec<usize>,
}

pub(super) fn read(path: &Path, options: &Options, with_targets: bool) -> Result<Dataset, DataError> {
    let set = [("index", options.index.is_some()), ("labels", options.labels.is_some())];
    refuse(&set, "it goes with .npy files; a .csv file has its labels in a column, name it with `label` or `target`")?;
    let text = read_text(path)?;
    let mut table = Table::new(path, &text)?;
    let columns = Columns::new(&table, path, options, with_targets)?;
    let features = columns.features.iter().filter_map(|&c| table.columns().get(c).cloned()).collect();

    let mut labels = Labels::default();
    let mut group_names: HashMap<String, Arc<str>> = HashMap::new();
    let mut series: Vec<Rows> = Vec::new();
    let mut series_numbers: HashMap<String, usize> = HashMap::new();
    let file_name = path.file_stem().unwrap_or_default().to_string_lossy();
    let mut number = 0;
    while let Some(row) = table.next_row()? {
        let name = columns.series.map_or(Ok(&*file_name), |column| row.name(column, "series"))?;
        let at = *series_numbers.entry(name.into()).or_insert_with(|| {
            series.push(Rows { name: name.into(), ..Rows::default() });
            series.len() - 1
        });
        if let Some(rows) = series.get_mut(at)
            && rows.push(&row, &columns, options, &mut labels)?
        {
            rows.rows.push(number);
            if let Some(column) = columns.group {
                let group = row.name(column, "group")?;
                rows.groups.push(group_names.entry(group.into()).or_insert_with(|| group.into()).clone());
            }
        }
        number += 1;
    }
    if series.is_empty() {
        return Err(DataError::Empty { path: path.into(), expected: "rows of numbers below the header line" });
    }

    let (labels, class_numbers) = labels.ordered();
    let targets = match (columns.label, columns.target.len()) {
        (Some(_), _) => Targets::Classes(labels),
        (None, 0) => Targets::None,
        (None, _) => Targets::Values(options.target.clone()),
    };
    let recordings = series.into_iter().map(|rows| rows.into_recording(&targets, &class_numbers)).collect();
    cut(path, features, targets, recordings, options)
}

impl Columns {
    fn new(table: &Table<'_>, path: &Path, options: &Options, with_targets: bool) -> Result<Self, DataError> {
        // Without targets their columns need not exist; they are no features all the same.
        let no_target = Vec::new();
        let (label, target) = if with_targets { (&options.label, &options.target) } else { (&None, &no_target) };
        let uses = |name: &String| {
            let single = [&options.label, &options.series, &options.group];
            options.target.contains(name) || single.into_iter().flatten().any(|used| used == name)
        };
        let features = match options.features.as_slice() {
            [] => (0..).zip(table.columns()).filter(|(_, name)| !uses(name)).map(|(column, _)| column).collect(),
            names => names.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?,
        };
        if features.is_empty() {
            return Err(DataError::NoFeatures { path: path.into() });
        }
        Ok(Self {
            features,
            label: table.optional_column(label.as_ref())?,
            target: target.iter().map(|name| table.column(name)).collect::<Result<_, _>>()?,
            series: table.optional_column(options.series.as_ref())?,
            group: table.optional_column(options.group.as_ref())?,
        })
    }
}

impl Rows {
    /// Appends a row's inputs and targets, unless a missing cell drops the row. Returns whether it did.
    fn push(
        &mut self,
        row: &Row<'_>,
        columns: &Columns,
        options: &Options,
        labels: &mut Labels,
    ) -> Result<bool, DataError> {
        let Some(inputs) = cells(row, &columns.features, &self.inputs, options)? else { return Ok(false) };
        let Some(values) = cells(row, &columns.target, &self.values, options)? else { return Ok(false) };
        // The label comes last: one that only dropped rows have is no class.
        if let Some(column) = columns.label {
            let class = row.label(column).map(|label| labels.number(label));
            let previous = self.classes.last().copied();
            let Some(class) = fill(class, previous, options.missing, || row.place(column))? else { return Ok(false) };
            self.classes.push(class);
        }
        self.inputs.extend(inputs);
        self.values.extend(values);
        Ok(true)
    }

    fn into_recording(self, targets: &Targets, class_numbers: &[usize]) -> Recording {
        let target = match targets {
            Targets::None => Target::None,
            Targets::Classes(_) => {
                Target::classes(self.classes.iter().filter_map(|&class| class_numbers.get(class).copied()).collect())
            }
            Targets::Values(names) => Target::values_per_step(names.len(), self.values),
        };
        Recording { name: self.name.into(), inputs: self.inputs, rows: self.rows, groups: self.groups, target }
    }
}

/// The row's numbers in some columns; `None` if one is missing and drops the row. `before` ends with the row before.
fn cells(row: &Row<'_>, columns: &[usize], before: &[f32], options: &Options) -> Result<Option<Vec<f32>>, DataError> {
    let previous = before.len().checked_sub(columns.len()).and_then(|start| before.get(start..)).unwrap_or_default();
    let mut values = Vec::with_capacity(columns.len());
    for (at, &column) in columns.iter().enumerate() {
        let value = row.number(column)?;
        let Some(value) = fill(value, previous.get(at).copied(), options.missing, || row.place(column))? else {
            return Ok(None);
        };
        values.push(value);
    }
    Ok(Some(values))
}

//! The `.ts` format of the UCR/UEA archive as a data set.
//!
//! `#` comments and `@key value` lines, then `@data`, then one series per line: channels separated by `:`, the values
//! of a channel by `,`, and the class label or the target value behind the last `:`.

use std::path::Path;

use super::columns::{channel_names, select_channels};
use super::options::refuse;
use super::recording::{Recording, cut};
use super::series::Target;
use super::text::{fill, number, read_text};
use super::ts_header::{Header, LastField};
use super::{DataError, Dataset, Missing, Options, Place, Targets};

pub(super) fn read(path: &Path, options: &Options, with_targets: bool) -> Result<Dataset, DataError> {
    let set = [
        ("label", options.label.is_some()),
        ("target", !options.target.is_empty()),
        ("series", options.series.is_some()),
        ("group", options.group.is_some()),
        ("index", options.index.is_some()),
        ("labels", options.labels.is_some()),
    ];
    refuse(&set, "a .ts file has no such columns, its header says what follows the channels; leave the option out")?;
    let set = [("horizon", options.horizon != 0)];
    refuse(&set, "a .ts file has one label or value for a whole series, none ahead of a row; leave the option out")?;
    let text = read_text(path)?;
    let mut lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, l)| !l.is_empty() && !l.starts_with('#'));
    let header = Header::read(path, &mut lines)?;

    let mut channels = Vec::new();
    let mut selected = Vec::new();
    let mut recordings = Vec::new();
    for (row, (number, text)) in lines.enumerate() {
        let line = Line::new(path, number, text, &header.last_field);
        if row == 0 {
            let count = header.channels.unwrap_or(line.channels.len().max(1));
            // Before names are made for as many channels as the header says.
            line.check_channels(count)?;
            channels = channel_names(count);
            selected = select_channels(path, &channels, &options.features)?;
        }
        line.check_channels(channels.len())?;
        let inputs = line.inputs(&selected, options.missing)?;
        recordings.push(Recording {
            name: row.to_string().into(),
            rows: vec![row; inputs.len() / selected.len()],
            inputs,
            groups: Vec::new(),
            target: if with_targets { line.target(&header.last_field)? } else { Target::None },
        });
    }
    if recordings.is_empty() {
        return Err(DataError::Empty { path: path.into(), expected: "one series per line below @data" });
    }
    let targets = match header.last_field {
        LastField::Label(labels) if with_targets => Targets::Classes(labels),
        LastField::Value if with_targets => Targets::Values(vec!["target".into()]),
        _ => Targets::None,
    };
    let features = selected.into_iter().filter_map(|channel| channels.get(channel).cloned()).collect();
    cut(path, features, targets, recordings, options)
}

/// A line with a series.
struct Line<'a> {
    path: &'a Path,
    number: usize,
    channels: Vec<&'a str>,
    /// The label or the target value.
    last: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn new(path: &'a Path, number: usize, text: &'a str, last_field: &LastField) -> Self {
        let mut channels: Vec<_> = text.split(':').map(str::trim).collect();
        let last = match last_field {
            LastField::Channel => None,
            LastField::Label(_) | LastField::Value => channels.pop(),
        };
        Self { path, number, channels, last }
    }

    fn check_channels(&self, expected: usize) -> Result<(), DataError> {
        match self.channels.len() {
            found if found == expected => Ok(()),
            found => {
                let (path, line) = (self.path.into(), self.number);
                Err(DataError::Channels { path, line, found, expected, labelled: self.last.is_some() })
            }
        }
    }

    /// The selected channels, time-major, without the steps that missing values drop.
    fn inputs(&self, selected: &[usize], missing: Missing) -> Result<Vec<f32>, DataError> {
        let values = (0..).zip(&self.channels).map(|(channel, text)| self.channel(channel, text));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let steps = values.first().map_or(0, Vec::len);
        if let Some((channel, values)) = values.iter().enumerate().find(|(_, values)| values.len() != steps) {
            let (path, line, found) = (self.path.into(), self.number, values.len());
            return Err(DataError::ChannelLength { path, line, channel, found, expected: steps });
        }
        let mut inputs: Vec<f32> = Vec::with_capacity(steps * selected.len());
        'steps: for step in 0..steps {
            let kept = inputs.len();
            for &channel in selected {
                let value = values.get(channel).and_then(|values| *values.get(step)?);
                let previous = inputs.len().checked_sub(selected.len()).and_then(|at| inputs.get(at)).copied();
                match fill(value, previous, missing, || self.place(channel, step))? {
                    Some(value) => inputs.push(value),
                    None => {
                        inputs.truncate(kept);
                        continue 'steps;
                    }
                }
            }
        }
        Ok(inputs)
    }

    /// The values of a channel, `None` where one is missing.
    fn channel(&self, channel: usize, text: &str) -> Result<Vec<Option<f32>>, DataError> {
        if text.is_empty() {
            return Err(DataError::EmptySeries { path: self.path.into(), line: self.number, channel });
        }
        let value = |(step, text): (usize, &str)| match text.trim() {
            "?" => Ok(None),
            text => number(text, || self.place(channel, step)).map(Some),
        };
        text.split(',').enumerate().map(value).collect()
    }

    fn target(&self, last_field: &LastField) -> Result<Target, DataError> {
        let text = self.last.unwrap_or_default();
        match last_field {
            LastField::Channel => Ok(Target::None),
            LastField::Label(labels) => match labels.iter().position(|label| label == text) {
                Some(class) => Ok(Target::Class(class)),
                None => Err(DataError::UnknownLabel {
                    path: self.path.into(),
                    line: self.number,
                    label: text.into(),
                    known: labels.clone(),
                }),
            },
            LastField::Value => {
                let column = "the target, behind the last `:`".into();
                let place = || Place { path: self.path.into(), line: self.number, column };
                Ok(Target::Values([number(text, place)?].into()))
            }
        }
    }

    fn place(&self, channel: usize, step: usize) -> Place {
        let column = format!("channel x{channel} (field {}), value {}", channel + 1, step + 1);
        Place { path: self.path.into(), line: self.number, column }
    }
}

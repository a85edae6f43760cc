//! The header of a `.ts` file.

use std::collections::HashSet;
use std::path::Path;

use super::DataError;
use super::error::excerpt;

/// What the header says that is needed to read the series.
pub(super) struct Header {
    /// Number of channels, if given.
    pub channels: Option<usize>,
    /// What follows the last `:` of a line.
    pub last_field: LastField,
}

/// What follows the last `:` of a line.
pub(super) enum LastField {
    /// Just another channel.
    Channel,
    /// The class label, one of these.
    Label(Vec<String>),
    /// The target value.
    Value,
}

impl Header {
    /// Reads numbered lines up to and including `@data`.
    pub(super) fn read<'a>(path: &Path, lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Result<Self, DataError> {
        let mut keys = Keys::default();
        let mut last_line = 1;
        for (line, text) in lines {
            last_line = line;
            match keys.read_line(text) {
                Ok(None) => {}
                Ok(Some(header)) => return Ok(header),
                Err(problem) => return Err(DataError::TsHeader { path: path.into(), line, problem }),
            }
        }
        let problem = "the header ends without a line `@data`; expected it above the series".into();
        Err(DataError::TsHeader { path: path.into(), line: last_line, problem })
    }
}

/// What the keys have said so far.
#[derive(Default)]
struct Keys {
    channels: Option<usize>,
    last_field: Option<LastField>,
}

impl Keys {
    /// Reads one line and returns the header if it was `@data`, or says what is wrong with it.
    fn read_line(&mut self, text: &str) -> Result<Option<Header>, String> {
        let Some(text) = text.strip_prefix('@') else {
            return Err("expected a line that starts with `#` or `@`; series stand below a line `@data`".into());
        };
        let mut words = text.split_whitespace();
        let key = words.next().unwrap_or_default();
        let value = words.next().unwrap_or_default();
        let is_true = || match value.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("expected `true` or `false` after @{key}, found `{}`", excerpt(value))),
        };
        match key.to_ascii_lowercase().as_str() {
            "data" => {
                let last_field = self.last_field.take().ok_or(
                    "the header has no @classLabel or @targetLabel; write `@classLabel true` with all labels above \
                     this line, or `@classLabel false` if the series have none",
                )?;
                return Ok(Some(Header { channels: self.channels, last_field }));
            }
            // These repeat what the series themselves say.
            "problemname" | "missing" | "equallength" | "serieslength" => {}
            "timestamps" => {
                if is_true()? {
                    return Err(
                        "time stamps are not supported; resample the series to a fixed rate, write the values \
                                only and `@timeStamps false`"
                            .into(),
                    );
                }
            }
            "univariate" => {
                if is_true()? {
                    self.set_channels(1)?;
                }
            }
            "dimension" | "dimensions" => match value.parse() {
                Ok(channels) if channels > 0 => self.set_channels(channels)?,
                _ => return Err(format!("expected a number of channels after @{key}, found `{}`", excerpt(value))),
            },
            "classlabel" => {
                if is_true()? {
                    self.set_last_field(LastField::Label(labels(words)?))?;
                } else {
                    self.last_field.get_or_insert(LastField::Channel);
                }
            }
            "targetlabel" => {
                if is_true()? {
                    self.set_last_field(LastField::Value)?;
                } else {
                    self.last_field.get_or_insert(LastField::Channel);
                }
            }
            _ => {
                return Err(format!(
                    "unknown key `@{}`; expected @problemName, @timeStamps, @missing, @univariate, @dimensions, \
                     @equalLength, @seriesLength, @classLabel, @targetLabel or @data; remove the line if the series \
                     can be read without it",
                    excerpt(key)
                ));
            }
        }
        Ok(None)
    }

    fn set_channels(&mut self, channels: usize) -> Result<(), String> {
        match self.channels.replace(channels) {
            Some(other) if other != channels => Err(format!(
                "the number of channels is {channels} here but {other} above; correct @univariate or @dimensions"
            )),
            _ => Ok(()),
        }
    }

    fn set_last_field(&mut self, last_field: LastField) -> Result<(), String> {
        match self.last_field.replace(last_field) {
            None | Some(LastField::Channel) => Ok(()),
            Some(_) => Err("@classLabel or @targetLabel is true for the second time; a line ends with one label or \
                            value, set the other to false"
                .into()),
        }
    }
}

fn labels<'a>(words: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let labels: Vec<String> = words.map(String::from).collect();
    let mut seen = HashSet::new();
    if let Some(label) = labels.iter().find(|label| !seen.insert(*label)) {
        return Err(format!("@classLabel lists `{}` twice; list every label once", excerpt(label)));
    }
    match labels.is_empty() {
        true => Err("@classLabel true lists no labels; write all of them behind it, separated by spaces".into()),
        false => Ok(labels),
    }
}

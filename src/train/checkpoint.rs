//! A training run in a file, so that a run that was stopped goes on where it was.
//!
//! Little-endian: `GATELETC`, CRC-32 of what follows (u32), lengths of the JSON and of the model (u32 each), the JSON
//! (epochs, updates, options, the data's fingerprint), the model as in a `.gatelet` file, and the optimiser's moments (f32).

use super::TrainError;
use super::loss::Loss;
use super::optimizer::Moments;
use super::trainer::{Options, Trainer};
use crate::data::Dataset;
use crate::format::crc32;
use crate::network::{Model, ModelError, write_atomically};
use serde::{Deserialize, Serialize};
use std::path::Path;

const MAGIC: &[u8; 8] = b"GATELETC";

#[derive(Serialize, Deserialize)]
struct Header {
    epochs: usize,
    updates: u64,
    options: Options,
    fingerprint: u64,
}

impl Trainer {
    /// Writes the run to a file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_checkpoint(&self, path: &Path) -> Result<(), TrainError> {
        let header = Header {
            epochs: self.epochs,
            updates: self.moments.updates,
            options: self.options.clone(),
            fingerprint: self.fingerprint,
        };
        let header = serde_json::to_vec(&header).map_err(ModelError::from)?;
        let model = self.model.to_bytes()?;
        let mut checked = Vec::new();
        for length in [header.len(), model.len()] {
            let length = u32::try_from(length).map_err(|_| ModelError::TooLarge)?;
            checked.extend(length.to_le_bytes());
        }
        checked.extend(header);
        checked.extend(model);
        for moments in [&self.moments.first, &self.moments.second] {
            checked.extend(moments.iter().flat_map(|x| x.to_le_bytes()));
        }
        let bytes = [&MAGIC[..], &crc32(&checked).to_le_bytes(), &checked].concat();
        Ok(write_atomically(path, &bytes)?)
    }

    /// Goes on with the run in a file.
    ///
    /// # Errors
    /// If the file is no checkpoint, or was made with other options or other data.
    pub fn resume(path: &Path, data: &Dataset, options: Options) -> Result<Self, TrainError> {
        let wrong = |problem: &str| TrainError::Checkpoint { path: path.to_owned(), problem: problem.into() };
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => wrong(
                "there is no such checkpoint: a run has one from its first epoch to its end; train from the start, \
                 without --resume",
            ),
            _ => ModelError::Io { what: "read", path: path.to_owned(), error }.into(),
        })?;
        let damaged = || wrong("this is no whole checkpoint: train from the start, without --resume");
        let (header, model, moments) = parts(&bytes).ok_or_else(damaged)?;
        let header: Header = serde_json::from_slice(header).map_err(|_| damaged())?;
        let begun = |how: &str| wrong(&format!("the run was begun {how}: give the same, or train from the start"));
        if let Some(difference) = difference(&header.options, &options) {
            return Err(begun(&format!("with {difference}")));
        }
        if header.fingerprint != fingerprint(data) {
            return Err(begun("on other training data, or on another part of them"));
        }
        let mut trainer = Trainer::new(Model::from_bytes(model)?, data, options)?;
        let count = trainer.model.network.parameters().len();
        let (moments, rest) = moments.as_chunks::<4>();
        if moments.len() != 2 * count || !rest.is_empty() {
            return Err(damaged());
        }
        let moments: Vec<_> = moments.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
        let (first, second) = moments.split_at(count);
        trainer.moments = Moments { updates: header.updates, first: first.to_vec(), second: second.to_vec() };
        trainer.epochs = header.epochs;
        Ok(trainer)
    }
}

/// What differs between options, by the names that they have on the command line.
fn difference(was: &Options, is: &Options) -> Option<String> {
    let facts = |options: &Options| {
        [
            ("batch-size", options.batch_size.to_string()),
            ("learning-rate", options.learning_rate.to_string()),
            ("schedule", options.schedule.to_string()),
            ("optimizer", options.optimizer.to_string()),
            ("loss", options.loss.map_or("the default", Loss::name).into()),
            ("clip-norm", options.clip_norm.unwrap_or(0.0).to_string()),
            ("dropout", options.dropout.to_string()),
            ("seed", options.seed.to_string()),
        ]
    };
    let pairs = facts(was).into_iter().zip(facts(is));
    let differences =
        pairs.filter(|(was, is)| was != is).map(|((name, was), (_, is))| format!("--{name} {was}, not {is}"));
    differences.reduce(|a, b| format!("{a}, and {b}"))
}

/// A number that other data hardly have (FNV-1a over what the network sees and should say).
pub(super) fn fingerprint(data: &Dataset) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut add = |word: u64| hash = (hash ^ word).wrapping_mul(0x0100_0000_01b3);
    for series in &data.series {
        add(series.len() as u64);
        series.inputs().iter().for_each(|x| add(x.to_bits().into()));
        for step in 0..series.len() {
            series.class(step).into_iter().for_each(|class| add(class as u64));
            series.values(step).into_iter().flatten().for_each(|value| add(value.to_bits().into()));
        }
    }
    hash
}

/// JSON, model and moments.
fn parts(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (crc, checked) = rest.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*crc) != crc32(checked) {
        return None;
    }
    let (header, rest) = checked.split_first_chunk::<4>()?;
    let (model, rest) = rest.split_first_chunk::<4>()?;
    let (header, rest) = rest.split_at_checked(u32::from_le_bytes(*header) as usize)?;
    let (model, rest) = rest.split_at_checked(u32::from_le_bytes(*model) as usize)?;
    Some((header, model, rest))
}

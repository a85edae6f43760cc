//! A training run in a file, so that a run that was stopped goes on where it was.
//!
//! Little-endian: `GATELETC`, CRC-32 of what follows (u32), lengths of the JSON and of the model (u32 each), the JSON
//! (epochs, updates, options), the model as in a `.gatelet` file, and the optimiser's moments (f32).

use super::TrainError;
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
}

impl Trainer {
    /// Writes the run to a file, whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_checkpoint(&self, path: &Path) -> Result<(), TrainError> {
        let header = Header { epochs: self.epochs, updates: self.moments.updates, options: self.options.clone() };
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
    /// If the file is no checkpoint, was made with other options, or does not fit the data.
    pub fn resume(path: &Path, data: &Dataset, options: Options) -> Result<Self, TrainError> {
        let wrong = |problem: &str| TrainError::Checkpoint { path: path.to_owned(), problem: problem.into() };
        let bytes =
            std::fs::read(path).map_err(|error| ModelError::Io { what: "read", path: path.to_owned(), error })?;
        let damaged = || wrong("this is no whole checkpoint: train from the start");
        let (header, model, moments) = parts(&bytes).ok_or_else(damaged)?;
        let header: Header = serde_json::from_slice(header).map_err(|_| damaged())?;
        if header.options != options {
            return Err(wrong(&format!(
                "the run was begun with other options ({}): give the same ones, or train from the start",
                serde_json::to_string(&header.options).map_err(ModelError::from)?
            )));
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

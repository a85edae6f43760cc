//! `gatelet export`

use crate::failure::Failure;
use crate::output::{check_writable, note};
use clap::Args;
use gatelet::export::{to_rust, to_safetensors};
use gatelet::network::Model;
use std::path::PathBuf;

/// Write a model as Rust source, or for PyTorch
#[derive(Args)]
#[command(after_help = "\
The Rust module has `Net`, the network's type, `NET`, a static that lies in flash, and `LABELS`.

The state dict is that of an nn.ModuleList with a module for each layer; a normalisation is part of the layer behind it:
  layers = torch.nn.ModuleList([torch.nn.GRU(12, 32, batch_first=True), torch.nn.Linear(32, 9)])
  layers.load_state_dict(safetensors.torch.load_file(\"speaker.safetensors\"))

Examples:
  gatelet export speaker.gatelet --rust speaker.rs
  gatelet export speaker.gatelet --safetensors speaker.safetensors")]
pub struct Arguments {
    /// Model file
    model: PathBuf,
    /// Rust file to write
    #[arg(long, value_name = "FILE", required_unless_present = "safetensors")]
    rust: Option<PathBuf>,
    /// PyTorch state dict to write
    #[arg(long, value_name = "FILE")]
    safetensors: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    for (option, file) in [("--rust", &arguments.rust), ("--safetensors", &arguments.safetensors)] {
        if let Some(file) = file {
            check_writable(option, file, &[&arguments.model])?;
        }
    }
    let model = Model::read(&arguments.model)?;
    let write = |file: &PathBuf, bytes: &[u8]| -> Result<(), Failure> {
        gatelet::network::write_atomically(file, bytes)?;
        note(format!("wrote {}", file.display()));
        Ok(())
    };
    if let Some(file) = &arguments.safetensors {
        write(file, &to_safetensors(&model.network)?)?;
    }
    if let Some(file) = &arguments.rust {
        let source = arguments.model.file_name().unwrap_or_default().to_string_lossy();
        write(file, to_rust(&model, &source)?.as_bytes())?;
    }
    Ok(())
}

//! `gatelet export`

use crate::failure::Failure;
use crate::output::{check_writable, note};
use clap::Args;
use gatelet::network::Model;
use std::path::PathBuf;

/// Write a model as Rust source
#[derive(Args)]
#[command(after_help = "\
The module has `Net`, the network's type, `NET`, a static that lies in flash, and `LABELS`.

Example:
  gatelet export speaker.gatelet --rust speaker.rs")]
pub struct Arguments {
    /// Model file
    model: PathBuf,
    /// Rust file to write
    #[arg(long, value_name = "FILE")]
    rust: PathBuf,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    check_writable("--rust", &arguments.rust, &[&arguments.model])?;
    let model = Model::read(&arguments.model)?;
    let source = arguments.model.file_name().unwrap_or_default().to_string_lossy();
    let rust = gatelet::export::to_rust(&model, &source);
    gatelet::network::write_atomically(&arguments.rust, rust.as_bytes())?;
    note(format!("wrote {}", arguments.rust.display()));
    Ok(())
}

//! `gatelet import`

use crate::failure::Failure;
use crate::output::{check_writable, note, print};
use clap::Args;
use gatelet::import::{self, ImportError, Options};
use std::path::PathBuf;

/// Read a model of another framework
#[derive(Args)]
#[command(after_help = "\
Reads .keras and .h5 files with Keras's models, sequential ones and graphs that are a series of
layers; an .h5 file of weights alone takes --model.
Also .safetensors files with PyTorch's state dicts: nn.RNN, nn.LSTM, nn.GRU, bidirectional ones
too, their cells and nn.Linear; where --model says so, nn.Embedding, nn.Conv1d and nn.PReLU.
In Python:
  safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")
Also .json files: RTNeural's models of lstm, gru, dense, conv1d, batchnorm, prelu and activation,
GuitarML's, and state dicts as lists; .nam files: Neural Amp Modeler's models of the LSTM
architecture.
And .onnx files, whose graph has to be a chain of RNN, LSTM, GRU, Gemm or MatMul and activations:
  torch.onnx.export(model, (x,), \"model.onnx\")

Everything in the file is used, or the import fails and says what is not. A state dict does not say
which activation is where, and whether only the last output counts (`last`): what was assumed is
said, and --model says otherwise.

Examples:
  gatelet import model.keras --out model.gatelet
  gatelet import model.safetensors \\
      --model 'lstm(9, sequences), lstm(9), dense(4, softmax)' --out model.gatelet")]
pub struct Arguments {
    /// File to read
    file: PathBuf,
    /// Model file to write
    #[arg(short, long, value_name = "FILE", required_unless_present = "list")]
    out: Option<PathBuf>,
    /// Layers, where the file does not say enough: 'gru(32, sequences), gru(32), dense(9, softmax)'
    #[arg(long, value_name = "LAYERS")]
    model: Option<String>,
    /// Only this module of the state dict, whose tensors' names begin with NAME and a point
    #[arg(long, value_name = "NAME")]
    prefix: Option<String>,
    /// Only list the tensors in the file
    #[arg(long, conflicts_with_all = ["out", "model", "prefix"])]
    list: bool,
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        let is_usage = |error: &ImportError| {
            matches!(
                error,
                ImportError::Model(_)
                    | ImportError::Description(_)
                    | ImportError::NeedsModel { .. }
                    | ImportError::UnknownFormat { .. }
            )
        };
        match &error {
            ImportError::File { error: inner, .. } if is_usage(inner) => Failure::Usage(error.to_string()),
            _ if is_usage(&error) => Failure::Usage(error.to_string()),
            _ => Failure::Failed(error.to_string()),
        }
    }
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Some(out) = &arguments.out else {
        for entry in import::list(&arguments.file)? {
            print(format!("{}  {:?}  {}", entry.name, entry.shape, entry.data_type))?;
        }
        return Ok(());
    };
    check_writable("--out", out, &[&arguments.file])?;
    let options = Options { model: arguments.model.clone(), prefix: arguments.prefix.clone() };
    let imported = import::import(&arguments.file, &options)?;
    for remark in &imported.notes {
        note(format!("note: {remark}"));
    }
    imported.model.write(out)?;
    note(format!("wrote {}: {}", out.display(), imported.model.network));
    Ok(())
}

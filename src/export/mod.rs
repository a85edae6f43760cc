//! Models as Rust source, and for PyTorch.

mod rust;
#[cfg(feature = "import")]
mod safetensors;

pub use rust::{to_rust, type_of};
#[cfg(feature = "import")]
pub(crate) use safetensors::DESCRIPTION;
#[cfg(feature = "import")]
pub use safetensors::to_safetensors;

/// Why a model cannot be written in some form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("layer {layer}, {what}, cannot be exported: {why}")]
pub struct ExportError {
    layer: usize,
    what: String,
    why: &'static str,
}

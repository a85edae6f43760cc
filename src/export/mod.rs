//! Models as Rust source, and for PyTorch.

mod rust;
#[cfg(feature = "import")]
mod safetensors;

pub use rust::{to_rust, type_of};
#[cfg(feature = "import")]
pub(crate) use safetensors::DESCRIPTION;
#[cfg(feature = "import")]
pub use safetensors::{ExportError, to_safetensors};

//! Models as Rust source.

mod rust;

pub use rust::{to_rust, type_of};

//! Promise: the command line tool does what its help says, and says what it cannot do.
//!
//! Every command here is run by the real program, in a folder of its own. Training is slow without optimisation:
//! `cargo test --release --features cli --test cli`.

#![cfg(all(feature = "cli", unix))]

mod bad_input;
mod bad_model;
mod bench;
mod classifier;
mod folder;
mod help;
mod import;
mod quantize;
mod reading;
mod regression;
mod resume;
mod terminal;
mod verify;

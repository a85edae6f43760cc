//! The libraries, one file each, behind one trait.

mod burn;
mod candle;
mod gatelet;
mod nam;
mod python;
mod tract;

use crate::network::{Cell, Network};
use anyhow::Result;
use std::hint::black_box;
use std::time::{Duration, Instant};

pub use python::Python;

/// Time steps in one call where a library is given a sequence.
pub const SEQUENCE: usize = 100;

/// One library running one network. It begins with a state of zeros.
pub trait Peer {
    /// The library.
    fn name(&self) -> &str;

    /// Its version.
    fn version(&self) -> &str;

    /// Time steps in one call of the library: 1 or [`SEQUENCE`].
    fn steps_per_call(&self) -> usize;

    /// Goes on from the present state: one output for each input, call by call. There are whole calls only.
    fn run(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<()>;

    /// How long a [`run`](Peer::run) takes.
    fn time(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<Duration> {
        let start = Instant::now();
        self.run(black_box(xs), ys)?;
        black_box(ys);
        Ok(start.elapsed())
    }
}

/// Everyone who runs this network, Gatelet first; says of others why they do not.
pub fn all(network: &Network, python: &Python, left_out: &mut Vec<String>) -> Result<Vec<Box<dyn Peer>>> {
    let mut peers = vec![
        gatelet::peer(network, 1)?,
        gatelet::peer(network, SEQUENCE)?,
        tract::peer(network)?,
        candle::peer(network)?,
        burn::peer(network),
    ];
    match network.cell {
        Cell::Lstm => peers.push(nam::peer(network)?),
        Cell::Gru => left_out.push("nam-rs: it has no GRU".into()),
    }
    peers.extend(python.open(network, left_out)?);
    Ok(peers)
}

/// A package's version in this workspace's lock file.
fn locked_version(package: &str) -> &'static str {
    let mut lines = include_str!("../../Cargo.lock").lines();
    lines.find(|line| line.strip_prefix("name = ").is_some_and(|name| name.trim_matches('"') == package));
    lines.next().and_then(|line| line.strip_prefix("version = ")).map_or("unknown", |version| version.trim_matches('"'))
}

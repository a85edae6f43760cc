//! First the same answers, then the time.

use crate::network::{Cell, INPUTS, Network, OUTPUTS, signal};
use crate::peers::{Peer, SEQUENCE};
use anyhow::{Result, ensure};
use serde::Serialize;
use std::time::Duration;

/// How far outputs may be apart.
const TOLERANCE: f32 = 1e-5;
/// Time steps that are compared.
const COMPARED: usize = 3 * SEQUENCE;
/// How long a timed block takes.
const BLOCK: Duration = Duration::from_millis(2);

/// What was found out about one library.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The library.
    pub peer: String,
    /// Its version.
    pub version: String,
    /// The network's cell.
    pub cell: Cell,
    /// The network's inputs.
    pub inputs: usize,
    /// Units.
    pub hidden: usize,
    /// The network's outputs.
    pub outputs: usize,
    /// Time steps in one call of the library.
    pub steps_per_call: usize,
    /// Median over all blocks.
    pub ns_per_step: f64,
    /// What the middle half of the blocks spans, in medians: how calm the machine was.
    pub spread: f64,
    /// How many times as long as Gatelet with as many steps per call.
    pub ratio: f64,
    /// The largest difference of an output from Gatelet's.
    pub max_difference: f32,
}

/// The largest difference of each peer's outputs from the first one's.
fn compare(peers: &mut [Box<dyn Peer>]) -> Result<Vec<f32>> {
    let xs = signal(COMPARED);
    let mut reference = None;
    let mut differences = Vec::new();
    for peer in peers {
        let mut ys = vec![f32::NAN; COMPARED];
        peer.run(&xs, &mut ys)?;
        let reference = reference.get_or_insert_with(|| ys.clone());
        let difference = ys.iter().zip(reference).map(|(y, r)| (y - *r).abs()).fold(0.0, maximum);
        ensure!(
            difference <= TOLERANCE,
            "{} ({} steps per call) differs by {difference:e} from Gatelet; allowed are {TOLERANCE:e}",
            peer.name(),
            peer.steps_per_call(),
        );
        differences.push(difference);
    }
    Ok(differences)
}

/// The larger one, NaN if one is.
fn maximum(a: f32, b: f32) -> f32 {
    if a >= b || a.is_nan() { a } else { b }
}

/// Nanoseconds per step, sorted: `rounds` blocks of each peer, a block of everyone in each round. Each block is led in by a
/// tenth of it that is not timed.
fn time(peers: &mut [Box<dyn Peer>], rounds: usize) -> Result<Vec<Vec<f64>>> {
    let mut blocks = Vec::new();
    for peer in peers.iter_mut() {
        let xs = signal(SEQUENCE);
        let mut ys = xs.clone();
        let mut shortest = BLOCK;
        for _ in 0..5 {
            shortest = shortest.min(peer.time(&xs, &mut ys)?);
        }
        let calls = BLOCK.as_nanos().div_ceil(shortest.as_nanos().max(1)) as usize;
        blocks.push(signal(calls * SEQUENCE));
    }
    let mut samples = vec![Vec::new(); peers.len()];
    for _ in 0..rounds {
        for ((peer, xs), samples) in peers.iter_mut().zip(&blocks).zip(&mut samples) {
            let mut ys = xs.clone();
            let lead = (xs.len() / 10).next_multiple_of(SEQUENCE);
            peer.run(&xs[..lead], &mut ys[..lead])?;
            samples.push(peer.time(xs, &mut ys)?.as_nanos() as f64 / xs.len() as f64);
        }
    }
    for samples in &mut samples {
        samples.sort_by(f64::total_cmp);
    }
    Ok(samples)
}

/// The number below which lie so many quarters of the sorted samples.
fn quartile(samples: &[f64], quarters: usize) -> f64 {
    samples[(samples.len() - 1) * quarters / 4]
}

/// Compares and times everyone on one network.
pub fn rows(network: &Network, peers: &mut [Box<dyn Peer>], rounds: usize) -> Result<Vec<Row>> {
    let differences = compare(peers)?;
    let samples = time(peers, rounds.max(1))?;
    let times: Vec<f64> = samples.iter().map(|samples| quartile(samples, 2)).collect();
    let gatelet = |steps_per_call| {
        let found = peers.iter().position(|p| p.name() == "gatelet" && p.steps_per_call() == steps_per_call);
        found.map_or(f64::NAN, |index| times[index])
    };
    let row = |index: usize| Row {
        peer: peers[index].name().into(),
        version: peers[index].version().into(),
        cell: network.cell,
        inputs: INPUTS,
        hidden: network.hidden,
        outputs: OUTPUTS,
        steps_per_call: peers[index].steps_per_call(),
        ns_per_step: times[index],
        spread: (quartile(&samples[index], 3) - quartile(&samples[index], 1)) / times[index],
        ratio: times[index] / gatelet(peers[index].steps_per_call()),
        max_difference: differences[index],
    };
    Ok((0..peers.len()).map(row).collect())
}

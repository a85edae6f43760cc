//! How long a step takes.

use super::networks::Stream;
use crate::failure::Failure;
use gatelet::simd::{BackendKind, force};
use std::time::{Duration, Instant};

/// How long a timed block of steps takes: long beside reading the clock, short beside what interrupts it.
const BLOCK: Duration = Duration::from_micros(10);
/// Steps in a block at most.
const LONGEST: f64 = 1000.0;
/// Timed blocks of a backend before the next backend's turn.
const BLOCKS: usize = 16;
/// As many single steps as these blocks have.
const BLOCKS_OF_SINGLE_STEPS: usize = 4;

/// Nanoseconds of a step.
pub struct Times {
    /// The median of the blocks.
    pub median: f64,
    /// The fastest block.
    pub min: f64,
    /// The longest single step.
    pub worst: f64,
}

/// The time of a step on each backend. They take turns, so that whatever else goes on meets all of them alike.
pub fn time(stream: &mut dyn Stream, backends: &[BackendKind], budget: Duration) -> Result<Vec<Times>, Failure> {
    let mut block_steps = Vec::new();
    for &backend in backends {
        use_backend(backend)?;
        stream.steps(1);
        let mut steps = 1;
        // Until a block is long enough to tell.
        while nanoseconds(stream, steps) < 0.5 * BLOCK.as_nanos() as f64 && (steps as f64) < LONGEST {
            steps *= 2;
        }
        let fitting = BLOCK.as_nanos() as f64 / (nanoseconds(stream, steps) / steps as f64);
        block_steps.push(fitting.clamp(1.0, LONGEST) as usize);
    }

    let mut blocks = vec![Vec::new(); backends.len()];
    let mut worst = vec![0.0_f64; backends.len()];
    let begin = Instant::now();
    while blocks[0].is_empty() || begin.elapsed() < budget {
        for (i, (&backend, &steps)) in backends.iter().zip(&block_steps).enumerate() {
            use_backend(backend)?;
            // The warm-up.
            stream.steps(2 * steps);
            blocks[i].extend((0..BLOCKS).map(|_| nanoseconds(stream, steps) / steps as f64));
            for _ in 0..BLOCKS_OF_SINGLE_STEPS * steps {
                worst[i] = worst[i].max(nanoseconds(stream, 1));
            }
        }
    }
    Ok(blocks.into_iter().zip(worst).map(|(blocks, worst)| times(blocks, worst)).collect())
}

fn use_backend(backend: BackendKind) -> Result<(), Failure> {
    force(Some(backend)).map_err(|error| Failure::Usage(error.to_string()))
}

/// How long so many steps take.
fn nanoseconds(stream: &mut dyn Stream, steps: usize) -> f64 {
    let begin = Instant::now();
    stream.steps(steps);
    begin.elapsed().as_nanos() as f64
}

fn times(blocks: Vec<f64>, worst: f64) -> Times {
    let min = blocks.iter().copied().fold(f64::INFINITY, f64::min);
    Times { median: median(blocks), min, worst }
}

/// The middle one; 0 if there is none.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or_default()
}

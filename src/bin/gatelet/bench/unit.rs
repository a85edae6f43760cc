//! What this machine can do at best, measured in the same run as the steps: the unit of their time, and the speed of memory.

use super::measure::median;
use gatelet::simd::{Backend, BackendKind, Unavailable, Visitor, dispatch_on, read};
use serde::Serialize;
use std::fmt;
use std::hint::black_box;
use std::time::Instant;

/// Operations in a chain.
const CHAIN: usize = 4000;
/// Bytes that a first cache holds: whole blocks of every backend.
const FIRST: usize = 24 << 10;
/// Bytes that no first cache holds, but a second one.
const SECOND: usize = 240 << 10;
/// Of so many tries the best is a sample, since nothing makes a machine faster than it is.
const TRIES: usize = 20;

/// The unit and the speed of the first two caches.
#[derive(Serialize)]
pub struct Unit {
    /// Nanoseconds of a multiply-add that waits for the one before it. The scalar backend's is a product and a sum.
    pub ns: f64,
    /// The backend with the widest vectors.
    backend: &'static str,
    /// Reading from the first cache.
    l1_gb_per_s: f64,
    /// Reading from the second cache.
    l2_gb_per_s: f64,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Unit: a multiply-add that waits for another, {:.2} ns ({}). Reading: L1 {:.0} GB/s, L2 {:.0} GB/s.",
            self.ns, self.backend, self.l1_gb_per_s, self.l2_gb_per_s
        )
    }
}

/// Samples from all over a run, since a processor's clock does not stay the same.
pub struct Samples {
    backend: BackendKind,
    numbers: Vec<f32>,
    chain: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Samples {
    pub fn new() -> Self {
        // Room to begin with a cache line.
        let numbers = vec![1.0; SECOND / size_of::<f32>() + 16];
        let none = Vec::new;
        Samples { backend: BackendKind::best(), numbers, chain: none(), first: none(), second: none() }
    }

    /// Takes a sample of each.
    pub fn take(&mut self) {
        let aligned = &self.numbers[self.numbers.as_ptr().align_offset(64).min(16)..];
        let first = Read { numbers: &aligned[..FIRST / size_of::<f32>()], times: 100 };
        let second = Read { numbers: &aligned[..SECOND / size_of::<f32>()], times: 6 };
        self.chain.extend(best(|| dispatch_on(self.backend, Chain)));
        self.first.extend(best(|| dispatch_on(self.backend, first)));
        self.second.extend(best(|| dispatch_on(self.backend, second)));
    }

    pub fn unit(self) -> Unit {
        let rounded = |x: f64, decimals: f64| (x * decimals).round() / decimals;
        Unit {
            backend: self.backend.name(),
            ns: rounded(median(self.chain), 1e3),
            l1_gb_per_s: rounded(1.0 / median(self.first), 1e1),
            l2_gb_per_s: rounded(1.0 / median(self.second), 1e1),
        }
    }
}

/// The shortest time; the best backend is always available.
fn best(time: impl Fn() -> Result<f64, Unavailable>) -> Option<f64> {
    (0..TRIES).filter_map(|_| time().ok()).min_by(f64::total_cmp)
}

/// Nanoseconds of an operation in a chain of them.
struct Chain;

impl Visitor for Chain {
    type Out = f64;
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) -> f64 {
        let (half, mut x) = (b.splat(black_box(0.5)), b.splat(black_box(3.0)));
        let begin = Instant::now();
        for _ in 0..CHAIN {
            x = b.mul_add(x, half, half);
        }
        black_box(b.add_up(0.0, x));
        begin.elapsed().as_nanos() as f64 / CHAIN as f64
    }
}

/// Nanoseconds of a byte in numbers that are read again and again.
#[derive(Clone, Copy)]
struct Read<'a> {
    numbers: &'a [f32],
    times: usize,
}

impl Visitor for Read<'_> {
    type Out = f64;
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) -> f64 {
        let begin = Instant::now();
        black_box(read(b, self.numbers, self.times));
        begin.elapsed().as_nanos() as f64 / (self.times * size_of_val(self.numbers)) as f64
    }
}

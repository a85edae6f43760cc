//! Activation functions, 1024 values at a time.

mod common;

use criterion::{BenchmarkId, Criterion, Throughput};
use gatelet::simd::{Backend, Visitor, dispatch_on};
use gatelet::{OutputActivation, Sigmoid, Tanh};
use std::hint::black_box;

const VALUES: usize = 1024;

fn main() {
    let mut criterion = common::criterion();
    activation(&mut criterion, "tanh", Tanh);
    activation(&mut criterion, "sigmoid", Sigmoid);
    criterion.final_summary();
}

struct Apply<'a, A>(A, &'a mut [f32]);

impl<A: OutputActivation> Visitor for Apply<'_, A> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        self.0.apply_all(b, self.1);
    }
}

/// In place, again and again: the values change, but no value takes longer than another.
fn activation(criterion: &mut Criterion, name: &str, activation: impl OutputActivation) {
    let mut group = criterion.benchmark_group("activations");
    group.throughput(Throughput::Elements(VALUES as u64));
    for backend in common::backends() {
        let mut values: Vec<_> = (0..VALUES).map(|i| i as f32 / 128.0 - 4.0).collect();
        group.bench_function(BenchmarkId::new(name, backend), |bencher| {
            bencher.iter(|| dispatch_on(backend, Apply(activation, black_box(&mut values))));
        });
    }
}

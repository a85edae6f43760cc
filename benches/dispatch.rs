//! What choosing the backend costs: steps of the smallest layers, where each step chooses and where the choice is made once.

mod common;

use criterion::{BenchmarkId, Criterion, Throughput};
use gatelet::simd::{Backend, Visitor, dispatch_on};
use gatelet::{Layer, Normalize, SimpleRnn};
use std::hint::black_box;

const STEPS: usize = 100;

fn main() {
    let mut criterion = common::criterion();
    dispatch(&mut criterion, "normalize(1)", &Normalize::new([0.1], [2.0]));
    dispatch(&mut criterion, "simple_rnn(1)", &SimpleRnn::<1, 1>::new(&[[0.5]], &[[1.0]], &[0.1]));
    criterion.final_summary();
}

struct Steps<'a, L: Layer>(&'a L, &'a mut L::State, &'a [L::Input], &'a mut L::Output);

impl<L: Layer> Visitor for Steps<'_, L> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        let Steps(layer, state, xs, y) = self;
        for x in xs {
            layer.step_on(b, state, black_box(x), y);
            black_box(&mut *y);
        }
    }
}

fn dispatch<L: Layer<Input = [f32; 1], Output = [f32; 1]>>(criterion: &mut Criterion, name: &str, layer: &L) {
    let xs = common::signal(STEPS);
    let (mut state, mut y) = (L::ZERO_STATE, [0.0]);
    let mut group = criterion.benchmark_group("dispatch");
    group.throughput(Throughput::Elements(STEPS as u64));
    for backend in common::each_backend() {
        group.bench_function(BenchmarkId::new(format!("{name}, each step"), backend), |bencher| {
            bencher.iter(|| {
                for x in &xs {
                    layer.step(&mut state, black_box(x), &mut y);
                    black_box(&mut y);
                }
            });
        });
        group.bench_function(BenchmarkId::new(format!("{name}, once"), backend), |bencher| {
            bencher.iter(|| dispatch_on(backend, Steps(layer, &mut state, &xs, &mut y)));
        });
    }
}

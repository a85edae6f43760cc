//! One time step: `step` again and again, the state carried on.

mod common;

use criterion::{BenchmarkId, Criterion};
use gatelet::{Dense, Gru, Layer, Lstm, ReadInto, SimpleRnn, Vector, chain};
use std::hint::black_box;

fn main() {
    let mut criterion = common::criterion();
    simple_rnn::<16>(&mut criterion);
    simple_rnn::<64>(&mut criterion);
    gated::<16>(&mut criterion);
    gated::<32>(&mut criterion);
    gated::<64>(&mut criterion);
    criterion.final_summary();
}

fn simple_rnn<const H: usize>(criterion: &mut Criterion) {
    step::<chain!(SimpleRnn<1, H>, Dense<H, 1>)>(criterion, &format!("simple_rnn({H}), dense(1)"));
}

fn gated<const H: usize>(criterion: &mut Criterion) {
    step::<chain!(Lstm<1, H>, Dense<H, 1>)>(criterion, &format!("lstm({H}), dense(1)"));
    step::<chain!(Gru<1, H>, Dense<H, 1>)>(criterion, &format!("gru({H}), dense(1)"));
}

fn step<L: ReadInto + Layer<Input = [f32; 1]>>(criterion: &mut Criterion, description: &str) {
    let net = common::network::<L>(1, description);
    let xs = common::signal(1024);
    let mut group = criterion.benchmark_group("step");
    for backend in common::each_backend() {
        let (mut state, mut y) = (L::ZERO_STATE, L::Output::ZERO);
        let mut at = 0;
        group.bench_function(BenchmarkId::new(description, backend), |bencher| {
            bencher.iter(|| {
                net.step(&mut state, black_box(&xs[at % 1024]), &mut y);
                at += 1;
                black_box(&mut y);
            });
        });
    }
}

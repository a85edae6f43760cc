//! Many time steps: one call of `run` beside as many calls of `step`.

mod common;

use criterion::{BenchmarkId, Criterion, Throughput};
use gatelet::{Gru, Layer, Lstm, ReadInto, Vector};
use std::hint::black_box;

fn main() {
    let mut criterion = common::criterion();
    sequence::<Lstm<10, 32>, 10>(&mut criterion, 100, "lstm(32)");
    sequence::<Gru<10, 32>, 10>(&mut criterion, 100, "gru(32)");
    sequence::<Lstm<1, 16>, 1>(&mut criterion, 64, "lstm(16)");
    sequence::<Gru<1, 16>, 1>(&mut criterion, 64, "gru(16)");
    criterion.final_summary();
}

fn sequence<L, const I: usize>(criterion: &mut Criterion, steps: usize, description: &str)
where
    L: ReadInto + Layer<Input = [f32; I]>,
{
    let net = common::network::<L>(I, description);
    let xs = common::signal(steps);
    let mut ys = vec![L::Output::ZERO; steps];
    let mut group = criterion.benchmark_group("sequence");
    group.throughput(Throughput::Elements(steps as u64));
    for backend in common::each_backend() {
        let mut state = L::ZERO_STATE;
        let name = |how: &str| BenchmarkId::new(format!("{description} of {I}, {steps} steps, {how}"), backend);
        group.bench_function(name("run"), |bencher| {
            bencher.iter(|| {
                net.run(&mut state, black_box(&xs), &mut ys).expect("as many outputs as inputs");
                black_box(&mut ys);
            });
        });
        group.bench_function(name("step"), |bencher| {
            bencher.iter(|| {
                for (x, y) in black_box(&xs).iter().zip(&mut ys) {
                    net.step(&mut state, x, y);
                }
                black_box(&mut ys);
            });
        });
    }
}

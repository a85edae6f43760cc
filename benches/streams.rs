//! Sixteen streams that share a model: one call of `step_streams` beside a call of `step` for each.

mod common;

use criterion::{BenchmarkId, Criterion, Throughput};
use gatelet::{Gru, Layer, Lstm, ReadInto, Vector};
use std::hint::black_box;

const STREAMS: usize = 16;

fn main() {
    let mut criterion = common::criterion();
    streams::<Lstm<1, 16>>(&mut criterion, "lstm(16)");
    streams::<Lstm<1, 64>>(&mut criterion, "lstm(64)");
    streams::<Gru<1, 64>>(&mut criterion, "gru(64)");
    streams::<Lstm<1, 128>>(&mut criterion, "lstm(128)");
    criterion.final_summary();
}

fn streams<L: ReadInto + Layer<Input = [f32; 1]>>(criterion: &mut Criterion, description: &str) {
    let net = common::network::<L>(1, description);
    let xs = common::signal(STREAMS);
    let mut ys = vec![L::Output::ZERO; STREAMS];
    let mut group = criterion.benchmark_group("streams");
    group.throughput(Throughput::Elements(STREAMS as u64));
    for backend in common::each_backend() {
        let mut states = vec![L::ZERO_STATE; STREAMS];
        let name = |how: &str| BenchmarkId::new(format!("{description}, {how}"), backend);
        group.bench_function(name("together"), |bencher| {
            bencher.iter(|| {
                net.step_streams(&mut states, black_box(&xs), &mut ys).expect("as many of each");
                black_box(&mut ys);
            });
        });
        group.bench_function(name("one by one"), |bencher| {
            bencher.iter(|| {
                for ((state, x), y) in states.iter_mut().zip(black_box(&xs)).zip(&mut ys) {
                    net.step(state, x, y);
                }
                black_box(&mut ys);
            });
        });
    }
}

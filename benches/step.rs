//! One time step: `step` again and again, the state carried on.

mod common;

use criterion::{BenchmarkId, Criterion};
use gatelet::{Dense, Gru, Layer, Lstm, ReadInto, SimpleRnn, Vector, chain, quant};
use std::hint::black_box;

fn main() {
    let mut criterion = common::criterion();
    each_cell::<8>(&mut criterion);
    each_cell::<16>(&mut criterion);
    each_cell::<20>(&mut criterion);
    each_cell::<32>(&mut criterion);
    each_cell::<40>(&mut criterion);
    each_cell::<64>(&mut criterion);
    each_cell::<128>(&mut criterion);
    criterion.final_summary();
}

fn each_cell<const H: usize>(criterion: &mut Criterion) {
    let [rnn, lstm, gru] = ["simple_rnn", "lstm", "gru"].map(|cell| format!("{cell}({H}), dense(1)"));
    step::<chain!(SimpleRnn<1, H>, Dense<H, 1>)>(criterion, &rnn);
    step_integers::<chain!(quant::SimpleRnn<1, H>, quant::Dense<H, 1>)>(criterion, &rnn);
    step::<chain!(Lstm<1, H>, Dense<H, 1>)>(criterion, &lstm);
    step_integers::<chain!(quant::Lstm<1, H>, quant::Dense<H, 1>)>(criterion, &lstm);
    step::<chain!(Gru<1, H>, Dense<H, 1>)>(criterion, &gru);
    step_integers::<chain!(quant::Gru<1, H>, quant::Dense<H, 1>)>(criterion, &gru);
}

fn step<L: ReadInto + Layer<Input = [f32; 1]>>(criterion: &mut Criterion, description: &str) {
    measure(criterion, description, &*common::network::<L>(1, description), &common::signal(1024));
}

/// All weights are zero, which takes integers as long as any other.
fn step_integers<L: ReadInto + Layer<Input = [i16; 1]>>(criterion: &mut Criterion, description: &str) {
    let xs: Vec<_> = common::signal(1024).into_iter().map(|[x]: [f32; 1]| [(32_767.0 * x) as i16]).collect();
    measure(criterion, &format!("int8: {description}"), &*Box::new(L::EMPTY), &xs);
}

fn measure<L: Layer>(criterion: &mut Criterion, description: &str, net: &L, xs: &[L::Input]) {
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

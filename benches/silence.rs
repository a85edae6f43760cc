//! Whether a step takes longer when nothing is to be heard: on a signal, after ten seconds of silence at 48 kHz, on denormal numbers.

mod common;

use criterion::{BenchmarkId, Criterion};
use gatelet::{Dense, Gru, Layer, Lstm, ReadInto, SimpleRnn, Vector, chain};
use std::hint::black_box;

const SILENCE: usize = 10 * 48_000;

fn main() {
    let mut criterion = common::criterion();
    silence::<chain!(SimpleRnn<1, 16>, Dense<16, 1>)>(&mut criterion, "simple_rnn(16), dense(1)");
    silence::<chain!(Lstm<1, 16>, Dense<16, 1>)>(&mut criterion, "lstm(16), dense(1)");
    silence::<chain!(Gru<1, 16>, Dense<16, 1>)>(&mut criterion, "gru(16), dense(1)");
    criterion.final_summary();
}

fn silence<L: ReadInto + Layer<Input = [f32; 1]>>(criterion: &mut Criterion, description: &str) {
    // Fresh networks have no biases but an LSTM's forget gates', so that states fade away.
    let net = common::network::<L>(1, description);
    let signal = common::signal(1024);
    let denormal: Vec<_> = (0..1024).map(|i| [f32::from_bits(1 + i)]).collect();
    let mut group = criterion.benchmark_group("silence");
    for backend in common::each_backend() {
        let (mut state, mut y) = (L::ZERO_STATE, L::Output::ZERO);
        for (what, xs) in
            [("signal", &signal), ("after 10 s of silence", &vec![[0.0]; 1024]), ("denormal input", &denormal)]
        {
            if what != "signal" {
                for _ in 0..SILENCE {
                    net.step(&mut state, &[0.0], &mut y);
                }
            }
            let mut at = 0;
            group.bench_function(BenchmarkId::new(format!("{description}, {what}"), backend), |bencher| {
                bencher.iter(|| {
                    net.step(&mut state, black_box(&xs[at % 1024]), &mut y);
                    at += 1;
                    black_box(&mut y);
                });
            });
        }
    }
}

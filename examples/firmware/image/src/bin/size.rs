//! `empty` and one step of a small network: the difference is what the library adds to an image.
#![no_std]
#![no_main]

use core::hint::black_box;
use gatelet::{Chain, Dense, Gru, Layer, Softmax, chain};
use semihosting::process::exit;

type Net = chain!(Gru<6, 16>, Dense<16, 4, Softmax>);

static NET: Net = Chain(Gru::new(&gates(1), &gates(2), &rows(3)), Dense::new(&rows(4), &[0.1, 0.2, 0.3, 0.4]));

/// Some numbers between -0.5 and 0.5.
const fn rows<const N: usize, const ROWS: usize>(seed: usize) -> [[f32; N]; ROWS] {
    let mut rows = [[0.0; N]; ROWS];
    let mut i = 0;
    while i < N * ROWS {
        rows[i / N][i % N] = ((seed + i) * 37 % 101) as f32 / 101.0 - 0.5;
        i += 1;
    }
    rows
}

const fn gates<const ROWS: usize>(seed: usize) -> [[[f32; 16]; 3]; ROWS] {
    let mut gates = [[[0.0; 16]; 3]; ROWS];
    let mut row = 0;
    while row < ROWS {
        gates[row] = rows(seed + row);
        row += 1;
    }
    gates
}

#[image::board::entry]
fn main() -> ! {
    // The compiler cannot look through `black_box`: it neither computes the answer nor leaves the step out.
    let mut state = black_box(Net::ZERO_STATE);
    let mut y = [0.0; 4];
    NET.step(&mut state, black_box(&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6]), &mut y);
    black_box((y, state));
    exit(0)
}

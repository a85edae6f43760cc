//! Every kind of cell, with weights from a formula: sizes that fill no panel, both forms of the GRU, other activations.

use crate::Checksum;
use gatelet::simd::Scalar;
use gatelet::{
    Chain, Dense, Gru, HardSigmoid, Layer, Lstm, Normalize, Relu, Residual, SimpleRnn, Softmax, Tanh, chain,
};

type Cells = chain!(
    Normalize<3>,
    SimpleRnn<3, 5, Relu>,
    Lstm<5, 10>,
    Residual<Gru<10, 10>>,
    Gru<10, 7, false, Tanh, HardSigmoid>,
    Dense<7, 6, Softmax>
);

static CELLS: Cells = Chain(
    Normalize::new([0.1, -0.2, 0.3], [1.5, 0.5, 2.0]),
    Chain(
        SimpleRnn::new(&rows(1), &rows(2), &[0.1; 5]),
        Chain(
            Lstm::new(&gates(3), &gates(4), &rows(5)),
            Chain(
                Residual(Gru::new(&gates(6), &gates(7), &rows(8))),
                Chain(Gru::new(&gates(9), &gates(10), &rows(11)), Dense::new(&rows(12), &[0.2; 6])),
            ),
        ),
    ),
);

/// A number from -0.5 to 0.5.
const fn formula(seed: usize, i: usize) -> f32 {
    ((11 * seed + i) * 37 % 101) as f32 / 100.0 - 0.5
}

const fn rows<const N: usize, const ROWS: usize>(seed: usize) -> [[f32; N]; ROWS] {
    let mut rows = [[0.0; N]; ROWS];
    let mut i = 0;
    while i < N * ROWS {
        rows[i / N][i % N] = formula(seed, i);
        i += 1;
    }
    rows
}

const fn gates<const N: usize, const G: usize, const ROWS: usize>(seed: usize) -> [[[f32; N]; G]; ROWS] {
    let mut gates = [[[0.0; N]; G]; ROWS];
    let mut row = 0;
    while row < ROWS {
        gates[row] = rows(seed + row);
        row += 1;
    }
    gates
}

/// Of every output of twenty steps.
pub fn checksum() -> u32 {
    let mut checksum = Checksum::new();
    let mut state = Cells::ZERO_STATE;
    for step in 0..20 {
        let x = core::array::from_fn(|i| formula(step, i));
        let mut y = [0.0; 6];
        // Not `step`: on a host that would be a backend with other roundings.
        CELLS.step_on(Scalar::new(), &mut state, &x, &mut y);
        checksum.add(&y);
    }
    checksum.value()
}

//! Every kind of cell, with weights from a formula: sizes that fill no panel, both forms of the GRU, other activations.

use crate::Checksum;
use crate::networks::{Number, biases, bytes, gates as byte_gates, random, scales};
use gatelet::simd::Scalar;
use gatelet::{
    Chain, Dense, Gru, HardSigmoid, Layer, Lstm, Normalize, Relu, Residual, SimpleRnn, Softmax, Tanh, chain, quant,
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

type Integers = chain!(
    quant::SimpleRnn<3, 5>,
    quant::Lstm<5, 10>,
    quant::Lstm<10, 12>,
    quant::Gru<12, 7>,
    quant::Gru<7, 20>,
    quant::Gru<20, 6, false>,
    quant::Dense<6, 9>
);

static INTEGERS: Integers = Chain(
    quant::SimpleRnn::new(&bytes(1), &bytes(2), &biases::<_, 1>()[0], &scales::<_, 1>(8)[0]),
    Chain(
        quant::Lstm::new(&byte_gates(3), &byte_gates(4), &biases(), &scales(15), (12, 15)),
        Chain(
            quant::Lstm::new(&byte_gates(5), &byte_gates(6), &biases(), &scales(22), (11, 15)),
            Chain(
                quant::Gru::new(&byte_gates(7), &byte_gates(8), &biases(), &scales(19)),
                Chain(
                    quant::Gru::new(&byte_gates(9), &byte_gates(10), &biases(), &scales(27)),
                    Chain(
                        quant::Gru::new(&byte_gates(11), &byte_gates(12), &biases(), &scales(26)),
                        quant::Dense::new(&bytes(13), &biases::<_, 1>()[0], &scales::<_, 1>(60)[0], 0),
                    ),
                ),
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

/// Of every output of twenty steps, in floating point and in integers.
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
    let mut state = Integers::ZERO_STATE;
    for step in 0..20 {
        let x = core::array::from_fn(|i| Number::input(random(step, i)));
        let mut y = [0; 9];
        INTEGERS.step(&mut state, &x, &mut y);
        checksum.add(&y);
    }
    checksum.value()
}

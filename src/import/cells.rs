//! Weights of cells in other orders.

/// Keras's gates z, r, h as r, z, n.
pub(super) fn swapped(mut matrix: Vec<f32>, units: usize) -> Vec<f32> {
    for row in matrix.chunks_exact_mut(3 * units) {
        let (z, rest) = row.split_at_mut(units);
        z.swap_with_slice(&mut rest[..units]);
    }
    matrix
}

/// Keras's biases of inputs and of the state, each z, r, h, as r, z, n, and the state's part of n.
pub(super) fn gru_bias(bias: &[f32], units: usize) -> Vec<f32> {
    let (of_inputs, of_state) = bias.split_at(3 * units);
    let sums: Vec<f32> = of_inputs.iter().zip(of_state).take(2 * units).map(|(a, b)| a + b).collect();
    let (z, r) = sums.split_at(units);
    [r, z, &of_inputs[2 * units..], &of_state[2 * units..]].concat()
}

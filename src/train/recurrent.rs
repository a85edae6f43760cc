//! Recurrent layers forwards and backwards through time (Werbos 1990): exact, over whole sequences.
//!
//! Matrices have a column per sequence and time step (see [`Sequences`]). States have one block of columns more, in front:
//! the states before the first step, which are zero.

use super::cell::{gru, lstm, simple_rnn};
use super::sequences::Sequences;
use crate::network::{Cell, Real, Recurrent};
use core::ops::Range;
use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};

/// What the way back needs to know of the way forth.
pub(super) struct Tape<T> {
    /// Inputs, I rows.
    x: DMatrix<T>,
    /// Activated gates, G·H rows.
    gates: DMatrix<T>,
    /// Hidden states, H rows.
    h: Vec<T>,
    /// Cell states of an LSTM.
    c: Vec<T>,
    /// What else a cell keeps, H rows: t of an LSTM, p or q of a GRU.
    extra: Vec<T>,
}

/// Where a step's states, and those before it, stand: ranges of columns.
fn state_columns(sequences: &Sequences, step: usize) -> (Range<usize>, Range<usize>) {
    let now = sequences.step(step);
    let before = match step.checked_sub(1) {
        Some(before) => sequences.count() + sequences.step(before).start,
        None => 0,
    };
    (before..before + now.len(), sequences.count() + now.start..sequences.count() + now.end)
}

/// `rows` numbers for each of these columns.
fn of(rows: usize, columns: &Range<usize>) -> Range<usize> {
    rows * columns.start..rows * columns.end
}

/// Gives every output, H rows, and what the way back needs. `exact` are the states to go on with in the place of those that are
/// computed: h and c of every column.
pub(super) fn forward<T: Real>(
    layer: &Recurrent,
    parameters: &[T],
    x: DMatrix<T>,
    sequences: &Sequences,
    exact: Option<&[Vec<T>; 2]>,
) -> (DMatrix<T>, Tape<T>) {
    let (u, w, bias) = layer.split(parameters);
    let (units, rows) = (layer.units, u.nrows());
    // The inputs' part of every gate at every step is one product.
    let mut gates = DMatrix::from_fn(rows, sequences.columns(), |row, _| bias[row]);
    gates.gemm(T::one(), &w, &x, T::one());
    let recurrent_bias = &bias[rows.min(bias.len())..];

    let states = units * (sequences.count() + sequences.columns());
    let mut h = vec![T::zero(); states];
    let mut c = vec![T::zero(); if layer.cell == Cell::Lstm { states } else { 0 }];
    let mut extra = vec![T::zero(); if layer.cell == Cell::SimpleRnn { 0 } else { units * sequences.columns() }];
    // Where the reset comes before the product, the candidate's rows wait for it.
    let rows_at_once = if layer.cell == (Cell::Gru { reset_after: false }) { 2 * units } else { rows };
    let mut product = vec![T::zero(); rows * sequences.count()];
    for step in 0..sequences.steps() {
        let columns = sequences.step(step);
        let (before, now) = state_columns(sequences, step);
        let product = &mut product[..rows_at_once * columns.len()];
        let (past, present) = h.split_at_mut(units * now.start);
        let (h, new_h) = (&past[of(units, &before)], &mut present[..units * columns.len()]);
        multiply(&u.rows(0, rows_at_once), h, product);
        let gates = &mut gates.as_mut_slice()[of(rows, &columns)];
        match layer.cell {
            Cell::SimpleRnn => simple_rnn::forward(layer, gates, product, new_h),
            Cell::Lstm => {
                let (past, present) = c.split_at_mut(units * now.start);
                let new_c = &mut present[..units * columns.len()];
                let t = &mut extra[of(units, &columns)];
                lstm::forward(layer, gates, product, &past[of(units, &before)], (new_c, t, new_h));
            }
            Cell::Gru { reset_after: true } => {
                let p = &mut extra[of(units, &columns)];
                gru::forward_after(layer, gates, product, recurrent_bias, h, (p, new_h));
            }
            Cell::Gru { reset_after: false } => {
                let q = &mut extra[of(units, &columns)];
                gru::reset_before(layer, gates, product, h, q);
                let product = &mut product[..units * columns.len()];
                multiply(&u.rows(2 * units, units), q, product);
                gru::forward_before(layer, gates, product, recurrent_bias, h, new_h);
            }
        }
        if let Some([exact_h, exact_c]) = exact {
            new_h.copy_from_slice(&exact_h[of(units, &columns)]);
            if layer.cell == Cell::Lstm {
                c[of(units, &now)].copy_from_slice(&exact_c[of(units, &columns)]);
            }
        }
    }
    let outputs = DMatrix::from_column_slice(units, sequences.columns(), &h[units * sequences.count()..]);
    (outputs, Tape { x, gates, h, c, extra })
}

/// Takes the gradient of every output, adds the parameters' gradient to `gradient` and gives that of the inputs.
pub(super) fn backward<T: Real>(
    layer: &Recurrent,
    parameters: &[T],
    gradient: &mut [T],
    tape: &Tape<T>,
    dy: &DMatrix<T>,
    sequences: &Sequences,
) -> DMatrix<T> {
    let (u, w, _) = layer.split(parameters);
    let (units, rows) = (layer.units, u.nrows());
    let u_transposed = u.transpose();
    let reset_after = layer.cell == (Cell::Gru { reset_after: true });
    let reset_before = layer.cell == (Cell::Gru { reset_after: false });

    let mut d_gates = DMatrix::from_element(rows, sequences.columns(), T::zero());
    // The gradient of U h is that of the gates but where the reset stands between them.
    let mut d_product = DMatrix::from_element(if reset_after { rows } else { 0 }, sequences.columns(), T::zero());
    // What reaches a step from the step behind it. A sequence that ends earlier than others has nothing behind its end.
    let mut dh = vec![T::zero(); units * sequences.count()];
    let mut dc = vec![T::zero(); units * sequences.count()];
    let mut direct = vec![T::zero(); units * sequences.count()];
    let mut dq = vec![T::zero(); units * sequences.count()];
    for step in (0..sequences.steps()).rev() {
        let columns = sequences.step(step);
        let (before, _) = state_columns(sequences, step);
        let running = units * columns.len();
        let (dh, direct) = (&mut dh[..running], &mut direct[..running]);
        for (dh, &dy) in dh.iter_mut().zip(&dy.as_slice()[of(units, &columns)]) {
            *dh += dy;
        }
        let gates = &tape.gates.as_slice()[of(rows, &columns)];
        let h = &tape.h[of(units, &before)];
        let d_gates = &mut d_gates.as_mut_slice()[of(rows, &columns)];
        match layer.cell {
            Cell::SimpleRnn => simple_rnn::backward(layer, gates, dh, d_gates),
            Cell::Lstm => {
                let (c, t) = (&tape.c[of(units, &before)], &tape.extra[of(units, &columns)]);
                lstm::backward(layer, gates, (c, t), dh, &mut dc[..running], d_gates);
            }
            Cell::Gru { reset_after: true } => {
                let p = &tape.extra[of(units, &columns)];
                let d_product = &mut d_product.as_mut_slice()[of(rows, &columns)];
                gru::backward_after(layer, gates, (h, p), dh, (d_gates, d_product), direct);
            }
            Cell::Gru { reset_after: false } => {
                let dq = &mut dq[..running];
                gru::backward_before(layer, gates, h, dh, d_gates, direct);
                let d_n = DMatrixView::from_slice(d_gates, rows, columns.len()).rows(2 * units, units).clone_owned();
                multiply(&u_transposed.columns(2 * units, units), d_n.as_slice(), dq);
                gru::backward_reset(layer, gates, h, dq, d_gates, direct);
            }
        }
        // The gradient of h: through the product with U, and in a GRU past the gates.
        let through = if reset_after {
            d_product.columns_range(columns)
        } else {
            DMatrixView::from_slice(d_gates, rows, columns.len())
        };
        let rows = if reset_before { 2 * units } else { rows };
        let mut dh = DMatrixViewMut::from_slice(dh, units, through.ncols());
        dh.gemm(T::one(), &u_transposed.columns(0, rows), &through.rows(0, rows), T::zero());
        dh += DMatrixView::from_slice(direct, units, through.ncols());
    }

    let [recurrent, input, _] = layer.lengths();
    let (d_u, rest) = gradient.split_at_mut(recurrent);
    let (d_w, d_bias) = rest.split_at_mut(input);
    let mut d_u = DMatrixViewMut::from_slice(d_u, rows, units);
    let mut d_w = DMatrixViewMut::from_slice(d_w, rows, layer.inputs);
    let (d_bias, d_recurrent_bias) = d_bias.split_at_mut(rows.min(d_bias.len()));
    let mut h_before = Vec::with_capacity(units * sequences.columns());
    for step in 0..sequences.steps() {
        h_before.extend_from_slice(&tape.h[of(units, &state_columns(sequences, step).0)]);
    }
    let h_before = DMatrix::from_vec(units, sequences.columns(), h_before).transpose();
    if reset_before {
        let q = DMatrixView::from_slice(&tape.extra, units, sequences.columns()).transpose();
        d_u.rows_mut(0, 2 * units).gemm(T::one(), &d_gates.rows(0, 2 * units), &h_before, T::one());
        d_u.rows_mut(2 * units, units).gemm(T::one(), &d_gates.rows(2 * units, units), &q, T::one());
    } else {
        d_u.gemm(T::one(), if reset_after { &d_product } else { &d_gates }, &h_before, T::one());
    }
    d_w.gemm(T::one(), &d_gates, &tape.x.transpose(), T::one());
    add_columns(&d_gates, d_bias);
    if let Cell::Gru { reset_after } = layer.cell {
        let of_product = if reset_after { &d_product } else { &d_gates };
        add_columns(&of_product.rows(2 * units, units).clone_owned(), d_recurrent_bias);
    }
    w.transpose() * d_gates
}

/// `product = matrix · columns`
fn multiply<T: Real, S>(matrix: &nalgebra::Matrix<T, nalgebra::Dyn, nalgebra::Dyn, S>, columns: &[T], product: &mut [T])
where
    S: nalgebra::Storage<T, nalgebra::Dyn, nalgebra::Dyn>,
{
    let count = columns.len() / matrix.ncols();
    DMatrixViewMut::from_slice(product, matrix.nrows(), count).gemm(
        T::one(),
        matrix,
        &DMatrixView::from_slice(columns, matrix.ncols(), count),
        T::zero(),
    );
}

/// Adds the sum over all columns.
pub(super) fn add_columns<T: Real>(matrix: &DMatrix<T>, to: &mut [T]) {
    for column in matrix.as_slice().chunks_exact(matrix.nrows()) {
        super::cell::add(to, column);
    }
}

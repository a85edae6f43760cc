//! Integer layers of run-time sizes. Between layers and in states are the numbers that integers stand for, which single precision
//! holds exactly: everything around an integer layer is as it is around others.

use super::Flow;
use crate::kernel::integer::{self, Gates, GruRows, Matrix, Rows, Words, bytes_of};
use crate::math::{ActivationKind, OutputKind, Sigmoid, Softmax, Tanh};
use crate::network::{Cell, LayerKind, Recurrent, integers};
use crate::quant::{IntegerActivation, IntegerOutput, dequantize, lstm, quantize};
use crate::simd::{Backend, Visitor, dispatch};

/// An integer layer packed for the kernels.
#[derive(Clone, Debug)]
pub(super) struct Integer {
    kind: LayerKind,
    /// Of each input.
    input_bits: Vec<i8>,
    /// Of each output.
    output_bits: Vec<i8>,
    /// Of a cell state, or of a softmax's arguments.
    more_bits: u32,
    constants: Vec<i32>,
    recurrent: Packed,
    input: Packed,
}

/// A packed matrix.
#[derive(Clone, Debug, Default)]
struct Packed {
    weights: Vec<i8>,
    offsets: Vec<i32>,
}

impl Packed {
    fn new(weights: &[i8], gates: usize, units: usize) -> Self {
        let offsets = if cfg!(target_arch = "x86_64") { gates * units } else { 0 };
        let mut packed = Packed { weights: vec![0; weights.len()], offsets: vec![0; offsets] };
        integer::pack(&mut packed.weights, &mut packed.offsets, bytes_of(weights), gates, units);
        packed
    }

    fn matrix(&self) -> Matrix<'_> {
        Matrix { weights: &self.weights, offsets: &self.offsets }
    }
}

impl Integer {
    /// Packs a layer, for inputs of so many fraction bits.
    pub(super) fn new(kind: LayerKind, bytes: &[u8], input_bits: &[i8]) -> Self {
        let mut layer = Integer {
            kind,
            input_bits: input_bits.to_vec(),
            output_bits: Vec::new(),
            more_bits: 0,
            constants: Vec::new(),
            recurrent: Packed::default(),
            input: Packed::default(),
        };
        let Some(rows) = integers::rows(&kind, bytes) else {
            layer.output_bits = match kind {
                LayerKind::Quantize { .. } | LayerKind::Dequantize { .. } => {
                    bytes.iter().map(|bits| bits.cast_signed()).collect()
                }
                _ => input_bits.to_vec(),
            };
            return layer;
        };
        let (gates, units) = match kind {
            LayerKind::Recurrent(layer) => (layer.cell.gates(), layer.units),
            _ => (1, kind.outputs()),
        };
        let is_softmax = matches!(kind, LayerKind::Dense { activation: OutputKind::Softmax, .. });
        let output_bits = if is_softmax { 15 } else { rows.formats[0].min(15) as i8 };
        layer.output_bits = vec![output_bits; units];
        layer.more_bits = *rows.formats.last().unwrap_or(&0);
        layer.constants = vec![0; rows.bias.len() + rows.scale.len()];
        integer::pack_rows(
            &mut layer.constants,
            [Words::Numbers(&rows.bias), Words::Numbers(&rows.scale)],
            gates,
            units,
        );
        layer.recurrent = Packed::new(&rows.recurrent, gates, units);
        layer.input = Packed::new(&rows.input, gates, units);
        layer
    }

    /// The fraction bits of each output.
    pub(super) fn output_bits(&self) -> &[i8] {
        &self.output_bits
    }

    /// Takes time steps through the layer, and tells how many numbers were cut off: which are at an end of their range.
    pub(super) fn run(&self, state: &mut [f32], from: &mut Flow, to: &mut Flow) -> u64 {
        to.reset(from.steps(), self.kind.outputs());
        let mut saturated = 0;
        match self.kind {
            // Every output is a number that int16 stands for.
            LayerKind::Quantize { .. } => {
                let mut y = vec![0; to.size];
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    for ((y, &x), &bits) in y.iter_mut().zip(xs).zip(&self.output_bits) {
                        *y = quantize(x, bits.into());
                    }
                    saturated += at_an_end(&y);
                    self.give(&y, ys);
                }
            }
            LayerKind::Recurrent(layer) => saturated = self.recurrent(layer, state, from, to),
            LayerKind::Dense { activation, .. } => {
                let (mut x, mut room) = (vec![0; from.size], vec![0; from.size]);
                let mut y = vec![0; to.size];
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    self.take(xs, &mut x);
                    let step = DenseStep { layer: self, x: &x, room: &mut room, y: &mut y };
                    match activation {
                        OutputKind::Softmax => dispatch(With(Softmax, step)),
                        OutputKind::Each(kind) => dispatch(With(kind, step)),
                    }
                    saturated += if is_bounded(activation) { 0 } else { at_an_end(&y) };
                    self.give(&y, ys);
                }
            }
            // A file may have other formats here than the layer in front gives.
            _ => {
                let mut y = vec![0; to.size];
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    self.take(xs, &mut y);
                    self.give(&y, ys);
                }
            }
        }
        to.valid = from.valid.take();
        saturated
    }

    fn take(&self, xs: &[f32], x: &mut [i16]) {
        for ((x, &value), &bits) in x.iter_mut().zip(xs).zip(&self.input_bits) {
            *x = quantize(value, bits.into());
        }
    }

    fn give(&self, y: &[i16], ys: &mut [f32]) {
        for ((value, &y), &bits) in ys.iter_mut().zip(y).zip(&self.output_bits) {
            *value = dequantize(y, bits.into());
        }
    }

    fn recurrent(&self, layer: Recurrent, state: &mut [f32], from: &Flow, to: &mut Flow) -> u64 {
        let units = layer.units;
        let (state_h, state_c) = state.split_at_mut(units);
        let (hidden_bits, cell_bits) = (self.output_bits[0].into(), self.more_bits.cast_signed());
        let mut h: Vec<_> = state_h.iter().map(|&h| quantize(h, hidden_bits)).collect();
        let mut c: Vec<_> = state_c.iter().map(|&c| quantize(c, cell_bits)).collect();
        let (mut x, mut rooms) = (vec![0; from.size], [vec![0; from.size], vec![0; units]]);
        let mut more = [vec![0; units], vec![0; units]];
        let mut rows: Vec<_> = from.rows().collect();
        if layer.go_backwards {
            // Outputs are in the order in which they are given.
            rows.reverse();
        }
        let bounded = is_bounded(OutputKind::Each(layer.activation));
        let mut saturated = 0;
        for ((xs, valid), ys) in rows.into_iter().zip(to.values.chunks_exact_mut(units)) {
            if valid {
                self.take(xs, &mut x);
                let [x_room, h_room] = &mut rooms;
                let step = CellStep { layer: self, x: &x, x_room, h_room, more: &mut more, h: &mut h, c: &mut c };
                match (layer.activation, layer.recurrent_activation) {
                    (ActivationKind::Tanh, ActivationKind::Sigmoid) => dispatch(With((Tanh, Sigmoid), step)),
                    chosen => dispatch(With(chosen, step)),
                }
                saturated += at_an_end(&c) + if bounded { 0 } else { at_an_end(&h) };
            }
            if valid || !layer.zero_output_for_mask {
                self.give(&h, ys);
            }
        }
        for (to, &h) in state_h.iter_mut().zip(&h) {
            *to = dequantize(h, hidden_bits);
        }
        for (to, &c) in state_c.iter_mut().zip(&c) {
            *to = dequantize(c, cell_bits);
        }
        saturated
    }
}

/// How many numbers are at an end of their range.
fn at_an_end(numbers: &[i16]) -> u64 {
    numbers.iter().filter(|&&number| number == i16::MAX || number == i16::MIN).count() as u64
}

/// Whether the end of the range is no loss.
fn is_bounded(activation: OutputKind) -> bool {
    !matches!(activation, OutputKind::Each(ActivationKind::Linear | ActivationKind::Relu))
}

/// A step with activations.
struct With<A, S>(A, S);

struct DenseStep<'a> {
    layer: &'a Integer,
    x: &'a [i16],
    room: &'a mut [i16],
    y: &'a mut [i16],
}

impl<A: IntegerOutput> Visitor for With<A, DenseStep<'_>> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        use crate::simd::integers::Integers;
        let With(activation, DenseStep { layer, x, room, y }) = self;
        let i = b.integers();
        i.prepare(x, room);
        integer::dense(i, activation.each(), layer.input.matrix(), Rows(&layer.constants), room, y);
        activation.all(y, layer.more_bits);
    }
}

struct CellStep<'a> {
    layer: &'a Integer,
    x: &'a [i16],
    x_room: &'a mut [i16],
    h_room: &'a mut [i16],
    more: &'a mut [Vec<i16>; 2],
    h: &'a mut [i16],
    c: &'a mut [i16],
}

impl<A: IntegerActivation, R: IntegerActivation> Visitor for With<(A, R), CellStep<'_>> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        use crate::simd::integers::Integers;
        let i = b.integers();
        let With(activations, CellStep { layer, x, x_room, h_room, more, h, c }) = self;
        let LayerKind::Recurrent(spec) = layer.kind else { return };
        i.prepare(x, x_room);
        i.prepare(h, h_room);
        let inputs = (&*x_room, &*h_room);
        let (recurrent, input) = (layer.recurrent.matrix(), layer.input.matrix());
        let weights = Gates { recurrent, input, constants: Rows(&layer.constants) };
        match spec.cell {
            Cell::SimpleRnn => integer::simple_rnn(i, activations.0, weights, inputs, h),
            Cell::Lstm => {
                let bits = layer.output_bits[0] as u32;
                let formats = lstm::Formats::new(spec.activation, layer.more_bits, bits);
                integer::lstm(i, activations, formats, weights, inputs, (h, c));
            }
            Cell::Gru { reset_after: true } => integer::gru(i, activations, weights, GruRows::ResetAfter, inputs, h),
            Cell::Gru { reset_after: false } => {
                let [reset, room] = more;
                let form = GruRows::ResetBefore([reset, room]);
                integer::gru(i, activations, weights, form, inputs, h);
            }
        }
    }
}
